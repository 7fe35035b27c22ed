/* event.c - a flag with a generation, in four bytes.
 *
 *  bits of word_     meaning                              set by                       cleared by
 *  0  SET            the flag                             set                          clear
 *  1  WAITERS        somebody waits in this generation    a waiter, before it sleeps   the set that lets it go
 *  2..31 generation  how often set let waiters go         a set that finds WAITERS     -
 *
 * I1  A waiter of generation g may sleep only while word_ is exactly g with WAITERS and without SET.
 * I2  A set that finds WAITERS moves the generation on and owes a wake to all; so a waiter that finds another generation
 *     than the one it joined was let go, whatever clear did since:
 *
 *         waiter                         setter
 *         joins: word_ = g, WAITERS
 *         sleeps                         set:   word_ = g+1, SET
 *                                        clear: word_ = g+1
 *                                        wakes all
 *         finds g+1: returns THR_OK
 *
 *     (30 bits: a waiter would have to sleep through 2^30 sets that each let others go.)
 * I3  A spinning thread has not joined: it does not wait yet, and a set and clear may pass it by.
 *
 * Order: set is a release, whatever it finds, and pairs with the acquire load of is_set and of the waiters; clear is a
 * read-modify-write, so it continues the release sequence of the sets before it, and an acquire, so that
 * `clear; look for work` cannot miss what was done before a set that it overwrote. After set's compare-and-swap the event
 * may be gone: the wake is given only its address. */

#include "threading/event.h"

#include "sync/watch.h"
#include "wait/spin.h"
#include "wait/wait.h"

#define SET 1u
#define WAITERS 2u
#define GENERATION 4u
#define GENERATION_BITS (~(SET | WAITERS))

void thr_event_set(thr_event *event)
{
    hook_point(HOOK_EVENT_SET, event);
    tsan_release(event);
    uint32_t next;
    uint32_t word = load_relaxed(&event->word_);
    do {
        next = word & WAITERS ? ((word & GENERATION_BITS) + GENERATION) | SET : word | SET;
    } while (!cas_acq_rel(&event->word_, &word, next)); /* acquire: for watchers (wait/watch.h) */
    if (word & WAITERS) {
        spin_waker(event);
        wait_wake(&event->word_, UINT32_MAX, OS_ANY);
    }
}

void thr_event_clear(thr_event *event)
{
    hook_point(HOOK_EVENT_CLEAR, event);
    (void)and_acquire(&event->word_, ~SET);
    tsan_acquire(event);
}

/* Joins the generation of *word, which was just read. False: the flag is set after all. */
static bool join(thr_event *event, uint32_t *word)
{
    while (!(*word & SET)) {
        if (*word & WAITERS)
            return true;
        if (cas_relaxed(&event->word_, word, *word | WAITERS)) {
            *word |= WAITERS;
            return true;
        }
    }
    return false;
}

bool event_watch(thr_event *event, uint32_t *joined)
{
    uint32_t word = load_relaxed(&event->word_);
    do {
        if (word & SET || (*joined != 0 && word != *joined)) {
            (void)load_acquire(&event->word_);
            return true;
        }
    } while (!cas_release(&event->word_, &word, word | WAITERS)); /* also where it is set: wait/watch.h, W3 */
    *joined = word | WAITERS;
    return false;
}

static thr_result sleep_until_set(thr_event *event, struct wait *wait)
{
    uint32_t joined = load_relaxed(&event->word_); /* who returns reads once more, with acquire */
    if (!join(event, &joined)) {
        (void)load_acquire(&event->word_);
        return THR_OK;
    }
    for (;;) {
        thr_result result = wait_block(wait, &event->word_, joined, OS_ANY);
        if (load_acquire(&event->word_) != joined)
            return THR_OK; /* SET or another generation: I1 */
        if (result != THR_OK)
            return result;
    }
}

thr_result thr__event_wait(thr_event *event, thr_time deadline)
{
    hook_point(HOOK_EVENT_WAIT, event);
    thr_result result = THR_OK;
    if (!thr__event_up(event)) {
        if (wait_expired(deadline))
            return THR_TIMEOUT;
        if (!wait_spin(&event->word_, SET, 0, event) || !thr__event_up(event)) {
            struct wait wait;
            wait_begin(&wait, WAIT_EVENT, event, deadline);
            result = sleep_until_set(event, &wait);
            wait_end(&wait);
        }
    }
    if (result == THR_OK)
        tsan_acquire(event);
    return result;
}
