/* semaphore.c - a count of permits, and the count of those who wait for one.
 *
 *  word_              meaning                                   changed by
 *  0..30 permits      what can be taken                         acquire, release
 *  31 SLEEPERS        somebody may sleep on the word            set by who is about to sleep, and by who takes a permit
 *                                                               while others wait; cleared by a release, which owes them
 *                                                               as many wakes as it brings permits
 *  waiting_           threads between their first look and      those threads
 *                     their last
 *
 * Somebody comes: has slept, or set SLEEPERS to do so, and will look; or is owed a wake.
 *
 * I1  SLEEPERS is set => of those who have set it and wait, as many come as there are permits, or all.
 * I2  SLEEPERS is clear, and somebody sleeps => somebody comes; there may be more permits than that.
 * R1  Who takes a permit after it joined waiting_, and is not alone there, sets SLEEPERS, since the release that woke it
 *     cleared the bit for all. If it was clear, releases since then have woken nobody; so it wakes as many as it leaves
 *     permits (I1):
 *
 *         A, B, C asleep  release(1): 1 permit, clears SLEEPERS, wakes A
 *                         release(1): 2 permits, finds no SLEEPERS, wakes nobody
 *                         release(1): 3 permits, the same
 *         A takes one, sets SLEEPERS, and wakes two: they would sleep beside a permit each
 *         B takes one, and wakes nobody: SLEEPERS was set, so C comes
 *
 * R2  Who was woken looks, and sets SLEEPERS again before it sleeps again; a deadline ends only a sleep, after which it
 *     looks once more.
 *
 * Order: a release is a release, a take an acquire. SLEEPERS is set with release, by everybody who is about to sleep, also
 * where it is set already, and the word is read with acquire before waiting_ is looked at (R1): who sees a word in which
 * the release has overwritten somebody's SLEEPERS sees that thread in waiting_ too, since the release is a
 * read-modify-write and continues that store's release sequence. The first look of sleep_for needs no order: who makes it
 * does not come, in the sense above. So if it takes a permit, misses somebody in waiting_, and clears SLEEPERS, somebody
 * comes (I1, for there was a permit), and looks with acquire. After the compare-and-swap of a release the semaphore may be
 * gone: the wake is given only its address. */

#include "threading/semaphore.h"

#include "sync/watch.h"
#include "wait/spin.h"
#include "wait/wait.h"

#define PERMITS THR_SEMAPHORE_MAX
#define SLEEPERS (~PERMITS)

thr_result thr__semaphore_release(thr_semaphore *semaphore, uint32_t n, uint32_t bound)
{
    hook_point(HOOK_SEMAPHORE_RELEASE, semaphore);
    if (n == 0)
        return THR_OK;
    tsan_release(semaphore);
    uint32_t word = load_relaxed(&semaphore->word_);
    do {
        if ((uint64_t)(word & PERMITS) + n > bound)
            return hook_misuse(semaphore, THR_TOO_MANY);
    } while (!cas_acq_rel(&semaphore->word_, &word, (word & PERMITS) + n)); /* acquire: for watchers */
    if (word & SLEEPERS) {
        spin_waker(semaphore);
        wait_wake(&semaphore->word_, n, OS_ANY);
    }
    return THR_OK;
}

static bool take(thr_semaphore *semaphore)
{
    uint32_t word = load_relaxed(&semaphore->word_);
    while (word & PERMITS) {
        if (cas_acquire(&semaphore->word_, &word, word - 1))
            return true;
    }
    return false;
}

bool semaphore_watch(thr_semaphore *semaphore)
{
    uint32_t word = load_relaxed(&semaphore->word_);
    while (!(word & PERMITS)) {
        if (cas_release(&semaphore->word_, &word, SLEEPERS)) /* also where it is set: wait/watch.h, W3 */
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
        if (word & PERMITS) {
            uint32_t left = (word & PERMITS) - 1;
            uint32_t others = load_relaxed(&semaphore->waiting_) > 1 ? SLEEPERS : 0;
            if (cas_acquire(&semaphore->word_, &word, left | others)) {
                if (others && !(word & SLEEPERS) && left > 0)
                    wait_wake(&semaphore->word_, left, OS_ANY);
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
