/* seen.c - see seen.h.
 *
 * A run is told, in its plan, of how many runs before it the states are known to it (plan.seen). Those of others may be in the
 * table already when it looks, or not: they are not for it. So what it finds does not depend on who is faster.
 *
 * I1  An entry is written once, by the searching process, and never changed: one state may have several, each with fewer
 *     preemptions and a later number than those before it.
 * I2  It is in the first free place of its PROBES places. So all of a state's entries lie before the first free one.
 *
 * Order: an entry's state is stored last, with release, and pairs with the acquire of who looks for it. */

#include "lab/seen.h"

#include <stddef.h>

#include "lab/job.h"
#include "wait/atomic.h"

enum { ENTRIES = 1 << 21, PROBES = 32 };

struct entry {
    uint64_t state; /* 0: free */
    uint32_t preemptions;
    uint32_t number;
};

static struct entry *entries;

bool seen_begin(void)
{
    entries = job_shared(ENTRIES * sizeof *entries);
    return entries;
}

void seen_clear(void)
{
    job_clear(entries, ENTRIES * sizeof *entries);
}

static struct entry *place(uint64_t state, uint32_t probe)
{
    return &entries[(state + probe) % ENTRIES];
}

static uint64_t not_free(uint64_t state)
{
    return state != 0 ? state : 1;
}

bool seen_before(uint64_t state, uint32_t preemptions, uint32_t runs)
{
    state = not_free(state);
    for (uint32_t i = 0; i < PROBES; i++) {
        const struct entry *at = place(state, i);
        uint64_t found = load_acquire(&at->state); /* pairs with seen_add */
        if (found == 0)
            return false;
        if (found == state && at->preemptions <= preemptions && at->number <= runs)
            return true;
    }
    return false;
}

void seen_add(uint64_t state, uint32_t preemptions, uint32_t number)
{
    state = not_free(state);
    if (seen_before(state, preemptions, UINT32_MAX))
        return;
    for (uint32_t i = 0; i < PROBES; i++) {
        struct entry *at = place(state, i);
        if (at->state != 0)
            continue;
        at->preemptions = preemptions;
        at->number = number;
        store_release(&at->state, state);
        return;
    }
}
