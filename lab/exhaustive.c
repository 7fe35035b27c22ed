/* exhaustive.c - the part of the exhaustive search that is inside a run: the first decisions are prescribed, those after it
 * are the default. What else could have been decided there is tried later (frontier.c).
 *
 * Equivalent runs are cut off: a state is what has happened, up to the order of independent steps (history.c), and who is
 * to decide. One that some run has come to with no more preemptions has been, or will be, continued in all ways from
 * there (seen.c). */

#include "lab/control.h"
#include "lab/seen.h"
#include "lab/strategy.h"

/* The turn: a strand may decide twice with no step between, once after it woke somebody and once before what it does
 * next. */
static uint64_t state_of(const struct strand *self, strand_set candidates)
{
    uint64_t state = history_mix(history_state(), (uint64_t)candidates ^ (uint64_t)(candidates >> 64) * 3);
    return history_mix(state, (uint64_t)self->id << 32 | self->turn);
}

static struct strand *choose(struct run *run, struct strand *self, strand_set candidates)
{
    if (run->decisions < run->plan.prefix) {
        uint32_t id = run->plan.first[run->decisions];
        if (candidates >> id & 1)
            return &run->strand[id];
        run->message[0] = '?'; /* the program does not do the same again */
        return strategy_default(run, self, candidates);
    }
    uint64_t state = state_of(self, candidates);
    if (run->decisions < DECISIONS)
        run->state[run->decisions] = state;
    if (seen_before(state, run->preemptions, run->plan.seen)) {
        run->skipped = true;
        control_end(0);
    }
    return strategy_default(run, self, candidates);
}

const struct strategy strategy_exhaustive = {"exhaustive", strategy_ignore, choose, strategy_ignore_step,
                                             strategy_ignore};
