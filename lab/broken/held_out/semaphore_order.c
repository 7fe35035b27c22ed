/* semaphore_order.c - a consumer that takes the lock and then waits for an item, which nobody can put while it holds the lock.
 *
 * consumer                       main
 * takes the lock
 * waits for an item
 *                                waits for the lock, for ever */

#include "../broken.h"

static thr_semaphore items = THR_SEMAPHORE_INIT(0);
static thr_lock lock = THR_LOCK_INIT;
static int slot;

static void *consumer(void *arg)
{
    (void)arg;
    THR_HOLD(&lock);
    thr_semaphore_acquire(&items);
    if (slot != 42)
        thr_lab_fail("took %d", slot);
    return NULL;
}

int main(void)
{
    thr_thread *t = START(consumer, NULL);

    {
        THR_HOLD(&lock);
        slot = 42;
    }
    (void)thr_semaphore_release(&items, 1);
    finish(t);
    return 0;
}
