/* segments.c - the store of a queue without a bound, or with a large one: cells without end, in segments that are linked
 * when they are needed and recycled when all their cells have been emptied (queue.h).
 *
 *  turn of a cell   meaning
 *  2p + 1           holds the item of position p, or held it
 *  else             not yet
 *
 * S1  A thread reaches a segment only by a claim: of a position in it. It counts in `taken` after its last access, or the
 *     get of the same position does, which comes after it. So nobody is in a segment when its last cell is counted.
 * S2  The claimer of a segment's last cell on the put side has the next one ready; it links it, moves the side on to it and
 *     clears SWITCHING before it fills the cell. So the claimer on the get side finds it linked, or in a moment.
 * S3  Memory is had before the claim: a put that finds none has changed nothing.
 *
 * Order: the turn is stored with release and loaded with acquire. `taken` is counted with acquire and release: who counts
 * the last one has all accesses behind it, and passes the segment on through `spare` in the same way. `segment` of a side is
 * stored before SWITCHING is cleared with release; a claim reads the word with acquire, then the segment. `next` orders nothing:
 * who gets from the next segment has seen a put's claim there, and what was before that. */

#include <stdlib.h>

#include "wait/moment.h"
#include "work/queue.h"

static struct queue_segment *segment_new(struct thr_queue *queue)
{
    struct queue_segment *segment = swap_acquire(&queue->spare, NULL);
    tsan_acquire(&queue->spare);
    if (!segment) {
        int saved = errno;
        segment = calloc(1, sizeof *segment);
        os_errno_restore(saved);
    }
    return segment;
}

/* Keeps one for the next segment_new, and frees the one that was kept before. NULL is allowed. */
static void segment_spare(struct thr_queue *queue, struct queue_segment *segment)
{
    if (!segment)
        return;
    int saved = errno;
    tsan_release(&queue->spare);
    segment = swap_acq_rel(&queue->spare, segment);
    tsan_acquire(&queue->spare);
    free(segment);
    os_errno_restore(saved);
}

static bool is_last(const struct queue_place *place)
{
    return place->position % QUEUE_SEGMENT == QUEUE_SEGMENT - 1;
}

static struct queue_cell *cell_of(const struct queue_place *place)
{
    return &place->segment->cells[place->position % QUEUE_SEGMENT];
}

static void switch_to(struct queue_side *side, struct queue_segment *next)
{
    store_relaxed(&side->segment, next);
    (void)and_release(&side->word, ~QUEUE_SWITCHING);
}

/* S2, on the get side. */
static void follow(struct thr_queue *queue, const struct queue_segment *segment)
{
    unsigned turns = 0;
    struct queue_segment *next;
    while (!(next = load_relaxed(&segment->next)))
        wait_moment(&turns);
    switch_to(&queue->get, next);
}

static void count_taken(struct thr_queue *queue, struct queue_segment *segment)
{
    tsan_release(segment);
    if (add_acq_rel(&segment->taken, 1) + 1 != QUEUE_SEGMENT)
        return;
    tsan_acquire(segment);
    segment->next = NULL;
    segment->taken = 0;
    segment_spare(queue, segment);
}

/* Claims a position, with the segment that follows if it is the last of one (S3). */
static enum queue_claim claim_put(struct thr_queue *queue, struct queue_place *place, struct queue_segment **next)
{
    enum queue_claim found = queue_claim(queue, &queue->put, place, false, false);
    if (found != QUEUE_LAST)
        return found;
    *next = segment_new(queue);
    return *next ? queue_claim(queue, &queue->put, place, true, false) : QUEUE_LAST;
}

enum queue_claim queue_segments_put(struct thr_queue *queue, void *item)
{
    struct queue_place place;
    struct queue_segment *next = NULL;
    enum queue_claim found = claim_put(queue, &place, &next);
    if (found == QUEUE_CLAIMED && is_last(&place)) {
        tsan_release(next);
        store_relaxed(&place.segment->next, next);
        switch_to(&queue->put, next);
    } else {
        segment_spare(queue, next); /* another put was faster */
    }
    if (found != QUEUE_CLAIMED)
        return found;
    queue_fill(queue, cell_of(&place), &place, item);
    return QUEUE_CLAIMED;
}

enum queue_claim queue_segments_get(struct thr_queue *queue, void **item, bool discarded)
{
    struct queue_place place;
    enum queue_claim found = queue_claim(queue, &queue->get, &place, true, discarded);
    if (found != QUEUE_CLAIMED)
        return found;
    if (is_last(&place))
        follow(queue, place.segment);
    unsigned turns = 0;
    const struct queue_cell *cell = cell_of(&place);
    while (load_acquire(&cell->turn) != 2 * place.position + 1)
        wait_moment(&turns);
    *item = cell->item;
    tsan_acquire(cell);
    tsan_release(&queue->get);
    count_taken(queue, place.segment);
    if (place.owes)
        queue_wake_other(&queue->get);
    return QUEUE_CLAIMED;
}

thr_result queue_segments_init(struct thr_queue *queue)
{
    queue->store = QUEUE_SEGMENTS;
    queue->put.segment = segment_new(queue);
    queue->get.segment = queue->put.segment;
    return queue->put.segment ? THR_OK : THR_NO_MEMORY;
}

void queue_segments_free(struct thr_queue *queue)
{
    for (struct queue_segment *segment = queue->get.segment, *next; segment; segment = next) {
        next = segment->next;
        free(segment);
    }
    free(queue->spare);
}
