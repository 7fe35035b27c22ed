/* wait.h - the one place that blocks.
 *
 * An object that must wait does so in three steps:
 *
 *     if (wait_spin(&latch->word_, MASK, value, latch)) ...      1. a short spin, where that has paid lately
 *     struct wait wait;
 *     wait_begin(&wait, WAIT_LATCH, latch, deadline);            2. it says what it waits for: thr_dump() shows that
 *     do {
 *         ... register in the word; leave when it changed ...
 *         result = wait_block(&wait, &latch->word_, word, OS_ANY); 3. sleep, once
 *     } while (result == THR_OK);
 *     wait_end(&wait);
 *
 * wait_block may return THR_OK for no reason (a wake meant for an object that lived at this address before), so every
 * wait is a loop over the object's own state. It returns THR_TIMEOUT or THR_INTERRUPTED only when it has consumed no
 * wake: who then gives up owes nobody one. (One whose wake was consumed before, and who comes round to a passed
 * deadline, must have registered again since; see lock.c, R1.) */

#ifndef WAIT_WAIT_H
#define WAIT_WAIT_H

#include "os/os.h"
#include "wait/atomic.h"
#include "wait/hook.h"
#include "wait/tsan.h"

enum wait_kind {
    WAIT_NOTHING,
    WAIT_LOCK,
    WAIT_RLOCK,
    WAIT_CONDITION,
    WAIT_SEMAPHORE,
    WAIT_EVENT,
    WAIT_BARRIER,
    WAIT_LATCH,
    WAIT_ONCE,
    WAIT_READ,  /* rwlock */
    WAIT_WRITE, /* rwlock */
    WAIT_JOIN,  /* thread */
    WAIT_TIMER, /* join of a timer */
    WAIT_EXIT,  /* for the non-daemon threads */
    WAIT_SLEEP,
    WAIT_START,  /* of a thread: its first instructions */
    WAIT_PUT,    /* queue */
    WAIT_GET,    /* queue */
    WAIT_DONE,   /* join of a queue */
    WAIT_ANY_OF, /* wait_any */
    WAIT_FUTURE,
    WAIT_FUTURES, /* some of several */
    WAIT_GROUP,
    WAIT_WORK,    /* a worker of an executor, for work */
    WAIT_EXECUTOR /* for the end of its workers */
};

/* What a thread waits for. It lives in the thread's place in the registry, which is never unmapped, so that thr_dump can
 * read it at any time: `sequence` is odd while the fields after it change, and differs after they have. */
struct wait_record {
    uint32_t number; /* of the thread; see thr__me */
    uint32_t sequence;
    uint32_t kind;
    const void *object;
    thr_time since;
    thr_time deadline;
    /* Interruptible waits (for threads that run an interpreter, say): called on the waiting thread after a signal
     * handler ran, while it keeps its place in the object's queue. True ends the wait with THR_INTERRUPTED. */
    bool (*interrupt)(void *arg);
    void *interrupt_arg;
    /* Waiters that the release of their lock lets go, which this thread holds: a struct waiter, and a list; see
     * sync/handoff.h. */
    void *notified;
    uint64_t pending;
    /* Where it waits for a condition, a struct waiter; NULL while it does, or where it has none. See sync/condition.c. */
    void *waiter;
};

/* The calling thread's record; NULL before it has one. */
extern __thread struct wait_record *wait_self __attribute__((tls_model("initial-exec")));

/* What the calling thread writes into the word of a lock that it holds. */
static inline uint32_t wait_me(void)
{
    uint32_t me = thr__me;
    if (thr__asks(me)) {
        me &= ~(uint32_t)THR__ASK;
        if (!thr__steered())
            thr__me = me;
    }
    return me;
}

/* In the word of a lock, below the holder's number. */
enum { WAIT_NUMBER_SHIFT = 5 };

/* The thread's number is this from now on. */
static inline void wait_number(uint32_t number)
{
    thr__me = number << WAIT_NUMBER_SHIFT | 1 | (thr__steered() ? THR__ASK : 0);
}

/* What this floor needs of the registry, which is above it and keeps the records (thread/registry.c).
 *
 * wait_stranger gives a thread that has no record one, when it first blocks; NULL: no memory, the wait is not shown.
 * wait_find finds the record of the thread with this number; NULL: there never was one. */
struct wait_record *wait_stranger(void);
struct wait_record *wait_find(uint32_t number);

struct wait {
    struct wait_record *record;
    const void *object;
    thr_time since; /* its start */
    thr_time deadline;
    bool interruptible; /* wait_begin sets it; a wait that must not end early clears it */
    thr_time look;      /* when it asks record->interrupt unasked, once: a handler may have run just before the sleep */
    /* What the record said before: a wait inside another (in an interrupt, a signal handler) puts it back. */
    uint32_t outer_kind;
    const void *outer_object;
    thr_time outer_since;
    thr_time outer_deadline;
};

void wait_begin(struct wait *wait, enum wait_kind kind, const void *object, thr_time deadline);
void wait_end(struct wait *wait);

/* Sleeps once while *word == expected: THR_OK (look again), THR_TIMEOUT (also when the deadline has passed already: it
 * does not sleep then) or THR_INTERRUPTED. */
thr_result wait_block(struct wait *wait, const uint32_t *word, uint32_t expected, uint32_t mask);

/* Wakes up to `count` sleepers whose mask has a bit in common. `word` may be gone; only its address is used. */
void wait_wake(const uint32_t *word, uint32_t count, uint32_t mask);

/* Whether a deadline has passed; the clock is read only where it must be. */
bool wait_expired(thr_time deadline);

/* Copies what a thread waits for; false when it kept changing. For thr_dump. */
bool wait_look(const struct wait_record *record, struct wait_record *copy);

/* The low half of an 8-byte word: what the system can wait on. */
static inline const uint32_t *wait_low_half(const void *word)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return (const uint32_t *)word + 1;
#else
    return (const uint32_t *)word;
#endif
}

#endif
