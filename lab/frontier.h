/* frontier.h - what an exhaustive search has still to try. */

#ifndef LAB_FRONTIER_H
#define LAB_FRONTIER_H

#include "lab/run.h"

/* Makes it ready, with this bound on preemptions; false: no memory. */
bool frontier_begin(uint32_t bound);

/* Writes the next one to try into the plan; false: there is none at the moment. */
bool frontier_next(struct plan *plan);

/* A run of such a plan has ended: what else could have been decided in it is to be tried. */
void frontier_add(const struct run *run);

/* Everything has been tried, and every run that was begun was added. */
bool frontier_complete(void);

/* There was more to try above the bound, or than could be kept. */
bool frontier_bounded(void);

#endif
