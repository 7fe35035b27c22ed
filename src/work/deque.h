/* deque.h - the tasks that a worker has spawned and not begun: its own end is the bottom, thieves take from the top.
 *
 * The deque of Chase and Lev, with the orders of Le, Pop, Cohen and Zappa Nardelli (2013), of a fixed size: where it is
 * full, the task goes elsewhere (group.c).
 *
 *  top     only grows: who advances it, by compare-and-swap, has taken slots[top]
 *  bottom  written by the owner alone; top <= bottom but for the moment of a pop that finds it empty
 *
 * D1  slots[i] for top <= i < bottom are tasks that nobody has taken yet. A slot is written again only when top has passed
 *     it (bottom - top < SIZE): so a thief whose compare-and-swap succeeds has read what belonged there.
 * D2  The last task is taken by the owner with the same compare-and-swap as by thieves; of several, only by one. For the
 *     others the owner needs none:
 *
 *         owner, pop                          thief, steal
 *         bottom = b                          t = top
 *         full barrier                        full barrier
 *         t = top                             b' = bottom
 *         t < b: slots[b] is mine             t < b': top: t -> t + 1
 *
 *     If the thief takes slots[b] without this contest, it has read bottom > b, so before the owner's store, and so the
 *     owner's load comes after the thief's read of top ... t = b: the owner contends. Without the barriers both could
 *     read the old values (store buffering).
 *
 * Order: the release store of bottom in push pairs with the acquire load in steal: what is in the task is seen by the
 * thief. The stores of pop are releases too, so that a thief that reads them instead still sees it. */

#ifndef WORK_DEQUE_H
#define WORK_DEQUE_H

#include "os/os.h"
#include "threading/group.h"
#include "wait/atomic.h"

enum { DEQUE_SIZE = 1024 };

struct deque {
    int64_t bottom __attribute__((aligned(64)));
    int64_t top __attribute__((aligned(64)));
    thr_task *slots[DEQUE_SIZE] __attribute__((aligned(64)));
};

/* By the owner. */
static inline bool deque_full(const struct deque *deque)
{
    return deque->bottom - load_acquire(&deque->top) >= DEQUE_SIZE; /* pairs with the thief's swap: the slot was read */
}

/* By the owner, when it is not full. */
static inline void deque_put(struct deque *deque, thr_task *task)
{
    int64_t b = deque->bottom;
    store_relaxed(&deque->slots[(uint64_t)b % DEQUE_SIZE], task);
    store_release(&deque->bottom, b + 1);
}

/* By the owner. False: it is full. */
static inline bool deque_push(struct deque *deque, thr_task *task)
{
    if (deque_full(deque))
        return false;
    deque_put(deque, task);
    return true;
}

/* By the owner: the newest, or NULL. */
static inline thr_task *deque_pop(struct deque *deque)
{
    int64_t b = deque->bottom - 1;
    store_release(&deque->bottom, b);
    os_barrier(); /* D2 */
    int64_t t = load_relaxed(&deque->top);
    thr_task *task = NULL;
    if (THR__LIKELY(t < b))
        return load_relaxed(&deque->slots[(uint64_t)b % DEQUE_SIZE]);
    if (t == b) {
        task = load_relaxed(&deque->slots[(uint64_t)b % DEQUE_SIZE]);
        if (!cas_strong_seq_cst(&deque->top, &t, t + 1))
            task = NULL;
    }
    store_release(&deque->bottom, b + 1);
    return task;
}

/* By anyone: the oldest, or NULL; also when another was faster. */
static inline thr_task *deque_steal(struct deque *deque)
{
    int64_t t = load_acquire(&deque->top);
    os_barrier(); /* D2 */
    if (t >= load_acquire(&deque->bottom))
        return NULL;
    thr_task *task = load_relaxed(&deque->slots[(uint64_t)t % DEQUE_SIZE]);
    return cas_strong_seq_cst(&deque->top, &t, t + 1) ? task : NULL;
}

/* Whether there was something a moment ago. */
static inline bool deque_any(const struct deque *deque)
{
    return load_relaxed(&deque->top) < load_relaxed(&deque->bottom);
}

#endif
