/* alarms.c - interval timers (alarm, setitimer) that the program has set before its first thread: they are each run's own.
 *
 * A fork does not inherit them. In the process from which runs are forked they would end, or disturb, the search. */

#include <stdbool.h>
#include <stddef.h>
#include <sys/time.h>

#include "lab/job.h"

static struct itimerval real, virtual, profiling;

void alarms_record(void)
{
    static const struct itimerval off = {{0, 0}, {0, 0}};
    (void)setitimer(ITIMER_REAL, &off, &real);
    (void)setitimer(ITIMER_VIRTUAL, &off, &virtual);
    (void)setitimer(ITIMER_PROF, &off, &profiling);
}

static bool is_set(const struct itimerval *timer)
{
    return timer->it_value.tv_sec != 0 || timer->it_value.tv_usec != 0;
}

void alarms_serve(void)
{
    if (is_set(&real))
        (void)setitimer(ITIMER_REAL, &real, NULL);
    if (is_set(&virtual))
        (void)setitimer(ITIMER_VIRTUAL, &virtual, NULL);
    if (is_set(&profiling))
        (void)setitimer(ITIMER_PROF, &profiling, NULL);
}
