/* join_under_lock.c - a thread is joined under a lock that it needs to come to its end.
 *
 * main                           worker
 *                                says that it works
 * takes the lock
 * joins the worker
 *                                waits for the lock, for ever */

#include "broken.h"

static thr_event working = THR_EVENT_INIT;
static thr_lock lock = THR_LOCK_INIT;
static int results;

static void *worker(void *arg)
{
    (void)arg;
    thr_event_set(&working);
    THR_HOLD(&lock);
    results++;
    return NULL;
}

int main(void)
{
    thr_thread *t = START(worker, NULL);
    thr_event_wait(&working);
    compute(30);

    THR_HOLD(&lock);
    results++;
    finish(t);
    return results == 2 ? 0 : 1;
}
