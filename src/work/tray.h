/* tray.h - the next few submitted tasks that a worker has taken out of the queue at once. Everyone may take from it, the
 * oldest first: a task in it is not stuck behind one that blocks.
 *
 *  word   the tray
 *  low    how many were taken, ever, by compare-and-swap
 *  high   how many were put in, ever; changed by the owner, when it is empty
 *
 * Y1  slots[i] for low <= i < high are tasks that nobody has taken. The owner writes slots only when low == high, and then
 *     changes high: so a thief whose compare-and-swap succeeds has read what belonged there. (Both would have to go round
 *     2^32 times in between to mislead it.)
 *
 * Order: the owner's release store pairs with the acquire load of who takes. */

#ifndef WORK_TRAY_H
#define WORK_TRAY_H

#include "work/inject.h"

enum { TRAY_SIZE = 64 };

struct tray {
    uint64_t word __attribute__((aligned(64)));
    struct job jobs[TRAY_SIZE];
    uint64_t seen __attribute__((aligned(64))); /* the word, when another looked last; a hint */
};

static inline uint32_t tray_low(uint64_t word)
{
    return (uint32_t)word;
}

static inline uint32_t tray_high(uint64_t word)
{
    return (uint32_t)(word >> 32);
}

static inline bool tray_any(const struct tray *tray)
{
    uint64_t word = load_relaxed(&tray->word);
    return tray_low(word) != tray_high(word);
}

/* By anyone: takes the oldest. */
static inline bool tray_take(struct tray *tray, struct job *job)
{
    uint64_t word = load_acquire(&tray->word);
    while (tray_low(word) != tray_high(word)) {
        const struct job *slot = &tray->jobs[tray_low(word) % TRAY_SIZE];
        job->function = load_relaxed(&slot->function);
        job->arg = load_relaxed(&slot->arg);
        uint64_t next = (word & ~(uint64_t)UINT32_MAX) | (uint32_t)(tray_low(word) + 1);
        if (cas_acquire(&tray->word, &word, next))
            return true;
        word = load_acquire(&tray->word);
    }
    return false;
}

/* By others: whether there are jobs in it, and nobody has taken one since another looked last. */
static inline bool tray_stuck(struct tray *tray)
{
    uint64_t word = load_relaxed(&tray->word);
    if (tray_low(word) == tray_high(word))
        return false;
    if (load_relaxed(&tray->seen) == word)
        return true;
    store_relaxed(&tray->seen, word);
    return false;
}

/* By the owner, which will not take from it for a while. */
static inline void tray_leave(struct tray *tray)
{
    store_relaxed(&tray->seen, load_relaxed(&tray->word));
}

/* By others: takes the oldest, and leaves word that this was no sign of life. */
static inline bool tray_rob(struct tray *tray, struct job *job)
{
    bool taken = tray_take(tray, job);
    if (taken)
        tray_leave(tray);
    return taken;
}

/* By the owner, of an empty one: puts up to n out of the queue into it. */
static inline void tray_fill(struct tray *tray, struct inject *queue, uint32_t n)
{
    uint64_t word = load_relaxed(&tray->word);
    uint32_t high = tray_high(word);
    struct job job;
    while (n-- > 0 && inject_take(queue, &job)) {
        store_relaxed(&tray->jobs[high % TRAY_SIZE].function, job.function);
        store_relaxed(&tray->jobs[high % TRAY_SIZE].arg, job.arg);
        high++;
    }
    store_release(&tray->word, (uint64_t)high << 32 | tray_low(word));
}

#endif
