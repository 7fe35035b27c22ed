/* hold.h - THR_HOLD(&lock): a lock held to the end of the enclosing block. Python: `with lock:`.
 *
 *     {
 *         THR_HOLD(&lock);
 *         if (empty)
 *             return NULL;                     // released here,
 *         ...
 *     }                                        // and here
 *
 * Works for thr_lock and thr_rlock. A block that ends by thr_fail() or by a C++ exception releases too, where the
 * program is compiled with -fexceptions (the flags that pkg-config gives say so). */

#ifndef THREADING_HOLD_H
#define THREADING_HOLD_H

#include "lock.h"
#include "rlock.h"

/* Private: one of the two is set. */
typedef struct thr__held {
    thr_lock *lock;
    thr_rlock *rlock;
} thr__held;

THR_INLINE thr__held thr__hold_lock(thr_lock *lock)
{
    thr__held held = {lock, THR__NULL};
    while (thr_lock_acquire(lock) == THR_INTERRUPTED)
        continue;
    return held;
}

THR_INLINE thr__held thr__hold_rlock(thr_rlock *lock)
{
    thr__held held = {THR__NULL, lock};
    thr_result result = thr_rlock_acquire(lock);
    while (result == THR_INTERRUPTED)
        result = thr_rlock_acquire(lock);
    if (result != THR_OK)
        held.rlock = THR__NULL;
    return held;
}

THR_INLINE void thr__hold_end(thr__held *held)
{
    if (held->lock)
        (void)thr_lock_release(held->lock);
    else if (held->rlock)
        (void)thr_rlock_release(held->rlock);
}

#ifdef __cplusplus
static inline thr__held thr__hold(thr_lock *lock)
{
    return thr__hold_lock(lock);
}
static inline thr__held thr__hold(thr_rlock *lock)
{
    return thr__hold_rlock(lock);
}
#else
#define thr__hold(lock) _Generic((lock), thr_lock * : thr__hold_lock, thr_rlock * : thr__hold_rlock)(lock)
#endif

/** Acquires the lock (blocking) and releases it when the enclosing block ends. */
#define THR_HOLD(lock)                                                                                                 \
    __attribute__((cleanup(thr__hold_end), unused)) thr__held THR__PASTE(thr__held_, __COUNTER__) = thr__hold(lock)

#endif
