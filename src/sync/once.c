/* once.c - eight bytes that say who does it, or that it has been done.
 *
 *  word_                  meaning                                    left by
 *  0                      not done, and nobody runs a function       a caller: -> its identity
 *  1  DONE                done                                       -
 *  identity               that thread runs its function              its end: -> DONE, or -> 0 if it did not return;
 *                                                                    a waiter: adds SLEEPERS
 *  identity | SLEEPERS    and somebody may sleep on the low half     its end: the same, then wakes all
 *
 * An identity is the address of a 4-byte word, so its two low bits are 0, and it is neither 0 nor DONE.
 *
 * I1  Somebody asleep => SLEEPERS is set, or a runner whose function has ended owes a wake to all.
 * I2  Only the runner sees its own identity there: the test for recursion is exact.
 *
 * Woken waiters run for 0 together; one becomes the runner, the others set SLEEPERS again. That happens only after a
 * function that failed.
 *
 * Order: the swap at the end is a release, and pairs with the acquire of whoever sees DONE, or takes over from 0. After
 * it the once may be gone: the wake is given only its address. */

#include "threading/once.h"

#include "threading/rlock.h" /* thr__identity */
#include "wait/spin.h"
#include "wait/wait.h"

#define DONE ((uint64_t)1)
#define SLEEPERS ((uint64_t)2)

static void end_run(thr_once *once, uint64_t word)
{
    tsan_release(once);
    if (swap_release(&once->word_, word) & SLEEPERS) {
        spin_waker(once);
        wait_wake(wait_low_half(&once->word_), UINT32_MAX, OS_ANY);
    }
}

static void not_returned(void *once)
{
    end_run(once, 0);
}

static void run(thr_once *once, void (*function)(void *), void *arg)
{
    os_unwind_begin(not_returned, once);
    function(arg);
    os_unwind_end(false);
    end_run(once, DONE);
}

/* Sleeps until another than `runner` is there, or it has run to its end. */
static thr_result wait_for(thr_once *once, uint64_t runner)
{
    const uint32_t *low = wait_low_half(&once->word_);
    if (wait_spin(low, (uint32_t)~SLEEPERS, (uint32_t)runner, once))
        return THR_OK;
    struct wait wait;
    thr_result result = THR_OK;
    wait_begin(&wait, WAIT_ONCE, once, THR_FOREVER);
    while (result == THR_OK) {
        uint64_t word = load_relaxed(&once->word_);
        if ((word & ~SLEEPERS) != runner)
            break;
        if (word & SLEEPERS || cas_relaxed(&once->word_, &word, word | SLEEPERS))
            result = wait_block(&wait, low, (uint32_t)(runner | SLEEPERS), OS_ANY);
    }
    wait_end(&wait);
    return result;
}

thr_result thr__once_run(thr_once *once, void (*function)(void *), void *arg)
{
    hook_point(HOOK_ONCE_RUN, once);
    thr_result result = THR_OK;
    while (result == THR_OK) {
        uint64_t word = load_acquire(&once->word_);
        if (word == DONE) {
            tsan_acquire(once);
            return THR_OK;
        }
        if ((word & ~SLEEPERS) == thr__identity())
            return hook_misuse(once, THR_DEADLOCK);
        if (word != 0) {
            result = wait_for(once, word & ~SLEEPERS);
        } else if (cas_acquire(&once->word_, &word, thr__identity())) {
            tsan_acquire(once);
            run(once, function, arg);
            return THR_OK;
        }
    }
    return result;
}
