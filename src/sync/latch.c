/* latch.c - a count that goes down to zero once.
 *
 *  bits of word_   meaning                           set by                       cleared by
 *  0  SLEEPERS     somebody may sleep on the word    a waiter, before it sleeps   the count_down to zero
 *  1..31 count     what is left                      the initialiser              count_down
 *
 * I1  Somebody asleep => SLEEPERS is set and the count is not zero, or the count_down to zero owes a wake to all.
 * I2  Zero is the end: word_ is 0 and stays so.
 *
 * Order: each count_down is a read-modify-write with release and continues the release sequences of those before it;
 * the acquire load that finds zero pairs with them all. After the compare-and-swap to zero the latch may be gone: the
 * wake is given only its address. */

#include "threading/latch.h"

#include "wait/spin.h"
#include "wait/wait.h"

#define SLEEPERS 1u
#define ONE 2u

thr_result thr_latch_count_down(thr_latch *latch, uint32_t n)
{
    hook_point(HOOK_LATCH_COUNT_DOWN, latch);
    tsan_release(latch);
    uint32_t next;
    uint32_t word = load_relaxed(&latch->word_);
    do {
        if (n > word / ONE)
            return hook_misuse(latch, THR_TOO_MANY);
        next = n == word / ONE ? 0 : word - n * ONE;
    } while (!cas_release(&latch->word_, &word, next));
    if (next == 0 && word & SLEEPERS) {
        spin_waker(latch);
        wait_wake(&latch->word_, UINT32_MAX, OS_ANY);
    }
    return THR_OK;
}

/* Spins for zero, as long as the count goes down. */
static bool spin_for(const thr_latch *latch)
{
    uint32_t count = thr__latch_left(latch);
    while (count != 0 && wait_spin(&latch->word_, ~SLEEPERS, count * ONE, latch))
        count = thr__latch_left(latch);
    return count == 0;
}

static thr_result sleep_for(thr_latch *latch, struct wait *wait)
{
    thr_result result = THR_OK;
    while (thr__latch_left(latch) != 0) {
        if (result != THR_OK)
            return result;
        uint32_t word = load_relaxed(&latch->word_);
        if (word < ONE)
            continue;
        if (word & SLEEPERS || cas_relaxed(&latch->word_, &word, word | SLEEPERS))
            result = wait_block(wait, &latch->word_, word | SLEEPERS, OS_ANY);
    }
    return THR_OK;
}

thr_result thr__latch_wait(thr_latch *latch, thr_time deadline)
{
    hook_point(HOOK_LATCH_WAIT, latch);
    thr_result result = THR_OK;
    if (thr__latch_left(latch) != 0) {
        if (wait_expired(deadline))
            return THR_TIMEOUT;
        if (!spin_for(latch)) {
            struct wait wait;
            wait_begin(&wait, WAIT_LATCH, latch, deadline);
            result = sleep_for(latch, &wait);
            wait_end(&wait);
        }
    }
    if (result == THR_OK)
        tsan_acquire(latch);
    return result;
}

thr_result thr_latch_init(thr_latch *latch, uint32_t count)
{
    if (count > THR_LATCH_MAX)
        return THR_INVALID;
    *latch = (thr_latch)THR_LATCH_INIT(count);
    return THR_OK;
}
