/* job.h - a run in a process of its own: forked, watched, and what came of it. */

#ifndef LAB_JOB_H
#define LAB_JOB_H

#include "lab/run.h"
#include "lab/server.h"

struct job {
    struct run *run; /* shared with the processes of runs */
    struct server *server;
    struct ended ended;
};

/* Make what a job, and server `number`, need; false, with errno, where the system does not give it. All have to be made before
 * the first run. Nothing is allocated on the heap: runs are copies of this process, and should all find the heap as the program
 * left it. */
bool job_make(struct job *job);
bool job_make_server(struct server *server, uint32_t number);

/* Memory that is shared with runs, zeroed; NULL if there is none. Only what is there before the first run is seen by all.
 * job_release gives all of it back; job_clear zeroes it again. */
void *job_shared(size_t size);
void job_clear(void *memory, size_t size);
void job_release(void);

/* Has a run begin under job->run->plan, when the one before it of the same server has ended. 1: this is the process of a run;
 * -1: no process could be had. */
int job_fork(struct job *job);

/* In the process of a run: the run that it is. */
struct run *job_mine(void);

/* Waits for the end of the run; false: no process could be had. One that hangs (watch.h) is ended. */
bool job_wait(struct job *job);

/* What a run has come to. */
struct outcome {
    thr_finding finding;
    int status; /* of the process */
    bool late;  /* it was ended by the watchdog */
    char message[NOTE];
};

/* After job_wait. */
void job_outcome(const struct job *job, struct outcome *outcome);

/* Ends the server's processes. */
void job_stop(struct server *server);

/* -- input.c ------------------------------------------------------------------------------------------------------- */

/* Reads standard input, so that each run can read all of it: called once, before the first. */
void input_record(void);

/* In the process of a run: standard input is what was recorded, from its beginning. */
void input_serve(void);

/* -- alarms.c ------------------------------------------------------------------------------------------------------ */

/* Takes the program's timers from this process: called once, before the first run. */
void alarms_record(void);

/* In the process of a run: those of processor time are set again. */
void alarms_serve(void);

/* -- pipes.c ------------------------------------------------------------------------------------------------------- */

/* Finds the program's pipes: called once in each server. */
void pipes_record(void);

/* In the process of a run: they are its own, with what was in them. */
void pipes_serve(void);

#endif
