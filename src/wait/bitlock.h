/* bitlock.h - the lock inside an 8-byte word whose other bits are data.
 *
 *  bit  meaning                    set by                        cleared by
 *  0    LOCKED                     bitlock_acquire               bitlock_release
 *  1    SLEEPING: somebody may     bitlock_acquire, before it    bitlock_release, which then owes a wake;
 *       sleep until it is free     sleeps, and after it slept    whoever it wakes sets it again
 *  2..  the owner's data           the owner, at the release     -
 *
 * It is held for a few instructions, never across a wait or a call of the program's. A pure spin would do but for
 * threads of real-time priority, which could spin for ever over an owner that they keep from running: so it sleeps.
 *
 * B1  Somebody asleep => SLEEPING is set, or a releaser owes a wake, or a woken thread has not tried yet.
 * B2  bitlock_release is one swap: after it the word may be gone, and only its address is used.
 *
 * Order: the swap of bitlock_release is a release, the compare-and-swap that takes the bit an acquire. */

#ifndef WAIT_BITLOCK_H
#define WAIT_BITLOCK_H

#include "wait/wait.h"

#define BITLOCK_LOCKED ((uint64_t)1)
#define BITLOCK_SLEEPING ((uint64_t)2)
#define BITLOCK_BITS (BITLOCK_LOCKED | BITLOCK_SLEEPING)

/* Sleepers of the bit are told from sleepers for the owner's data, on the same word, by this mask. */
#define BITLOCK_MASK 0x80000000u

/* Takes the bit; returns the data. */
uint64_t bitlock_acquire(uint64_t *word);

/* Frees the bit and stores the data, whose two low bits are 0, in one step. */
void bitlock_release(uint64_t *word, uint64_t data);

#endif
