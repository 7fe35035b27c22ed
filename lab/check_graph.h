/* check_graph.h - locks and the orders in which they were taken; all of it under the lock of check.h. */

#ifndef LAB_CHECK_GRAPH_H
#define LAB_CHECK_GRAPH_H

#include "lab/check.h"

enum { GUARDS = 8 };

/* A lock that was taken, until it is forgotten. */
struct node {
    const void *lock;
    uint64_t id;       /* never used again */
    const void *site;  /* of the first acquire; NULL: it is still being taken */
    const void *frame; /* see forget_frame; NULL: not known */
    struct edge *out;  /* linked by next_out */
    struct edge *in;   /* linked by next_in */
    struct node *chain;
    struct node *next_on_stack; /* in the list of those on stacks */
    bool on_stack;

    /* Of a search. */
    uint64_t search;
    struct edge *via;
    struct node *next_found;
};

/* `to` was taken while `from` was held. */
struct edge {
    struct node *from;
    struct node *to;
    struct edge *next_out;
    struct edge *next_in;
    struct edge *chain;
    /* Locks that were held besides, each time. */
    uint32_t guards;
    uint64_t guard[GUARDS];
    struct step step; /* how it was when it was first seen */
};

struct node *graph_node(const void *lock);

/* NULL: no memory. */
struct node *graph_node_make(const void *lock, bool on_stack);
struct edge *graph_edge(const struct node *from, const struct node *to);
struct edge *graph_edge_make(struct node *from, struct node *to);

/* Searches for the shortest way from edge->to back to edge->from, along edges that had no guard in common with this one.
 * Stores the edges, this one first, and returns how many; 0: there is none, or a longer one than `limit`. */
size_t graph_cycle(struct edge *edge, struct edge **cycle, size_t limit);

/* How often anything was forgotten; also without the lock. */
uint64_t graph_forgotten(void);

/* Whether there may be a lock in this memory; also without the lock, and of no use if others use the memory. */
bool graph_maybe(uintptr_t start, uintptr_t end);

/* Forgets the locks in this memory. */
void graph_forget(uintptr_t start, uintptr_t end);

/* The same for a part of a stack; returns the lowest lock that is left above it, below `top`, or UINTPTR_MAX. */
uintptr_t graph_forget_stack(uintptr_t start, uintptr_t end, uintptr_t top);

#endif
