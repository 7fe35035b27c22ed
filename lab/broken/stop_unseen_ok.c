/* stop_unseen_ok.c - the correct twin of stop_unseen.c: after
 * the flag, an item is released that is none. */

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
    (void)thr_semaphore_release(&items, 1);
    finish(t);
    return 0;
}
