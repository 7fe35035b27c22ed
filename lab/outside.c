/* outside.c - calls that are not the library's.
 *
 * `threading explore` preloads the laboratory, so that these come here instead of the C library. In a process that is not
 * explored, and on threads that are not under control, they do what they always do.
 *
 *  threads of pthreads: create, join        steered, like the library's own
 *  mutexes, condition variables, semaphores steered: who would block waits for the unlock, in the order of coming
 *                                           (outside_pthread.c)
 *  rwlocks, spin locks, barriers            the same (outside_rwlock.c)
 *  pthread_once                             the same (outside_once.c)
 *  threads, mutexes, conditions of C11      the same as those of pthreads (outside_c11.c)
 *  futexes by syscall(2)                    the same (outside_futex.c)
 *  sleep, usleep, nanosleep, clocks         virtual, as the library's
 *  alarm, setitimer, timer_create           virtual, too (outside_alarms.c, outside_signals.c)
 *  sched_yield                              a yield
 *  other calls that may block               made, and reported: not all orders are tried, since nobody else runs meanwhile
 *                                           (here, and outside_blocking.c)
 *
 * What the C library and others call inside of themselves does not come here. */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "lab/alarms.h"
#include "lab/clock.h"
#include "lab/outside.h"
#include "lab/record.h"
#include "lab/zygote.h"

void outside_note(const char *name)
{
    struct run *run = control_run;
    for (uint32_t i = 0; i < run->outsides; i++) {
        if (strcmp(run->outside[i], name) == 0)
            return;
    }
    if (run->outsides == OUTSIDE)
        return;
    lab_copy(run->outside[run->outsides++], sizeof run->outside[0], name);
}

/* The next one of each name. */
static void *next_clock_gettime;
static void *next_clock_nanosleep;
static void *next_gettimeofday;
static void *next_nanosleep;
static void *next_poll;
static void *next_pthread_create;
static void *next_pthread_join;
static void *next_read;
static void *next_recv;
static void *next_sched_yield;
static void *next_select;
static void *next_sleep;
static void *next_time;
static void *next_timespec_get;
static void *next_usleep;

void *outside_real(void **next, const char *name)
{
    void *function = load_relaxed(next); /* whoever looks finds the same */
    if (function)
        return function;
    function = dlsym(RTLD_NEXT, name);
    if (!function)
        abort();
    store_relaxed(next, function);
    return function;
}

enum { MOMENT = 10 /* milliseconds */ };

#define MILLISECOND ((thr_time)1000000)

/* The laboratory's own calls pass. */
static __thread int inside;

struct strand *outside_self(void)
{
    return control_run && inside == 0 ? control_self : NULL;
}

bool outside_signals;

bool outside_inside(void)
{
    return inside > 0;
}

void outside_enter(void)
{
    inside++;
}

void outside_leave(void)
{
    inside--;
}

void outside_point(struct strand *self, const char *name, const void *object)
{
    self->call = name;
    control_point(self, STEP_OUTSIDE, object);
}

/* -- Threads ------------------------------------------------------------------------------------------------------ */

EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *), void *arg)
{
    if (!control_run && inside == 0 && lab_library)
        zygote_stop();
    struct strand *self = outside_self();
    int detached = PTHREAD_CREATE_JOINABLE;
    size_t stack = 0;
    os_thread native;
    if (!self)
        return REAL(pthread_create)(thread, attributes, function, arg);
    if (attributes) {
        (void)pthread_attr_getdetachstate(attributes, &detached);
        (void)pthread_attr_getstacksize(attributes, &stack);
    }
    outside_point(self, "pthread_create", NULL);
    const struct control_thread what = {stack, false, function, arg, NULL, "pthread"};
    if (control_start(self, &native, &what) != THR_OK)
        return EAGAIN;
    *thread = (pthread_t)native;
    if (detached == PTHREAD_CREATE_DETACHED)
        (void)pthread_detach(*thread);
    return 0;
}

EXPORT int pthread_join(pthread_t thread, void **result)
{
    struct strand *self = outside_self();
    if (self) {
        outside_point(self, "pthread_join", NULL);
        control_join(self, (os_thread)thread);
    }
    return REAL(pthread_join)(thread, result);
}

/* -- Time --------------------------------------------------------------------------------------------------------- */

thr_time outside_deadline(const struct timespec *until)
{
    thr_time time = (thr_time)until->tv_sec * NANOSECONDS + until->tv_nsec;
    thr_time ahead = clock_wall(control_run) - control_run->now;
    return time > ahead / 2 ? time - ahead : time;
}

static void sleep_until(struct strand *self, thr_time deadline)
{
    static const uint32_t nothing = 0;
    int saved = errno;
    control_point(self, HOOK_SLEEP, NULL);
    while (control_run->now < deadline)
        (void)control_wait(self, &nothing, OS_ANY, deadline);
    errno = saved;
}

EXPORT int nanosleep(const struct timespec *time, struct timespec *left)
{
    struct strand *self = outside_self();
    if (!self)
        return REAL(nanosleep)(time, left);
    if (time->tv_sec < 0 || time->tv_nsec < 0 || time->tv_nsec >= NANOSECONDS) {
        errno = EINVAL;
        return -1;
    }
    sleep_until(self, control_run->now + (thr_time)time->tv_sec * NANOSECONDS + time->tv_nsec);
    return 0;
}

/* Of another clock than these two, such as that of processor time, nothing is known. */
EXPORT int clock_nanosleep(clockid_t clock, int flags, const struct timespec *time, struct timespec *left)
{
    struct strand *self = outside_self();
    if (!self || (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME)) {
        outside_passes("clock_nanosleep");
        return REAL(clock_nanosleep)(clock, flags, time, left);
    }
    if (!outside_is_time(time))
        return EINVAL;
    thr_time span = (thr_time)time->tv_sec * NANOSECONDS + time->tv_nsec;
    sleep_until(self, flags & TIMER_ABSTIME ? outside_deadline(time) : control_run->now + span);
    return 0;
}

EXPORT unsigned sleep(unsigned seconds)
{
    struct strand *self = outside_self();
    if (!self)
        return REAL(sleep)(seconds);
    sleep_until(self, control_run->now + (thr_time)seconds * NANOSECONDS);
    return 0;
}

EXPORT int usleep(useconds_t microseconds)
{
    struct strand *self = outside_self();
    if (!self)
        return REAL(usleep)(microseconds);
    sleep_until(self, control_run->now + (thr_time)microseconds * 1000);
    return 0;
}

static int put_time(thr_time now, struct timespec *time)
{
    time->tv_sec = (time_t)(now / NANOSECONDS);
    time->tv_nsec = (long)(now % NANOSECONDS);
    return 0;
}

EXPORT int clock_gettime(clockid_t clock, struct timespec *time)
{
    if (!outside_self())
        return REAL(clock_gettime)(clock, time);
    if (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW || clock == CLOCK_MONOTONIC_COARSE ||
        clock == CLOCK_BOOTTIME)
        return put_time(lab_system.now(), time);
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) {
        (void)lab_system.now();
        return put_time(clock_wall(control_run), time);
    }
    return REAL(clock_gettime)(clock, time);
}

EXPORT int gettimeofday(struct timeval *restrict time, void *restrict zone)
{
    struct timespec now;
    if (!outside_self())
        return REAL(gettimeofday)(time, zone);
    (void)lab_system.now();
    (void)put_time(clock_wall(control_run), &now);
    time->tv_sec = now.tv_sec;
    time->tv_usec = now.tv_nsec / 1000;
    return 0;
}

EXPORT time_t time(time_t *at)
{
    if (!outside_self())
        return REAL(time)(at);
    time_t now = (time_t)(clock_wall(control_run) / NANOSECONDS);
    (void)lab_system.now();
    if (at)
        *at = now;
    return now;
}

EXPORT int timespec_get(struct timespec *time, int base)
{
    if (!outside_self() || base != TIME_UTC)
        return REAL(timespec_get)(time, base);
    (void)lab_system.now();
    (void)put_time(clock_wall(control_run), time);
    return base;
}

/* Past the end, a sanitizer may wait so for a thread of its own. */
EXPORT int sched_yield(void)
{
    struct strand *self = outside_self();
    if (!self || control_run->ended)
        return REAL(sched_yield)();
    control_point(self, HOOK_YIELD, NULL);
    return 0;
}

/* -- Not steered -------------------------------------------------------------------------------------------------- */

void outside_passes(const char *name)
{
    struct strand *self = outside_self();
    if (!self)
        return;
    outside_note(name);
    outside_point(self, name, NULL);
}

/* When others can go on: now, at their earliest deadline, or never. */
static thr_time others_go_on(const struct strand *self)
{
    const struct run *run = control_run;
    thr_time first = THR_FOREVER;
    for (uint32_t i = 0; i < run->strands; i++) {
        const struct strand *strand = &run->strand[i];
        if (strand != self && strand->state == STRAND_READY)
            return run->now;
        if (strand != self && strand->state == STRAND_WAITING && strand->deadline < first)
            first = strand->deadline;
    }
    thr_time alarm = alarms_next(true);
    return alarm < first ? alarm : first;
}

/* What the files tell of may come from another thread, so that all others go on first, and sleepers too; but before those,
 * another process has a moment. Where nobody else can go on, the call is made as it is. */
void outside_await(const char *name, struct pollfd *files, nfds_t n, thr_time deadline)
{
    static const uint32_t nothing = 0;
    struct strand *self = outside_self();
    if (!self || REAL(poll)(files, n, 0) != 0)
        return;
    int saved = errno;
    outside_passes(name);
    while (REAL(poll)(files, n, 0) == 0 && control_run->now < deadline) {
        thr_time others = others_go_on(self);
        if (others == THR_FOREVER || (others > control_run->now && REAL(poll)(files, n, MOMENT) != 0))
            break;
        if (others < control_run->now + MILLISECOND)
            others = control_run->now + MILLISECOND;
        (void)control_wait(self, &nothing, OS_ANY, others < deadline ? others : deadline);
    }
    errno = saved;
}

void outside_await_input(const char *name, int file)
{
    struct pollfd wait = {file, POLLIN, 0};
    if (outside_self() && !(fcntl(file, F_GETFL) & O_NONBLOCK))
        outside_await(name, &wait, 1, THR_FOREVER);
}

thr_time outside_after(int milliseconds)
{
    return milliseconds < 0 ? THR_FOREVER : control_run->now + (thr_time)milliseconds * MILLISECOND;
}

EXPORT int poll(struct pollfd *files, nfds_t n, int timeout)
{
    struct strand *self = outside_self();
    if (!self)
        return REAL(poll)(files, n, timeout);
    thr_time deadline = outside_after(timeout);
    if (n == 0 && timeout >= 0) {
        sleep_until(self, deadline);
        return 0;
    }
    outside_await("poll", files, n, deadline);
    return REAL(poll)(files, n, control_run->now < deadline ? timeout : 0);
}

EXPORT int select(int n, fd_set *restrict read, fd_set *restrict write, fd_set *restrict except,
                  struct timeval *restrict timeout)
{
    struct strand *self = outside_self();
    if (self && n == 0 && timeout && timeout->tv_sec >= 0 && timeout->tv_usec >= 0) {
        sleep_until(self, control_run->now + (thr_time)timeout->tv_sec * NANOSECONDS + timeout->tv_usec * 1000);
        return 0;
    }
    outside_passes("select");
    return REAL(select)(n, read, write, except, timeout);
}

EXPORT ssize_t read(int file, void *buffer, size_t size)
{
    outside_await_input("read", file);
    return REAL(read)(file, buffer, size);
}

EXPORT ssize_t recv(int file, void *buffer, size_t size, int flags)
{
    if (!(flags & MSG_DONTWAIT))
        outside_await_input("recv", file);
    return REAL(recv)(file, buffer, size, flags);
}
