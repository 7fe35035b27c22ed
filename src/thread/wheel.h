/* wheel.h - all armed timers: a hierarchical wheel for the far ones, and a heap for those that are due soon.
 *
 * A timer goes into a slot by its deadline, in constant time, however many there are. Slots are coarse; a good while
 * (LEAD) before a slot begins its timers go down to finer ones, and in the end into the heap, which knows the exact
 * order. So nothing is rounded, and a slot of 100,000 timers is taken apart before any of them is due.
 *
 * Nothing is allocated, so nothing fails. The caller's lock protects it. */

#ifndef THREAD_WHEEL_H
#define THREAD_WHEEL_H

#include "thread/heap.h"

enum {
    WHEEL_TICK_BITS = 20, /* a tick is 2^20 ns, about a millisecond */
    WHEEL_DIGIT_BITS = 6, /* 64 slots a level */
    WHEEL_SLOTS = 1 << WHEEL_DIGIT_BITS,
    WHEEL_LEVELS = 8, /* 20 + 8 * 6 bits: every thr_time has its slot */
    WHEEL_LEAD = 8 << WHEEL_TICK_BITS
};

struct wheel {
    uint64_t position; /* in ticks: timers up to this tick are in the heap, later ones in slots */
    uint32_t levels;   /* bit: the level has a slot that is not empty */
    uint32_t moving;   /* the slot that is being taken apart, or none */
    size_t count;
    struct timer_node *near;
    uint64_t filled[WHEEL_LEVELS];                            /* bit: the slot is not empty */
    struct timer_node *slots[WHEEL_LEVELS * WHEEL_SLOTS + 1]; /* the last: deadlines that never pass */
};

/* Puts a timer in; returns when somebody has to look at it next: its deadline, or earlier. */
thr_time wheel_put(struct wheel *wheel, struct timer_node *node, thr_time now);

/* Takes it out; one that is not in is left alone. */
void wheel_remove(struct wheel *wheel, struct timer_node *node);

/* Whether it is in. */
static inline bool wheel_has(const struct timer_node *node)
{
    return node->place != 0;
}

/* Moves timers that come near, up to `budget` of them; true if there are more to move. */
bool wheel_turn(struct wheel *wheel, thr_time now, unsigned budget);

/* When somebody has to look next: THR_FOREVER if there is nothing to come. */
thr_time wheel_next(const struct wheel *wheel);

/* The timer that is due first, left where it is; NULL if none is due. Those that wheel_turn has yet to move are not
 * seen. */
struct timer_node *wheel_due(const struct wheel *wheel, thr_time now);

/* Any timer; NULL if it is empty. */
struct timer_node *wheel_any(const struct wheel *wheel);

#endif
