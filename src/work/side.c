/* side.c - claiming and waiting on one side of a queue; the words, Q1 to Q4 and R1 are in queue.h.
 *
 * Looking how far the other side has come takes its word's cache line away from the threads that work there. So what was
 * seen is kept in `seen`, and looked at again only when that is used up. And who then finds little, again and again, looks
 * too often: it waits longer before the next look, so that more comes together (`patience`):
 *
 *     looks at once:  1 item, 1 item, 1 item ...     each is a line that travels twice
 *     looks later:    50 items, 50 items ...         the lines in between come by themselves
 *
 * Where the longest patience still finds one single item, the other side is not about to bring more (it waits for us,
 * say): there is none for a while then (`resting`), before it is tried again.
 *
 * Order. The compare-and-swap of a claim is acquire and release: it continues the release sequence of whoever set WANTED,
 * so that R1 sees all who wait; and it is what the other side sees in its look (acquire), so that everything before a
 * claim happens-before the return of the claim it makes room for. `seen` passes that on: it is stored with release and
 * loaded with acquire. It may go back, when a slow thread stores what it saw a while ago; that only makes for one more
 * look. The item itself is ordered by its cell or the lock.
 *
 * WANTED is set by a compare-and-swap with acquire and release (R1, R3; wait/watch.h, W3). The look at the own word that
 * follows needs no order: who ends that side does so before it moves the round of the other's word on; either the
 * compare-and-swap has read that round, or the sleep finds another word than it expects. An own position that is older than
 * it could be only makes for one more look, or for one needless wake. Nor has who passes a wake on to order anything: those
 * for whom it sets WANTED have set it themselves, and all changes of the word continue the release sequence of that.
 *
 * The futex compares 32 bits: 27 of the position. Who is about to sleep would have to be stopped for exactly a multiple of
 * 2^27 claims, with WANTED set again by another, to sleep through a change. */

#include "wait/moment.h"
#include "wait/spin.h"
#include "wait/watch.h"
#include "work/queue.h"

enum {
    PATIENCE_MAX = 32, /* pauses between two looks */
    PLENTY = 16,       /* found by a look that was not too early */
    REST = 64          /* waits */
};

static struct queue_side *other_of(struct thr_queue *queue, struct queue_side *side)
{
    return side == &queue->put ? &queue->get : &queue->put;
}

static enum wait_kind kind_of(const struct thr_queue *queue, const struct queue_side *side)
{
    return side == &queue->put ? WAIT_PUT : WAIT_GET;
}

/* How much can be claimed at `position` when the other side is at `other`; 0: nothing. */
static uint64_t ahead(const struct queue_side *side, uint64_t position, uint64_t other)
{
    uint64_t end = other + load_relaxed(&side->slack);
    return position < end ? end - position : 0;
}

/* Whether the next claim will be of a segment's last cell. */
static bool is_last(const struct thr_queue *queue, uint64_t position)
{
    return queue->store == QUEUE_SEGMENTS && position % QUEUE_SEGMENT == QUEUE_SEGMENT - 1;
}

/* Nothing is to be claimed according to `seen`: looks how it is. */
static enum queue_claim look(struct thr_queue *queue, struct queue_side *side, uint64_t word)
{
    struct queue_side *other = other_of(queue, side);
    uint64_t theirs = load_acquire(&other->word);
    store_release(&side->seen, queue_position(theirs));
    if (ahead(side, queue_position(word), queue_position(theirs)) > 0)
        return QUEUE_CLAIMED;
    return theirs & QUEUE_ENDED ? QUEUE_CLOSED : QUEUE_NOTHING;
}

/* What can be done with the word that was just read. QUEUE_CLAIMED: try to. */
static enum queue_claim judge(struct thr_queue *queue, struct queue_side *side, uint64_t word, bool following,
                              bool discarded)
{
    bool is_get = side == &queue->get;
    bool is_ring = queue->store == QUEUE_RING;
    uint64_t position = queue_position(word);
    if (((word & QUEUE_ENDED) != 0) != discarded)
        return QUEUE_CLOSED;
    bool ready = !is_ring || queue_ring_is_ready(queue, position, is_get);
    bool known = (is_ring && is_get) || ahead(side, position, load_acquire(&side->seen)) > 0;
    if (!ready || !known) {
        enum queue_claim found = look(queue, side, word);
        if (found != QUEUE_CLAIMED)
            return found;
    }
    if (!ready)
        return QUEUE_BUSY;
    return !following && is_last(queue, position) ? QUEUE_LAST : QUEUE_CLAIMED;
}

enum queue_claim queue_claim(struct thr_queue *queue, struct queue_side *side, struct queue_place *place,
                             bool following, bool discarded)
{
    unsigned turns = 0;
    for (;;) {
        /* Read again also where the compare-and-swap has failed: nothing orders what it found. */
        uint64_t word = load_acquire(&side->word);
        if (word & QUEUE_SWITCHING) {
            wait_moment(&turns);
            continue;
        }
        enum queue_claim found = judge(queue, side, word, following, discarded);
        if (found != QUEUE_CLAIMED) {
            bool same = load_relaxed(&side->word) == word;
            if (same && found == QUEUE_BUSY)
                wait_moment(&turns);
            else if (same)
                return found; /* Q2: it was so when we looked at the other side */
            continue;
        }
        /* The segment is that of the position, if the compare-and-swap finds the word as it was: SWITCHING is between any
         * change of it and the next. What is in it is ordered by the word. */
        place->segment = load_relaxed(&side->segment);
        place->position = queue_position(word);
        uint64_t next = (word & ~QUEUE_WANTED) + QUEUE_ONE;
        if (is_last(queue, place->position))
            next |= QUEUE_SWITCHING;
        if (cas_acq_rel(&side->word, &word, next)) {
            place->owes = (word & QUEUE_WANTED) != 0;
            return QUEUE_CLAIMED;
        }
    }
}

/* -- Waking ------------------------------------------------------------------------------------------------------- */

void queue_wake_other(struct queue_side *side)
{
    spin_waker(&side->word);
    wait_wake(wait_low_half(&side->word), 1, OS_ANY);
}

/* R1, for who has claimed. */
static void pass_on(struct thr_queue *queue, struct queue_side *side)
{
    struct queue_side *other = other_of(queue, side);
    if (load_relaxed(&side->waiting) <= 1)
        return;
    uint64_t theirs = or_relaxed(&other->word, QUEUE_WANTED);
    if (ahead(side, queue_position(load_relaxed(&side->word)), queue_position(theirs)) > 0)
        wait_wake(wait_low_half(&other->word), 1, OS_ANY);
}

/* Sets WANTED in the word of the other side. False: there is something to claim, or to know, after all (R3). *wanted is
 * that word. */
static bool want(struct thr_queue *queue, struct queue_side *side, uint64_t *wanted)
{
    struct queue_side *other = other_of(queue, side);
    uint64_t theirs = load_relaxed(&other->word);
    *wanted = theirs | QUEUE_WANTED;
    /* Also where it is set: R1, and wait/watch.h, W3. */
    if (theirs & QUEUE_ENDED || !cas_acq_rel(&other->word, &theirs, *wanted))
        return false;
    uint64_t word = load_relaxed(&side->word);
    return !(word & QUEUE_ENDED) && ahead(side, queue_position(word), queue_position(theirs)) == 0;
}

/* Release: who finds another round sees why. No acquire for watchers (wait/watch.h, W3), who wait for gets only: a shutdown has
 * ended the word of put before, with acquire, and a watcher that finds that does not register. */
void queue_wake_all(struct thr_queue *queue, struct queue_side *side)
{
    struct queue_side *other = other_of(queue, side);
    uint64_t next;
    uint64_t word = load_relaxed(&other->word);
    do
        next = (word & ~(QUEUE_WANTED | QUEUE_ROUND_BITS)) | ((word + QUEUE_ROUND) & QUEUE_ROUND_BITS);
    while (!cas_release(&other->word, &word, next));
    wait_wake(wait_low_half(&other->word), UINT32_MAX, OS_ANY);
}

bool queue_is_ready(struct thr_queue *queue, struct queue_side *side, bool watch)
{
    uint64_t wanted;
    /* Relaxed: who is told so learns nothing else by it. */
    while (judge(queue, side, load_relaxed(&side->word), true, false) == QUEUE_NOTHING) {
        if (!watch || want(queue, side, &wanted))
            return false;
    }
    return true;
}

/* -- Waiting ------------------------------------------------------------------------------------------------------ */

/* Learns from a look that found something. */
static void learn(struct thr_queue *queue, struct queue_side *side)
{
    uint64_t found = ahead(side, queue_position(load_relaxed(&side->word)),
                           queue_position(load_relaxed(&other_of(queue, side)->word)));
    uint32_t patience = load_relaxed(&side->patience);
    uint32_t resting = load_relaxed(&side->resting);
    if (found == 0 && resting > 0) {
        store_relaxed(&side->resting, resting - 1);
    } else if (found == 0 && patience >= PATIENCE_MAX) {
        store_relaxed(&side->patience, 1);
        store_relaxed(&side->resting, (uint32_t)REST);
    } else if (found < PLENTY && patience < PATIENCE_MAX) {
        store_relaxed(&side->patience, patience * 2);
    }
}

static enum queue_claim spin_for(struct thr_queue *queue, struct queue_side *side, queue_attempt *attempt, void **item)
{
    struct spin spin;
    enum queue_claim found = QUEUE_NOTHING;
    uint32_t patience = load_relaxed(&side->patience);
    spin_begin(&spin, &other_of(queue, side)->word);
    bool going = true;
    while (going && found == QUEUE_NOTHING) {
        going = spin_turn(&spin);
        for (uint32_t i = 1; i < patience && going && spin.way == SPIN_PAUSE; i++)
            going = spin_turn(&spin);
        if (going)
            found = attempt(queue, item);
    }
    spin_end(&spin, found != QUEUE_NOTHING);
    if (found == QUEUE_CLAIMED)
        learn(queue, side);
    return found;
}

static enum queue_claim sleep_for(struct thr_queue *queue, struct queue_side *side, queue_attempt *attempt, void **item,
                                  struct wait *wait, bool *interrupted)
{
    const uint64_t *word = &other_of(queue, side)->word;
    thr_result result = THR_OK;
    for (;;) {
        enum queue_claim found = attempt(queue, item);
        if (found != QUEUE_NOTHING || result != THR_OK) {
            *interrupted = found == QUEUE_NOTHING && result == THR_INTERRUPTED;
            return found;
        }
        uint64_t wanted;
        if (want(queue, side, &wanted))
            result = wait_block(wait, wait_low_half(word), (uint32_t)wanted, OS_ANY);
    }
}

enum queue_claim queue_wait(struct thr_queue *queue, struct queue_side *side, queue_attempt *attempt, void **item,
                            thr_time deadline, bool *interrupted)
{
    *interrupted = false;
    if (wait_expired(deadline))
        return QUEUE_NOTHING;
    enum queue_claim found = spin_for(queue, side, attempt, item);
    if (found != QUEUE_NOTHING)
        return found;
    struct wait wait;
    (void)add_relaxed(&side->waiting, 1);
    wait_begin(&wait, kind_of(queue, side), queue, deadline);
    wait.object = &other_of(queue, side)->word; /* by which the spin learns */
    found = sleep_for(queue, side, attempt, item, &wait, interrupted);
    wait_end(&wait);
    if (found == QUEUE_CLAIMED || found == QUEUE_LAST)
        pass_on(queue, side);
    (void)sub_relaxed(&side->waiting, 1);
    return found;
}
