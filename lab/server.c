/* server.c - the process that forks the runs of one job.
 *
 * A fork, and the end of a process, take a good part of the time of a run. So each job has a server of its own, a copy of the
 * searching process that stays on one processor: all processors fork at the same time. It is asked, and answers, through
 * memory that it shares with the searching process:
 *
 *  order.state  meaning                                      left by
 *  NONE         there is nothing to do                       job_fork -> GIVEN
 *  GIVEN        a run under job->run->plan is asked for      the server -> DONE, when it has ended
 *  DONE         `status`, `late` and `none` say what came    job_wait -> NONE
 *
 * Order: each change of the state is a release, and pairs with the acquire of who sees it; the plan, and what came of it, go
 * with them. */

#include "lab/server.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab/job.h"

enum { MILLISECOND = 1000000, LOOK = 1000 /* milliseconds: at least so often it is looked */ };

uint32_t server_processors(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? (uint32_t)CPU_COUNT(&set) : 1;
}

/* On this one, counted from 0, of those that the process may run on. One thread of a run goes on at a time, and handing over
 * is several times faster on one processor than across two. */
static void stay_on(uint32_t processor)
{
    cpu_set_t all;
    cpu_set_t one;
    uint32_t count = 0;
    if (sched_getaffinity(0, sizeof all, &all) != 0)
        return;
    CPU_ZERO(&one);
    for (size_t i = 0; i < CPU_SETSIZE; i++) {
        if (CPU_ISSET(i, &all) && count++ == processor)
            CPU_SET(i, &one);
    }
    (void)sched_setaffinity(0, sizeof one, &one);
}

/* -- The run ------------------------------------------------------------------------------------------------------ */

/* What the program had set before the server took it over. */
static struct sigaction program_child;

/* In a group of its own: a signal to all of its group does not reach the search, and Ctrl-C does not reach it. */
static void become_run(const struct job *job)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)setpgid(0, 0);
    (void)sigaction(SIGCHLD, &program_child, NULL);
    input_serve();
    pipes_serve();
    alarms_serve();
    if (job->output >= 0) {
        (void)dup2(job->output, STDOUT_FILENO);
        (void)dup2(job->output, STDERR_FILENO);
    }
}

/* -- Watching it -------------------------------------------------------------------------------------------------- */

static int milliseconds_left(const struct job *job, const struct watch *watched)
{
    thr_time left = job->run->plan.hang - watched->idle;
    if (left <= 0)
        return 0;
    return left / MILLISECOND >= LOOK ? LOOK : (int)(left / MILLISECOND) + 1;
}

/* Has the thread that hangs write down where it is (record.c), and end the process by that; it may be unable to. */
static void ask_where(const struct job *job, pid_t child, int pidfd)
{
    struct pollfd end = {pidfd, POLLIN, 0};
    if (job->run->plan.record && syscall(SYS_tgkill, child, watch_thread(job->run, child), SIGABRT) == 0)
        (void)poll(&end, 1, LOOK);
}

/* Waits until it has ended, and ends it if it hangs; true if it did. It may be without a pidfd (-1). */
static bool wait_for_end(const struct job *job, pid_t child, int pidfd)
{
    struct watch watched;
    bool late = false;
    siginfo_t about = {0};
    watch_begin(&watched);
    for (;;) {
        struct pollfd end = {pidfd, POLLIN, 0};
        (void)poll(&end, 1, pidfd >= 0 ? milliseconds_left(job, &watched) : 1);
        about.si_pid = 0;
        if (waitid(P_PID, (id_t)child, &about, WEXITED | WNOHANG | WNOWAIT) != 0 && errno != EINTR)
            return late;
        if (about.si_pid == child)
            return late;
        if (watch_look(&watched, job->run, child) < job->run->plan.hang)
            continue;
        if (!late)
            ask_where(job, child, pidfd);
        late = true;
        (void)kill(child, SIGKILL);
    }
}

static void finish(struct job *job, pid_t child)
{
    int pidfd = (int)syscall(SYS_pidfd_open, child, 0);
    job->order->late = wait_for_end(job, child, pidfd);
    if (pidfd >= 0)
        (void)close(pidfd);
    (void)kill(-child, SIGKILL); /* what it has started, and left */
    while (waitpid(child, &job->order->status, 0) < 0 && errno == EINTR)
        continue;
}

/* -- Serving ------------------------------------------------------------------------------------------------------ */

static void become_server(const struct job *job)
{
    const struct sigaction usual = {.sa_handler = SIG_DFL};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)setpgid(0, 0);
    (void)sigaction(SIGCHLD, &usual, &program_child);
    stay_on(job->processor);
    pipes_record();
}

void server_run(struct job *job)
{
    struct order *order = job->order;
    become_server(job);
    for (;;) {
        while (load_acquire(&order->state) != ORDER_GIVEN)
            order_await(order, load_relaxed(&order->state));
        pid_t child = fork();
        if (child == 0) {
            become_run(job);
            return;
        }
        order->none = child < 0;
        if (child > 0)
            finish(job, child);
        order_set(order, ORDER_DONE);
    }
}
