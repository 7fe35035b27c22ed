/* clock.h - virtual time: it stands still while anybody can run. */

#ifndef LAB_CLOCK_H
#define LAB_CLOCK_H

#include "lab/run.h"

/* The time at the start of each run. */
thr_time clock_start(void);
void clock_begin(struct run *run);

/* Moves on to the earliest deadline of those who wait, and ends these waits. False: there is none. */
bool clock_advance(struct run *run);

/* The same; where there is no deadline, by a little, and by more each time: somebody may look at the clock. */
void clock_nudge(struct run *run);

/* Ends this strand's wait: its deadline is now, whoever could still run before it. */
void clock_end_early(struct run *run, struct strand *strand);

/* The system's wall clock, in a run. */
thr_time clock_wall(const struct run *run);

#endif
