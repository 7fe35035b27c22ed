/* semaphore.c - a count of permits, and the count of those who wait for one.
 *
 *  word_              meaning                                   changed by
 *  0  SLEEPERS        somebody may sleep on the word            set by who is about to sleep, and by who takes a permit
 *                                                               while others wait; cleared by a release, which owes them
 *                                                               as many wakes as it brings permits
 *  1..31 permits      what can be taken                         acquire, release
 *  waiting_           threads between their first look and      those threads
 *                     their last
 *
 * I1  Somebody asleep => SLEEPERS is set and no permit is there, or a thread is awake that will look: one that is owed a
 *     wake, or one that was woken and has not looked yet.
 * R1  Who takes a permit after it joined waiting_ sets SLEEPERS again if it is not alone there, since the release that
 *     woke it cleared the bit for all; and if it leaves permits behind, it passes the wake on:
 *
 *         A, B asleep     release(1): 1 permit, clears SLEEPERS, wakes A
 *                         release(1): 2 permits, finds no SLEEPERS, wakes nobody
 *         A takes one: B sleeps beside a permit, unless A wakes it
 *
 * R2  Who was woken looks, and sets SLEEPERS again before it sleeps again; a deadline ends only a sleep, after which it
 *     looks once more.
 *
 * Order: a release is a release, a take an acquire. SLEEPERS is set with release, by everybody who is about to sleep, also
 * where it is set already, and the word is read with acquire before waiting_ is looked at (R1): who sees a word in which
 * the release has overwritten somebody's SLEEPERS sees that thread in waiting_ too, since the release is a
 * read-modify-write and continues that store's release sequence. The first look of sleep_for needs no order: nobody was woken
 * for it, so if it takes a permit and misses somebody in waiting_, those who were woken in that one's stead still look, with
 * acquire, and set SLEEPERS. After the compare-and-swap of a release the semaphore may be gone: the wake is given only its
 * address. */

#include "threading/semaphore.h"

#include "sync/watch.h"
#include "wait/spin.h"
#include "wait/wait.h"

#define SLEEPERS 1u
#define PERMIT 2u

thr_result thr__semaphore_release(thr_semaphore *semaphore, uint32_t n, uint32_t bound)
{
    hook_point(HOOK_SEMAPHORE_RELEASE, semaphore);
    if (n == 0)
        return THR_OK;
    tsan_release(semaphore);
    uint32_t word = load_relaxed(&semaphore->word_);
    do {
        if ((uint64_t)(word / PERMIT) + n > bound)
            return hook_misuse(semaphore, THR_TOO_MANY);
    } while (!cas_acq_rel(&semaphore->word_, &word, (word & ~SLEEPERS) + n * PERMIT)); /* acquire: for watchers */
    if (word & SLEEPERS) {
        spin_waker(semaphore);
        wait_wake(&semaphore->word_, n, OS_ANY);
    }
    return THR_OK;
}

static bool take(thr_semaphore *semaphore)
{
    uint32_t word = load_relaxed(&semaphore->word_);
    while (word >= PERMIT) {
        if (cas_acquire(&semaphore->word_, &word, word - PERMIT))
            return true;
    }
    return false;
}

bool semaphore_watch(thr_semaphore *semaphore)
{
    uint32_t word = load_relaxed(&semaphore->word_);
    while (word < PERMIT) {
        if (cas_release(&semaphore->word_, &word, word | SLEEPERS)) /* also where it is set: wait/watch.h, W3 */
            return false;
    }
    (void)load_acquire(&semaphore->word_);
    return true;
}

static bool spin_for(thr_semaphore *semaphore)
{
    struct spin spin;
    bool taken = false;
    spin_begin(&spin, semaphore);
    while (!taken && spin_turn(&spin))
        taken = take(semaphore);
    spin_end(&spin, taken);
    return taken;
}

static thr_result sleep_for(thr_semaphore *semaphore, struct wait *wait)
{
    thr_result result = THR_OK;
    uint32_t word = load_relaxed(&semaphore->word_);
    for (;;) {
        if (word >= PERMIT) {
            uint32_t others = load_relaxed(&semaphore->waiting_) > 1 ? SLEEPERS : 0;
            if (cas_acquire(&semaphore->word_, &word, (word - PERMIT) | others)) {
                if (others && word >= 2 * PERMIT)
                    wait_wake(&semaphore->word_, 1, OS_ANY);
                return THR_OK;
            }
        } else if (result != THR_OK) {
            return result;
        } else if (cas_release(&semaphore->word_, &word, SLEEPERS)) {
            result = wait_block(wait, &semaphore->word_, SLEEPERS, OS_ANY);
        }
        word = load_acquire(&semaphore->word_);
    }
}

thr_result thr__semaphore_acquire(thr_semaphore *semaphore, thr_time deadline)
{
    hook_point(HOOK_SEMAPHORE_ACQUIRE, semaphore);
    thr_result result = THR_OK;
    if (!take(semaphore)) {
        if (wait_expired(deadline))
            return THR_TIMEOUT;
        if (!spin_for(semaphore)) {
            struct wait wait;
            (void)add_relaxed(&semaphore->waiting_, 1);
            wait_begin(&wait, WAIT_SEMAPHORE, semaphore, deadline);
            result = sleep_for(semaphore, &wait);
            wait_end(&wait);
            (void)sub_relaxed(&semaphore->waiting_, 1);
        }
    }
    if (result == THR_OK)
        tsan_acquire(semaphore);
    return result;
}

bool thr__semaphore_try_acquire(thr_semaphore *semaphore)
{
    return thr__semaphore_acquire(semaphore, 0) == THR_OK;
}

thr_result thr_semaphore_init(thr_semaphore *semaphore, uint32_t permits)
{
    if (permits > THR_SEMAPHORE_MAX)
        return THR_INVALID;
    *semaphore = (thr_semaphore)THR_SEMAPHORE_INIT(permits);
    return THR_OK;
}

thr_result thr_bounded_semaphore_init(thr_bounded_semaphore *semaphore, uint32_t permits)
{
    if (permits > THR_SEMAPHORE_MAX)
        return THR_INVALID;
    *semaphore = (thr_bounded_semaphore)THR_BOUNDED_SEMAPHORE_INIT(permits);
    return THR_OK;
}
