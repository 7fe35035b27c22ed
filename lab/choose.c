/* choose.c - who goes on, of those who can.
 *
 * What is decided depends on the plan and on what happened before in this run, and on nothing else (C3 in control.c). Time
 * moves only as C4 says. */

#include "lab/clock.h"
#include "lab/control.h"
#include "lab/record.h"
#include "lab/strategy.h"

enum {
    POLITE = 3,  /* questions in a row that count as a yield */
    PATIENT = 12 /* of all who can run: then time moves on */
};

const struct strategy *choose_strategy;

void choose_begin(const struct run *run)
{
    choose_strategy = strategy_of(run->plan.strategy);
    strategy_seed(run->plan.seed);
}

static strand_set those_ready(const struct run *run)
{
    strand_set set = 0;
    for (uint32_t i = 0; i < run->strands; i++)
        set |= (strand_set)(run->strand[i].state == STRAND_READY) << i;
    return set;
}

static strand_set those_timed(const struct run *run)
{
    strand_set set = 0;
    for (uint32_t i = 0; i < run->strands; i++) {
        const struct strand *strand = &run->strand[i];
        set |= (strand_set)(strand->state == STRAND_WAITING && strand->deadline != THR_FOREVER) << i;
    }
    return set;
}

bool choose_yields(const struct strand *self)
{
    return self->operation == HOOK_YIELD || self->idle >= POLITE;
}

static bool all_only_ask(const struct run *run, strand_set candidates)
{
    for (uint32_t i = 0; i < run->strands; i++) {
        if (control_has(candidates, &run->strand[i]) && run->strand[i].idle < PATIENT)
            return false;
    }
    return true;
}

static void forget_idle(struct run *run)
{
    for (uint32_t i = 0; i < run->strands; i++)
        run->strand[i].idle = 0;
}

/* The candidates; time has moved on where it had to. */
static strand_set candidates_now(struct run *run, const struct strand *self)
{
    for (;;) {
        control_let_in();
        strand_set candidates = those_ready(run);
        if (candidates == 0) {
            if (!clock_advance(run))
                stuck_check();
            continue;
        }
        if (all_only_ask(run, candidates)) {
            forget_idle(run);
            clock_nudge(run);
            continue;
        }
        strand_set others = candidates & ~set_of(self->id);
        return others != 0 && control_has(candidates, self) && choose_yields(self) ? others : candidates;
    }
}

/* Everybody in turn. */
static struct strand *choose_fairly(struct run *run, const struct strand *self, strand_set candidates)
{
    strand_set others = candidates & ~set_of(self->id);
    return strategy_default(run, self, others != 0 ? others : candidates);
}

/* One whose wait ends before its time, if this is the moment; in a given schedule: if it says so. */
static struct strand *choose_early(struct run *run, const struct strand *self)
{
    if (run->plan.strategy == STRATEGY_GIVEN) {
        const struct move *move = given_move(run, self);
        if (!move || !move->early || move->next >= run->strands)
            return NULL;
        return control_has(those_timed(run), &run->strand[move->next]) ? &run->strand[move->next] : NULL;
    }
    if (run->plan.early == 0 || strategy_random_below(run->plan.early) != 0)
        return NULL;
    strand_set timed = those_timed(run);
    uint32_t n = set_count(timed);
    if (n == 0)
        return NULL;
    for (uint32_t skip = strategy_random_below(n); skip > 0; skip--)
        timed &= timed - 1;
    return &run->strand[set_first(timed)];
}

struct strand *choose_next(struct run *run, struct strand *self)
{
    strand_set candidates = candidates_now(run, self);
    struct strand *usual = strategy_default(run, self, candidates);
    struct strand *early = run->fair ? NULL : choose_early(run, self);
    if (early) {
        clock_end_early(run, early);
        run->moved++;
        record_decision(run, self, early, candidates, DECIDED_EARLY);
        return early;
    }
    if ((candidates & (candidates - 1)) == 0)
        return usual;
    if (run->fair) {
        struct strand *next = choose_fairly(run, self, candidates);
        record_decision(run, self, next, candidates, DECIDED_FAIR);
        return next;
    }
    struct strand *next = choose_strategy->choose(run, self, candidates);
    uint32_t preemption = next != self && control_has(candidates, self) ? DECIDED_PREEMPTION : 0;
    record_decision(run, self, next, candidates, preemption | (next == usual ? DECIDED_DEFAULT : 0));
    return next;
}
