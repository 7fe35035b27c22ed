/* latch.h - a count that goes down to zero once, and lets all who wait for that go. std::latch.
 *
 *     thr_latch started = THR_LATCH_INIT(4);
 *
 *     (void)thr_latch_count_down(&started, 1); // in each of four threads
 *     thr_latch_wait(&started);                // returns when all four have
 *
 * Order: everything before a count_down happens-before the return of every wait. */

#ifndef THREADING_LATCH_H
#define THREADING_LATCH_H

#include "base.h"

THR__BEGIN

/** The highest count of a latch. */
#define THR_LATCH_MAX 0x7fffffffu

typedef struct thr_latch {
    uint32_t word_; /* count << 1 | somebody may sleep */
} thr_latch;

/** `count` at the start: a constant expression up to THR_LATCH_MAX. A zeroed latch is open. */
#define THR_LATCH_INIT(count) {(uint32_t)(count) << 1}

/** Makes a latch where the initialiser cannot. THR_INVALID for more than THR_LATCH_MAX; the latch is untouched then. */
THR_NODISCARD THR_API thr_result thr_latch_init(thr_latch *latch, uint32_t count);

/* Private: the out-of-line half of the wait. */
THR_API thr_result thr__latch_wait(thr_latch *latch, thr_time deadline);

/** Counts down by n; at zero all waiters go. THR_TOO_MANY if n is more than what is left: nothing changes then. Never
 * blocks; async-signal-safe. */
THR_API thr_result thr_latch_count_down(thr_latch *latch, uint32_t n);

/* Private: the count, which the laboratory does not see asked for. */
THR_INLINE uint32_t thr__latch_left(const thr_latch *latch)
{
    return __atomic_load_n(&latch->word_, __ATOMIC_ACQUIRE) >> 1;
}

/** What is left to count down. Acquire order when it is 0. */
THR_INLINE uint32_t thr_latch_count(const thr_latch *latch)
{
    if (thr__steered())
        thr__look(latch);
    return thr__latch_left(latch);
}

/** Blocks until the count is zero. Always THR_OK. */
THR_INLINE thr_result thr_latch_wait(thr_latch *latch)
{
    if (!thr__steered() && THR__LIKELY(thr__latch_left(latch) == 0))
        return THR_OK;
    return thr__latch_wait(latch, THR_FOREVER);
}

/** The same with a deadline: THR_TIMEOUT. */
THR_NODISCARD THR_INLINE thr_result thr_latch_wait_until(thr_latch *latch, thr_time deadline)
{
    if (!thr__steered() && THR__LIKELY(thr__latch_left(latch) == 0))
        return THR_OK;
    return thr__latch_wait(latch, deadline);
}

THR__END

#endif
