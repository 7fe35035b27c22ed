/* queue.h - what the files of a queue share: the queue, its two sides, its store.
 *
 * A queue is two counts that chase each other, and a store. The count of puts and that of gets are each the word of a
 * side; whoever moves a count on by one has claimed the right to put, or to take, one item (side.c). Then it moves the
 * item into or out of the store:
 *
 *   ring (ring.c)           cells for a bounded queue: first in, first out, without a lock
 *   segments (segments.c)   cells for one without a bound, or with a large one: the same
 *   ordered (ordered.c)     a stack or a heap; claim and move are one step under a lock
 *
 * So waiting, waking, bounds, shutdown, the count of what is done (done.c) and wait_any know nothing of the store.
 *
 *  bits of a side's word   meaning                                    set by               cleared by
 *  0  WANTED               somebody of the other side may sleep       that one, before it  the claim that finds it,
 *                          until this word changes                    sleeps, or when it   which owes one wake; who
 *                                                                     leaves others        wakes all
 *  1  ENDED                no more claims here: a shutdown            shutdown             -
 *  2  SWITCHING            the claimer of a segment's last cell is    that claim           that thread, a few instructions
 *                          putting the next one in place                                   later
 *  3..4 round              how often all were woken, modulo 4         who wakes all        -
 *  5..63 position          how many were claimed on this side         a claim              -
 *
 * A thread of one side sleeps on the low half of the other side's word: gets on that of put, puts on that of get.
 *
 * Q1  get's position <= put's position <= get's position + bound (but for a bound that was made smaller since).
 * Q2  A claim succeeds if and only if there is something to claim at that moment, whoever else is between claim and move:
 *     empty and full are exact.
 * Q3  Every position is claimed by one thread on each side. What was put at a position is taken at it, but for ordered
 *     stores, where claim and move are one step.
 * Q4  Somebody asleep => WANTED is set and there is nothing to claim, or a thread is awake that will look: one that is
 *     owed a wake, or one that was woken and has not looked yet.
 * R1  Who claims something after it has joined `waiting` sets WANTED again if it is not alone there, since the claim that
 *     woke it cleared it for all; and if it leaves something to claim, it passes the wake on.
 * R2  The claimer pays the wake only after the move. Who is woken may still have to wait for a moment (wait/moment.h): for
 *     a thread whose claim came earlier, and which is about to move.
 * R3  Who sets WANTED looks at its own word, and at the bound, once more before it sleeps: who changes those clears WANTED
 *     afterwards, moves the round on, and wakes all. Without the round, the word of somebody about to sleep could become
 *     what it was, when another that was woken sets WANTED again (R1). */

#ifndef WORK_QUEUE_H
#define WORK_QUEUE_H

#include "threading/lock.h"
#include "threading/queue.h"
#include "wait/wait.h"

#define QUEUE_WANTED ((uint64_t)1)
#define QUEUE_ENDED ((uint64_t)2)
#define QUEUE_SWITCHING ((uint64_t)4)
#define QUEUE_ROUND ((uint64_t)8)
#define QUEUE_ROUND_BITS ((uint64_t)24)
#define QUEUE_ONE ((uint64_t)32)
#define QUEUE_SHIFT 5

enum {
    QUEUE_LINE = 128,       /* a cache line */
    QUEUE_RING_MAX = 65536, /* the largest bound for which the cells are all made at the beginning */
};

#ifndef QUEUE_SEGMENT
#define QUEUE_SEGMENT 256 /* cells of a segment; fewer where each state is searched (lab/model) */
#endif

/* No bound: positions never get there. */
#define QUEUE_NO_BOUND ((uint64_t)1 << 58)

/* A place for an item; `turn` says for which position it is free, or full. */
struct queue_cell {
    uint64_t turn;
    void *item;
};

/* A part of an endless row of cells, from a multiple of QUEUE_SEGMENT on. */
struct queue_segment {
    struct queue_segment *next; /* set before its last cell is full */
    uint32_t taken;             /* cells that were emptied: who empties the last one recycles it */
    struct queue_cell cells[QUEUE_SEGMENT];
};

struct queue_side {
    uint64_t word;
    uint64_t seen;                 /* how far the other side was when somebody looked: a hint that is never too high */
    uint64_t slack;                /* this side may be as much ahead of the other: the bound for put, 0 for get */
    struct queue_segment *segment; /* that of the position */
    uint32_t waiting;              /* threads of this side between their first look and their last */
    uint32_t patience;             /* these two are hints; see side.c */
    uint32_t resting;
} __attribute__((aligned(QUEUE_LINE)));

enum queue_store { QUEUE_RING, QUEUE_SEGMENTS, QUEUE_ORDERED };

struct thr_queue {
    struct queue_side put;
    struct queue_side get;

    /* Hardly ever written. */
    enum queue_store store __attribute__((aligned(QUEUE_LINE)));
    struct queue_cell *ring;
    uint64_t ring_mask;
    size_t room; /* the bound that the ring was made for */

    struct queue_segment *spare;

    /* done.c */
    uint64_t done __attribute__((aligned(QUEUE_LINE)));

    /* ordered.c; under the lock */
    thr_lock lock;
    thr_queue_compare *compare; /* NULL: the last one first */
    struct queue_entry *entries;
    size_t entries_room;
};

/* What a claim gives. */
struct queue_place {
    uint64_t position;
    struct queue_segment *segment;
    bool owes; /* a wake to the other side */
};

static inline uint64_t queue_position(uint64_t word)
{
    return word >> QUEUE_SHIFT;
}

/* -- side.c ------------------------------------------------------------------------------------------------------- */

enum queue_claim {
    QUEUE_CLAIMED,
    QUEUE_NOTHING, /* to claim, at that moment */
    QUEUE_CLOSED,
    QUEUE_LAST, /* the next is the last cell of a segment, and the caller has none to follow it */
    QUEUE_BUSY  /* side.c's own: another thread is about to move */
};

/* Claims the next position of a side, if there is one. `following` is whether the caller can follow a segment's last cell
 * up with the next segment. `discarded`: claims only after ENDED, instead of only before. */
enum queue_claim queue_claim(struct thr_queue *queue, struct queue_side *side, struct queue_place *place,
                             bool following, bool discarded);

/* Pays what a claim on this side owes. */
void queue_wake_other(struct queue_side *side);

/* Moves the item into the cell of a position that was claimed for a put. */
static inline void queue_fill(struct thr_queue *queue, struct queue_cell *cell, const struct queue_place *place,
                              void *item)
{
    tsan_acquire(&queue->get);
    tsan_release(cell);
    cell->item = item;
    store_release(&cell->turn, 2 * place->position + 1);
    if (place->owes)
        queue_wake_other(&queue->put);
}

/* Calls attempt until it is not QUEUE_NOTHING, or the deadline passes: that is QUEUE_NOTHING, or *interrupted. */
typedef enum queue_claim queue_attempt(struct thr_queue *queue, void **item);
enum queue_claim queue_wait(struct thr_queue *queue, struct queue_side *side, queue_attempt *attempt, void **item,
                            thr_time deadline, bool *interrupted);

/* Lets all who sleep look again: the side has ended, or the bound is another. */
void queue_wake_all(struct thr_queue *queue, struct queue_side *side);

/* Whether there is something to claim, or the side has ended. If not, and with `watch`, a watcher for it is registered
 * (wait/watch.h). */
bool queue_is_ready(struct thr_queue *queue, struct queue_side *side, bool watch);

/* -- The stores: ring.c, segments.c, ordered.c --------------------------------------------------------------------- */

/* Each puts or gets: claims and moves. QUEUE_LAST is: no memory. */
enum queue_claim queue_ring_put(struct thr_queue *queue, void *item);
enum queue_claim queue_ring_get(struct thr_queue *queue, void **item, bool discarded);
enum queue_claim queue_segments_put(struct thr_queue *queue, void *item);
enum queue_claim queue_segments_get(struct thr_queue *queue, void **item, bool discarded);
enum queue_claim queue_ordered_put(struct thr_queue *queue, void *item);
enum queue_claim queue_ordered_get(struct thr_queue *queue, void **item, bool discarded);

/* An ordered store begins with nothing. */
thr_result queue_ring_init(struct thr_queue *queue, size_t maxsize);
thr_result queue_segments_init(struct thr_queue *queue);

/* Each frees what there is of its store, if it is of that kind. */
void queue_ring_free(struct thr_queue *queue);
void queue_segments_free(struct thr_queue *queue);
void queue_ordered_free(struct thr_queue *queue);

/* Whether the cell of a position is free (full: 0), or full (1). */
bool queue_ring_is_ready(const struct thr_queue *queue, uint64_t position, unsigned full);

/* -- done.c ------------------------------------------------------------------------------------------------------- */

/* Counts up to n as done, as many as are not; how many those were. */
uint64_t queue_done(struct thr_queue *queue, uint64_t n);

#endif
