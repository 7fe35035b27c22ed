/* release_before_data.c - a permit is released before the item is there that it stands for.
 *
 * main                           consumer
 * releases a permit
 *                                acquires it, takes an item: there is none
 * stores the item */

#include "broken.h"

static thr_semaphore items = THR_SEMAPHORE_INIT(0);
static thr_lock lock = THR_LOCK_INIT;
static int slot;

static void store(int item)
{
    THR_HOLD(&lock);
    slot = item;
}

static int take(void)
{
    THR_HOLD(&lock);
    return slot;
}

static void *consumer(void *arg)
{
    (void)arg;
    thr_semaphore_acquire(&items);
    if (take() != 42)
        thr_lab_fail("a permit, but no item");
    return NULL;
}

int main(void)
{
    thr_thread *t = START(consumer, NULL);

    (void)thr_semaphore_release(&items, 1);
    store(42);
    finish(t);
    return 0;
}
