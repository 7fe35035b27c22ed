/* bitlock.c - see bitlock.h. */

#include "wait/bitlock.h"

#ifndef BITLOCK_SPINS
#define BITLOCK_SPINS 64 /* fewer where each one is a state that is searched (lab/model) */
#endif

uint64_t bitlock_acquire(uint64_t *word)
{
    uint64_t keep = 0; /* SLEEPING, once we have slept: others may sleep too (B1) */
    uint64_t now = load_relaxed(word);
    for (int spins = 0;;) {
        if (!(now & BITLOCK_LOCKED)) {
            if (cas_acquire(word, &now, now | BITLOCK_LOCKED | keep))
                return now & ~BITLOCK_BITS;
        } else if (spins < BITLOCK_SPINS && !(now & BITLOCK_SLEEPING)) {
            os_pause();
            spins++;
            now = load_relaxed(word);
        } else if (now & BITLOCK_SLEEPING || cas_relaxed(word, &now, now | BITLOCK_SLEEPING)) {
            (void)wait_system->wait(wait_low_half(word), (uint32_t)(now | BITLOCK_SLEEPING), BITLOCK_MASK, THR_FOREVER);
            keep = BITLOCK_SLEEPING;
            now = load_relaxed(word);
        }
    }
}

void bitlock_release(uint64_t *word, uint64_t data)
{
    if (swap_release(word, data) & BITLOCK_SLEEPING)
        wait_wake(wait_low_half(word), 1, BITLOCK_MASK);
}
