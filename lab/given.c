/* given.c - follows a schedule: at each decision the move that it prescribes; else, or where that cannot be done, the
 * default. So a schedule of which a move was taken out is one, too. */

#include "lab/strategy.h"

/* plan.move is sorted by strand and turn: each strand's next one. */
static uint32_t next_of[STRANDS];
static uint32_t end_of[STRANDS];

void given_begin(struct run *run)
{
    const struct plan *plan = &run->plan;
    for (uint32_t i = 0; i < plan->moves; i++) {
        uint32_t strand = plan->move[i].strand % STRANDS;
        if (end_of[strand] == 0)
            next_of[strand] = i;
        end_of[strand] = i + 1;
    }
}

const struct move *given_move(struct run *run, const struct strand *self)
{
    uint32_t *at = &next_of[self->id];
    while (*at < end_of[self->id] && run->plan.move[*at].turn < self->turn)
        (*at)++;
    if (*at < end_of[self->id] && run->plan.move[*at].turn == self->turn)
        return &run->plan.move[*at];
    return NULL;
}

static struct strand *choose(struct run *run, struct strand *self, strand_set candidates)
{
    const struct move *move = given_move(run, self);
    if (move && !move->early && move->next < run->strands && candidates >> move->next & 1) {
        run->moved++;
        return &run->strand[move->next];
    }
    return strategy_default(run, self, candidates);
}

struct strand *strategy_highest(struct run *run, strand_set candidates)
{
    struct strand *highest = NULL;
    for (; candidates != 0; candidates &= candidates - 1) {
        struct strand *strand = &run->strand[set_first(candidates)];
        if (!highest || strand->rank > highest->rank)
            highest = strand;
    }
    return highest;
}

void strategy_ignore(struct run *run, struct strand *strand)
{
    (void)run;
    (void)strand;
}

void strategy_ignore_step(struct run *run, struct strand *strand, const void *object)
{
    (void)run;
    (void)strand;
    (void)object;
}

struct strand *strategy_default(struct run *run, const struct strand *self, strand_set candidates)
{
    if (control_has(candidates, self))
        return &run->strand[self->id];
    strand_set after = self->id == STRANDS - 1 ? 0 : candidates & ~(((strand_set)2 << self->id) - 1);
    return &run->strand[set_first(after != 0 ? after : candidates)];
}

const struct strategy *strategy_of(uint32_t kind)
{
    static const struct strategy *const all[STRATEGIES] = {
        [STRATEGY_GIVEN] = &strategy_given,
        [STRATEGY_RANDOM] = &strategy_random,
        [STRATEGY_PCT] = &strategy_pct,
        [STRATEGY_POS] = &strategy_pos,
        [STRATEGY_SURW] = &strategy_surw,
        [STRATEGY_EXHAUSTIVE] = &strategy_exhaustive,
        [STRATEGY_STRETCHES] = &strategy_stretches,
    };
    return all[kind];
}

const struct strategy strategy_given = {"given", strategy_ignore, choose, strategy_ignore_step, strategy_ignore};
