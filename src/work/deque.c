/* deque.c - what of a deque takes the lock; see deque.h. */

#include "work/deque.h"

#include "wait/bitlock.h"

/* Two microseconds in all, where a pause takes 25 nanoseconds. */
#ifndef DEQUE_LOOKS
#define DEQUE_LOOKS 8 /* fewer where each one is a state that is searched (lab/model) */
#endif
enum { PAUSES_A_LOOK = 10 };

void deque_init(struct thr__deque *deque)
{
    deque->top = deque->bottom;
    deque->limit = deque->bottom;
    deque->end = deque->bottom + DEQUE_SIZE;
    deque->lock = 0;
}

/* By the owner, where it seems to be full: whether it is not. */
bool deque_refresh(struct thr__deque *deque)
{
    deque->end = load_acquire(&deque->top) + DEQUE_SIZE;
    return deque->bottom < deque->end;
}

/* The rest of a pop: bottom is lowered already. Half of what thieves may take, and have not, is the owner's again. */
bool deque_pop_locked(struct thr__deque *deque, struct thr__task *task)
{
    (void)bitlock_acquire(&deque->lock);
    int64_t b = deque->bottom;
    int64_t t = deque->top;
    bool found = b >= t;
    if (!found) {
        store_relaxed(&deque->bottom, t); /* a thief that reads it finds nothing there */
    } else {
        *task = *deque_slot(deque, b);
        if (b < deque->limit)
            store_relaxed(&deque->limit, t + (b - t) / 2);
    }
    bitlock_release(&deque->lock, 0);
    return found;
}

/* How far down bottom is, at the lowest, for a moment: what is below that will not be gone before it is stolen. */
static int64_t standing(const struct thr__deque *deque)
{
    int64_t lowest = load_relaxed(&deque->bottom);
    for (int i = 0; i < DEQUE_LOOKS && !hook_steers() && lowest > load_relaxed(&deque->top); i++) {
        for (int j = 0; j < PAUSES_A_LOOK; j++)
            os_pause();
        int64_t b = load_relaxed(&deque->bottom);
        if (b < lowest)
            lowest = b;
    }
    return lowest;
}

/* With the lock, where limit = top: raises the limit to the middle of what stands there. */
static void share(struct thr__deque *deque, int64_t standing)
{
    int64_t t = deque->top;
    int64_t b = load_relaxed(&deque->bottom); /* it looks again, and takes nothing above what it finds then */
    if (standing < b)
        b = standing;
    if (b <= t)
        return;
    int64_t middle = t + (b - t + 1) / 2;
    store_relaxed(&deque->limit, middle); /* the barrier orders it */
    os_barrier_all();
    b = load_acquire(&deque->bottom);
    if (b < middle)
        store_relaxed(&deque->limit, b > t ? b : t);
}

bool deque_steal(struct thr__deque *deque, struct thr__task *task, deque_wanted *wanted, const void *of)
{
    int64_t lowest = load_relaxed(&deque->limit) > load_relaxed(&deque->top) ? INT64_MIN : standing(deque);
    (void)bitlock_acquire(&deque->lock);
    int64_t t = deque->top;
    if (t == deque->limit)
        share(deque, lowest);
    bool found = t < deque->limit && (!wanted || wanted(deque_slot(deque, t), of));
    if (found) {
        *task = *deque_slot(deque, t);
        tsan_acquire(deque_slot(deque, t));
        store_release(&deque->top, t + 1);
    }
    bitlock_release(&deque->lock, 0);
    return found;
}
