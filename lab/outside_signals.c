/* outside_signals.c - calls that wait for a signal. They are made as they are, and reported; but others go on first, and what
 * an alarm sends (alarms.c) comes before the call.
 *
 * It must not come to its handler before that: so the strand has all signals blocked while it waits, and sigsuspend() lets
 * them in. */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "lab/alarms.h"
#include "lab/outside.h"

static void *next_pause;
static void *next_sigsuspend;
static void *next_sigtimedwait;
static void *next_sigwait;
static void *next_sigwaitinfo;

static bool is_pending(const sigset_t *wanted)
{
    sigset_t pending;
    if (sigpending(&pending) != 0)
        return true;
    for (int signal = 1; signal < NSIG; signal++) {
        if (sigismember(wanted, signal) == 1 && sigismember(&pending, signal) == 1)
            return true;
    }
    return false;
}

/* Others go on until one of these has come, or no alarm is left: then it is up to the system. All signals have to be blocked. */
static void await_signal(struct strand *self, const sigset_t *wanted, thr_time deadline)
{
    static const uint32_t nothing = 0;
    alarms_wait(self, wanted);
    while (!is_pending(wanted) && control_run->now < deadline) {
        thr_time next = alarms_next(false);
        if (next == THR_FOREVER && deadline == THR_FOREVER)
            break;
        (void)control_wait(self, &nothing, OS_ANY, next < deadline ? next : deadline);
    }
    alarms_wait(self, NULL);
}

/* With the signals blocked but those of `mask`, as sigsuspend() has them. */
static void await_handler(struct strand *self, const sigset_t *mask)
{
    sigset_t wanted;
    (void)sigemptyset(&wanted);
    for (int signal = 1; signal < NSIG; signal++) {
        if (sigismember(mask, signal) == 0)
            (void)sigaddset(&wanted, signal);
    }
    await_signal(self, &wanted, THR_FOREVER);
}

static int suspend(struct strand *self, const char *name, const sigset_t *mask)
{
    sigset_t all;
    sigset_t before;
    outside_passes(name);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    await_handler(self, mask ? mask : &before);
    int result = REAL(sigsuspend)(mask ? mask : &before);
    int saved = errno;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = saved;
    return result;
}

EXPORT int pause(void)
{
    struct strand *self = outside_self();
    return self ? suspend(self, "pause", NULL) : REAL(pause)();
}

EXPORT int sigsuspend(const sigset_t *mask)
{
    struct strand *self = outside_self();
    return self ? suspend(self, "sigsuspend", mask) : REAL(sigsuspend)(mask);
}

static void await_set(const char *name, const sigset_t *signals, thr_time deadline)
{
    struct strand *self = outside_self();
    sigset_t all;
    sigset_t before;
    if (!self)
        return;
    outside_passes(name);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    await_signal(self, signals, deadline);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

EXPORT int sigwait(const sigset_t *restrict signals, int *restrict signal)
{
    await_set("sigwait", signals, THR_FOREVER);
    return REAL(sigwait)(signals, signal);
}

EXPORT int sigwaitinfo(const sigset_t *restrict signals, siginfo_t *restrict about)
{
    await_set("sigwaitinfo", signals, THR_FOREVER);
    return REAL(sigwaitinfo)(signals, about);
}

EXPORT int sigtimedwait(const sigset_t *restrict signals, siginfo_t *restrict about,
                        const struct timespec *restrict span)
{
    static const struct timespec none;
    bool timed = outside_self() && span && span->tv_sec >= 0 && outside_is_time(span);
    await_set("sigtimedwait", signals,
              timed ? control_run->now + (thr_time)span->tv_sec * NANOSECONDS + span->tv_nsec : THR_FOREVER);
    return REAL(sigtimedwait)(signals, about, timed ? &none : span);
}
