/* random.c - the random walk: each candidate is as likely as the others. */

#include "lab/strategy.h"

static uint64_t sequence;

void strategy_seed(uint64_t seed)
{
    sequence = seed;
}

/* Splitmix. */
uint64_t strategy_random_number(void)
{
    sequence += 0x9e3779b97f4a7c15u;
    uint64_t x = sequence;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

uint32_t strategy_random_below(uint32_t limit)
{
    return (uint32_t)((strategy_random_number() >> 32) * limit >> 32);
}

static struct strand *choose(struct run *run, struct strand *self, strand_set candidates)
{
    (void)self;
    for (uint32_t skip = strategy_random_below(set_count(candidates)); skip > 0; skip--)
        candidates &= candidates - 1;
    return &run->strand[set_first(candidates)];
}

const struct strategy strategy_random = {"random", strategy_ignore, choose, strategy_ignore_step, strategy_ignore};
