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

/* Searches the states of the scenario. False: a violation was found; `failure` says which, and the shortest way there that
 * was found was printed. */
bool search_run(uint64_t most_states, struct search_count *counted);

#endif
