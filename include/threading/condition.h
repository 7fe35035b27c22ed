/* condition.h - wait until another thread says that something changed. Python: threading.Condition.
 *
 *     thr_lock lock = THR_LOCK_INIT;
 *     thr_condition changed = THR_CONDITION_INIT;
 *
 *     thr_lock_acquire(&lock);                 thr_lock_acquire(&lock);
 *     while (items == 0)                       items++;
 *         thr_condition_wait(&changed, &lock); thr_condition_notify(&changed, 1);
 *     items--;                                 thr_lock_release(&lock);
 *     thr_lock_release(&lock);
 *
 * There are no spurious wake-ups: a wait returns THR_OK only when a notify chose it. notify(n) wakes exactly
 * min(n, waiting) threads, those that have waited longest; who comes later steals nothing, and who times out eats
 * nothing. (The loop around the wait is still right: between the notify and the return others may hold the lock.)
 *
 * The lock is named at the wait, not at the start as in Python. All who wait on one condition should use one lock.
 *
 * Order: everything before a notify happens-before the return of the waits that it let through. */

#ifndef THREADING_CONDITION_H
#define THREADING_CONDITION_H

#include "lock.h"
#include "rlock.h"

THR__BEGIN

typedef struct thr_condition {
    uint64_t word_;
} thr_condition;

/** A condition nobody waits for; the same as zeroed. */
#define THR_CONDITION_INIT {0}

/** Releases the lock, blocks until notified, takes the lock again. The lock must be held: THR_NOT_LOCKED at once if it
 * is not (a plain lock has no owner: held by anyone will do). Returns with the lock held, whatever the result.
 * Python: condition.wait(). */
THR_API thr_result thr_condition_wait(thr_condition *condition, thr_lock *lock);

/** The same with a deadline: THR_TIMEOUT when it passes before a notify came; taking the lock again may take longer.
 * Python: condition.wait(timeout). */
THR_NODISCARD THR_API thr_result thr_condition_wait_until(thr_condition *condition, thr_lock *lock, thr_time deadline);

/** The same with an rlock, held at any depth: all levels are given up, and taken back. THR_NOT_LOCKED if it is free,
 * THR_NOT_OWNER if another thread owns it. */
THR_API thr_result thr_condition_wait_rlock(thr_condition *condition, thr_rlock *lock);
THR_NODISCARD THR_API thr_result thr_condition_wait_rlock_until(thr_condition *condition, thr_rlock *lock,
                                                                thr_time deadline);

/** Waits until predicate(arg) is true; it is called with the lock held, first before any wait. THR_TIMEOUT if it was
 * still false after the deadline. Python: condition.wait_for(predicate). */
THR_API thr_result thr_condition_wait_for(thr_condition *condition, thr_lock *lock, bool (*predicate)(void *),
                                          void *arg);
THR_NODISCARD THR_API thr_result thr_condition_wait_for_until(thr_condition *condition, thr_lock *lock,
                                                              bool (*predicate)(void *), void *arg, thr_time deadline);
THR_API thr_result thr_condition_wait_for_rlock(thr_condition *condition, thr_rlock *lock, bool (*predicate)(void *),
                                                void *arg);
THR_NODISCARD THR_API thr_result thr_condition_wait_for_rlock_until(thr_condition *condition, thr_rlock *lock,
                                                                    bool (*predicate)(void *), void *arg,
                                                                    thr_time deadline);

/** Wakes the min(n, waiting) threads that have waited longest, and returns how many. May be called with or without the
 * lock; with it is cheaper, and no other thread may release the lock meanwhile. Never blocks (beyond the few
 * instructions in which another thread changes the queue). Python: condition.notify(n). */
THR_API size_t thr_condition_notify(thr_condition *condition, size_t n);

/** Wakes all that wait now. They go to the lock a few at a time, about in the order in which they came.
 * Python: condition.notify_all(). */
THR_API size_t thr_condition_notify_all(thr_condition *condition);

THR__END

#endif
