/* join_under_lock_ok.c - the correct twin of join_under_lock.c: the lock
 * is released before the join. */

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

    {
        THR_HOLD(&lock);
        results++;
    }
    finish(t);
    return results == 2 ? 0 : 1;
}
