/* server.c - a process that forks runs.
 *
 * A fork, and the end of a process, take a good part of the time of a run. So each processor has a server, a copy of the
 * searching process that stays on it: all processors fork at the same time. It is asked, and answers, through memory that it
 * shares with the searching process:
 *
 *  order.state  meaning                                          left by
 *  NONE         there is nothing to do                           job_fork -> GIVEN
 *  GIVEN        a run under order->job->run->plan is asked for   the server -> DONE, when it has ended
 *  DONE         `ended` says what came of it                     job_fork, job_wait -> NONE
 *
 * Order: each change of the state is a release, and pairs with the acquire of who sees it; the plan, and what came of it, go
 * with them. */

#include "lab/server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab/job.h"

enum { SECOND = 1000000000, MILLISECOND = 1000000, LOOK = 1000 /* milliseconds: at least so often it is looked */ };

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

/* Where the program has closed it, it stays so. */
static void write_to(int output, int file)
{
    if (output >= 0 && fcntl(file, F_GETFD) >= 0)
        (void)dup2(output, file);
}

/* In a group of its own: a signal to all of its group does not reach the search, and Ctrl-C does not reach it. */
static void become_run(const struct server *server)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)setpgid(0, 0);
    (void)sigaction(SIGCHLD, &program_child, NULL);
    input_serve();
    pipes_serve();
    alarms_serve();
    write_to(server->output, STDOUT_FILENO);
    write_to(server->output, STDERR_FILENO);
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

static thr_time nanoseconds(struct timeval time)
{
    return (thr_time)time.tv_sec * SECOND + (thr_time)time.tv_usec * 1000;
}

static void finish(const struct job *job, pid_t child, struct ended *ended)
{
    struct rusage usage = {0};
    thr_time begun = lab_library->os->now();
    int pidfd = (int)syscall(SYS_pidfd_open, child, 0);
    ended->late = wait_for_end(job, child, pidfd);
    if (pidfd >= 0)
        (void)close(pidfd);
    (void)kill(-child, SIGKILL); /* what it has started, and left */
    while (wait4(child, &ended->status, 0, &usage) < 0 && errno == EINTR)
        continue;
    if (job->run->outsides > 0)
        ended->used = lab_library->os->now() - begun;
    else
        ended->used = nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime);
}

/* -- Serving ------------------------------------------------------------------------------------------------------ */

static void become_server(const struct server *server)
{
    const struct sigaction usual = {.sa_handler = SIG_DFL};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)setpgid(0, 0);
    (void)sigaction(SIGCHLD, &usual, &program_child);
    stay_on(server->processor);
    pipes_record();
}

struct job *server_run(const struct server *server)
{
    struct order *order = server->order;
    become_server(server);
    for (;;) {
        while (load_acquire(&order->state) != ORDER_GIVEN)
            order_await(order, load_relaxed(&order->state));
        pid_t child = fork();
        if (child == 0) {
            become_run(server);
            return order->job;
        }
        order->ended = (struct ended){.none = child < 0};
        if (child > 0)
            finish(order->job, child, &order->ended);
        order_set(order, ORDER_DONE);
    }
}
