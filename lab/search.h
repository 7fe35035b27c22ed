/* search.h - the search: many runs, until one fails or there are no more. */

#ifndef LAB_SEARCH_H
#define LAB_SEARCH_H

#include "lab/job.h"
#include "lab/schedule.h"

enum { WINDOW = 16 /* S1 of search.c */, JOBS = WINDOW, LEARNING = 32 /* runs from which is learnt */ };

/* What earlier runs have shown. */
struct learnt {
    uint64_t steps;  /* the most of any */
    uint32_t length; /* the most decisions */
    uint32_t preemptions;
    bool timed; /* deadlines were waited for */
    uint32_t tallies;
    struct tally tally[OBJECTS];
    uint32_t parents[STRANDS];
};

struct search {
    thr_explore_options options;
    uint32_t jobs;     /* runs at a time */
    thr_time patience; /* S4 of search.c */
    bool program;      /* a whole program; else a function of it */
    bool progress;
    uint32_t strategy; /* STRATEGIES: all in turn */

    struct job job[WINDOW];
    struct server server[JOBS];
    struct learnt learnt;
    uint64_t begun;
    uint64_t schedules; /* that have ended, and were looked at */
    uint64_t distinct;
    uint64_t failed;     /* in the way of the first failure */
    uint64_t early_only; /* of these: with an early timeout */
    thr_time start;
    bool complete;
    uint64_t work; /* of all runs after the first failure */
    thr_time used; /* by them */
    bool crowded;  /* a run had more threads than can be steered: there is no search of this program */
    uint32_t outsides;
    char outside[OUTSIDE][64];

    uint64_t first; /* the number of the first that failed; 0: none has */
    struct outcome outcome;
    struct run *failure; /* a copy of the simplest that failed in the same way */
    struct schedule *schedule;
    bool broken_off; /* by S4 */
    bool unsteady;
    char difference[NOTE];
};

/* Runs until there is a failure, or no more is to be tried. 1: this is the process of a run; 0: done; -1: no process could
 * be had. `search` is filled by the caller up to `job`. */
int search_run(struct search *search);

/* Whether nothing more is to be tried: Ctrl-C, or S4. */
bool search_is_over(struct search *search);

/* The plan of job 0 becomes this schedule; with records for a report. */
void search_plan_replay(struct search *search, const struct schedule *schedule, bool record);

/* One run under the plan of job 0. Returns as job_fork. */
int search_try(struct search *search, struct outcome *outcome);

/* The same, under this schedule; with records for a report. */
int search_replay(struct search *search, const struct schedule *schedule, bool record, struct outcome *outcome);

/* -- portfolio.c: which plan next ---------------------------------------------------------------------------------- */

bool portfolio_begin(struct search *search);

/* The plan of the next run. False: there is none before the next one of those that were begun is looked at, if there is one. */
bool portfolio_next(struct search *search, uint64_t number, struct plan *plan);

/* A run has ended without a failure. */
void portfolio_learn(struct search *search, const struct run *run);

/* -- shorten.c ----------------------------------------------------------------------------------------------------- */

/* Runs the schedule again, to see that it fails again, and then takes moves out of it as long as it fails in the same way.
 * Returns as search_run. */
int shorten(struct search *search);

/* -- report.c ------------------------------------------------------------------------------------------------------ */

/* One line: how many, how fast. `end` ends it. */
void report_progress(struct search *search, bool end);

/* What happened, from the recorded run in job 0. `file`: where the schedule is; NULL: nowhere. */
void report_failure(struct search *search, const char *file);

/* Calls that could not be controlled. */
void report_outside(const struct search *search);

#endif
