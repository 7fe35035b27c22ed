/* heap.h - timers in the order of their deadlines: a pairing heap, of nodes that stand in the timers themselves.
 *
 * Putting one in costs a comparison; taking the first, or any, out costs O(log n) on the average of a run of calls. It
 * allocates nothing, so nothing fails. The caller's lock protects it. */

#ifndef THREAD_HEAP_H
#define THREAD_HEAP_H

#include "threading/base.h"

/* A timer's place in the heap, or in a slot of the wheel (wheel.h), which uses only next and prev. */
struct timer_node {
    thr_time deadline;
    struct timer_node *next;  /* heap: the next sibling */
    struct timer_node *prev;  /* heap: the sibling before, or the parent of the first child; NULL for the root */
    struct timer_node *child; /* heap: the first child */
    uint32_t place;           /* of wheel.c */
};

void heap_put(struct timer_node **root, struct timer_node *node);
void heap_remove(struct timer_node **root, struct timer_node *node);

#endif
