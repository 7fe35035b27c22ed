/* lock.c - the four-byte lock.
 *
 *  bits of word_   meaning                              set by                         cleared by
 *  0  HELD         somebody holds it                    acquire                        release
 *  1  WAITERS      somebody may sleep on the word       who is about to sleep, and     release, which then owes a wake;
 *                                                       who took it after a sleep      not by one that hands over
 *  2  STARVED      somebody has waited for more than    that waiter, before it         that waiter, when it takes the
 *                  PATIENCE; comes with WAITERS         sleeps again                   lock or gives up
 *  3  PENDING      notified waiters sleep until it is   their notifier, which holds    release, when it has let the
 *                  released (handoff.h); also while     it; release, if it leaves      last of them go
 *                  it is free                           some
 *  4  NOTIFIED     a notified waiter sleeps until it    its notifier, which holds it   release, which lets it go
 *                  is released (handoff.h)
 *  5..31           the holder's number, 0 if it has     acquire                        release
 *                  none: for thr_dump, and by it a
 *                  release finds whom to let go
 *
 *  word              may be taken by; PENDING may be there besides
 *  0                 anyone
 *  WAITERS|STARVED   a starved waiter only: the release hands over
 *
 * I1  HELD is set exactly while one thread holds the lock.
 * I2  Somebody asleep => WAITERS is set, or a releaser owes a wake, or a woken thread has not looked yet.
 * I3  Not HELD but STARVED => a starved waiter is awake, or a releaser owes it a wake.
 * R1  A thread that was woken takes the lock or sets WAITERS before it may give up: the release that woke it cleared the
 *     bit, and others may sleep. (In `sleep_for` the bit is set before each sleep, and a deadline ends only a sleep.)
 * R2  A starved waiter that gives up clears STARVED while the lock is held. When the lock is free it takes it instead:
 *     it was handed over to it (I3).
 * R3  Starved waiters sleep with a mask of their own, so that a release that hands over wakes one of them and nobody
 *     else; any other release wakes whoever has slept longest.
 * R4  A free word is one of the two above. So who takes a free lock that is not handed over has no bit to keep but
 *     PENDING, and who is handed it has slept, and sets WAITERS for the others (`keep`).
 *
 * Two starved waiters share the one bit. Who takes the lock clears it for both; the other still sleeps under WAITERS
 * (I2), so is woken in its turn, and sets the bit again.
 *
 * Order: every compare-and-swap that takes the lock is an acquire and pairs with the release one of lock_give, or of the
 * inline thr_lock_release. After that the lock may be freed: the wake is given only its address. */

#include "sync/lock.h"

#include "sync/handoff.h"
#include "wait/spin.h"

enum {
    PATIENCE = 1000000, /* nanoseconds after which a waiter is handed the lock */
    ASK_STARVED = 1,    /* sleepers' masks */
    ASK_NORMAL = 2
};

static bool may_take(uint32_t word, bool starved)
{
    return !(word & LOCK_HELD) && (starved || !(word & LOCK_STARVED));
}

/* Whether it has taken the lock, which it found as `*word`. */
static inline bool look(thr_lock *lock, uint32_t *word)
{
    *word = load_relaxed(&lock->word_);
    return may_take(*word, false) && cas_acquire(&lock->word_, word, wait_me() | *word);
}

/* The same by a compare-and-swap at once: it fetches the line to be written, and once, where a look and a compare-and-swap
 * fetch it twice. For looks that most often find the lock free. */
static inline bool seize(thr_lock *lock, uint32_t *word)
{
    *word = 0;
    return cas_acquire(&lock->word_, word, wait_me()) || look(lock, word);
}

/* The first looks, which come fast. */
static bool look_fast(thr_lock *lock, uint32_t *word)
{
    bool timed;
    for (unsigned looks = spin_visit(&timed); looks > 0; looks--) {
        if (timed) {
            thr_time before = os_now();
            if (look(lock, word)) {
                spin_look_took(os_now() - before);
                return true;
            }
        } else {
            os_pause();
            if (seize(lock, word))
                return true;
        }
    }
    return false;
}

/* Tries, and spins, for the lock. Stops when somebody starves: it will not come free for us. */
static bool spin_for(thr_lock *lock)
{
    uint32_t word;
    if (look(lock, &word) || look_fast(lock, &word))
        return true;
    struct spin spin;
    bool taken = false;
    spin_begin_rare(&spin, lock);
    while (!taken && !(word & LOCK_STARVED) && spin_turn(&spin))
        taken = look(lock, &word);
    spin_end(&spin, taken);
    return taken;
}

/* R2. False: the lock came free meanwhile. */
static bool give_up(thr_lock *lock, bool starved)
{
    if (!starved)
        return true;
    uint32_t word = load_relaxed(&lock->word_);
    while (word & LOCK_HELD) {
        if (!(word & LOCK_STARVED) || cas_relaxed(&lock->word_, &word, word & ~LOCK_STARVED))
            return true;
    }
    return !may_take(word, true);
}

static thr_result sleep_for(thr_lock *lock, struct wait *wait)
{
    bool starved = false;
    uint32_t keep = 0; /* WAITERS, once this thread may have consumed a wake (R1) */
    uint32_t word = load_relaxed(&lock->word_);
    for (;;) {
        if (may_take(word, starved)) {
            if (cas_acquire(&lock->word_, &word, wait_me() | keep | (word & LOCK_PENDING)))
                return THR_OK;
            continue;
        }
        uint32_t marked = word | LOCK_WAITERS | (starved ? LOCK_STARVED : 0);
        if (word != marked && !cas_relaxed(&lock->word_, &word, marked))
            continue;
        thr_result result = wait_block(wait, &lock->word_, marked, starved ? ASK_STARVED : ASK_NORMAL);
        keep = LOCK_WAITERS;
        if (result != THR_OK && give_up(lock, starved))
            return result;
        starved = starved || wait_system->now() - wait->since > PATIENCE;
        word = load_relaxed(&lock->word_);
    }
}

thr_result lock_take(thr_lock *lock, thr_time deadline, enum wait_kind kind, const void *object)
{
    uint32_t word = load_relaxed(&lock->word_);
    thr_result result = THR_OK;
    while (may_take(word, false)) {
        if (cas_acquire(&lock->word_, &word, wait_me() | word))
            goto taken;
    }
    if (wait_expired(deadline))
        return THR_TIMEOUT;
    if (spin_for(lock))
        goto taken;

    struct wait wait;
    wait_begin(&wait, kind, object, deadline);
    result = sleep_for(lock, &wait);
    wait_end(&wait);
taken:
    if (result == THR_OK)
        tsan_acquire(lock);
    return result;
}

void lock_retake(thr_lock *lock)
{
    uint32_t word;
    if (!seize(lock, &word) && !spin_for(lock)) {
        struct wait wait;
        wait_begin(&wait, WAIT_LOCK, lock, THR_FOREVER);
        wait.interruptible = false;
        (void)sleep_for(lock, &wait);
        wait_end(&wait);
    }
    tsan_acquire(lock);
    hook_taken(HOOK_CONDITION_WAIT, lock, THR_FOREVER, NULL);
}

thr_result lock_give(thr_lock *lock)
{
    struct release release = {NULL, false};
    uint32_t word = load_relaxed(&lock->word_);
    uint32_t mine = (word & LOCK_PENDING) && lock_is_mine(lock) ? word & ~LOCK_BITS : 0; /* handoff.h, H4 */
    uint32_t next;
    tsan_release(lock);
    if (mine)
        handoff_take(lock, word >> WAIT_NUMBER_SHIFT, &release);
    do {
        if ((word & LOCK_HELD) && (word & LOCK_PENDING) && (word & ~LOCK_BITS) != mine) {
            word = and_acquire(&lock->word_, ~LOCK_PENDING) & ~LOCK_PENDING;
            handoff_take(lock, word >> WAIT_NUMBER_SHIFT, &release);
        }
        if (!(word & LOCK_HELD)) {
            handoff_stumble(lock, &release);
            return hook_misuse(lock, THR_NOT_LOCKED);
        }
        next = (word & LOCK_STARVED ? LOCK_WAITERS | LOCK_STARVED : 0) | (release.more ? LOCK_PENDING : 0);
    } while (!cas_acq_rel(&lock->word_, &word, next)); /* acquire: for who is notified */
    if (word & LOCK_WAITERS) {
        spin_waker(lock);
        wait_wake(&lock->word_, 1, word & LOCK_STARVED ? ASK_STARVED : OS_ANY);
    }
    if (word & LOCK_NOTIFIED)
        handoff_grant_notified(word >> WAIT_NUMBER_SHIFT);
    handoff_grant(release.granted);
    return THR_OK;
}

thr_result thr__lock_acquire(thr_lock *lock, thr_time deadline)
{
    hook_point(HOOK_LOCK_ACQUIRE, lock);
    thr_result result = lock_take(lock, deadline, WAIT_LOCK, lock);
    if (result == THR_OK)
        hook_taken(HOOK_LOCK_ACQUIRE, lock, deadline, HOOK_SITE);
    return result;
}

bool thr__lock_try_acquire(thr_lock *lock)
{
    hook_point(HOOK_LOCK_ACQUIRE, lock);
    bool taken = lock_take(lock, 0, WAIT_LOCK, lock) == THR_OK;
    if (taken)
        hook_taken(HOOK_LOCK_ACQUIRE, lock, 0, HOOK_SITE);
    return taken;
}

thr_result thr__lock_release(thr_lock *lock)
{
    hook_point(HOOK_LOCK_RELEASE, lock);
    return lock_give(lock);
}
