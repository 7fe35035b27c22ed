/* barrier.c - rounds of parties.
 *
 *  word_      a bitlock (wait/bitlock.h) whose data is the number of rounds that have ended, << 2. It guards the other
 *             fields; the parties sleep on its low half until their round is over.
 *  waiters_   the parties of this round that wait: nodes on their own stacks, newest first
 *
 *  state_         meaning                                       left by
 *  0  ACTING      all parties are here, the last runs the       the end of the round: the action's, or a break before it
 *                 action
 *  1  BROKEN      nobody can wait                               reset
 *  2  DOOMED      comes with ACTING: somebody came for the      the end of the round, -> BROKEN
 *                 next round and gave up before this one ended
 *  3  SLEEPERS    somebody may sleep until the round is over    the end of the round, which then owes a wake to all
 *  4..  waiting   how many wait (0 while ACTING)                the end of the round
 *
 * I1  A round ends in one step, end_round: one swap frees the bitlock and moves the round on. Where it did not end well,
 *     every waiter's result has been written before. So who finds another round than its own reads its result from its own
 *     node, however late it comes and whatever happened to the barrier since.
 * I2  After that swap end_round uses only the word's address: those it let go may have freed the barrier.
 * I3  Who ran the action ends the round only if it is still the one that it ran for; a reset, an abort or a timeout may
 *     have ended it before.
 *
 * Order: the bitlock gives it. The swap in end_round is a release and pairs with the parties' acquire load of the round. */

#include "threading/barrier.h"

#include "wait/bitlock.h"
#include "wait/spin.h"

#define ACTING 1u
#define BROKEN 2u
#define DOOMED 4u
#define SLEEPERS 8u
#define WAITING 16u /* one party that waits */
#define ROUND ((uint64_t)4)
#define ROUND_BITS (~BITLOCK_BITS)

enum { PARTY_MASK = 1 }; /* of the sleepers; the bitlock has the other */

struct party {
    struct party *next;
    thr_result result;
};

/* Ends a round, for all that wait in it. The caller holds the bitlock, and frees it by this. */
static void end_round(thr_barrier *barrier, uint64_t round, thr_result result, uint32_t state)
{
    bool wake = (barrier->state_ & SLEEPERS) != 0;
    if (result != THR_OK) {
        for (struct party *party = barrier->waiters_; party; party = party->next)
            party->result = result;
    }
    barrier->waiters_ = NULL;
    store_relaxed(&barrier->state_, state);
    if (wake)
        spin_waker(barrier);
    tsan_release(barrier);
    bitlock_release(&barrier->word_, round + ROUND);
    if (wake)
        wait_wake(wait_low_half(&barrier->word_), UINT32_MAX, PARTY_MASK);
}

/* -- The last party ----------------------------------------------------------------------------------------------- */

struct run {
    thr_barrier *barrier;
    uint64_t round;
};

/* The action did not return: the round is broken. */
static void action_failed(void *arg)
{
    const struct run *run = arg;
    uint64_t round = bitlock_acquire(&run->barrier->word_);
    if (round == run->round)
        end_round(run->barrier, round, THR_BROKEN, BROKEN);
    else
        bitlock_release(&run->barrier->word_, round);
}

/* Runs the action and ends the round. The caller holds the bitlock. */
static thr_result complete(thr_barrier *barrier, uint64_t round)
{
    tsan_acquire(barrier);
    if (!barrier->action_) {
        end_round(barrier, round, THR_OK, 0);
        return THR_OK;
    }
    store_relaxed(&barrier->state_, ACTING | (barrier->state_ & SLEEPERS));
    bitlock_release(&barrier->word_, round);

    struct run run = {barrier, round};
    os_unwind_begin(action_failed, &run);
    barrier->action_(barrier->arg_);
    os_unwind_end(false);

    uint64_t now = bitlock_acquire(&barrier->word_);
    if (now != round) {
        bitlock_release(&barrier->word_, now);
        return THR_BROKEN;
    }
    end_round(barrier, round, THR_OK, barrier->state_ & DOOMED ? BROKEN : 0);
    return THR_OK;
}

/* -- The others --------------------------------------------------------------------------------------------------- */

static bool round_over(thr_barrier *barrier, uint64_t round)
{
    return (load_acquire(&barrier->word_) & ROUND_BITS) != round;
}

/* Says that somebody may sleep until the round is over. False: it is over. */
static bool announce(thr_barrier *barrier, uint64_t round)
{
    uint64_t now = bitlock_acquire(&barrier->word_);
    if (now == round)
        store_relaxed(&barrier->state_, barrier->state_ | SLEEPERS);
    bitlock_release(&barrier->word_, now);
    return now == round;
}

static thr_result sleep_until_over(thr_barrier *barrier, uint64_t round, struct wait *wait)
{
    thr_result result = THR_OK;
    if (!announce(barrier, round))
        return THR_OK;
    for (;;) {
        uint64_t now = load_acquire(&barrier->word_);
        if ((now & ROUND_BITS) != round)
            return THR_OK;
        if (result != THR_OK)
            return result;
        result = wait_block(wait, wait_low_half(&barrier->word_), (uint32_t)now, PARTY_MASK);
    }
}

/* Waits until the round is over: THR_OK, or what ended the wait before. */
static thr_result wait_through(thr_barrier *barrier, uint64_t round, thr_time deadline)
{
    if (!wait_expired(deadline) &&
        wait_spin(wait_low_half(&barrier->word_), (uint32_t)ROUND_BITS, (uint32_t)round, barrier) &&
        round_over(barrier, round))
        return THR_OK;
    struct wait wait;
    wait_begin(&wait, WAIT_BARRIER, barrier, deadline);
    thr_result result = sleep_until_over(barrier, round, &wait);
    wait_end(&wait);
    return result;
}

/* Waits as one of the parties of this round. The caller holds the bitlock. */
static thr_result wait_for_others(thr_barrier *barrier, uint64_t round, thr_time deadline)
{
    struct party party = {barrier->waiters_, THR_OK};
    barrier->waiters_ = &party;
    store_relaxed(&barrier->state_, barrier->state_ + WAITING);
    tsan_release(barrier);
    bitlock_release(&barrier->word_, round);

    thr_result result = wait_through(barrier, round, deadline);
    if (result == THR_OK) {
        tsan_acquire(barrier);
        return party.result;
    }
    uint64_t now = bitlock_acquire(&barrier->word_);
    if (now != round) {
        bitlock_release(&barrier->word_, now);
        return party.result;
    }
    end_round(barrier, round, THR_BROKEN, BROKEN);
    return result;
}

/* An earlier round's action still runs: waits for its end, with the bitlock given up. Who gives up here breaks the round
 * that it came for. */
static thr_result wait_outside(thr_barrier *barrier, uint64_t *round, thr_time deadline)
{
    thr_result result = THR_OK;
    while (barrier->state_ & ACTING) {
        if (result != THR_OK) {
            store_relaxed(&barrier->state_, barrier->state_ | DOOMED);
            break;
        }
        bitlock_release(&barrier->word_, *round);
        result = wait_through(barrier, *round, deadline);
        *round = bitlock_acquire(&barrier->word_);
    }
    return barrier->state_ & ACTING ? result : THR_OK;
}

thr_result thr_barrier_wait_until(thr_barrier *barrier, thr_time deadline, uint32_t *index)
{
    hook_point(HOOK_BARRIER_WAIT, barrier);
    if (barrier->parties_ == 0)
        return THR_INVALID;
    uint64_t round = bitlock_acquire(&barrier->word_);
    thr_result result = wait_outside(barrier, &round, deadline);
    if (result == THR_OK && barrier->state_ & BROKEN)
        result = THR_BROKEN;
    if (result != THR_OK) {
        bitlock_release(&barrier->word_, round);
        return result;
    }
    uint32_t arrived = barrier->state_ / WAITING;
    result = arrived == barrier->parties_ - 1 ? complete(barrier, round) : wait_for_others(barrier, round, deadline);
    if (result == THR_OK && index)
        *index = arrived;
    return result;
}

thr_result thr_barrier_wait(thr_barrier *barrier, uint32_t *index)
{
    return thr_barrier_wait_until(barrier, THR_FOREVER, index);
}

/* -- The rest ----------------------------------------------------------------------------------------------------- */

thr_result thr_barrier_init(thr_barrier *barrier, uint32_t parties, thr_barrier_action *action, void *arg)
{
    if (parties == 0 || parties > UINT32_MAX / WAITING)
        return THR_INVALID;
    *barrier = (thr_barrier)THR_BARRIER_INIT(parties, action, arg);
    return THR_OK;
}

void thr_barrier_reset(thr_barrier *barrier)
{
    hook_point(HOOK_BARRIER_RESET, barrier);
    end_round(barrier, bitlock_acquire(&barrier->word_), THR_BROKEN, 0);
}

void thr_barrier_abort(thr_barrier *barrier)
{
    hook_point(HOOK_BARRIER_ABORT, barrier);
    end_round(barrier, bitlock_acquire(&barrier->word_), THR_BROKEN, BROKEN);
}

uint32_t thr_barrier_parties(const thr_barrier *barrier)
{
    return barrier->parties_;
}

uint32_t thr_barrier_n_waiting(const thr_barrier *barrier)
{
    hook_point(HOOK_LOOK, barrier);
    return load_relaxed(&barrier->state_) / WAITING;
}

bool thr_barrier_broken(const thr_barrier *barrier)
{
    hook_point(HOOK_LOOK, barrier);
    return (load_relaxed(&barrier->state_) & BROKEN) != 0;
}
