/* outside_blocking.c - calls that may block, and are not steered: made as they are, and reported (outside.c).
 *
 * Of a named semaphore its opening is reported: it is then steered as any other, but other processes are not. */

#include <fcntl.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab/outside.h"

static void *next_accept;
static void *next_epoll_wait;
static void *next_flock;
static void *next_kill;
static void *next_ppoll;
static void *next_pselect;
static void *next_pthread_kill;
static void *next_recvfrom;
static void *next_recvmsg;
static void *next_sem_open;
static void *next_wait;
static void *next_waitpid;

/* -- Files -------------------------------------------------------------------------------------------------------- */

EXPORT int ppoll(struct pollfd *files, nfds_t n, const struct timespec *span, const sigset_t *signals)
{
    outside_passes("ppoll");
    return REAL(ppoll)(files, n, span, signals);
}

EXPORT int pselect(int n, fd_set *restrict read, fd_set *restrict write, fd_set *restrict except,
                   const struct timespec *restrict span, const sigset_t *restrict signals)
{
    outside_passes("pselect");
    return REAL(pselect)(n, read, write, except, span, signals);
}

EXPORT int epoll_wait(int set, struct epoll_event *events, int n, int timeout)
{
    struct pollfd wait = {set, POLLIN, 0};
    thr_time deadline = outside_self() ? outside_after(timeout) : THR_FOREVER;
    outside_await("epoll_wait", &wait, 1, deadline);
    if (outside_self() && control_run->now >= deadline)
        timeout = 0;
    return REAL(epoll_wait)(set, events, n, timeout);
}

EXPORT int flock(int file, int operation)
{
    outside_passes("flock");
    return REAL(flock)(file, operation);
}

/* The type is the C library's, for addresses of all kinds. */
EXPORT ssize_t recvfrom(int file, void *restrict buffer, size_t size, int flags, __SOCKADDR_ARG from,
                        socklen_t *restrict length)
{
    if (!(flags & MSG_DONTWAIT))
        outside_await_input("recvfrom", file);
    return REAL(recvfrom)(file, buffer, size, flags, from, length);
}

EXPORT ssize_t recvmsg(int file, struct msghdr *message, int flags)
{
    if (!(flags & MSG_DONTWAIT))
        outside_await_input("recvmsg", file);
    return REAL(recvmsg)(file, message, flags);
}

EXPORT int accept(int file, __SOCKADDR_ARG from, socklen_t *restrict length)
{
    outside_await_input("accept", file);
    return REAL(accept)(file, from, length);
}

/* -- Processes and signals ---------------------------------------------------------------------------------------- */

EXPORT pid_t wait(int *status)
{
    outside_passes("wait");
    return REAL(wait)(status);
}

EXPORT pid_t waitpid(pid_t process, int *status, int options)
{
    if (!(options & WNOHANG))
        outside_passes("waitpid");
    return REAL(waitpid)(process, status, options);
}

static bool is_on_its_way(int signal)
{
    sigset_t blocked;
    sigset_t pending;
    return pthread_sigmask(SIG_BLOCK, NULL, &blocked) == 0 && sigismember(&blocked, signal) == 0 &&
           sigpending(&pending) == 0 && sigismember(&pending, signal) == 1;
}

/* It may run in a thread that is stopped just now, on a machine that is busy. Real time passes, not the program's. */
void outside_let_handlers_run(int signal)
{
    const struct timespec moment = {0, 200000};
    int tries = 100;
    outside_signals = true;
    outside_enter();
    do
        (void)nanosleep(&moment, NULL);
    while (is_on_its_way(signal) && --tries > 0);
    outside_leave();
}

EXPORT int kill(pid_t process, int signal)
{
    outside_passes("kill");
    int done = REAL(kill)(process, signal);
    if (outside_self())
        outside_let_handlers_run(signal);
    return done;
}

EXPORT int pthread_kill(pthread_t thread, int signal)
{
    outside_passes("pthread_kill");
    int done = REAL(pthread_kill)(thread, signal);
    if (outside_self())
        outside_let_handlers_run(signal);
    return done;
}

/* -- Named semaphores --------------------------------------------------------------------------------------------- */

static bool opened; /* before the run began */

EXPORT sem_t *sem_open(const char *name, int flags, ...)
{
    va_list arguments;
    mode_t mode = 0;
    unsigned value = 0;
    va_start(arguments, flags);
    if (flags & O_CREAT) {
        mode = va_arg(arguments, mode_t);
        value = va_arg(arguments, unsigned);
    }
    va_end(arguments);
    opened = true;
    outside_passes("sem_open");
    return REAL(sem_open)(name, flags, mode, value);
}

void outside_begin(void)
{
    if (opened)
        outside_note("sem_open");
    outside_alarms_begin();
}
