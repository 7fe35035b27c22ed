/* kinds.h - every kind of queue, for tests that run over all of them. */

#ifndef WORK_KINDS_H
#define WORK_KINDS_H

#include "support/support.h"

/* Items are numbers. */
static inline void *item_of(uintptr_t number)
{
    return (void *)number;
}

static inline uintptr_t number_of(const void *item)
{
    return (uintptr_t)item;
}

static inline int by_number(const void *a, const void *b)
{
    return number_of(a) < number_of(b) ? -1 : number_of(a) > number_of(b);
}

enum kind { RING, SEGMENTS, LIFO, PRIORITY, KINDS };

static const char *const kind_names[KINDS] = {"ring", "segments", "lifo", "priority"};

/* A queue of this kind. Segments with a bound: it is made too large for a ring, then made smaller. */
static inline thr_queue *queue_of(enum kind kind, size_t maxsize)
{
    enum { RING_MAX = 65536 };
    thr_queue *queue = NULL;
    switch (kind) {
    case RING: /* without a bound it is none */
        CHECK_OK(thr_queue_new(&queue, maxsize));
        break;
    case SEGMENTS:
        CHECK_OK(thr_queue_new(&queue, RING_MAX + 1));
        CHECK_OK(thr_queue_set_maxsize(queue, maxsize));
        break;
    case LIFO:
        CHECK_OK(thr_lifo_queue_new(&queue, maxsize));
        break;
    case PRIORITY:
    case KINDS:
    default:
        CHECK_OK(thr_priority_queue_new(&queue, maxsize, by_number));
        break;
    }
    return queue;
}

/* Runs body(kind) for each, with the kind's name in failures. */
static inline void for_each_kind(void (*body)(enum kind kind))
{
    for (enum kind kind = RING; kind < KINDS; kind++) {
        support_case(kind_names[kind]);
        body(kind);
    }
    support_case(NULL);
}

static inline void put(thr_queue *queue, uintptr_t number)
{
    CHECK_OK(thr_queue_put(queue, item_of(number)));
}

static inline uintptr_t get(thr_queue *queue)
{
    void *item = NULL;
    CHECK_OK(thr_queue_get(queue, &item));
    return number_of(item);
}

#endif
