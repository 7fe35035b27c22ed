/* surw.c - selectively uniform random walk (Zhao and others, 2025): steps that concern one object (or all, where
 * plan.object is NULL) are ordered in a way in which each order is about as likely as any other. For that a strand is
 * chosen by how many such steps it has still to make, itself and by those that it will start; earlier runs have counted
 * them. The others run freely until each stands before such a step, and then only the chosen one makes its own. */

#include "lab/strategy.h"

static uint32_t chosen = STRANDS;
static uint32_t done[STRANDS];

static void born(struct run *run, struct strand *strand)
{
    (void)run;
    done[strand->id] = 0;
}

static void yielded(struct run *run, struct strand *strand)
{
    (void)run;
    if (chosen == strand->id)
        chosen = STRANDS;
}

static bool matters(const struct run *run, const struct strand *strand)
{
    if (!strand->object)
        return false;
    return !run->plan.object || strand->object == run->plan.object;
}

static uint64_t left_of(const struct run *run, uint32_t id)
{
    return run->plan.counts[id] > done[id] ? run->plan.counts[id] - done[id] : 1;
}

/* Its own steps, and those of strands that are not there yet and descend from it. */
static uint64_t weight(const struct run *run, const struct strand *strand)
{
    uint64_t sum = left_of(run, strand->id);
    for (uint32_t id = run->strands; id < STRANDS && run->plan.counts[id] != 0; id++) {
        uint32_t parent = run->plan.parents[id];
        while (parent >= run->strands && parent < STRANDS && parent != 0)
            parent = run->plan.parents[parent];
        if (parent == strand->id)
            sum += run->plan.counts[id];
    }
    return sum;
}

static uint32_t choose_by_weight(struct run *run, strand_set candidates)
{
    uint64_t total = 0;
    for (strand_set set = candidates; set != 0; set &= set - 1)
        total += weight(run, &run->strand[set_first(set)]);
    uint64_t at = total > 0 ? strategy_random_number() % total : 0;
    strand_set set = candidates;
    for (; set != 0; set &= set - 1) {
        uint64_t one = weight(run, &run->strand[set_first(set)]);
        if (at < one)
            break;
        at -= one;
    }
    return set_first(set);
}

static struct strand *choose(struct run *run, struct strand *self, strand_set candidates)
{
    if (chosen == STRANDS || !(candidates >> chosen & 1))
        chosen = choose_by_weight(run, candidates);
    /* Those before a step that does not matter, and the chosen one. */
    strand_set free = set_of(chosen);
    for (strand_set set = candidates; set != 0; set &= set - 1) {
        const struct strand *strand = &run->strand[set_first(set)];
        if (!matters(run, strand))
            free |= set_of(strand->id);
    }
    return strategy_random.choose(run, self, free);
}

static void stepped(struct run *run, struct strand *strand, const void *object)
{
    if (!object || (run->plan.object && object != run->plan.object))
        return;
    done[strand->id]++;
    if (strand->id == chosen)
        chosen = STRANDS;
}

const struct strategy strategy_surw = {"surw", born, choose, stepped, yielded};
