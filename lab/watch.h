/* watch.h - the watchdog over a run: how long it has not gone on. */

#ifndef LAB_WATCH_H
#define LAB_WATCH_H

#include "lab/run.h"

struct watch {
    uint64_t steps; /* when it was last looked at */
    thr_time looked;
    thr_time used; /* processor time of the process */
    thr_time idle; /* since its last step, or, in a run that is fair, since it is */
};

void watch_begin(struct watch *watch);

/* The thread whose turn it is; the process's first one, as long as it is none of ours yet. */
pid_t watch_thread(const struct run *run, pid_t child);

/* Looks at the run, in the process `child`, which has not ended, and returns the new `idle`. */
thr_time watch_look(struct watch *watch, const struct run *run, pid_t child);

#endif
