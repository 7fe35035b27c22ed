/* rlock.h - the lock that its owner may take again. Python: threading.RLock.
 *
 *     static thr_rlock tree = THR_RLOCK_INIT;
 *
 *     void insert(int key)                     // may be called with the tree held, or not
 *     {
 *         THR_HOLD(&tree);                     // released at the end of the block, however it ends
 *         ...
 *     }
 *
 * Order: as the lock's, from the outermost release to the next outermost acquire. */

#ifndef THREADING_RLOCK_H
#define THREADING_RLOCK_H

#include "lock.h"

THR__BEGIN

typedef struct thr_rlock {
    thr_lock lock_;
    uint32_t depth_; /* only its owner reads or writes it */
    uint64_t owner_; /* thr__identity() of the owner, and perhaps THR__SEEN; 0: nobody */
} thr_rlock;

/* Private: set in the owner where the laboratory saw the lock taken. */
#define THR__SEEN ((uint64_t)1)

/** A free rlock; the same as zeroed. */
#define THR_RLOCK_INIT {{0}, 0, 0}

/* Private. A number that no other living thread has: the address of its thread-local word. */
THR_INLINE uint64_t thr__identity(void)
{
    return (uint64_t)(uintptr_t)&thr__me;
}

THR_API thr_result thr__rlock_acquire(thr_rlock *lock, thr_time deadline);
THR_API bool thr__rlock_try_acquire(thr_rlock *lock);
THR_API thr_result thr__rlock_release(thr_rlock *lock);

/* Private. Whether the caller owns it. Only the caller itself can have written its own identity there: relaxed is enough. */
THR_INLINE bool thr__rlock_mine(const thr_rlock *lock)
{
    return (__atomic_load_n(&lock->owner_, __ATOMIC_RELAXED) & ~THR__SEEN) == thr__identity();
}

/* Private. The same, and the laboratory did not see it taken, so need not see what the owner does with it now. */
THR_INLINE bool thr__rlock_mine_unseen(const thr_rlock *lock)
{
    return __atomic_load_n(&lock->owner_, __ATOMIC_RELAXED) == thr__identity();
}

/* Private: the two uncontended ways in. Neither counts beyond UINT32_MAX: the slow path reports that. */
THR_INLINE bool thr__rlock_fast(thr_rlock *lock)
{
    if (thr__rlock_mine_unseen(lock)) {
        uint32_t depth;
        if (THR__UNLIKELY(__builtin_add_overflow(lock->depth_, 1, &depth)))
            return false;
        lock->depth_ = depth;
        return true;
    }
    uint32_t me = thr__me;
    if (thr__asks(me) || THR__UNLIKELY(!thr__cas_acquire(&lock->lock_.word_, 0, me)))
        return false;
    __atomic_store_n(&lock->owner_, thr__identity(), __ATOMIC_RELAXED);
    lock->depth_ = 1;
    return true;
}

/** Takes the lock, or once more if the caller owns it; blocks while another thread owns it. THR_TOO_MANY after
 * 2^32 - 1 times. Python: rlock.acquire(). */
THR_INLINE thr_result thr_rlock_acquire(thr_rlock *lock)
{
    return THR__LIKELY(thr__rlock_fast(lock)) ? THR_OK : thr__rlock_acquire(lock, THR_FOREVER);
}

/** The same with a deadline: THR_TIMEOUT. Python: rlock.acquire(timeout=seconds). */
THR_NODISCARD THR_INLINE thr_result thr_rlock_acquire_until(thr_rlock *lock, thr_time deadline)
{
    return THR__LIKELY(thr__rlock_fast(lock)) ? THR_OK : thr__rlock_acquire(lock, deadline);
}

/** Takes the lock if that is possible now. Never blocks. Python: rlock.acquire(blocking=False). */
THR_NODISCARD THR_INLINE bool thr_rlock_try_acquire(thr_rlock *lock)
{
    return THR__LIKELY(thr__rlock_fast(lock)) || thr__rlock_try_acquire(lock);
}

/** Undoes one acquire; the outermost one frees the lock. THR_NOT_LOCKED if it is free, THR_NOT_OWNER if another thread
 * owns it. Never blocks. Python: rlock.release(). */
THR_INLINE thr_result thr_rlock_release(thr_rlock *lock)
{
    if (THR__UNLIKELY(!thr__rlock_mine_unseen(lock)))
        return thr__rlock_release(lock);
    if (--lock->depth_ != 0)
        return THR_OK;
    __atomic_store_n(&lock->owner_, 0, __ATOMIC_RELAXED);
    return thr_lock_release(&lock->lock_);
}

/** Whether somebody holds the lock. Orders nothing. Python: rlock.locked() (3.14). */
THR_INLINE bool thr_rlock_locked(const thr_rlock *lock)
{
    return thr_lock_locked(&lock->lock_);
}

/** Whether the caller owns the lock. Python: rlock._is_owned(). */
THR_INLINE bool thr_rlock_is_owned(const thr_rlock *lock)
{
    return thr__rlock_mine(lock);
}

/** How many times the caller has taken the lock; 0 if it does not own it. Python: rlock._recursion_count(). */
THR_INLINE uint32_t thr_rlock_depth(const thr_rlock *lock)
{
    return thr__rlock_mine(lock) ? lock->depth_ : 0;
}

THR__END

#endif
