/* job.c - see job.h. The processes of runs are forked by servers (server.c). */

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

bool job_make(struct job *job)
{
    memset(job, 0, sizeof *job);
    job->run = job_shared(sizeof *job->run);
    return job->run;
}

bool job_make_server(struct server *server, uint32_t number)
{
    memset(server, 0, sizeof *server);
    server->order = job_shared(sizeof *server->order);
    server->processor = number % server_processors();
    server->output = lab_out_of_the_way(memfd_create("output", MFD_CLOEXEC));
    if (!server->order || server->output < 0)
        return false;
    /* All who write append, whatever they inherit. */
    return fcntl(server->output, F_SETFL, O_APPEND) == 0;
}

struct run *job_mine(void)
{
    return mine;
}

/* 1: this is the process of a run. */
static int start_server(struct server *server)
{
    pid_t process = fork();
    if (process == 0) {
        mine = server_run(server)->run;
        return 1;
    }
    server->process = process > 0 ? process : 0;
    return process > 0 ? 0 : -1;
}

/* False: somebody has ended the server. */
static bool is_done(struct server *server)
{
    struct order *order = server->order;
    while (load_acquire(&order->state) != ORDER_DONE) {
        order_await(order, ORDER_GIVEN);
        if (waitpid(server->process, NULL, WNOHANG) != 0 && errno != EINTR) {
            server->process = 0;
            return false;
        }
    }
    return true;
}

/* Waits for the run that the server was asked for, if there is one, and writes down what came of it. */
static void collect(struct server *server)
{
    struct job *job = server->job;
    if (!job)
        return;
    job->ended = is_done(server) ? server->order->ended : (struct ended){.none = true};
    server->job = NULL;
    store_relaxed(&server->order->state, ORDER_NONE); /* ours again: nobody else looks at it now */
}

int job_fork(struct job *job)
{
    struct server *server = job->server;
    struct run *run = job->run;
    collect(server);
    memset((char *)run + FRESH_BEGIN, 0, FRESH_END - FRESH_BEGIN);
    run->tallies = 0;
    if (server->output >= 0)
        (void)!ftruncate(server->output, 0);
    server->job = job;
    server->order->job = job;
    if (server->process == 0) {
        int started = start_server(server);
        if (started != 0)
            return started;
    }
    order_set(server->order, ORDER_GIVEN);
    return 0;
}

bool job_wait(struct job *job)
{
    if (job->server->job == job)
        collect(job->server);
    return !job->ended.none;
}

void job_stop(struct server *server)
{
    if (server->process == 0)
        return;
    (void)kill(server->process, SIGKILL);
    while (waitpid(server->process, NULL, 0) < 0 && errno == EINTR)
        continue;
    server->process = 0;
    server->job = NULL;
}

/* -- What came of it ---------------------------------------------------------------------------------------------- */

static void say(struct outcome *outcome, thr_finding finding, const char *text)
{
    outcome->finding = finding;
    lab_copy(outcome->message, sizeof outcome->message, text);
}

/* One that a thread has brought about itself. */
static bool is_fault(int signal)
{
    return signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE || signal == SIGILL || signal == SIGTRAP ||
           signal == SIGSYS || signal == SIGABRT;
}

static void signal_outcome(const struct run *run, int signal, struct outcome *outcome)
{
    char text[NOTE];
    const char *who = run->culprit < run->strands   ? run->strand[run->culprit].name
                      : run->running < run->strands ? run->strand[run->running].name
                                                    : "a thread";
    if (is_fault(signal))
        (void)snprintf(text, sizeof text, "%s: %s in %s", signal == SIGABRT ? "aborted" : "crash", strsignal(signal),
                       who);
    else
        (void)snprintf(text, sizeof text, "ended by a signal: %s", strsignal(signal));
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
    int status = job->ended.status;
    outcome->status = status;
    outcome->late = job->ended.late;
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
