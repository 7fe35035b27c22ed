/* lock.h - what rlock.c and condition.c need of the lock; see lock.c. */

#ifndef SYNC_LOCK_H
#define SYNC_LOCK_H

#include "threading/lock.h"
#include "wait/wait.h"

/* The word, and the bits in it beside the holder's number; the table is in lock.c. */
#define LOCK_HELD 1u
#define LOCK_WAITERS 2u
#define LOCK_STARVED 4u
#define LOCK_PENDING 8u
#define LOCK_NOTIFIED 16u
#define LOCK_BITS (LOCK_WAITERS | LOCK_STARVED | LOCK_PENDING | LOCK_NOTIFIED)

/* Takes the lock by the deadline. The wait is recorded as one of `kind` for `object`. */
thr_result lock_take(thr_lock *lock, thr_time deadline, enum wait_kind kind, const void *object);

/* Takes the lock again after a condition's wait: cannot fail, no signal ends it. */
void lock_retake(thr_lock *lock);

/* Frees it; THR_NOT_LOCKED. */
thr_result lock_give(thr_lock *lock);

/* Whether the calling thread surely holds it. False where it may: for a thread without a number. */
static inline bool lock_is_mine(const thr_lock *lock)
{
    uint32_t me = wait_me();
    return (load_relaxed(&lock->word_) & ~LOCK_BITS) == me && me != LOCK_HELD;
}

#endif
