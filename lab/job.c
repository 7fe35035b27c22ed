/* job.c - see job.h. */

#include "lab/job.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab/control.h"

enum { MILLISECOND = 1000000, CHUNK = 1 << 16, SHARED = 64 };

/* Fresh for each run: all of `struct run` from here to the big tables. */
#define FRESH_BEGIN offsetof(struct run, strands)
#define FRESH_END offsetof(struct run, strand)

static struct {
    void *at;
    size_t size;
} shared[SHARED];

static size_t shared_count;
static struct run *mine;

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

void job_release(void)
{
    while (shared_count > 0) {
        shared_count--;
        (void)munmap(shared[shared_count].at, shared[shared_count].size);
    }
}

struct run *job_mine(void)
{
    return mine;
}

bool job_make(struct job *job)
{
    memset(job, 0, sizeof *job);
    job->run = job_shared(sizeof *job->run);
    job->output = memfd_create("output", MFD_CLOEXEC);
    if (!job->run || job->output < 0)
        return false;
    /* All who write append, whatever they inherit. */
    return fcntl(job->output, F_SETFL, O_APPEND) == 0;
}

/* -- Standard input ----------------------------------------------------------------------------------------------- */

static int input = -1; /* a file from which each child reads all */
static off_t input_start;

static void copy_input(int to)
{
    char chunk[CHUNK];
    for (;;) {
        ssize_t got = read(STDIN_FILENO, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || write(to, chunk, (size_t)got) != got)
            return;
    }
}

void job_record_input(void)
{
    struct stat about;
    if (fstat(STDIN_FILENO, &about) != 0 || S_ISCHR(about.st_mode)) {
        if (isatty(STDIN_FILENO))
            dprintf(STDERR_FILENO, "threading: standard input is a terminal: the program finds it empty; to give it "
                                   "something, use < FILE\n");
        input = open("/dev/null", O_RDONLY | O_CLOEXEC);
        return;
    }
    if (S_ISREG(about.st_mode)) {
        input = STDIN_FILENO;
        input_start = lseek(STDIN_FILENO, 0, SEEK_CUR);
        return;
    }
    input = memfd_create("input", MFD_CLOEXEC);
    if (input >= 0)
        copy_input(input);
}

static void serve_input(void)
{
    char path[64];
    if (input < 0)
        return;
    /* Opened anew, it has a position of its own. */
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", input);
    int own = open(path, O_RDONLY);
    if (own < 0)
        return;
    (void)lseek(own, input_start, SEEK_SET);
    if (own != STDIN_FILENO) {
        (void)dup2(own, STDIN_FILENO);
        (void)close(own);
    }
}

/* -- The child ---------------------------------------------------------------------------------------------------- */

uint32_t job_processors(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? (uint32_t)CPU_COUNT(&set) : 1;
}

/* On this one, counted from 1, of those that the process may run on. */
static void stay_on(uint32_t processor)
{
    cpu_set_t all;
    cpu_set_t one;
    if (sched_getaffinity(0, sizeof all, &all) != 0)
        return;
    CPU_ZERO(&one);
    for (size_t i = 0; i < CPU_SETSIZE && processor > 0; i++) {
        processor -= CPU_ISSET(i, &all) != 0;
        if (processor == 0)
            CPU_SET(i, &one);
    }
    (void)sched_setaffinity(0, sizeof one, &one);
}

static void become_child(const struct job *job)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGINT, SIG_DFL);
    serve_input();
    if (job->output >= 0) {
        (void)dup2(job->output, STDOUT_FILENO);
        (void)dup2(job->output, STDERR_FILENO);
    }
    /* One thread runs at a time: handing over is several times faster on one processor than across two. */
    if (job->run->plan.processor != 0)
        stay_on(job->run->plan.processor);
}

int job_fork(struct job *job)
{
    struct run *run = job->run;
    memset((char *)run + FRESH_BEGIN, 0, FRESH_END - FRESH_BEGIN);
    run->tallies = 0;
    job->killed = false;
    if (job->output >= 0)
        (void)!ftruncate(job->output, 0);
    watch_begin(&job->watched);
    job->child = fork();
    if (job->child < 0) {
        job->child = 0;
        return -1;
    }
    if (job->child == 0) {
        mine = run;
        become_child(job);
        return 1;
    }
    job->watch = (int)syscall(SYS_pidfd_open, job->child, 0);
    return 0;
}

/* -- Watching ----------------------------------------------------------------------------------------------------- */

/* A look is taken at least so often. */
enum { LOOK = 1000 /* milliseconds */ };

static int milliseconds_left(const struct job *job)
{
    thr_time left = job->run->plan.hang - job->watched.idle;
    if (left <= 0)
        return 0;
    return left / MILLISECOND >= LOOK ? LOOK : (int)(left / MILLISECOND) + 1;
}

static void end_if_late(struct job *job)
{
    if (watch_look(&job->watched, job->run, job->child) < job->run->plan.hang)
        return;
    job->killed = true;
    (void)kill(job->child, SIGKILL);
}

static int child_status;

bool job_wait(struct job *job, bool wait)
{
    for (;;) {
        int status;
        struct pollfd watch = {job->watch, POLLIN, 0};
        if (wait)
            (void)poll(&watch, 1, job->watch >= 0 ? milliseconds_left(job) : 1);
        pid_t ended = waitpid(job->child, &status, WNOHANG);
        if (ended == job->child || (ended < 0 && errno != EINTR)) {
            if (job->watch >= 0)
                (void)close(job->watch);
            job->child = 0;
            child_status = status;
            return true;
        }
        end_if_late(job);
        if (!wait)
            return false;
    }
}

void job_stop(struct job *job)
{
    if (job->child == 0)
        return;
    (void)kill(job->child, SIGKILL);
    (void)job_wait(job, true);
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
    outcome->status = child_status;
    outcome->late = job->killed;
    say(outcome, THR_FOUND_NOTHING, "");
    if (job->killed) {
        late_outcome(run, outcome);
    } else if (run->finding != THR_FOUND_NOTHING) {
        say(outcome, (thr_finding)run->finding, run->message);
    } else if (WIFSIGNALED(child_status)) {
        signal_outcome(run, WTERMSIG(child_status), outcome);
    } else if (WEXITSTATUS(child_status) != 0) {
        (void)snprintf(text, sizeof text, "the program ended with status %d", WEXITSTATUS(child_status));
        say(outcome, THR_FOUND_EXIT, text);
    }
}
