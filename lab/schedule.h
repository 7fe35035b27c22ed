/* schedule.h - a schedule: the decisions of a run that are not what is done by default. */

#ifndef LAB_SCHEDULE_H
#define LAB_SCHEDULE_H

#include "lab/run.h"

struct schedule {
    uint32_t moves;
    uint32_t preemptions;
    uint32_t earlies;
    uint64_t limit; /* as in struct plan */
    uint64_t end;
    thr_finding finding;
    struct move move[MOVES];
};

/* The schedule of a run that has ended. */
void schedule_of(const struct run *run, thr_finding finding, struct schedule *schedule);

/* A plan that follows it. */
void schedule_plan(const struct schedule *schedule, struct plan *plan);

/* The program has not begun yet: the folder in which it runs. */
void schedule_begin(void);

/* How it is written: program, arguments, and that folder. False, with errno: the file could not be written. */
bool schedule_write(const struct schedule *schedule, const struct run *run, const char *file, const char *message);

/* Reads one; false, with why in `error`. */
bool schedule_read(struct schedule *schedule, const char *file, char *error, size_t size);

/* What an operation is called, in files and reports. */
const char *operation_name(uint32_t operation);

#endif
