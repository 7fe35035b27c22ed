/* alarms.h - the timers of the system that tell by a signal or a new thread: alarm, setitimer, timer_create. See alarms.c. */

#ifndef LAB_ALARMS_H
#define LAB_ALARMS_H

#include <signal.h>
#include <time.h>

#include "lab/run.h"

struct alarm {
    bool used;
    bool exists; /* in the system: it was made before the run */
    timer_t real;
    const char *call;
    struct sigevent event;
    thr_time first; /* as it was last set; 0: it is not set */
    thr_time period;
    thr_time deadline; /* in a run; THR_FOREVER: none */
};

enum { ALARM_OF_PROCESS /* that of alarm() and setitimer(ITIMER_REAL) */, ALARMS = 256 };

extern struct alarm alarms[ALARMS];

/* When the next one goes off; THR_FOREVER: none does. `helps`: of those only that may let somebody go on. */
thr_time alarms_next(bool helps);

/* Those of which the time has come go off. */
void alarms_go_off(const struct run *run);

/* Sets one, in a run: `first` nanoseconds from now (0: never), then each `period` (0: no more). */
void alarms_set(struct alarm *alarm, thr_time first, thr_time period);

/* The calling strand has all signals blocked, and waits for these. NULL: it waits no more. */
void alarms_wait(const struct strand *self, const sigset_t *signals);

/* A run begins: those that were set before it are set, as they were then. */
void alarms_begin(void);

#endif
