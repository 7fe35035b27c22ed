/* job.h - a run in a child of its own: forked, watched, and what came of it. */

#ifndef LAB_JOB_H
#define LAB_JOB_H

#include "lab/run.h"
#include "lab/watch.h"

struct job {
    struct run *run; /* shared with the child */
    pid_t child;     /* 0: none */
    int watch;       /* pidfd; -1: there is none */
    int output;      /* what the child writes to standard output and error; -1: it writes where we do */
    struct watch watched;
    bool killed;
};

/* The processors that this process may run on. */
uint32_t job_processors(void);

/* Makes what a job needs; false, with errno, where the system does not give it. Nothing is allocated on the heap: the
 * children are copies of this process, and should all find the heap as the program left it. */
bool job_make(struct job *job);

/* Memory that is shared with children, zeroed; NULL if there is none. job_release gives all of it back. */
void *job_shared(size_t size);
void job_release(void);

/* In a child: the run that it is. */
struct run *job_mine(void);

/* Standard input, so that each child can read all of it: called once, before the first. */
void job_record_input(void);

/* Forks a child that runs under job->run->plan. 1: this is the child; -1: no child could be had. */
int job_fork(struct job *job);

/* Waits for the child; true when it has ended. With `wait` false it only looks. One that hangs (watch.h) is ended. */
bool job_wait(struct job *job, bool wait);

/* What a run has come to. */
struct outcome {
    thr_finding finding;
    int status; /* of the process */
    bool late;  /* it was ended by the watchdog */
    char message[NOTE];
};

/* After job_wait. */
void job_outcome(const struct job *job, struct outcome *outcome);

/* Ends the child, if there is one. */
void job_stop(struct job *job);

#endif
