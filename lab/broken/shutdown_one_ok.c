/* shutdown_one_ok.c - the correct twin of shutdown_one.c: all are notified. */

#include "broken.h"

static thr_lock lock = THR_LOCK_INIT;
static thr_condition changed = THR_CONDITION_INIT;
static bool stopping;

static void *consumer(void *arg)
{
    (void)arg;
    THR_HOLD(&lock);
    while (!stopping)
        thr_condition_wait(&changed, &lock);
    return NULL;
}

int main(void)
{
    thr_thread *first = START(consumer, NULL);
    thr_thread *second = START(consumer, NULL);

    {
        THR_HOLD(&lock);
        stopping = true;
        thr_condition_notify_all(&changed);
    }
    finish(first);
    finish(second);
    return 0;
}
