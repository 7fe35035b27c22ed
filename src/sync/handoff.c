/* handoff.c - see handoff.h. */

#include "sync/handoff.h"

#include "sync/lock.h"
#include "wait/bitlock.h"
#include "wait/spin.h"

/* How many a release grants: of those who were notified since the lock was taken; and if only a crowd is left. */
enum { FIRST = HANDOFF_FIRST, NEXT = 1 };

uint64_t handoff_crowds[HANDOFF_CROWDS];
static struct waiter gone; /* stands for one that a fork has left behind (H6) */

/* -- Lists -------------------------------------------------------------------------------------------------------- */

/* Puts two heads' waiters together; either may be NULL. */
static struct waiter *join(struct waiter *head, struct waiter *behind)
{
    if (!head || !behind)
        return head ? head : behind;
    head->last->next = behind;
    head->last = behind->last;
    return head;
}

/* Takes what comes after the first n out of the list: a head, or NULL. */
static struct waiter *cut(struct waiter *head, int n)
{
    struct waiter *end = head;
    while (--n > 0 && end->next)
        end = end->next;
    struct waiter *rest = end->next;
    if (rest) {
        end->next = NULL;
        rest->last = head->last;
        head->last = end;
    }
    return rest;
}

/* -- Heads by lock ------------------------------------------------------------------------------------------------ */

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

/* Adds the head, or its waiters to those that are there for the same lock already. */
static void add(uint64_t *word, struct waiter *head)
{
    struct waiter *heads = heads_of(bitlock_acquire(word));
    struct waiter *there = *find(&heads, head->lock);
    if (there) {
        (void)join(there, head);
    } else {
        handoff_set(&head->heads, heads);
        heads = head;
    }
    bitlock_release(word, data_of(heads));
}

/* Takes out the head for `lock`, or gives NULL. What was added for the lock before PENDING was set, or the lock released,
 * is seen by who cleared that, or took the lock: so 0 says that there is none. */
static struct waiter *take(uint64_t *word, const thr_lock *lock)
{
    if (load_relaxed(word) == 0)
        return NULL;
    struct waiter *heads = heads_of(bitlock_acquire(word));
    struct waiter **place = find(&heads, lock);
    struct waiter *head = *place;
    if (head)
        *place = head->heads;
    bitlock_release(word, data_of(heads));
    return head;
}

static struct wait_record *record_of(uint32_t number)
{
    return wait_self && wait_self->number == number ? wait_self : wait_find(number);
}

/* From the record of the thread with this number. */
static struct waiter *take_pending(const thr_lock *lock, uint32_t number)
{
    struct wait_record *record = record_of(number);
    return record ? take(&record->pending, lock) : NULL;
}

/* Different locks may have the same. */
static uint64_t *crowd_of(const thr_lock *lock)
{
    uint64_t hash = (uint64_t)(uintptr_t)lock * 0x9e3779b97f4a7c15u;
    return &handoff_crowds[(hash >> 32) % HANDOFF_CROWDS];
}

/* -- Granting ----------------------------------------------------------------------------------------------------- */

static void grant(struct waiter *waiter, struct waiter *followers)
{
    const void *object = waiter->object;
    handoff_set(&waiter->next, followers);
    if (add_release(&waiter->state, HANDOFF_GRANT) & HANDOFF_ASLEEP) {
        spin_waker(object);
        wait_wake(&waiter->state, 1, OS_ANY);
    }
}

void handoff_grant(struct waiter *granted)
{
    while (granted) {
        struct waiter *next = granted->next;
        grant(granted, NULL);
        granted = next;
    }
}

/* For who does not have the lock. */
static void lead(struct waiter *head)
{
    struct waiter *rest = cut(head, FIRST);
    struct waiter *others = head->next;
    grant(head, rest);
    handoff_grant(others);
}

/* -- A release ---------------------------------------------------------------------------------------------------- */

void handoff_take(const thr_lock *lock, uint32_t number, struct release *release)
{
    struct waiter *notified = take_pending(lock, number);
    struct waiter *head = join(take(crowd_of(lock), lock), notified);
    struct waiter *rest = head ? cut(head, notified ? FIRST : NEXT) : NULL;
    if (rest)
        add(crowd_of(lock), rest);
    release->granted = join(release->granted, head);
    release->more = rest != NULL;
}

void handoff_grant_notified(uint32_t number)
{
    struct wait_record *record = record_of(number);
    if (!record)
        return;
    struct waiter *waiter = load_relaxed(&record->notified);
    store_relaxed(&record->notified, NULL);
    if (waiter != &gone)
        grant(waiter, NULL);
}

void handoff_stumble(const thr_lock *lock, struct release *release)
{
    struct waiter *head = join(release->granted, release->more ? take(crowd_of(lock), lock) : NULL);
    if (head)
        lead(head);
}

/* -- A notify ----------------------------------------------------------------------------------------------------- */

/* Sets PENDING in a lock of the caller's, also where it is set: a release that has seen it so will be told (H4). False: it
 * is not the caller's any more. */
static bool mark(thr_lock *lock)
{
    uint32_t word = load_relaxed(&lock->word_);
    do {
        if ((word & ~LOCK_BITS) != wait_me())
            return false;
    } while (!cas_release(&lock->word_, &word, word | LOCK_PENDING));
    return true;
}

/* The only one, in a lock of the caller's that has nobody pending. False: it has to pend, or the lock is not the caller's any
 * more. */
static bool notify_only(struct waiter *waiter)
{
    struct wait_record *record = wait_self;
    thr_lock *lock = waiter->lock;
    if (waiter->next || load_relaxed(&record->notified))
        return false;
    store_relaxed(&record->notified, waiter);
    uint32_t word = load_relaxed(&lock->word_);
    while ((word & ~LOCK_BITS) == wait_me() && !(word & LOCK_PENDING)) {
        if (cas_release(&lock->word_, &word, word | LOCK_NOTIFIED))
            return true;
    }
    store_relaxed(&record->notified, NULL);
    return false;
}

void handoff(struct waiter *head)
{
    thr_lock *lock = head->lock;
    if (!lock_is_mine(lock)) {
        lead(head);
        return;
    }
    if (notify_only(head))
        return;
    add(&wait_self->pending, head);
    if (mark(lock))
        return;
    /* Another thread has released the lock meanwhile, and has taken what was pending, or has not (H1). */
    head = take(&wait_self->pending, lock);
    if (head)
        lead(head);
}

void handoff_followers(struct waiter *granted)
{
    handoff(granted->next);
}

/* -- Fork --------------------------------------------------------------------------------------------------------- */

void handoff_after_fork(void)
{
    for (int i = 0; i < HANDOFF_CROWDS; i++)
        store_relaxed(&handoff_crowds[i], 0);
}

void handoff_lose(struct wait_record *record)
{
    store_relaxed(&record->pending, 0);
    if (load_relaxed(&record->notified))
        store_relaxed(&record->notified, &gone);
}
