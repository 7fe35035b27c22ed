/* strategy.h - who is next, of those who can go on: one file a strategy.
 *
 * A strategy decides inside the process of a run; what it has to know from earlier runs is in the plan. `choose` gets at
 * least one candidate. */

#ifndef LAB_STRATEGY_H
#define LAB_STRATEGY_H

#include "lab/control.h"

struct strategy {
    const char *name;
    /* A strand is there. */
    void (*born)(struct run *run, struct strand *strand);
    struct strand *(*choose)(struct run *run, struct strand *self, strand_set candidates);
    /* A strand has done what it was about to do. */
    void (*stepped)(struct run *run, struct strand *strand, const void *object);
    /* A strand asks others to go first. */
    void (*yielded)(struct run *run, struct strand *strand);
};

extern const struct strategy strategy_given;
extern const struct strategy strategy_random;
extern const struct strategy strategy_pct;
extern const struct strategy strategy_pos;
extern const struct strategy strategy_surw;
extern const struct strategy strategy_exhaustive;
extern const struct strategy strategy_stretches;

const struct strategy *strategy_of(uint32_t kind);

/* What is done when nobody says otherwise: the same strand goes on; where it cannot, the next one after it. */
struct strand *strategy_default(struct run *run, const struct strand *self, strand_set candidates);

/* The candidate of the highest rank. */
struct strand *strategy_highest(struct run *run, strand_set candidates);

/* For a strategy that need not know. */
void strategy_ignore(struct run *run, struct strand *strand);
void strategy_ignore_step(struct run *run, struct strand *strand, const void *object);

/* Random numbers that belong to the schedule. */
uint64_t strategy_random_number(void);
uint32_t strategy_random_below(uint32_t limit);
void strategy_seed(uint64_t seed);

/* The move that a given schedule prescribes here, or NULL. */
const struct move *given_move(struct run *run, const struct strand *self);
void given_begin(struct run *run);

#endif
