/* outside_alarms.c - the calls that set the system's timers, in virtual time (alarms.c). */

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "lab/alarms.h"
#include "lab/outside.h"
#include "lab/zygote.h"

static void *next_alarm;
static void *next_getitimer;
static void *next_setitimer;
static void *next_timer_create;
static void *next_timer_delete;
static void *next_timer_getoverrun;
static void *next_timer_gettime;
static void *next_timer_settime;
static void *next_timerfd_create;

static thr_time of_timespec(const struct timespec *time)
{
    return (thr_time)time->tv_sec * NANOSECONDS + time->tv_nsec;
}

static struct timespec to_timespec(thr_time time)
{
    return (struct timespec){(time_t)(time / NANOSECONDS), (long)(time % NANOSECONDS)};
}

static thr_time of_timeval(const struct timeval *time)
{
    return (thr_time)time->tv_sec * NANOSECONDS + (thr_time)time->tv_usec * 1000;
}

/* Rounded up: what is set does not look as if it were not. */
static struct timeval to_timeval(thr_time time)
{
    time = (time + 999) / 1000;
    return (struct timeval){(time_t)(time / 1000000), (suseconds_t)(time % 1000000)};
}

static thr_time left_of(const struct alarm *alarm)
{
    if (!alarm->used || alarm->first <= 0 || alarm->deadline == THR_FOREVER)
        return 0;
    return alarm->deadline > control_run->now ? alarm->deadline - control_run->now : 1;
}

/* -- The one of the process --------------------------------------------------------------------------------------- */

static struct alarm *of_process(const char *call)
{
    struct alarm *alarm = &alarms[ALARM_OF_PROCESS];
    alarm->used = true;
    alarm->call = call;
    alarm->event.sigev_notify = SIGEV_SIGNAL;
    alarm->event.sigev_signo = SIGALRM;
    return alarm;
}

/* Before the run: it is set in the system, and this is for later. */
static void remember(struct alarm *alarm, thr_time first, thr_time period)
{
    alarm->first = first;
    alarm->period = period;
}

EXPORT unsigned alarm(unsigned seconds)
{
    thr_time first = (thr_time)seconds * NANOSECONDS;
    struct strand *self = outside_self();
    if (!self) {
        if (zygote_runs())
            remember(of_process("alarm"), first, 0);
        return REAL(alarm)(seconds);
    }
    outside_point(self, "alarm", NULL);
    struct alarm *alarm = of_process("alarm");
    thr_time left = left_of(alarm);
    alarms_set(alarm, first, 0);
    return (unsigned)((left + NANOSECONDS - 1) / NANOSECONDS);
}

static bool is_span(const struct itimerval *value)
{
    const suseconds_t limit = 1000000;
    return value->it_value.tv_sec >= 0 && value->it_value.tv_usec >= 0 && value->it_value.tv_usec < limit &&
           value->it_interval.tv_sec >= 0 && value->it_interval.tv_usec >= 0 && value->it_interval.tv_usec < limit;
}

static void put_left(const struct alarm *alarm, struct itimerval *value)
{
    value->it_value = to_timeval(left_of(alarm));
    value->it_interval = to_timeval(alarm->period);
}

EXPORT int setitimer(__itimer_which_t which, const struct itimerval *restrict value, struct itimerval *restrict old)
{
    struct strand *self = outside_self();
    if (!self && which == ITIMER_REAL && value && zygote_runs())
        remember(of_process("setitimer"), of_timeval(&value->it_value), of_timeval(&value->it_interval));
    if (!self)
        return REAL(setitimer)(which, value, old);
    if (which != ITIMER_REAL) {
        outside_passes("setitimer");
        return REAL(setitimer)(which, value, old);
    }
    if (!value || !is_span(value)) {
        errno = EINVAL;
        return -1;
    }
    outside_point(self, "setitimer", NULL);
    struct alarm *alarm = of_process("setitimer");
    if (old)
        put_left(alarm, old);
    alarms_set(alarm, of_timeval(&value->it_value), of_timeval(&value->it_interval));
    return 0;
}

EXPORT int getitimer(__itimer_which_t which, struct itimerval *value)
{
    if (!outside_self() || which != ITIMER_REAL)
        return REAL(getitimer)(which, value);
    put_left(&alarms[ALARM_OF_PROCESS], value);
    return 0;
}

/* -- Those of POSIX ----------------------------------------------------------------------------------------------- */

/* The address in the table is what the program has as the timer; NULL: this one is the system's. */
static struct alarm *alarm_of(timer_t timer)
{
    uintptr_t first = (uintptr_t)&alarms[ALARM_OF_PROCESS + 1];
    uintptr_t at = (uintptr_t)timer;
    return at >= first && at < (uintptr_t)&alarms[ALARMS] ? (struct alarm *)timer : NULL;
}

static struct alarm *new_alarm(void)
{
    for (size_t i = ALARM_OF_PROCESS + 1; i < ALARMS; i++) {
        if (!alarms[i].used) {
            memset(&alarms[i], 0, sizeof alarms[i]);
            return &alarms[i];
        }
    }
    return NULL;
}

static void fill(struct alarm *alarm, const struct sigevent *event)
{
    alarm->used = true;
    alarm->call = "timer_create";
    alarm->deadline = THR_FOREVER;
    if (event)
        alarm->event = *event;
    else
        alarm->event = (struct sigevent){
            .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM, .sigev_value = {.sival_ptr = alarm}};
}

static bool is_steered(clockid_t clock)
{
    return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC || clock == CLOCK_BOOTTIME;
}

/* What the system would refuse is refused by it, of a timer that is not kept. */
static int is_refused(clockid_t clock, struct sigevent *event)
{
    timer_t timer;
    struct sigevent none = {.sigev_notify = SIGEV_NONE};
    bool thread = event && event->sigev_notify == SIGEV_THREAD;
    if (REAL(timer_create)(clock, thread ? &none : event, &timer) != 0)
        return -1;
    return REAL(timer_delete)(timer);
}

static int create_before(clockid_t clock, struct sigevent *restrict event, timer_t *restrict timer)
{
    struct alarm *alarm = new_alarm();
    if (!alarm) {
        errno = EAGAIN;
        return -1;
    }
    if (REAL(timer_create)(clock, event, &alarm->real) != 0)
        return -1;
    alarm->exists = true;
    fill(alarm, event);
    *timer = alarm;
    return 0;
}

EXPORT int timer_create(clockid_t clock, struct sigevent *restrict event, timer_t *restrict timer)
{
    struct strand *self = outside_self();
    if (!self && zygote_runs() && is_steered(clock))
        return create_before(clock, event, timer);
    if (!self || !is_steered(clock)) {
        outside_passes("timer_create");
        return REAL(timer_create)(clock, event, timer);
    }
    outside_point(self, "timer_create", NULL);
    if (is_refused(clock, event) != 0)
        return -1;
    struct alarm *alarm = new_alarm();
    if (!alarm) {
        errno = EAGAIN;
        return -1;
    }
    fill(alarm, event);
    *timer = alarm;
    return 0;
}

static bool is_right(const struct itimerspec *value)
{
    return value->it_value.tv_sec >= 0 && outside_is_time(&value->it_value) && value->it_interval.tv_sec >= 0 &&
           outside_is_time(&value->it_interval);
}

static void put_rest(const struct alarm *alarm, struct itimerspec *value)
{
    value->it_value = to_timespec(left_of(alarm));
    value->it_interval = to_timespec(alarm->period);
}

static thr_time span_of(int flags, const struct itimerspec *value)
{
    thr_time time = of_timespec(&value->it_value);
    if (time == 0 || !(flags & TIMER_ABSTIME))
        return time;
    time = outside_deadline(&value->it_value) - control_run->now;
    return time > 0 ? time : 1;
}

/* A time is made a span: it is this from the beginning of each run. */
static void remember_time(struct alarm *alarm, int flags, const struct itimerspec *value)
{
    struct itimerspec left;
    thr_time first = of_timespec(&value->it_value);
    if (flags & TIMER_ABSTIME && first != 0)
        first = REAL(timer_gettime)(alarm->real, &left) == 0 ? of_timespec(&left.it_value) : 0;
    remember(alarm, first, of_timespec(&value->it_interval));
}

EXPORT int timer_settime(timer_t timer, int flags, const struct itimerspec *restrict value,
                         struct itimerspec *restrict old)
{
    struct strand *self = outside_self();
    struct alarm *alarm = alarm_of(timer);
    if (!alarm || (!self && !alarm->exists))
        return REAL(timer_settime)(timer, flags, value, old);
    if (!self) {
        int result = REAL(timer_settime)(alarm->real, flags, value, old);
        if (result == 0)
            remember_time(alarm, flags, value);
        return result;
    }
    if (!alarm->used || !value || !is_right(value)) {
        errno = EINVAL;
        return -1;
    }
    outside_point(self, "timer_settime", alarm);
    if (old)
        put_rest(alarm, old);
    alarms_set(alarm, span_of(flags, value), of_timespec(&value->it_interval));
    return 0;
}

EXPORT int timer_gettime(timer_t timer, struct itimerspec *value)
{
    struct alarm *alarm = alarm_of(timer);
    if (!alarm || (!outside_self() && !alarm->exists))
        return REAL(timer_gettime)(timer, value);
    if (!outside_self())
        return REAL(timer_gettime)(alarm->real, value);
    if (!alarm->used) {
        errno = EINVAL;
        return -1;
    }
    put_rest(alarm, value);
    return 0;
}

EXPORT int timer_getoverrun(timer_t timer)
{
    struct alarm *alarm = alarm_of(timer);
    if (!alarm)
        return REAL(timer_getoverrun)(timer);
    return control_run || !alarm->exists ? 0 : REAL(timer_getoverrun)(alarm->real);
}

EXPORT int timer_delete(timer_t timer)
{
    struct alarm *alarm = alarm_of(timer);
    if (!alarm)
        return REAL(timer_delete)(timer);
    if (!alarm->used) {
        errno = EINVAL;
        return -1;
    }
    alarm->used = false;
    return !control_run && alarm->exists ? REAL(timer_delete)(alarm->real) : 0;
}

static bool files; /* one was made before the run */

EXPORT int timerfd_create(clockid_t clock, int flags)
{
    files = files || zygote_runs();
    outside_passes("timerfd_create");
    return REAL(timerfd_create)(clock, flags);
}

void outside_alarms_begin(void)
{
    if (files)
        outside_note("timerfd_create");
    alarms_begin();
}
