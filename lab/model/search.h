/* search.h - all states that the threads can come to. */

#ifndef MODEL_SEARCH_H
#define MODEL_SEARCH_H

#include "model/scenario.h"

struct search_count {
    uint64_t states;
    uint64_t steps;
    uint64_t ends; /* states in which nobody goes on */
    bool complete; /* nothing within the bounds was left out */
};

enum { NO_BUDGET = 255 };

/* Searches the states of the scenario that are come to with no more than `budget` unlikely steps: a switch away from a
 * thread that could go on, an old value or a failure for no reason, a stray wake, time that moves on while somebody could
 * go on. False: a violation was found; `failure` says which, and the way there with the fewest
 * unlikely steps was printed. */
bool search_run(uint64_t most_states, int budget, struct search_count *counted);

#endif
