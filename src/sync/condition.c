/* condition.c - an exact queue of waiters in eight bytes.
 *
 *  word_              a bitlock (wait/bitlock.h), whose data is
 *  0                  nobody waits
 *  a node             its waiter is the only one
 *  a node | RING      the newest of a ring (sync/ring.h) of one or more
 *
 * The nodes belong to the waiters (sync/handoff.h): each thread has one in its record; where it has none, or waits already
 * (in an interrupt), it is on its stack.
 *
 * I1  A node is in the queue exactly while it is the only one, or its `queued` is true. The ring changes, and the only one
 *     becomes a ring, under the bitlock. The only one comes into an empty word, and goes out of it, by one compare-and-swap,
 *     which looks at no node: so it may be gone.
 * I2  Who takes a node out of the queue decides its fate: a notifier will have it granted, the waiter itself gives up. So a
 *     notify counts only waiters that will return THR_OK, and one that times out eats nothing.
 * I3  Nobody returns from a wait before it was granted or has withdrawn, and it cannot withdraw once it is out of the
 *     queue: condition and lock are there as long as a notifier needs them. Nor does its node begin another wait.
 *
 * Order: the compare-and-swap that queues the only one is a release, as is that of the bitlock; who takes it out acquires.
 * A child of a fork has nodes in its conditions of threads that are gone. They have no lock: a notify drops them, and does
 * not count them. Those threads' places in the registry may be used again, their nodes are not: the record has none. (What
 * such a thread had on its stack, in a wait within a wait, cannot be told from a live one's.)
 *
 * The first that a notify takes out for a lock heads the others for the same lock; handoff.c brings them there, one after
 * the other. */

#include "threading/condition.h"

#include "sync/handoff.h"
#include "sync/lock.h"
#include "wait/bitlock.h"
#include "wait/spin.h"

enum { RING = 4 };

_Static_assert(!(RING & BITLOCK_BITS) && RING < _Alignof(struct waiter), "no node's address has this bit");

/* -- The only one ------------------------------------------------------------------------------------------------- */

/* False: there is another. */
static bool enqueue_only(thr_condition *condition, struct waiter *waiter)
{
    uint64_t word = load_relaxed(&condition->word_);
    return word == 0 && cas_release(&condition->word_, &word, (uint64_t)(uintptr_t)waiter);
}

/* NULL: there are more, or none, or somebody has the bitlock. */
static struct waiter *detach_only(thr_condition *condition)
{
    uint64_t word = load_relaxed(&condition->word_);
    bool only = word != 0 && !(word & (BITLOCK_BITS | RING));
    return only && cas_acquire(&condition->word_, &word, 0) ? (struct waiter *)(uintptr_t)word : NULL;
}

/* -- The ring, under the bitlock ---------------------------------------------------------------------------------- */

/* An only one becomes a ring. */
static struct ring_node *ring_acquire(thr_condition *condition)
{
    uint64_t data = bitlock_acquire(&condition->word_);
    struct ring_node *newest = (struct ring_node *)(uintptr_t)(data & ~(uint64_t)RING);
    return newest && !(data & RING) ? ring_add(NULL, newest) : newest;
}

static void ring_release(thr_condition *condition, const struct ring_node *newest)
{
    bitlock_release(&condition->word_, newest ? (uint64_t)(uintptr_t)newest | RING : 0);
}

static void enqueue(thr_condition *condition, struct waiter *waiter)
{
    if (!enqueue_only(condition, waiter))
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

/* Of a thread that a fork has left behind. */
static bool is_gone(const struct waiter *waiter)
{
    return waiter->lock == NULL;
}

/* Detaches the up to n oldest, as a list. Returns how many. */
static size_t detach(thr_condition *condition, size_t n, struct waiter **list)
{
    struct waiter *only = detach_only(condition);
    if (only) {
        handoff_set(&only->next, NULL);
        *list = is_gone(only) ? NULL : only;
        return *list ? 1 : 0;
    }
    size_t count = 0;
    struct ring_node *newest = ring_acquire(condition);
    prefetch_to_write(newest); /* one transfer of the line instead of two: it is read first */
    while (newest && count < n) {
        struct waiter *oldest = (struct waiter *)newest->next;
        newest = ring_remove(newest, &oldest->ring);
        if (is_gone(oldest))
            continue;
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
    handoff_set(&head->last, head);
    for (struct waiter *waiter = head->next; waiter; waiter = waiter->next) {
        if (waiter->lock == head->lock) {
            head->last->next = waiter;
            head->last = waiter;
        } else {
            *left = waiter;
            left = &waiter->next;
        }
    }
    handoff_set(left, NULL);
    handoff_set(&head->last->next, NULL);
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

/* Sleeps until granted, which it was not in this state; or until the wait ends otherwise, and no notifier was first. */
static thr_result sleep_for(thr_condition *condition, struct waiter *waiter, uint32_t state, struct wait *wait)
{
    uint32_t asleep = state | HANDOFF_ASLEEP;
    (void)cas_strong(&waiter->state, &state, asleep);
    while (load_relaxed(&waiter->state) == asleep) { /* wait_on reads it once more, with acquire */
        thr_result result = wait_block(wait, &waiter->state, asleep, OS_ANY);
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

/* The calling thread's own, if it has one and does not use it; else `spare`. */
static struct waiter *waiter_take(struct waiter *spare, const thr_condition *condition, thr_lock *lock)
{
    struct wait_record *record = wait_self ? wait_self : wait_stranger();
    struct waiter *waiter = record ? record->waiter : NULL;
    if (waiter) {
        record->waiter = NULL;
    } else {
        waiter = spare;
        *waiter = (struct waiter){.state = 0};
    }
    if (waiter->object != condition) /* see handoff_set */
        waiter->object = condition;
    if (waiter->lock != lock)
        waiter->lock = lock;
    return waiter;
}

static void waiter_give(struct waiter *waiter, const struct waiter *spare)
{
    if (waiter != spare)
        wait_self->waiter = waiter;
}

/* Queues, gives the lock up, waits, and takes the lock again. */
static thr_result wait_on(thr_condition *condition, thr_lock *lock, thr_time deadline)
{
    struct waiter spare;
    struct waiter *waiter = waiter_take(&spare, condition, lock);
    uint32_t state = load_relaxed(&waiter->state);
    thr_result result = THR_OK;
    enqueue(condition, waiter);
    (void)lock_give(lock);
    if (!wait_spin(&waiter->state, UINT32_MAX, state, condition)) {
        struct wait wait;
        wait_begin(&wait, WAIT_CONDITION, condition, deadline);
        result = sleep_for(condition, waiter, state, &wait);
        wait_end(&wait);
    }
    state = load_acquire(&waiter->state);
    if (state & HANDOFF_ASLEEP)
        store_relaxed(&waiter->state, state & ~(uint32_t)HANDOFF_ASLEEP);
    lock_retake(lock);
    if (result == THR_OK) {
        if (waiter->next)
            handoff_followers(waiter);
        tsan_acquire(condition);
    }
    waiter_give(waiter, &spare);
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
