/* help.h - what a task does that waits: it runs what it waits for itself, as far as that has not begun.
 *
 * It runs nothing else. A task that holds a lock may wait for another only if that one does not need the lock, nor what
 * that one waits for; so what is run here does not need it either, but a stranger might, and would wait for the thread that
 * it runs on. Descendants of a group are the tasks in it, and in the groups that those open; of a future, those of the
 * groups that its task opens. Each is waited for by the one above it. */

#ifndef WORK_HELP_H
#define WORK_HELP_H

#include "work/executor.h"

/* Runs the future's task if it is pending; else what it has spawned. Returns when there is nothing (more) of that. */
void help_future(thr_future *future);

/* Runs a descendant of the group: false if there is none to be had. `own`: also out of the worker's own deque; set to false
 * when a stranger is found there. */
bool help_group(struct worker *worker, const thr_group *group, bool *own);

/* Whether this future's task waits for the caller: it is the caller, or below it. The same for a group's opener. */
bool help_is_above(const void *target);

/* Whether a worker of this executor cannot end before the caller: it is the caller, or has a group open that the caller's
 * task is in, or in a group of, and so on. */
bool help_holds(const thr_executor *executor);

/* The same of any worker but the caller. */
bool help_holds_others(void);

#endif
