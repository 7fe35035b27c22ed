/* outside.c - calls that are not the library's.
 *
 * `threading explore` preloads the laboratory, so that these come here instead of the C library. In a process that is not
 * explored, and on threads that are not under control, they do what they always do.
 *
 *  threads of pthreads: create, join        steered, like the library's own
 *  mutexes of pthreads: lock, unlock        steered: who would block waits for the unlock, in the order of coming
 *  condition variables, semaphores          steered in the same way
 *  sleep, usleep, nanosleep, clocks         virtual, as the library's
 *  sched_yield                              a yield
 *  other calls that may block               made, and reported: not all orders are tried, since nobody else runs meanwhile
 *
 * What the C library and others call inside of themselves does not come here. */

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "lab/clock.h"
#include "lab/control.h"
#include "lab/record.h"
#include "lab/zygote.h"

#define EXPORT __attribute__((visibility("default")))
#define NANOSECONDS ((thr_time)1000000000)

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

/* The next one of each name, which is the C library's, or a sanitizer's. */
static void *next_clock_gettime;
static void *next_clock_nanosleep;
static void *next_gettimeofday;
static void *next_nanosleep;
static void *next_poll;
static void *next_pthread_barrier_wait;
static void *next_pthread_cond_broadcast;
static void *next_pthread_cond_clockwait;
static void *next_pthread_cond_signal;
static void *next_pthread_cond_timedwait;
static void *next_pthread_cond_wait;
static void *next_pthread_create;
static void *next_pthread_join;
static void *next_pthread_mutex_lock;
static void *next_pthread_mutex_trylock;
static void *next_pthread_mutex_unlock;
static void *next_pthread_rwlock_rdlock;
static void *next_pthread_rwlock_wrlock;
static void *next_read;
static void *next_recv;
static void *next_sched_yield;
static void *next_select;
static void *next_sem_post;
static void *next_sem_timedwait;
static void *next_sem_trywait;
static void *next_sem_wait;
static void *next_sleep;
static void *next_time;
static void *next_usleep;

#define REAL(name) ((__typeof__(&(name)))(uintptr_t)real(&next_##name, #name))

static void *real(void **next, const char *name)
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

/* The calling strand; NULL: this call is none of ours. `inside`: the laboratory's own calls pass. */
static __thread int inside;

static struct strand *self_here(void)
{
    return control_run && inside == 0 ? control_self : NULL;
}

void outside_enter(void)
{
    inside++;
}

void outside_leave(void)
{
    inside--;
}

/* -- Threads ------------------------------------------------------------------------------------------------------ */

EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *), void *arg)
{
    if (!control_run && inside == 0 && lab_library)
        zygote_stop();
    struct strand *self = self_here();
    int detached = PTHREAD_CREATE_JOINABLE;
    size_t stack = 0;
    os_thread native;
    if (!self)
        return REAL(pthread_create)(thread, attributes, function, arg);
    if (attributes) {
        (void)pthread_attr_getdetachstate(attributes, &detached);
        (void)pthread_attr_getstacksize(attributes, &stack);
    }
    control_point(self, STEP_OUTSIDE, NULL);
    const struct control_thread what = {stack, false, function, arg, NULL};
    if (control_start(self, &native, &what) != THR_OK)
        return EAGAIN;
    *thread = (pthread_t)native;
    if (detached == PTHREAD_CREATE_DETACHED)
        (void)pthread_detach(*thread);
    return 0;
}

EXPORT int pthread_join(pthread_t thread, void **result)
{
    struct strand *self = self_here();
    if (self) {
        control_point(self, STEP_OUTSIDE, NULL);
        control_join(self, (os_thread)thread);
    }
    return REAL(pthread_join)(thread, result);
}

/* -- Mutexes ------------------------------------------------------------------------------------------------------ */

static const uint32_t *word_of(const void *object)
{
    return object;
}

/* Until try() gives something else than `busy`. */
static int take(struct strand *self, pthread_mutex_t *mutex)
{
    for (;;) {
        int result = REAL(pthread_mutex_trylock)(mutex);
        if (result != EBUSY)
            return result;
        (void)control_wait(self, word_of(mutex), OS_ANY, THR_FOREVER);
    }
}

/* Error-checking and recursive mutexes know their owner: EDEADLK and counting are theirs. */
static bool would_say_more(pthread_mutex_t *mutex)
{
    return mutex->__data.__kind != PTHREAD_MUTEX_TIMED_NP && mutex->__data.__kind != PTHREAD_MUTEX_ADAPTIVE_NP;
}

EXPORT int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    struct strand *self = self_here();
    if (!self)
        return REAL(pthread_mutex_lock)(mutex);
    control_point(self, STEP_OUTSIDE, mutex);
    if (would_say_more(mutex) && mutex->__data.__owner == gettid())
        return REAL(pthread_mutex_lock)(mutex);
    return take(self, mutex);
}

EXPORT int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    struct strand *self = self_here();
    if (!self)
        return REAL(pthread_mutex_unlock)(mutex);
    control_point(self, STEP_OUTSIDE, mutex);
    int result = REAL(pthread_mutex_unlock)(mutex);
    (void)control_wake(word_of(mutex), 1, OS_ANY);
    return result;
}

/* -- Condition variables ------------------------------------------------------------------------------------------ */

/* By the wall clock, or the monotonic one if the condition variable was asked for that: in a run they are decades apart. */
static thr_time deadline_of(const struct timespec *until)
{
    thr_time time = (thr_time)until->tv_sec * NANOSECONDS + until->tv_nsec;
    thr_time ahead = clock_wall(control_run) - control_run->now;
    return time > ahead / 2 ? time - ahead : time;
}

static int wait_on(struct strand *self, pthread_cond_t *condition, pthread_mutex_t *mutex, thr_time deadline)
{
    control_point(self, STEP_OUTSIDE, condition);
    int result = REAL(pthread_mutex_unlock)(mutex);
    if (result != 0)
        return result;
    (void)control_wake(word_of(mutex), 1, OS_ANY);
    enum os_wait_end end = control_wait(self, word_of(condition), OS_ANY, deadline);
    result = take(self, mutex);
    return result == 0 && end == OS_TIMEOUT ? ETIMEDOUT : result;
}

EXPORT int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
    struct strand *self = self_here();
    if (!self)
        return REAL(pthread_cond_wait)(condition, mutex);
    return wait_on(self, condition, mutex, THR_FOREVER);
}

EXPORT int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until)
{
    struct strand *self = self_here();
    if (!self)
        return REAL(pthread_cond_timedwait)(condition, mutex, until);
    return wait_on(self, condition, mutex, deadline_of(until));
}

static int notify(struct strand *self, pthread_cond_t *condition, uint32_t count)
{
    control_point(self, STEP_OUTSIDE, condition);
    (void)control_wake(word_of(condition), count, OS_ANY);
    return 0;
}

EXPORT int pthread_cond_signal(pthread_cond_t *condition)
{
    struct strand *self = self_here();
    return self ? notify(self, condition, 1) : REAL(pthread_cond_signal)(condition);
}

EXPORT int pthread_cond_broadcast(pthread_cond_t *condition)
{
    struct strand *self = self_here();
    return self ? notify(self, condition, UINT32_MAX) : REAL(pthread_cond_broadcast)(condition);
}

/* -- Semaphores --------------------------------------------------------------------------------------------------- */

EXPORT int sem_wait(sem_t *semaphore)
{
    struct strand *self = self_here();
    if (!self)
        return REAL(sem_wait)(semaphore);
    control_point(self, STEP_OUTSIDE, semaphore);
    while (REAL(sem_trywait)(semaphore) != 0) {
        if (errno != EAGAIN)
            return -1;
        (void)control_wait(self, word_of(semaphore), OS_ANY, THR_FOREVER);
    }
    return 0;
}

EXPORT int sem_post(sem_t *semaphore)
{
    struct strand *self = self_here();
    if (!self)
        return REAL(sem_post)(semaphore);
    control_point(self, STEP_OUTSIDE, semaphore);
    int result = REAL(sem_post)(semaphore);
    (void)control_wake(word_of(semaphore), 1, OS_ANY);
    return result;
}

/* -- Time --------------------------------------------------------------------------------------------------------- */

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
    struct strand *self = self_here();
    if (!self)
        return REAL(nanosleep)(time, left);
    if (time->tv_sec < 0 || time->tv_nsec < 0 || time->tv_nsec >= NANOSECONDS) {
        errno = EINVAL;
        return -1;
    }
    sleep_until(self, control_run->now + (thr_time)time->tv_sec * NANOSECONDS + time->tv_nsec);
    return 0;
}

EXPORT unsigned sleep(unsigned seconds)
{
    struct strand *self = self_here();
    if (!self)
        return REAL(sleep)(seconds);
    sleep_until(self, control_run->now + (thr_time)seconds * NANOSECONDS);
    return 0;
}

EXPORT int usleep(useconds_t microseconds)
{
    struct strand *self = self_here();
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
    if (!self_here())
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
    if (!self_here())
        return REAL(gettimeofday)(time, zone);
    (void)lab_system.now();
    (void)put_time(clock_wall(control_run), &now);
    time->tv_sec = now.tv_sec;
    time->tv_usec = now.tv_nsec / 1000;
    return 0;
}

EXPORT time_t time(time_t *at)
{
    if (!self_here())
        return REAL(time)(at);
    time_t now = (time_t)(clock_wall(control_run) / NANOSECONDS);
    (void)lab_system.now();
    if (at)
        *at = now;
    return now;
}

EXPORT int sched_yield(void)
{
    struct strand *self = self_here();
    if (!self)
        return REAL(sched_yield)();
    control_point(self, HOOK_YIELD, NULL);
    return 0;
}

/* -- Not steered -------------------------------------------------------------------------------------------------- */

/* Others may go on before it; during it nobody can. */
static void passes(const char *name)
{
    struct strand *self = self_here();
    if (!self)
        return;
    outside_note(name);
    control_point(self, STEP_OUTSIDE, NULL);
}

EXPORT int pthread_rwlock_rdlock(pthread_rwlock_t *lock)
{
    passes("pthread_rwlock_rdlock");
    return REAL(pthread_rwlock_rdlock)(lock);
}

EXPORT int pthread_rwlock_wrlock(pthread_rwlock_t *lock)
{
    passes("pthread_rwlock_wrlock");
    return REAL(pthread_rwlock_wrlock)(lock);
}

EXPORT int pthread_barrier_wait(pthread_barrier_t *barrier)
{
    passes("pthread_barrier_wait");
    return REAL(pthread_barrier_wait)(barrier);
}

EXPORT int pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock,
                                  const struct timespec *until)
{
    passes("pthread_cond_clockwait");
    return REAL(pthread_cond_clockwait)(condition, mutex, clock, until);
}

EXPORT int sem_timedwait(sem_t *semaphore, const struct timespec *until)
{
    passes("sem_timedwait");
    return REAL(sem_timedwait)(semaphore, until);
}

EXPORT int clock_nanosleep(clockid_t clock, int flags, const struct timespec *time, struct timespec *left)
{
    passes("clock_nanosleep");
    return REAL(clock_nanosleep)(clock, flags, time, left);
}

EXPORT int poll(struct pollfd *files, nfds_t n, int timeout)
{
    passes("poll");
    return REAL(poll)(files, n, timeout);
}

EXPORT int select(int n, fd_set *restrict read, fd_set *restrict write, fd_set *restrict except,
                  struct timeval *restrict timeout)
{
    passes("select");
    return REAL(select)(n, read, write, except, timeout);
}

/* Nothing is there to be read: nobody else can move until something is. */
static bool blocks(int file)
{
    struct pollfd wait = {file, POLLIN, 0};
    return self_here() && REAL(poll)(&wait, 1, 0) == 0;
}

EXPORT ssize_t read(int file, void *buffer, size_t size)
{
    if (blocks(file))
        passes("read");
    return REAL(read)(file, buffer, size);
}

EXPORT ssize_t recv(int file, void *buffer, size_t size, int flags)
{
    if (blocks(file))
        passes("recv");
    return REAL(recv)(file, buffer, size, flags);
}
