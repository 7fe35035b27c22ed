/* semaphore.h - a count of permits. Python: threading.Semaphore, threading.BoundedSemaphore.
 *
 *     static thr_semaphore slots = THR_SEMAPHORE_INIT(3);
 *
 *     thr_semaphore_acquire(&slots);           // at most three threads are here at a time
 *     ...
 *     (void)thr_semaphore_release(&slots, 1);
 *
 * A bounded semaphore refuses a release that would bring it above its first value.
 * Counts go up to THR_SEMAPHORE_MAX. A zeroed semaphore is a valid one with no permits.
 *
 * Order: everything before a release happens-before the return of the acquires that take its permits. */

#ifndef THREADING_SEMAPHORE_H
#define THREADING_SEMAPHORE_H

#include "base.h"

THR__BEGIN

/** The highest number of permits. */
#define THR_SEMAPHORE_MAX 0x7fffffffu

typedef struct thr_semaphore {
    uint32_t word_;    /* the permits; the highest bit: somebody may sleep */
    uint32_t waiting_; /* threads in a blocking acquire */
} thr_semaphore;

typedef struct thr_bounded_semaphore {
    thr_semaphore semaphore_;
    uint32_t bound_;
} thr_bounded_semaphore;

/** `permits` at the start: a constant expression up to THR_SEMAPHORE_MAX. */
#define THR_SEMAPHORE_INIT(permits) {(uint32_t)(permits), 0}
#define THR_BOUNDED_SEMAPHORE_INIT(permits) {{(uint32_t)(permits), 0}, (uint32_t)(permits)}

/** Makes a semaphore where the initialiser cannot. THR_INVALID for more than THR_SEMAPHORE_MAX permits; the semaphore is
 * untouched then. */
THR_NODISCARD THR_API thr_result thr_semaphore_init(thr_semaphore *semaphore, uint32_t permits);
THR_NODISCARD THR_API thr_result thr_bounded_semaphore_init(thr_bounded_semaphore *semaphore, uint32_t permits);

/* Private: the out-of-line halves. */
THR_API thr_result thr__semaphore_acquire(thr_semaphore *semaphore, thr_time deadline);
THR_API bool thr__semaphore_try_acquire(thr_semaphore *semaphore);
THR_API thr_result thr__semaphore_release(thr_semaphore *semaphore, uint32_t n, uint32_t bound);

/* Private: one attempt without the library. */
THR_INLINE bool thr__semaphore_take(thr_semaphore *semaphore)
{
    uint32_t word = __atomic_load_n(&semaphore->word_, __ATOMIC_RELAXED);
    return !thr__steered() && THR__LIKELY((word & THR_SEMAPHORE_MAX) != 0) &&
           THR__LIKELY(thr__cas_acquire(&semaphore->word_, word, word - 1));
}

THR_INLINE bool thr__semaphore_give(thr_semaphore *semaphore, uint32_t n, uint32_t bound)
{
    uint32_t word = __atomic_load_n(&semaphore->word_, __ATOMIC_RELAXED);
    return !thr__steered() && THR__LIKELY((uint64_t)word + n <= bound) && /* and nobody sleeps */
           THR__LIKELY(thr__cas_release(&semaphore->word_, word, word + n));
}

/** Takes a permit; blocks while there is none. Always THR_OK. Python: semaphore.acquire(). */
THR_INLINE thr_result thr_semaphore_acquire(thr_semaphore *semaphore)
{
    return THR__LIKELY(thr__semaphore_take(semaphore)) ? THR_OK : thr__semaphore_acquire(semaphore, THR_FOREVER);
}

/** Takes a permit, or gives up at the deadline: THR_TIMEOUT. Python: semaphore.acquire(timeout=seconds). */
THR_NODISCARD THR_INLINE thr_result thr_semaphore_acquire_until(thr_semaphore *semaphore, thr_time deadline)
{
    return THR__LIKELY(thr__semaphore_take(semaphore)) ? THR_OK : thr__semaphore_acquire(semaphore, deadline);
}

/** Takes a permit if there is one. Never blocks. Python: semaphore.acquire(blocking=False). */
THR_NODISCARD THR_INLINE bool thr_semaphore_try_acquire(thr_semaphore *semaphore)
{
    return THR__LIKELY(thr__semaphore_take(semaphore)) || thr__semaphore_try_acquire(semaphore);
}

/** Adds n permits and lets up to n waiters go; n = 0 does nothing. THR_TOO_MANY above THR_SEMAPHORE_MAX. Never blocks;
 * async-signal-safe. Python: semaphore.release(n). */
THR_INLINE thr_result thr_semaphore_release(thr_semaphore *semaphore, uint32_t n)
{
    return THR__LIKELY(thr__semaphore_give(semaphore, n, THR_SEMAPHORE_MAX))
               ? THR_OK
               : thr__semaphore_release(semaphore, n, THR_SEMAPHORE_MAX);
}

/** The permits there now: true a moment ago. Orders nothing. */
THR_INLINE uint32_t thr_semaphore_value(const thr_semaphore *semaphore)
{
    if (thr__steered())
        thr__look(semaphore);
    return __atomic_load_n(&semaphore->word_, __ATOMIC_RELAXED) & THR_SEMAPHORE_MAX;
}

/** As thr_semaphore_acquire. */
THR_INLINE thr_result thr_bounded_semaphore_acquire(thr_bounded_semaphore *semaphore)
{
    return thr_semaphore_acquire(&semaphore->semaphore_);
}

/** As thr_semaphore_acquire_until. */
THR_NODISCARD THR_INLINE thr_result thr_bounded_semaphore_acquire_until(thr_bounded_semaphore *semaphore,
                                                                        thr_time deadline)
{
    return thr_semaphore_acquire_until(&semaphore->semaphore_, deadline);
}

/** As thr_semaphore_try_acquire. */
THR_NODISCARD THR_INLINE bool thr_bounded_semaphore_try_acquire(thr_bounded_semaphore *semaphore)
{
    return thr_semaphore_try_acquire(&semaphore->semaphore_);
}

/** As thr_semaphore_release, but THR_TOO_MANY above the first value, and then nothing changes.
 * Python: BoundedSemaphore.release(n), which raises ValueError. */
THR_INLINE thr_result thr_bounded_semaphore_release(thr_bounded_semaphore *semaphore, uint32_t n)
{
    return THR__LIKELY(thr__semaphore_give(&semaphore->semaphore_, n, semaphore->bound_))
               ? THR_OK
               : thr__semaphore_release(&semaphore->semaphore_, n, semaphore->bound_);
}

/** As thr_semaphore_value. */
THR_INLINE uint32_t thr_bounded_semaphore_value(const thr_bounded_semaphore *semaphore)
{
    return thr_semaphore_value(&semaphore->semaphore_);
}

THR__END

#endif
