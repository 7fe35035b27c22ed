/* ring.c - the store of a queue with a bound: a ring of cells, used again and again (queue.h).
 *
 *  turn of a cell   meaning                            left by
 *  2p               free for position p                the put that claimed p: -> 2p + 1
 *  2p + 1           holds the item of position p       the get that claimed p: -> 2(p + size)
 *
 * G1  A position is claimed only when its cell is ready for that side. So between claim and move nobody waits for another:
 *     who is stopped there holds up those who come to its cell, but none of them holds up yet others. (Claims that do not
 *     look at the cell first were tried: with eight threads on two processors all of them soon waited for each other in
 *     turn, lap after lap.)
 * G2  The size is the bound rounded up to a power of two; where that is more than the bound, `seen` keeps the put side
 *     within it.
 *
 * Where items come in bursts, each line of cells is fetched from the other side's processor; and each claim is a
 * read-modify-write, which waits for the stores before it, those into such a line among them. So a claim fetches a line
 * that it will come to later, once for each line, and as one to write, since who takes an item writes the turn.
 *
 * Order: the turn is stored with release by who leaves the cell, and loaded with acquire by who claims it next. That is all
 * where the size is the bound. */

#include <stdlib.h>

#include "work/queue.h"

enum {
    LINE = 64 / sizeof(struct queue_cell), /* cells of a cache line */
    AHEAD = 2 * LINE
};

static struct queue_cell *cell_of(const struct thr_queue *queue, uint64_t position)
{
    return &queue->ring[position & queue->ring_mask];
}

bool queue_ring_is_ready(const struct thr_queue *queue, uint64_t position, unsigned full)
{
    return load_acquire(&cell_of(queue, position)->turn) == 2 * position + full;
}

/* One attempt of queue_claim, for when all is as it mostly is. False: nothing has happened. */
static inline bool claim_once(struct thr_queue *queue, struct queue_side *side, unsigned full,
                              struct queue_place *place)
{
    uint64_t word = load_relaxed(&side->word); /* the compare-and-swap finds the same, or nothing has happened */
    uint64_t position = queue_position(word);
    if (word & QUEUE_ENDED || load_acquire(&cell_of(queue, position)->turn) != 2 * position + full)
        return false;
    if (!full && position >= load_acquire(&side->seen) + load_relaxed(&side->slack))
        return false;
    if (position % LINE == 0)
        prefetch_to_write(cell_of(queue, position + AHEAD));
    place->position = position;
    place->owes = (word & QUEUE_WANTED) != 0;
    return cas_acq_rel(&side->word, &word, (word & ~QUEUE_WANTED) + QUEUE_ONE);
}

enum queue_claim queue_ring_put(struct thr_queue *queue, void *item)
{
    struct queue_place place;
    if (!claim_once(queue, &queue->put, 0, &place)) {
        enum queue_claim found = queue_claim(queue, &queue->put, &place, true, false);
        if (found != QUEUE_CLAIMED)
            return found;
    }
    queue_fill(queue, cell_of(queue, place.position), &place, item);
    return QUEUE_CLAIMED;
}

enum queue_claim queue_ring_get(struct thr_queue *queue, void **item, bool discarded)
{
    struct queue_place place;
    if (discarded || !claim_once(queue, &queue->get, 1, &place)) {
        enum queue_claim found = queue_claim(queue, &queue->get, &place, true, discarded);
        if (found != QUEUE_CLAIMED)
            return found;
    }
    struct queue_cell *cell = cell_of(queue, place.position);
    *item = cell->item;
    tsan_acquire(cell);
    tsan_release(&queue->get);
    store_release(&cell->turn, 2 * (place.position + queue->ring_mask + 1));
    if (place.owes)
        queue_wake_other(&queue->get);
    return QUEUE_CLAIMED;
}

thr_result queue_ring_init(struct thr_queue *queue, size_t maxsize)
{
    uint64_t size = 1;
    while (size < maxsize)
        size *= 2;
    queue->ring = malloc(size * sizeof *queue->ring);
    if (!queue->ring)
        return THR_NO_MEMORY;
    for (uint64_t i = 0; i < size; i++)
        queue->ring[i] = (struct queue_cell){.turn = 2 * i};
    queue->ring_mask = size - 1;
    queue->room = maxsize;
    queue->store = QUEUE_RING;
    return THR_OK;
}

void queue_ring_free(struct thr_queue *queue)
{
    free(queue->ring);
}
