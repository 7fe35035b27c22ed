/* rlock.c - the lock that its owner may take again: a plain lock, with the owner and a count beside it.
 *
 *  field    meaning                          written by
 *  lock_    held while somebody owns it      lock.c
 *  owner_   thr__identity() of the owner,    the owner: after it took lock_, before it frees it
 *           | THR__SEEN if the laboratory
 *           looks on; 0 otherwise
 *  depth_   how many times it was taken      the owner
 *
 * I1  owner_ is a thread's identity only while that thread holds lock_. So a thread that reads its own identity there
 *     wrote it itself: relaxed is enough; one that reads another value, old or new, knows that it is not the owner.
 *
 * THR__SEEN keeps the inline paths out without a look at the hook: to them a lock that has it belongs to somebody else. One
 * that was taken before the laboratory looked on is theirs until it is free, which the laboratory sees as that of a lock.
 *
 * Order: that of lock_. */

#include "threading/rlock.h"

#include "sync/lock.h"

static void own(thr_rlock *lock)
{
    store_relaxed(&lock->owner_, thr__identity() | (thr__steered() ? THR__SEEN : 0));
    lock->depth_ = 1;
}

static thr_result take(thr_rlock *lock, thr_time deadline)
{
    hook_point(HOOK_RLOCK_ACQUIRE, lock);
    if (thr__rlock_mine(lock)) {
        if (lock->depth_ == UINT32_MAX)
            return THR_TOO_MANY;
        lock->depth_++;
        return THR_OK;
    }
    thr_result result = lock_take(&lock->lock_, deadline, WAIT_RLOCK, lock);
    if (result == THR_OK)
        own(lock);
    return result;
}

thr_result thr__rlock_acquire(thr_rlock *lock, thr_time deadline)
{
    thr_result result = take(lock, deadline);
    if (result == THR_OK)
        hook_taken(HOOK_RLOCK_ACQUIRE, lock, deadline, HOOK_SITE);
    return result;
}

bool thr__rlock_try_acquire(thr_rlock *lock)
{
    bool taken = take(lock, 0) == THR_OK;
    if (taken)
        hook_taken(HOOK_RLOCK_ACQUIRE, lock, 0, HOOK_SITE);
    return taken;
}

thr_result thr__rlock_release(thr_rlock *lock)
{
    hook_point(HOOK_RLOCK_RELEASE, lock);
    if (!thr__rlock_mine(lock))
        return hook_misuse(lock, thr__lock_held(&lock->lock_) ? THR_NOT_OWNER : THR_NOT_LOCKED);
    if (--lock->depth_ != 0)
        return THR_OK;
    store_relaxed(&lock->owner_, 0);
    return lock_give(&lock->lock_);
}
