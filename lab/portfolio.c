/* portfolio.c - which strategy each run gets.
 *
 * The first run is the default schedule; from it, and some more, is learnt how long a run is and who touches what. Then the
 * strategies take turns, since each finds what another misses. Where the program waits with deadlines, a share of the runs
 * of the random ones lets waits end early. The exhaustive search goes on in its share, from schedules with few preemptions
 * to such with more; if it comes to its end, the space is known, and the others stop too (but for early ends, which are not
 * in it).
 *
 * What is learnt is learnt from the first runs only, in the order in which they are looked at (S1 of search.c): so the same
 * seed gives the same plans. */

#include <string.h>

#include "lab/control.h"
#include "lab/frontier.h"
#include "lab/search.h"
#include "lab/seen.h"
#include "lab/strategy.h"

enum { FIRST_LIMIT = 100000, LIMIT_BASE = 2000, END_BASE = 100000, EARLY_SHARE = 4, DEPTHS = 5 };

bool portfolio_begin(struct search *search)
{
    uint32_t bound = search->options.preemptions != 0 ? search->options.preemptions : UINT32_MAX;
    return frontier_begin(bound) && seen_begin();
}

/* -- Learning ----------------------------------------------------------------------------------------------------- */

static struct tally *tally_of(struct learnt *learnt, const void *object)
{
    for (uint32_t i = 0; i < learnt->tallies; i++) {
        if (learnt->tally[i].object == object)
            return &learnt->tally[i];
    }
    if (learnt->tallies == OBJECTS)
        return NULL;
    struct tally *tally = &learnt->tally[learnt->tallies++];
    memset(tally, 0, sizeof *tally);
    tally->object = object;
    return tally;
}

static void learn_tally(struct learnt *learnt, const struct tally *seen)
{
    struct tally *tally = tally_of(learnt, seen->object);
    if (!tally)
        return;
    for (uint32_t i = 0; i < STRANDS; i++) {
        if (seen->by[i] > tally->by[i]) {
            tally->total += (uint32_t)(seen->by[i] - tally->by[i]);
            tally->by[i] = seen->by[i];
        }
    }
}

void portfolio_learn(struct search *search, const struct run *run)
{
    struct learnt *learnt = &search->learnt;
    if (run->plan.strategy == STRATEGY_EXHAUSTIVE)
        frontier_add(run);
    if (run->plan.number > LEARNING || run->skipped)
        return;
    learnt->timed = learnt->timed || run->timed;
    if (!run->fair && run->steps > learnt->steps)
        learnt->steps = run->steps;
    if (run->plan.number == 1 && run->fair) /* it polls without a pause: it was let go on for FIRST_LIMIT steps */
        learnt->steps = run->steps - FIRST_LIMIT;
    if (run->decisions > learnt->length && !run->fair)
        learnt->length = run->decisions;
    for (uint32_t i = 0; i < run->tallies; i++)
        learn_tally(learnt, &run->tally[i]);
    for (uint32_t i = 0; i < run->strands; i++)
        learnt->parents[i] = run->strand[i].parent;
}

/* -- Plans -------------------------------------------------------------------------------------------------------- */

static void plan_surw(struct search *search, struct plan *plan, uint64_t random)
{
    const struct learnt *learnt = &search->learnt;
    const struct tally *only = NULL;
    plan->strategy = STRATEGY_SURW;
    if (learnt->tallies > 0 && random % 4 != 0)
        only = &learnt->tally[random / 4 % learnt->tallies];
    plan->object = only ? only->object : NULL;
    for (uint32_t i = 0; i < STRANDS; i++) {
        uint32_t count = 0;
        for (uint32_t j = 0; j < learnt->tallies; j++)
            count += !only || only == &learnt->tally[j] ? learnt->tally[j].by[i] : 0;
        plan->counts[i] = count;
    }
    memcpy(plan->parents, learnt->parents, sizeof plan->parents);
}

static uint32_t strategy_for(const struct search *search, uint64_t number)
{
    static const uint32_t turns[] = {STRATEGY_EXHAUSTIVE, STRATEGY_PCT,    STRATEGY_POS,
                                     STRATEGY_SURW,       STRATEGY_RANDOM, STRATEGY_PCT,
                                     STRATEGY_EXHAUSTIVE, STRATEGY_SURW,   STRATEGY_POS};
    if (search->strategy != STRATEGIES)
        return search->strategy;
    return turns[number % (sizeof turns / sizeof *turns)];
}

/* Not all exhaustive runs may have been looked at: then one of another strategy is made, if there may be one. */
static bool plan_exhaustive(struct search *search, struct plan *plan)
{
    if (frontier_next(plan))
        return true;
    plan->strategy = search->learnt.length > 0 ? STRATEGY_RANDOM : STRATEGY_GIVEN;
    return search->strategy != STRATEGY_EXHAUSTIVE;
}

static void plan_first(struct plan *plan)
{
    plan->strategy = STRATEGY_GIVEN;
    plan->limit = FIRST_LIMIT;
    plan->end = UINT64_MAX;
}

/* Whether the exhaustive search has shown that there is nothing else. */
static bool nothing_else(const struct search *search)
{
    if (!frontier_complete())
        return false;
    if (search->strategy == STRATEGY_EXHAUSTIVE)
        return true;
    return !frontier_bounded() && (!search->learnt.timed || search->options.no_early_timeout);
}

bool portfolio_next(struct search *search, uint64_t number, struct plan *plan)
{
    const struct learnt *learnt = &search->learnt;
    uint64_t random = history_mix(search->options.seed, number);
    memset(plan, 0, offsetof(struct plan, move));
    plan->number = number;
    plan->seed = random;
    plan->allow_misuse = search->options.allow_misuse;
    plan->hang = (thr_time)(search->options.hang * 1e9);
    if (number == 1) {
        plan_first(plan);
        return true;
    }
    if (nothing_else(search)) {
        search->complete = !frontier_bounded();
        return false;
    }
    plan->limit = LIMIT_BASE + 8 * learnt->steps;
    plan->end = plan->limit + END_BASE + 20 * learnt->steps;
    plan->length = learnt->length;
    plan->depth = 1 + (uint32_t)(random % DEPTHS);
    plan->strategy = strategy_for(search, number);
    if (plan->strategy == STRATEGY_EXHAUSTIVE && !plan_exhaustive(search, plan))
        return false;
    if (plan->strategy == STRATEGY_SURW)
        plan_surw(search, plan, random >> 8);
    bool early = learnt->timed && !search->options.no_early_timeout && random >> 32 & 1 && number % EARLY_SHARE == 0;
    if (early && plan->strategy != STRATEGY_EXHAUSTIVE)
        plan->early = 2 + (uint32_t)(random >> 40 & 15);
    return true;
}
