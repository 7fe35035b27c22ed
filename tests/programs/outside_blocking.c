/* outside_blocking - calls that sleep, or block, whatever threads there are, and signals, for the laboratory. See
 * tests/scripts/outside.sh. */

#include "outside.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <unistd.h>

/* -- Time --------------------------------------------------------------------------------------------------------- */

static void *sleep_in_all_ways(void *arg)
{
    const struct timespec hour = {3600, 0};
    const struct timespec wrong = {0, -1};
    struct timespec until = later(CLOCK_MONOTONIC, 3 * 3600);
    time_t before = time(NULL);
    expect(nanosleep(&hour, NULL) == 0);
    expect(clock_nanosleep(CLOCK_MONOTONIC, 0, &hour, NULL) == 0);
    expect(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == 0);
    expect(sleep(3600) == 0);
    for (int i = 0; i < 4; i++)
        expect(usleep(900000000) == 0);
    expect(time(NULL) - before >= 5 * 3600);
    expect(nanosleep(&wrong, NULL) == -1 && errno == EINVAL);
    expect(clock_nanosleep(CLOCK_MONOTONIC, 0, &wrong, NULL) == EINVAL);
    return arg;
}

static void sleeps(void)
{
    both(sleep_in_all_ways);
}

/* -- What is only reported ---------------------------------------------------------------------------------------- */

static int ends[2];

static void *look_at_files(void *arg)
{
    fd_set files;
    struct timeval none = {0, 0};
    struct pollfd wait = {ends[0], POLLIN, 0};
    FD_ZERO(&files);
    FD_SET(ends[0], &files);
    expect(poll(NULL, 0, 3600000) == 0); /* as sleeps */
    expect(poll(&wait, 1, 1) == 0);
    expect(select(ends[0] + 1, &files, NULL, NULL, &none) == 0);
    return arg;
}

static void polls(void)
{
    expect(pipe(ends) == 0);
    both(look_at_files);
}

static void *fork_one(void *arg)
{
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    expect(child > 0 && waitpid(child, NULL, 0) == child);
    return arg;
}

static void forks(void)
{
    both(fork_one);
}

static void *read_or_write(void *arg)
{
    char byte = 'x';
    struct pollfd wait = {ends[0], POLLIN, 0};
    if (*(int *)arg == 0) {
        expect(poll(&wait, 1, -1) == 1);
        expect(read(ends[0], &byte, 1) == 1 && byte == 'a');
        expect(read(ends[0], &byte, 1) == 1 && byte == 'x');
        expect(fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0 && read(ends[0], &byte, 1) == -1 && errno == EAGAIN);
        return NULL;
    }
    expect(usleep(1000000) == 0);
    expect(write(ends[1], &byte, 1) == 1);
    return NULL;
}

/* Whether the reader comes first is decided by the schedule; the writer then goes on all the same. What was in the pipe
 * before is there in each run. */
static void reads(void)
{
    char byte = 'a';
    expect(pipe(ends) == 0 && write(ends[1], &byte, 1) == 1);
    both(read_or_write);
}

static void *nothing(void *arg)
{
    return arg;
}

/* Nobody will write. */
static void reads_nothing(void)
{
    char byte;
    expect(pipe(ends) == 0);
    both(nothing);
    expect(read(ends[0], &byte, 1) == 1);
}

/* It is one for all runs, so nobody waits for it. */
static void semaphore_named(void)
{
    char name[64];
    (void)snprintf(name, sizeof name, "/outside-%ld", (long)getpid());
    sem_t *semaphore = sem_open(name, O_CREAT | O_EXCL, 0600, 0);
    expect(semaphore != SEM_FAILED && sem_unlink(name) == 0);
    both(nothing);
    expect(sem_close(semaphore) == 0);
}

/* -- Signals ------------------------------------------------------------------------------------------------------ */

static pthread_t native_main;
static thr_event told = THR_EVENT_INIT;

static void tell(int signal)
{
    (void)signal;
    thr_event_set(&told);
}

static void *wait_or_tell(void *arg)
{
    if (*(int *)arg == 0)
        (void)thr_event_wait(&told);
    else
        expect(pthread_kill(native_main, SIGUSR1) == 0);
    return NULL;
}

/* The handler runs in a thread that does not have its turn, and lets another one go. */
static void handlers(void)
{
    expect(signal(SIGUSR1, tell) != SIG_ERR);
    native_main = pthread_self();
    both(wait_or_tell);
}

static const struct program_case cases[] = {
    {CASE(semaphore_named)}, {CASE(sleeps)},        {CASE(polls)},    {CASE(forks)},
    {CASE(reads)},           {CASE(reads_nothing)}, {CASE(handlers)},
};

int main(int argc, char **argv)
{
    return CASE_RUN(argc, argv, cases);
}
