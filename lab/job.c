/* job.c - see job.h. The processes of runs are forked by a server for each job (server.c). */

#include "lab/job.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { SHARED = 64 };

/* Fresh for each run: all of `struct run` from here to the big tables. */
#define FRESH_BEGIN offsetof(struct run, strands)
#define FRESH_END offsetof(struct run, strand)

static struct {
    void *at;
    size_t size;
} shared[SHARED];

static size_t shared_count;
static struct run *mine;

/* -- Memory ------------------------------------------------------------------------------------------------------- */

void *job_shared(size_t size)
{
    if (shared_count == SHARED)
        return NULL;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    shared[shared_count].at = memory;
    shared[shared_count++].size = size;
    return memory;
}

void job_clear(void *memory, size_t size)
{
    if (madvise(memory, size, MADV_REMOVE) != 0)
        memset(memory, 0, size);
}

void job_release(void)
{
    while (shared_count > 0) {
        shared_count--;
        (void)munmap(shared[shared_count].at, shared[shared_count].size);
    }
}

/* -- The two sides ------------------------------------------------------------------------------------------------ */

bool job_make(struct job *job, uint32_t number)
{
    memset(job, 0, sizeof *job);
    job->run = job_shared(sizeof *job->run);
    job->order = job_shared(sizeof *job->order);
    job->processor = number % server_processors();
    job->output = memfd_create("output", MFD_CLOEXEC);
    if (!job->run || !job->order || job->output < 0)
        return false;
    /* All who write append, whatever they inherit. */
    return fcntl(job->output, F_SETFL, O_APPEND) == 0;
}

struct run *job_mine(void)
{
    return mine;
}

/* 1: this is the process of a run. */
static int start_server(struct job *job)
{
    pid_t server = fork();
    if (server == 0) {
        mine = job->run;
        server_run(job);
        return 1;
    }
    job->server = server > 0 ? server : 0;
    return server > 0 ? 0 : -1;
}

int job_fork(struct job *job)
{
    struct run *run = job->run;
    memset((char *)run + FRESH_BEGIN, 0, FRESH_END - FRESH_BEGIN);
    run->tallies = 0;
    if (job->output >= 0)
        (void)!ftruncate(job->output, 0);
    if (job->server == 0) {
        int started = start_server(job);
        if (started != 0)
            return started;
    }
    job->busy = true;
    order_set(job->order, ORDER_GIVEN);
    return 0;
}

bool job_wait(struct job *job)
{
    job->busy = false;
    while (load_acquire(&job->order->state) != ORDER_DONE) {
        order_await(job->order, ORDER_GIVEN);
        if (waitpid(job->server, NULL, WNOHANG) != 0 && errno != EINTR) {
            job->server = 0; /* somebody has ended it */
            return false;
        }
    }
    store_relaxed(&job->order->state, ORDER_NONE); /* ours again: nobody else looks at it now */
    return !job->order->none;
}

void job_stop(struct job *job)
{
    if (job->server == 0)
        return;
    (void)kill(job->server, SIGKILL);
    while (waitpid(job->server, NULL, 0) < 0 && errno == EINTR)
        continue;
    job->server = 0;
    job->busy = false;
}

/* -- What came of it ---------------------------------------------------------------------------------------------- */

static void say(struct outcome *outcome, thr_finding finding, const char *text)
{
    outcome->finding = finding;
    lab_copy(outcome->message, sizeof outcome->message, text);
}

static void signal_outcome(const struct run *run, int signal, struct outcome *outcome)
{
    char text[NOTE];
    const char *who = run->culprit < run->strands   ? run->strand[run->culprit].name
                      : run->running < run->strands ? run->strand[run->running].name
                                                    : "a thread";
    (void)snprintf(text, sizeof text, "%s: %s in %s", signal == SIGABRT ? "aborted" : "crash", strsignal(signal), who);
    say(outcome, THR_FOUND_CRASH, text);
}

static void late_outcome(const struct run *run, struct outcome *outcome)
{
    char text[NOTE];
    const char *who = run->running < run->strands ? run->strand[run->running].name : "a thread";
    if (run->fair)
        (void)snprintf(text, sizeof text, "no end in time, after %llu steps, though all had their turns",
                       (unsigned long long)run->steps);
    else
        (void)snprintf(text, sizeof text, "no end in time: %s runs or blocks without an operation of the library", who);
    say(outcome, run->fair ? THR_FOUND_LIVELOCK : THR_FOUND_HANG, text);
}

void job_outcome(const struct job *job, struct outcome *outcome)
{
    const struct run *run = job->run;
    char text[NOTE];
    int status = job->order->status;
    outcome->status = status;
    outcome->late = job->order->late;
    say(outcome, THR_FOUND_NOTHING, "");
    if (run->crowded)
        return; /* what the search looks at itself */
    if (outcome->late) {
        late_outcome(run, outcome);
    } else if (run->finding != THR_FOUND_NOTHING) {
        say(outcome, (thr_finding)run->finding, run->message);
    } else if (WIFSIGNALED(status)) {
        signal_outcome(run, WTERMSIG(status), outcome);
    } else if (WEXITSTATUS(status) != 0) {
        (void)snprintf(text, sizeof text, "the program ended with status %d", WEXITSTATUS(status));
        say(outcome, THR_FOUND_EXIT, text);
    }
}
