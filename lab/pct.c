/* pct.c - probabilistic concurrency testing (Burckhardt and others, 2010): each strand has a random priority, and the highest
 * that can run does; at some random decisions, `depth` of them, the running one falls below all others. A bug that needs d
 * orderings is found with a chance of at least 1 / (n * k^(d-1)), for n threads and k decisions. */

#include "lab/strategy.h"

enum { CHANGES = 16 };

#define LOW ((uint64_t)1 << 32) /* ranks below are those that have fallen */

static uint32_t changes[CHANGES];
static uint64_t next_low;
static bool begun;

static void begin(const struct run *run)
{
    begun = true;
    next_low = LOW;
    for (uint32_t i = 0; i < CHANGES; i++)
        changes[i] = i < run->plan.depth ? strategy_random_below(run->plan.length + 1) : UINT32_MAX;
}

static void born(struct run *run, struct strand *strand)
{
    if (!begun)
        begin(run);
    strand->rank = LOW + 1 + (strategy_random_number() >> 8);
}

static void fall(struct run *run, struct strand *strand)
{
    (void)run;
    strand->rank = --next_low;
}

static struct strand *choose(struct run *run, struct strand *self, strand_set candidates)
{
    for (uint32_t i = 0; i < CHANGES; i++) {
        if (changes[i] == run->decisions)
            fall(run, self);
    }
    return strategy_highest(run, candidates);
}

const struct strategy strategy_pct = {"pct", born, choose, strategy_ignore_step, fall};
