/* handoff.h - waiters that were notified, and now go to their lock, a few at a time.
 *
 * A notify under the lock would only wake threads that then fall asleep on the lock. So it leaves them asleep, pending in
 * the record of the thread that holds the lock, and the release of the lock grants the first of them, its head, and
 * wakes it. The head, once it holds the lock, takes the others over the same way.
 *
 * With the head, AHEAD others are granted, so that they are awake by the time that the lock comes to them: a thread takes
 * longer to wake up than it holds most locks, and processors that fall idle between two steps take longest of all. If
 * that was too early, they sleep on the lock, and are woken once more. That is no reason to let the next heads go alone:
 * by R1 the sleepers stay asleep while anybody is pending, and one that came too early would cost all the others a wake
 * that nobody's work hides.
 *
 *  record.pending   a bitlock (wait/bitlock.h) whose data is the list of heads: each is the first of the waiters for one
 *                   lock, with the others as its followers
 *
 * H1  A head is pending in a thread's record => that thread's number and PENDING stand in the head's lock, or `handoff` is
 *     about to see that they do not.
 * H2  Whoever releases a lock that has PENDING, its holder or another thread (which is allowed), takes the head for that
 *     lock out of the record of the thread whose number stood there. By H1 none stays behind.
 * H3  The last access to a waiter by anyone but itself is the swap to GRANTED; then only its address is used.
 * R1  A release that grants a head wakes none of the lock's sleepers, though it clears WAITERS: it leaves that to the head,
 *     which retakes the lock with WAITERS set (`keep`), and whose release then wakes the next, pending or asleep.
 *     A follower that is granted with it, or anybody else, may take the lock before it, without WAITERS: the debt stays with
 *     the head, which cannot give up.
 *
 *  state     meaning                              left by
 *  WAITING   not granted; the waiter is awake     the waiter: -> ASLEEP; a grant: -> GRANTED
 *  ASLEEP    not granted; it sleeps on the state  a grant: -> GRANTED, then wakes it
 *  GRANTED   it may go to the lock                -
 *  LEADING   the same, and it has followers       -
 *
 * Order: the grant's swap is a release, the waiter's read of what it stored an acquire. */

#ifndef SYNC_HANDOFF_H
#define SYNC_HANDOFF_H

#include "sync/ring.h"
#include "threading/lock.h"
#include "wait/wait.h"

enum handoff_state { WAITING, ASLEEP, GRANTED, LEADING };

struct waiter {
    struct ring_node ring; /* the condition's, under its bitlock */
    const void *object;    /* the condition; only its address is used */
    thr_lock *lock;
    struct waiter *next;  /* out of the ring: the next in the list, the next follower */
    struct waiter *last;  /* of a head: the last of its followers, or itself */
    struct waiter *heads; /* of a pending head: the next head */
    uint32_t state __attribute__((aligned(64)));
    uint32_t keep; /* once granted: LOCK_WAITERS, if it is to set that when it retakes the lock (R1), or 0 */
};

/* Lets a head with its followers go to their lock: now, or when the caller, who may hold it, releases it. */
void handoff(struct waiter *head);

/* Takes the followers of one that was granted, and now holds the lock, on to the next. */
void handoff_followers(struct waiter *granted);

/* For a release of `lock` that found PENDING, and before it frees the lock: takes out the head that is pending for it in
 * the record of the thread `number`, or gives NULL. */
struct waiter *handoff_take(const thr_lock *lock, uint32_t number);

/* Tells a head, and some of its followers, to go. `keep`: what the head sets when it retakes the lock (R1). */
void handoff_grant(struct waiter *head, uint32_t keep);

#endif
