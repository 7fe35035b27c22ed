/* spin.h - what to try before a sleep.
 *
 * A hand-off to a thread that spins on another processor takes some 0.1 us; to one that sleeps, 2 us on the same
 * processor and more than 20 across. But spinning is waste when the thread that would let us go cannot run, because it
 * needs this very processor, or is not about to: there, giving the processor away without a sleep (a yield) brings it to
 * run for less than a sleep and a wake cost. And nothing at all helps if it will take long. No constant is right for all
 * of these, so it is learnt, from three things:
 *
 *  - where the thread that last let us go ran: on our processor, spinning cannot help. Who wakes a sleeper of an object
 *    says where it runs (only a waker that has to make a system call anyway says so), and the sleeper keeps that for
 *    itself: two threads that pass a ball to and fro by one object each have the other for a waker;
 *  - whether spinning, and whether yielding, succeeded lately at this object on this processor: beside the thread that
 *    the one waits for there may be somebody busy, who makes all of its spins fail, and nobody beside the other;
 *  - how long a yield took. If somebody else had long use for the processor, a sleeper would have been let in before it
 *    had finished, and a yielder is not: then nobody yields for this object for a time.
 *
 * All this is kept in small tables by the object's address and the processor. Two objects that share a place mislead each
 * other a little; everything here is a hint, in relaxed atomics, and correctness never depends on it. */

#ifndef WAIT_SPIN_H
#define WAIT_SPIN_H

#include "os/os.h"
#include "wait/atomic.h"

enum spin_way { SPIN_NOT, SPIN_PAUSE, SPIN_YIELD };

/* One spin: how it goes on, and what is left of it. */
struct spin {
    struct place *place; /* of the object, on this processor */
    thr_time now;        /* 0: the clock has not been read yet */
    thr_time end;
    thr_time left; /* of yields that nobody else had use for */
    uint32_t turns;
    uint32_t pauses;  /* until the next look */
    uint32_t untimed; /* pauses since the clock was read */
    enum spin_way way;
    bool may_yield;
    bool probe;
};

/* Starts a spin before a wait for `object`. */
void spin_begin(struct spin *spin, const void *object);

/* Before a spin for a lock that is held: how many looks the caller makes first, a pause before each, and nothing else.
 * Sections are short, most often, and where the line comes quickly from another processor the lock is taken in the moment
 * in which it comes free. Where that takes long there are no such looks: two threads that take the line from each other at
 * every turn get less done than one after the other, in bursts. That is learnt: when a visit is `timed`, the caller looks
 * at the clock instead of pausing, and says how long the look took that took the lock.
 *
 * It yields, if the thread has had its processor for some time. Threads that run take a lock from each other without a
 * sleep; where there are more of them than processors, the others would get their turn only when the system takes the
 * processor from one, milliseconds later. Where such a yield gives the processor to somebody who takes no turns, and has
 * long use for it, those on this processor give them up for a time. */
unsigned spin_visit(bool *timed);

/* The look that took the lock, in a visit that is timed. */
void spin_look_took(thr_time time);

/* Starts a spin for a lock: its looks grow rare, since each takes the word's cache line from who holds the lock, or is
 * about to take it again, and are rare at once where that takes long; and it does not yield. */
void spin_begin_rare(struct spin *spin, const void *object);

/* Pauses or yields, for a moment; false when it is time to sleep. */
bool spin_turn(struct spin *spin);

/* Says how it ended. */
void spin_end(struct spin *spin, bool success);

/* Says, before a system call that wakes a sleeper of `object`, where the waker runs. Async-signal-safe. */
void spin_waker(const void *object);

/* Learns from a sleep for `object` that has just ended, in a wait that began at `since`: where the waker ran, and whether
 * a spin would have done. */
void spin_woken(const void *object, thr_time since);

/* Spins while (*word & mask) == value; true when it changed. */
bool wait_spin(const uint32_t *word, uint32_t mask, uint32_t value, const void *object);

#endif
