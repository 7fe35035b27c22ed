/* exhaustive.c - the part of the exhaustive search that is inside a run: the first decisions are prescribed, those after it
 * are the default. What else could have been decided there is tried later (frontier.c).
 *
 * Equivalent runs are cut off: a state is what has happened, up to the order of independent steps (history.c), and who is
 * to decide. One that some run has come to with no more preemptions has been, or will be, continued in all ways from
 * there. */

#include "lab/control.h"
#include "lab/strategy.h"

enum { PROBES = 32 };

#define COST_MASK ((uint64_t)63) /* the low bits of an entry: preemptions */

uint64_t *exhaustive_seen;

/* The turn: a strand may decide twice with no step between, once after it woke somebody and once before what it does
 * next. */
static uint64_t key_of(const struct strand *self, strand_set candidates)
{
    uint64_t key = history_mix(history_state(), (uint64_t)candidates ^ (uint64_t)(candidates >> 64) * 3);
    key = history_mix(key, (uint64_t)self->id << 32 | self->turn);
    return (key & ~COST_MASK) != 0 ? key & ~COST_MASK : COST_MASK + 1;
}

/* Whether some run was here before at no more cost; writes down that this one was. */
static bool seen_before(uint64_t key, uint64_t cost)
{
    if (cost > COST_MASK)
        cost = COST_MASK;
    for (uint64_t i = 0; i < PROBES; i++) {
        uint64_t *at = &exhaustive_seen[((key >> 6) + i) % EXHAUSTIVE_SEEN];
        uint64_t found = load_relaxed(at);
        while (found == 0 || (found & ~COST_MASK) == key) {
            if (found != 0 && (found & COST_MASK) <= cost)
                return true;
            if (cas_relaxed(at, &found, key | cost)) /* a hint between processes: nothing is ordered by it */
                return false;
        }
    }
    return false;
}

static struct strand *choose(struct run *run, struct strand *self, strand_set candidates)
{
    if (run->decisions < run->plan.prefix) {
        uint32_t id = run->plan.first[run->decisions];
        if (candidates >> id & 1)
            return &run->strand[id];
        run->message[0] = '?'; /* the program does not do the same again */
    } else if (exhaustive_seen && seen_before(key_of(self, candidates), run->preemptions)) {
        run->skipped = true;
        control_end(0);
    }
    return strategy_default(run, self, candidates);
}

const struct strategy strategy_exhaustive = {"exhaustive", strategy_ignore, choose, strategy_ignore_step,
                                             strategy_ignore};
