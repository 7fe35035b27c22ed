/* handoff.c - see handoff.h. */

#include "sync/handoff.h"

#include "sync/lock.h"
#include "wait/bitlock.h"
#include "wait/spin.h"

enum { AHEAD = 7 }; /* followers that are granted with their head */

static struct waiter *heads_of(uint64_t data)
{
    return (struct waiter *)(uintptr_t)data;
}

static uint64_t data_of(const struct waiter *heads)
{
    return (uint64_t)(uintptr_t)heads;
}

/* The place in the list that points to the head for `lock`, or to NULL at its end. */
static struct waiter **find(struct waiter **heads, const thr_lock *lock)
{
    while (*heads && (*heads)->lock != lock)
        heads = &(*heads)->heads;
    return heads;
}

static void grant(struct waiter *waiter)
{
    const void *object = waiter->object;
    if (swap_release(&waiter->state, waiter->next ? LEADING : GRANTED) == ASLEEP) {
        spin_waker(object);
        wait_wake(&waiter->state, 1, OS_ANY);
    }
}

void handoff_grant(struct waiter *head, uint32_t keep)
{
    head->keep = keep;
    struct waiter *others = head->next;
    struct waiter *rest = others;
    for (int ahead = AHEAD; ahead > 0 && rest; ahead--)
        rest = rest->next;
    head->next = rest;
    grant(head);
    while (others != rest) {
        struct waiter *next = others->next;
        others->next = NULL;
        grant(others);
        others = next;
    }
}

struct waiter *handoff_take(const thr_lock *lock, uint32_t number)
{
    struct wait_record *record = wait_find(number);
    if (!record || load_relaxed(&record->pending) == 0)
        return NULL;
    struct waiter *heads = heads_of(bitlock_acquire(&record->pending));
    struct waiter **place = find(&heads, lock);
    struct waiter *head = *place;
    if (head)
        *place = head->heads;
    bitlock_release(&record->pending, data_of(heads));
    return head;
}

/* Adds the head, or its waiters to those that are pending for the same lock already. */
static void pend(struct wait_record *record, struct waiter *head)
{
    struct waiter *heads = heads_of(bitlock_acquire(&record->pending));
    struct waiter *there = *find(&heads, head->lock);
    if (there) {
        there->last->next = head;
        there->last = head->last;
    } else {
        head->heads = heads;
        heads = head;
    }
    bitlock_release(&record->pending, data_of(heads));
}

/* Sets PENDING in a lock of the caller's. False: it is not the caller's any more. */
static bool mark(thr_lock *lock)
{
    uint32_t word = load_relaxed(&lock->word_);
    while (!(word & LOCK_PENDING)) {
        if ((word & ~LOCK_BITS) != wait_me())
            return false;
        if (cas_relaxed(&lock->word_, &word, word | LOCK_PENDING))
            return true;
    }
    return lock_is_mine(lock);
}

void handoff(struct waiter *head)
{
    thr_lock *lock = head->lock;
    if (!lock_is_mine(lock)) {
        handoff_grant(head, 0);
        return;
    }
    pend(wait_self, head);
    if (mark(lock))
        return;
    /* Another thread has released the lock meanwhile, and has taken what was pending, or has not (H1). */
    head = handoff_take(lock, wait_me() >> LOCK_NUMBER_SHIFT);
    if (head)
        handoff_grant(head, 0);
}

void handoff_followers(struct waiter *granted)
{
    struct waiter *head = granted->next;
    head->last = granted->last;
    handoff(head);
}
