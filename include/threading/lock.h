/* lock.h - the plain lock. Python: threading.Lock.
 *
 * Four bytes, zeroed is free. Any thread may release it, not only the one that acquired it.
 *
 *     static thr_lock lock = THR_LOCK_INIT;
 *
 *     (void)thr_lock_acquire(&lock);
 *     counter++;
 *     (void)thr_lock_release(&lock);
 *
 * A free lock goes to whoever comes first, but a waiter that has waited for about a millisecond is handed it next: no
 * thread starves. The word also says which thread holds the lock, for thr_dump().
 *
 * Order: everything before a release happens-before the return of the acquire that takes the lock next. */

#ifndef THREADING_LOCK_H
#define THREADING_LOCK_H

#include "base.h"

THR__BEGIN

typedef struct thr_lock {
    uint32_t word_;
} thr_lock;

/** A free lock; the same as zeroed. */
#define THR_LOCK_INIT {0}

/* Private: the out-of-line halves. */
THR_API thr_result thr__lock_acquire(thr_lock *lock, thr_time deadline);
THR_API bool thr__lock_try_acquire(thr_lock *lock);
THR_API thr_result thr__lock_release(thr_lock *lock);

/* Private: the uncontended way in. */
THR_INLINE bool thr__lock_fast(thr_lock *lock)
{
    uint32_t me = thr__me;
    return !thr__asks(me) && THR__LIKELY(thr__cas_acquire(&lock->word_, 0, me));
}

/** Takes the lock; blocks while it is held, also by the caller itself (as in Python, that waits for ever).
 * Always THR_OK. Python: lock.acquire(). */
THR_INLINE thr_result thr_lock_acquire(thr_lock *lock)
{
    return THR__LIKELY(thr__lock_fast(lock)) ? THR_OK : thr__lock_acquire(lock, THR_FOREVER);
}

/** Takes the lock, or gives up at the deadline: THR_TIMEOUT. Python: lock.acquire(timeout=seconds). */
THR_NODISCARD THR_INLINE thr_result thr_lock_acquire_until(thr_lock *lock, thr_time deadline)
{
    return THR__LIKELY(thr__lock_fast(lock)) ? THR_OK : thr__lock_acquire(lock, deadline);
}

/** Takes the lock if it is free now. Never blocks. Python: lock.acquire(blocking=False). */
THR_NODISCARD THR_INLINE bool thr_lock_try_acquire(thr_lock *lock)
{
    return THR__LIKELY(thr__lock_fast(lock)) || thr__lock_try_acquire(lock);
}

/** Frees the lock and lets one waiter go. THR_NOT_LOCKED if it is free. Never blocks. Python: lock.release(). */
THR_INLINE thr_result thr_lock_release(thr_lock *lock)
{
    uint32_t me = thr__me;
    if (!thr__asks(me) && THR__LIKELY(thr__cas_release(&lock->word_, me, 0)))
        return THR_OK;
    return thr__lock_release(lock);
}

/* Private: locked, which the laboratory does not see. */
THR_INLINE bool thr__lock_held(const thr_lock *lock)
{
    return (__atomic_load_n(&lock->word_, __ATOMIC_RELAXED) & 1) != 0;
}

/** Whether somebody holds the lock: true or false a moment ago. Orders nothing. Python: lock.locked(). */
THR_INLINE bool thr_lock_locked(const thr_lock *lock)
{
    if (thr__steered())
        thr__look(lock);
    return thr__lock_held(lock);
}

THR__END

#endif
