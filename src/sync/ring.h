/* ring.h - a queue of waiters, as a ring of nodes on their own stacks.
 *
 * A ring is known by its newest node, whose next is the oldest; an empty one is NULL. Who calls these holds whatever
 * guards the ring. */

#ifndef SYNC_RING_H
#define SYNC_RING_H

#include <stdbool.h>
#include <stddef.h>

/* The first member of a waiter. */
struct ring_node {
    struct ring_node *next;
    struct ring_node *previous;
    bool queued; /* it is in its ring */
};

/* Adds a node; returns the newest, which it is. */
static inline struct ring_node *ring_add(struct ring_node *newest, struct ring_node *node)
{
    node->queued = true;
    if (newest) {
        node->next = newest->next;
        node->previous = newest;
        node->next->previous = node;
        newest->next = node;
    } else {
        node->next = node;
        node->previous = node;
    }
    return node;
}

/* Takes one out; returns the newest of the rest. */
static inline struct ring_node *ring_remove(struct ring_node *newest, struct ring_node *node)
{
    node->queued = false;
    if (node->next == node)
        return NULL;
    node->next->previous = node->previous;
    node->previous->next = node->next;
    return node == newest ? node->previous : newest;
}

#endif
