/* pos.c - partial order sampling (Yuan, Yang and Gu, 2018): each step that is about to be made has a random priority, and
 * the highest is made; those that concern the same object are then given new ones. So the orders of steps that have
 * something to do with each other are sampled, and not those of others. */

#include "lab/strategy.h"

static void again(struct run *run, struct strand *strand)
{
    (void)run;
    strand->rank = strategy_random_number();
}

static struct strand *choose(struct run *run, struct strand *self, strand_set candidates)
{
    (void)self;
    return strategy_highest(run, candidates);
}

static void stepped(struct run *run, struct strand *self, const void *object)
{
    again(run, self);
    for (uint32_t i = 0; object && i < run->strands; i++) {
        struct strand *strand = &run->strand[i];
        if (strand != self && strand->state == STRAND_READY && strand->object == object)
            again(run, strand);
    }
}

const struct strategy strategy_pos = {"pos", again, choose, stepped, again};
