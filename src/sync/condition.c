/* condition.c - an exact queue of waiters in eight bytes.
 *
 *  word_      a bitlock (wait/bitlock.h) whose data is the pointer to the newest waiter, or 0. The waiters are nodes on
 *             their own stacks (sync/handoff.h), in a ring (sync/ring.h).
 *
 * I1  A node is in the ring exactly while its `queued` is true; both change only under the bitlock.
 * I2  Who takes a node out of the ring decides its fate: a notifier will have it granted, the waiter itself gives up. So a
 *     notify counts only waiters that will return THR_OK, and one that times out eats nothing.
 * I3  Nobody returns from a wait before it was granted or has withdrawn, and it cannot withdraw once it is out of the
 *     ring: condition and lock are there as long as a notifier needs them.
 *
 * The first that a notify takes out for a lock heads the others for the same lock; handoff.c brings them there, one after
 * the other. */

#include "threading/condition.h"

#include "sync/handoff.h"
#include "sync/lock.h"
#include "wait/bitlock.h"
#include "wait/spin.h"

/* -- The ring, under the bitlock ---------------------------------------------------------------------------------- */

static struct ring_node *ring_acquire(thr_condition *condition)
{
    return (struct ring_node *)(uintptr_t)bitlock_acquire(&condition->word_);
}

static void ring_release(thr_condition *condition, const struct ring_node *newest)
{
    bitlock_release(&condition->word_, (uint64_t)(uintptr_t)newest);
}

static void enqueue(thr_condition *condition, struct waiter *waiter)
{
    ring_release(condition, ring_add(ring_acquire(condition), &waiter->ring));
}

/* The waiter gives up. False: a notifier was first. */
static bool withdraw(thr_condition *condition, struct waiter *waiter)
{
    struct ring_node *newest = ring_acquire(condition);
    bool queued = waiter->ring.queued;
    ring_release(condition, queued ? ring_remove(newest, &waiter->ring) : newest);
    return queued;
}

/* Detaches the up to n oldest, as a list. Returns how many. */
static size_t detach(thr_condition *condition, size_t n, struct waiter **list)
{
    size_t count = 0;
    struct ring_node *newest = ring_acquire(condition);
    prefetch_to_write(newest); /* one transfer of the line instead of two: it is read first */
    while (newest && count < n) {
        struct waiter *oldest = (struct waiter *)newest->next;
        newest = ring_remove(newest, &oldest->ring);
        *list = oldest;
        list = &oldest->next;
        count++;
    }
    *list = NULL;
    ring_release(condition, newest);
    return count;
}

/* -- Notifying ---------------------------------------------------------------------------------------------------- */

/* Takes the first of the list and all that use the same lock out of it, as a head with followers. */
static struct waiter *gather(struct waiter **list)
{
    struct waiter *head = *list;
    struct waiter **left = list;
    head->last = head;
    for (struct waiter *waiter = head->next; waiter; waiter = waiter->next) {
        if (waiter->lock == head->lock) {
            head->last->next = waiter;
            head->last = waiter;
        } else {
            *left = waiter;
            left = &waiter->next;
        }
    }
    *left = NULL;
    head->last->next = NULL;
    return head;
}

size_t thr_condition_notify(thr_condition *condition, size_t n)
{
    hook_point(HOOK_CONDITION_NOTIFY, condition);
    struct waiter *list;
    if (n == 0 || (load_relaxed(&condition->word_) & ~BITLOCK_BITS) == 0)
        return 0;
    tsan_release(condition);
    size_t count = detach(condition, n, &list);
    while (list)
        handoff(gather(&list));
    return count;
}

size_t thr_condition_notify_all(thr_condition *condition)
{
    return thr_condition_notify(condition, SIZE_MAX);
}

/* -- Waiting ------------------------------------------------------------------------------------------------------ */

/* Sleeps until granted; or until the wait ends otherwise, and no notifier was first. */
static thr_result sleep_for(thr_condition *condition, struct waiter *waiter, struct wait *wait)
{
    uint32_t state = WAITING;
    (void)cas_strong(&waiter->state, &state, ASLEEP);
    while (load_relaxed(&waiter->state) < GRANTED) { /* wait_on reads it once more, with acquire */
        thr_result result = wait_block(wait, &waiter->state, ASLEEP, OS_ANY);
        if (result == THR_OK)
            continue;
        if (withdraw(condition, waiter))
            return result;
        /* A notifier has chosen us: whatever time it is, it will come. */
        wait->deadline = THR_FOREVER;
        wait->interruptible = false;
    }
    return THR_OK;
}

/* Queues, gives the lock up, waits, and takes the lock again. */
static thr_result wait_on(thr_condition *condition, thr_lock *lock, thr_time deadline)
{
    struct waiter waiter = {.object = condition, .lock = lock};
    thr_result result = THR_OK;
    enqueue(condition, &waiter);
    (void)lock_give(lock);
    if (!wait_spin(&waiter.state, UINT32_MAX, WAITING, condition)) {
        struct wait wait;
        wait_begin(&wait, WAIT_CONDITION, condition, deadline);
        result = sleep_for(condition, &waiter, &wait);
        wait_end(&wait);
    }
    uint32_t state = load_acquire(&waiter.state);
    lock_retake(lock);
    if (state == LEADING)
        handoff_followers(&waiter);
    if (state >= GRANTED)
        tsan_acquire(condition);
    return result;
}

/* A deadline that has passed: the lock is given up and taken again, so that others can move, and nothing is awaited. */
static thr_result wait_not(thr_lock *lock)
{
    (void)lock_give(lock);
    lock_retake(lock);
    return THR_TIMEOUT;
}

thr_result thr_condition_wait_until(thr_condition *condition, thr_lock *lock, thr_time deadline)
{
    hook_point(HOOK_CONDITION_WAIT, condition);
    if (!thr__lock_held(lock))
        return hook_misuse(condition, THR_NOT_LOCKED);
    return wait_expired(deadline) ? wait_not(lock) : wait_on(condition, lock, deadline);
}

thr_result thr_condition_wait_rlock_until(thr_condition *condition, thr_rlock *lock, thr_time deadline)
{
    hook_point(HOOK_CONDITION_WAIT, condition);
    if (!thr_rlock_is_owned(lock))
        return hook_misuse(condition, thr__lock_held(&lock->lock_) ? THR_NOT_OWNER : THR_NOT_LOCKED);
    uint32_t depth = lock->depth_;
    uint64_t owner = load_relaxed(&lock->owner_);
    store_relaxed(&lock->owner_, 0);
    thr_result result = wait_expired(deadline) ? wait_not(&lock->lock_) : wait_on(condition, &lock->lock_, deadline);
    store_relaxed(&lock->owner_, owner);
    lock->depth_ = depth;
    return result;
}

thr_result thr_condition_wait(thr_condition *condition, thr_lock *lock)
{
    return thr_condition_wait_until(condition, lock, THR_FOREVER);
}

thr_result thr_condition_wait_rlock(thr_condition *condition, thr_rlock *lock)
{
    return thr_condition_wait_rlock_until(condition, lock, THR_FOREVER);
}

thr_result thr_condition_wait_for_until(thr_condition *condition, thr_lock *lock, bool (*predicate)(void *), void *arg,
                                        thr_time deadline)
{
    if (!thr__lock_held(lock))
        return hook_misuse(condition, THR_NOT_LOCKED);
    thr_result result = THR_OK;
    while (!predicate(arg)) {
        if (result != THR_OK)
            return result;
        result = thr_condition_wait_until(condition, lock, deadline);
    }
    return THR_OK;
}

thr_result thr_condition_wait_for_rlock_until(thr_condition *condition, thr_rlock *lock, bool (*predicate)(void *),
                                              void *arg, thr_time deadline)
{
    if (!thr_rlock_is_owned(lock))
        return hook_misuse(condition, thr__lock_held(&lock->lock_) ? THR_NOT_OWNER : THR_NOT_LOCKED);
    thr_result result = THR_OK;
    while (!predicate(arg)) {
        if (result != THR_OK)
            return result;
        result = thr_condition_wait_rlock_until(condition, lock, deadline);
    }
    return THR_OK;
}

thr_result thr_condition_wait_for(thr_condition *condition, thr_lock *lock, bool (*predicate)(void *), void *arg)
{
    return thr_condition_wait_for_until(condition, lock, predicate, arg, THR_FOREVER);
}

thr_result thr_condition_wait_for_rlock(thr_condition *condition, thr_rlock *lock, bool (*predicate)(void *), void *arg)
{
    return thr_condition_wait_for_rlock_until(condition, lock, predicate, arg, THR_FOREVER);
}
