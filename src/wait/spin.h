/* spin.h - when spinning before a sleep pays.
 *
 * A hand-off to a thread that spins on another processor takes some 0.1 us; to one that sleeps, 2 us on the same
 * processor and more than 20 across. But spinning is waste when the thread that would let us go cannot run, because it
 * needs this very processor, or is not about to. No constant is right for both, so it is learnt, from two things:
 *
 *  - the processor of whoever last woke a sleeper of this object (only a waker that has to make a system call anyway
 *    says so): if it is the one we are on, spinning cannot help, and we do not;
 *  - whether spinning succeeded lately.
 *
 * Both are kept in a small table by the object's address. Two objects that share a place mislead each other a little;
 * everything here is a hint, in relaxed atomics, and correctness never depends on it. */

#ifndef WAIT_SPIN_H
#define WAIT_SPIN_H

#include "os/os.h"
#include "wait/atomic.h"

/* One spin: what is left of it. */
struct spin {
    const void *object;
    thr_time end; /* 0: the clock has not been read yet */
    uint32_t turns;
    bool allowed;
};

/* Starts a spin before a wait for `object`. */
void spin_begin(struct spin *spin, const void *object);

/* Pauses for a moment; false when it is time to sleep. */
bool spin_turn(struct spin *spin);

/* Says how it ended, if it was allowed at all. */
void spin_end(struct spin *spin, bool success);

/* Says, before a system call that wakes a sleeper of `object`, where the waker runs. Async-signal-safe. */
void spin_waker(const void *object);

/* Spins while (*word & mask) == value; true when it changed. */
bool wait_spin(const uint32_t *word, uint32_t mask, uint32_t value, const void *object);

#endif
