/* deque.h - the tasks that a worker has spawned and not begun: its own end is the bottom, thieves take from the top.
 *
 * Of a fixed size: where it is full, the task goes elsewhere (group.c). The owner, which puts and takes all the time,
 * executes neither a barrier nor a read-modify-write, as long as no thief comes; a thief pays for both. (The idea is that of
 * the protocol of Cilk 5, T.H.E., with the barrier moved to the thief's side, and more than one task for each barrier.)
 *
 *  tasks of              are taken by
 *  top <= i < limit      who holds the lock: thieves the one at top, the owner the one below bottom
 *  limit <= i < bottom   the owner, without the lock
 *
 *  word     changed by
 *  bottom   the owner. A pop lowers it before it looks at the limit, and raises it again if it found nothing, or leaves
 *           what it found (deque_unpop)
 *  end      the owner's own: top + SIZE, as it was at the last look
 *  limit    who holds the lock; top <= limit
 *  top      who holds the lock; it only grows
 *
 * D1  top <= bottom, but for the moment of a pop that finds nothing: then bottom = top - 1.
 * D2  When the lock is free, or its holder is not in `share`, each task below the limit is there: the owner has not taken it,
 *     though it may have lowered bottom already and be about to wait for the lock. So a thief below the limit need not look at
 *     bottom.
 * D3  A slot is written again only when top has passed it (push looks at top), or the owner has taken what was there. So who
 *     reads it, the owner or a thief with the lock, below the limit, reads what is not written meanwhile.
 *
 * A thief that finds nothing below the limit raises it, and then has to know which of these tasks the owner has taken
 * without seeing that:
 *
 *     owner, pop                            thief, share
 *     bottom = b                            limit = middle
 *     light barrier                         barrier on all processors
 *     b >= limit: slots[b] is mine          b' = bottom
 *                                           limit = b', if that is less
 *
 * If the owner's part of the barrier comes after its store of bottom, the thief sees that, or what it has become since: b'
 * says what the owner has left, and D2 holds from now on. If it comes before, then the owner's load comes after it too, and
 * sees the limit: it goes for the lock if b is below that. It may be that both is so: then the thief lowers the limit to b, and
 * the owner, when it has the lock, finds that b is its own.
 *
 * The barrier costs the thief some microseconds, and the owner an interruption. So before, the thief looks for a moment how
 * far down the owner goes: it shares only what stands below that. Tasks that are done sooner than they could be stolen
 * are left alone.
 *
 * Order: the release store of bottom in push pairs with the second load in `share`, an acquire: what is in the task is
 * seen by the thief; one that comes later has it from that one, by the lock. The stores of pop are releases too, so that
 * a thief that reads them instead still sees it (but for the one that puts bottom back to top: who reads that has the
 * lock after the owner had it, and a top that is no lower, and finds nothing). The thief's release store of top pairs
 * with the acquire load in `deque_refresh`: it has read the slot. The owner loads the limit relaxed: what it needs of
 * those who changed it, it gets by the lock. */

#ifndef WORK_DEQUE_H
#define WORK_DEQUE_H

#include "os/os.h"
#include "threading/group.h"
#include "wait/atomic.h"
#include "wait/tsan.h"

#ifndef DEQUE_SIZE
#define DEQUE_SIZE THR__DEQUE_SIZE /* smaller where each state is searched (lab/model) */
#endif

/* An empty one; also in a fork's child, where nobody else has it. */
void deque_init(struct thr__deque *deque);

/* The slow halves. */
bool deque_refresh(struct thr__deque *deque);
bool deque_pop_locked(struct thr__deque *deque, struct thr__task *task);

/* By anyone but the owner: takes the oldest, if it is `wanted`, which is asked with the lock held (NULL: each is). False: it
 * is not, or there is none, or it will soon be gone, or another thief has come in between. May take microseconds. */
typedef bool deque_wanted(const struct thr__task *task, const void *of);
bool deque_steal(struct thr__deque *deque, struct thr__task *task, deque_wanted *wanted, const void *of);

static inline struct thr__task *deque_slot(struct thr__deque *deque, int64_t i)
{
    return &deque->slots[(uint64_t)i % DEQUE_SIZE];
}

/* By the owner. */
static inline bool deque_full(struct thr__deque *deque)
{
    return THR__UNLIKELY(deque->bottom >= deque->end) && !deque_refresh(deque);
}

/* By the owner, when it is not full. */
static inline void deque_put(struct thr__deque *deque, const struct thr__task *task)
{
    int64_t b = deque->bottom;
    *deque_slot(deque, b) = *task;
    tsan_release(deque_slot(deque, b));
    store_release(&deque->bottom, b + 1);
}

/* By the owner: takes the newest. False: there is none. */
static inline bool deque_pop(struct thr__deque *deque, struct thr__task *task)
{
    int64_t b = deque->bottom - 1;
    store_release(&deque->bottom, b);
    os_barrier_light(); /* pairs with the one in share */
    if (THR__UNLIKELY(b < load_relaxed(&deque->limit)))
        return deque_pop_locked(deque, task);
    *task = *deque_slot(deque, b);
    return true;
}

/* By the owner: what it has just taken is back where it was. */
static inline void deque_unpop(struct thr__deque *deque)
{
    store_release(&deque->bottom, deque->bottom + 1);
}

/* Whether there was something a moment ago. */
static inline bool deque_any(const struct thr__deque *deque)
{
    return load_relaxed(&deque->top) < load_relaxed(&deque->bottom);
}

#endif
