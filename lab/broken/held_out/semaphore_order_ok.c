/* semaphore_order_ok.c - the correct twin of semaphore_order.c: it waits for
 * an item, and then takes the lock. */

#include "../broken.h"

static thr_semaphore items = THR_SEMAPHORE_INIT(0);
static thr_lock lock = THR_LOCK_INIT;
static int slot;

static void *consumer(void *arg)
{
    (void)arg;
    thr_semaphore_acquire(&items);
    THR_HOLD(&lock);
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
