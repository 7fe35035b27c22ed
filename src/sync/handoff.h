/* handoff.h - waiters that were notified, and now go to their lock, a few at a time.
 *
 * A notify under the lock would only wake threads that then fall asleep on the lock. So it leaves them asleep, in the
 * record of the thread that holds the lock, and the release of the lock grants the first few (HANDOFF_FIRST), and
 * wakes them. Who is left joins the lock's crowd; from then on each release of the lock, whoever releases it, grants one
 * more, until nobody is left.
 *
 * So those who are awake grow more as the lock is used more: a waiter that goes on to take the lock again, as most do,
 * grants two in all, one of which is ahead of its time. That keeps the processors from running dry. And each waiter has
 * as much to do as any other: where one wakes eight, the system takes the processor from it for those who have run less,
 * and its other wakes come late. Where the lock is held for long, more come too early. These sleep on the lock, which
 * each release wakes one of, as ever.
 *
 *  record.notified  a waiter for a lock that this thread holds: the first that it has let go, if it was only one, and the
 *                   place was free. NULL: there is none
 *  record.pending   a bitlock (wait/bitlock.h) whose data is the list of heads: each is the first of the waiters for one
 *                   lock, with the others as its followers: those that this thread has notified besides
 *  handoff_crowds   the same, by the lock's address: those who were left by a release
 *
 * H1  A head is pending in a thread's record => that thread's number and PENDING stand in the head's lock, or somebody is
 *     about to take it out: `handoff`, which sees that they do not, or a release, which has cleared the bit.
 * H2  A lock has a crowd => PENDING stands in it, or a release that has cleared it is about to set it again.
 * H3  PENDING stands in a free lock => some waiter for it is granted, or about to be, and has not had the lock since: its
 *     release will grant the next. (A release grants somebody, if it leaves anybody.)
 * H4  Whoever releases a lock that has PENDING takes its waiters, out of the crowd and out of the record of the thread
 *     whose number stands there. If that is another thread (any may release), it clears PENDING first: a notify by that
 *     one meanwhile sets the bit again, and the release, which finds the word changed, looks once more.
 * H5  The last access to a waiter by anyone but itself is the grant's addition; then only its address is used.
 * H6  NOTIFIED stands in a lock => it is held, and the record of the thread whose number stands there has its waiter in
 *     `notified`. Whoever frees the lock clears the bit by that, then takes the waiter, and only then empties the place; the
 *     thread fills it only when it is empty. So one place does for all locks of a thread, without a read-modify-write.
 *     (After a fork it stays filled until that lock is released, or for good; the thread then pends them all.)
 *
 *  bits of state   meaning                                         changed by
 *  0  HANDOFF_ASLEEP  the waiter may sleep on the state            the waiter, before it sleeps and at its end
 *  1..                how often it was granted; it waits until     a grant: HANDOFF_GRANT more, and a wake if ASLEEP
 *                     that is another number than at its start
 *
 * One that is granted leads those that `next` says: it brings them on when it has the lock.
 *
 * A thread uses the same waiter again and again, and most often nothing in it changes but the state. So nobody writes what
 * is there already (`handoff_set`): that line of the waiter then stays in the caches of both, from one wait to the next. Its
 * ring is not used while it is the condition's only one (condition.c).
 *
 * Who notifies without the lock grants the first likewise, and the very first leads the others: with the lock, it pends
 * them as if it had notified them.
 *
 * Order: the grant's addition is a release, the waiter's read of the sum an acquire. Setting PENDING or NOTIFIED is a
 * release, and clearing either for another thread an acquire: who clears it sees who was there. A crowd changes only in a
 * release, before the lock is free, so the lock orders it. */

#ifndef SYNC_HANDOFF_H
#define SYNC_HANDOFF_H

#include "sync/ring.h"
#include "threading/lock.h"
#include "wait/wait.h"

enum { HANDOFF_ASLEEP = 1, HANDOFF_GRANT = 2 };

struct waiter {
    struct ring_node ring; /* the condition's, under its bitlock */
    const void *object;    /* the condition; only its address is used */
    thr_lock *lock;
    struct waiter *next;  /* out of the ring: the next in the list; of one that was granted: the first it leads */
    struct waiter *last;  /* of a head: the last of its followers, or itself */
    struct waiter *heads; /* of a pending head: the next head */
    uint32_t state __attribute__((aligned(64)));
};

/* Writes only what changes. */
static inline void handoff_set(struct waiter **field, struct waiter *value)
{
    if (*field != value)
        *field = value;
}

/* The model makes both 1: there is a crowd once two wait. */
#ifndef HANDOFF_FIRST
#define HANDOFF_FIRST 8
#define HANDOFF_CROWDS 64
#endif
extern uint64_t handoff_crowds[HANDOFF_CROWDS];

/* Lets a head with its followers go to their lock: now, or when the caller, who may hold it, releases it. */
void handoff(struct waiter *head);

/* Takes the followers of one that was granted, and now holds the lock, on to the next. */
void handoff_followers(struct waiter *granted);

/* What a release lets go. */
struct release {
    struct waiter *granted; /* a head with its followers, or NULL */
    bool more;              /* somebody is left */
};

/* For a release of `lock`, which had PENDING, and before it frees the lock: adds those whom it is to grant. `number`: of
 * the thread in whose record some may be pending. */
void handoff_take(const thr_lock *lock, uint32_t number, struct release *release);

/* Tells those that a release took to go. */
void handoff_grant(struct waiter *granted);

/* For a release that has freed a lock with NOTIFIED, of the thread with this number: tells that waiter to go. */
void handoff_grant_notified(uint32_t number);

/* For a release that took some, and then found that another had freed the lock: all go on. */
void handoff_stumble(const thr_lock *lock, struct release *release);

/* In the child of a fork nobody waits any more: in a crowd, or in a thread's record. */
void handoff_after_fork(void);
void handoff_lose(struct wait_record *record);

#endif
