/* stop_unseen.c - a stop flag that nobody looks at while they sleep: the consumer is asleep for an item when it goes up.
 *
 * consumer                       main
 * is not told to stop
 *                                stopping = true
 * sleeps for an item, for ever */

#include "broken.h"

static thr_semaphore items = THR_SEMAPHORE_INIT(0);
static bool stopping;

static void *consumer(void *arg)
{
    (void)arg;
    while (!__atomic_load_n(&stopping, __ATOMIC_ACQUIRE))
        thr_semaphore_acquire(&items);
    return NULL;
}

int main(void)
{
    thr_thread *t = START(consumer, NULL);

    (void)thr_semaphore_release(&items, 1);
    __atomic_store_n(&stopping, true, __ATOMIC_RELEASE);
    finish(t);
    return 0;
}
