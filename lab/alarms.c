/* alarms.c - the system's timers, in virtual time.
 *
 *  set before the first thread    the system's: the process from which runs are forked goes on in real time. There they are
 *                                 taken back when it stops, and each run has them as they were set
 *  in a run                       a deadline, as those of strands: when time moves past it, the alarm goes off
 *  those of processor time        the system's. A run has no processor time from before it, and starts them afresh
 *
 * An alarm that tells by a thread starts one under control. One that tells by a signal sends it: in which thread its handler
 * runs is up to the system, and not under control. That is the first thread, where it does not block the signal; so it is sent
 * it itself when it waits for it, and has it blocked only for that (outside_alarms.c).
 *
 * A1  An alarm goes off in a decision, by whoever has the turn: nobody else runs meanwhile but the handler.
 * A2  While no strand takes a step only so many go off: what tells nobody anything is no reason to go on for ever.
 * A3  Where no strand has a deadline, an alarm that would only end the process does not go off: it is a watchdog, and what it
 *     would end is what has to be reported. */

#include "lab/alarms.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "lab/control.h"
#include "lab/job.h"
#include "lab/outside.h"

enum { IN_A_ROW = 100 /* A2 */ };

struct alarm alarms[ALARMS];

static struct itimerval virtual, profiling;
static uint64_t last_step;
static uint32_t in_a_row;

static struct {
    const struct strand *strand;
    sigset_t signals;
} waiter;

/* -- Before the run ----------------------------------------------------------------------------------------------- */

static bool is_on(const struct itimerval *timer)
{
    return timer->it_value.tv_sec != 0 || timer->it_value.tv_usec != 0;
}

static void take_back(struct alarm *alarm)
{
    static const struct itimerspec off;
    struct itimerspec left;
    if (timer_settime(alarm->real, 0, &off, &left) != 0 || (left.it_value.tv_sec == 0 && left.it_value.tv_nsec == 0))
        alarm->first = 0; /* it has gone off */
}

void alarms_record(void)
{
    static const struct itimerval off;
    struct itimerval real;
    outside_enter();
    (void)setitimer(ITIMER_REAL, &off, &real);
    (void)setitimer(ITIMER_VIRTUAL, &off, &virtual);
    (void)setitimer(ITIMER_PROF, &off, &profiling);
    if (!is_on(&real))
        alarms[ALARM_OF_PROCESS].first = 0;
    for (size_t i = 0; i < ALARMS; i++) {
        if (alarms[i].used && alarms[i].exists)
            take_back(&alarms[i]);
    }
    outside_leave();
}

void alarms_serve(void)
{
    if (is_on(&virtual))
        (void)setitimer(ITIMER_VIRTUAL, &virtual, NULL);
    if (is_on(&profiling))
        (void)setitimer(ITIMER_PROF, &profiling, NULL);
}

void alarms_begin(void)
{
    last_step = 0;
    in_a_row = 0;
    waiter.strand = NULL;
    if (is_on(&virtual) || is_on(&profiling))
        outside_note("setitimer");
    for (size_t i = 0; i < ALARMS; i++) {
        if (alarms[i].used)
            alarms_set(&alarms[i], alarms[i].first, alarms[i].period);
    }
}

/* -- Setting ------------------------------------------------------------------------------------------------------ */

void alarms_set(struct alarm *alarm, thr_time first, thr_time period)
{
    thr_time now = control_run->now;
    alarm->first = first;
    alarm->period = period;
    alarm->deadline = first > 0 && first < THR_FOREVER - now ? now + first : THR_FOREVER;
    bool signals = alarm->event.sigev_notify == SIGEV_SIGNAL || alarm->event.sigev_notify == SIGEV_THREAD_ID;
    if (alarm->deadline != THR_FOREVER && signals)
        outside_note(alarm->call);
}

/* -- Which is next ------------------------------------------------------------------------------------------------ */

/* Whether somebody may go on by it: a thread, a handler, who waits for the signal. */
static bool may_help(const struct alarm *alarm)
{
    struct sigaction action;
    sigset_t blocked;
    int signal = alarm->event.sigev_signo;
    if (alarm->event.sigev_notify == SIGEV_THREAD)
        return true;
    if (alarm->event.sigev_notify == SIGEV_NONE || sigaction(signal, NULL, &action) != 0)
        return false;
    if (waiter.strand && sigismember(&waiter.signals, signal) == 1)
        return true;
    bool masked = pthread_sigmask(SIG_BLOCK, NULL, &blocked) == 0 && sigismember(&blocked, signal) == 1;
    return masked || (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN);
}

thr_time alarms_next(bool helps)
{
    thr_time next = THR_FOREVER;
    if (in_a_row >= IN_A_ROW && last_step == control_run->steps)
        return THR_FOREVER;
    for (size_t i = 0; i < ALARMS; i++) {
        const struct alarm *alarm = &alarms[i];
        if (alarm->used && alarm->first > 0 && alarm->deadline < next && (!helps || may_help(alarm)))
            next = alarm->deadline;
    }
    return next;
}

void alarms_wait(const struct strand *self, const sigset_t *signals)
{
    waiter.strand = signals ? self : NULL;
    if (signals)
        waiter.signals = *signals;
}

/* -- Going off ---------------------------------------------------------------------------------------------------- */

static void send(const struct alarm *alarm)
{
    int signal = alarm->event.sigev_signo;
    siginfo_t about;
    memset(&about, 0, sizeof about);
    about.si_signo = signal;
    about.si_code = SI_TIMER; /* that of the process has SI_KERNEL, which only the first thread may send */
    about.si_value = alarm->event.sigev_value;
    pid_t thread = alarm->event.sigev_notify == SIGEV_THREAD_ID ? alarm->event._sigev_un._tid : 0;
    if (thread == 0 && waiter.strand && waiter.strand->main && sigismember(&waiter.signals, signal) == 1)
        thread = waiter.strand->system_id;
    if (thread != 0)
        (void)syscall(SYS_rt_tgsigqueueinfo, getpid(), thread, signal, &about);
    else
        (void)syscall(SYS_rt_sigqueueinfo, getpid(), signal, &about);
    outside_let_handlers_run(signal);
}

struct thread_call {
    void (*function)(union sigval);
    union sigval value;
};

static void *call(void *arg)
{
    const struct thread_call what = *(const struct thread_call *)arg;
    outside_enter();
    free(arg);
    outside_leave();
    what.function(what.value);
    return NULL;
}

static void start(const struct alarm *alarm)
{
    struct thread_call *arg = malloc(sizeof *arg);
    const pthread_attr_t *attributes = alarm->event.sigev_notify_attributes;
    size_t stack = 0;
    if (!arg)
        return;
    *arg = (struct thread_call){alarm->event.sigev_notify_function, alarm->event.sigev_value};
    if (attributes)
        (void)pthread_attr_getstacksize(attributes, &stack);
    const struct control_thread what = {stack, true, call, arg, NULL, "alarm"};
    control_start_alarm(&what);
}

static void go_off(struct alarm *alarm, thr_time now)
{
    if (alarm->period <= 0)
        alarm->first = 0;
    alarm->deadline = alarm->period > 0 && alarm->period < THR_FOREVER - now ? now + alarm->period : THR_FOREVER;
    if (alarm->event.sigev_notify == SIGEV_THREAD)
        start(alarm);
    else if (alarm->event.sigev_notify != SIGEV_NONE)
        send(alarm);
}

void alarms_go_off(const struct run *run)
{
    for (size_t i = 0; i < ALARMS; i++) {
        struct alarm *alarm = &alarms[i];
        if (!alarm->used || alarm->first <= 0 || alarm->deadline > run->now)
            continue;
        in_a_row = last_step == run->steps ? in_a_row + 1 : 1;
        last_step = run->steps;
        go_off(alarm, run->now);
    }
}
