/* event_coalesced.c - one job is done for each time that an event is seen: two sets may be seen as one.
 *
 * consumer                       main
 *                                adds a job, sets the event
 *                                adds a job, sets the event
 * sees it, clears it, does one job
 * waits for ever */

#include "../broken.h"

enum { JOBS = 2 };

static thr_event ready = THR_EVENT_INIT;
static thr_event work = THR_EVENT_INIT;
static thr_lock lock = THR_LOCK_INIT;
static int jobs;

static int take_job(void)
{
    THR_HOLD(&lock);
    return jobs > 0 ? jobs-- : 0;
}

static void *consumer(void *arg)
{
    (void)arg;
    thr_event_set(&ready);
    for (int done = 0; done < JOBS;) {
        thr_event_wait(&work);
        thr_event_clear(&work);
        if (take_job() > 0)
            done++;
    }
    return NULL;
}

int main(void)
{
    thr_thread *t = START(consumer, NULL);

    thr_event_wait(&ready);
    for (int i = 0; i < JOBS; i++) {
        {
            THR_HOLD(&lock);
            jobs++;
        }
        thr_event_set(&work);
        compute(60);
    }
    finish(t);
    return 0;
}
