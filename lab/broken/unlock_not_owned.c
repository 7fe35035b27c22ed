/* unlock_not_owned.c - a lock is released by who did not get it; any thread may release a lock, so it is free, under the feet
 * of who holds it.
 *
 * one                 two                             three
 * takes the lock
 *                     does not get it, goes on
 *                     releases it
 *                                                     takes it, too */

#include "broken.h"

static thr_lock lock = THR_LOCK_INIT;
static int inside;

static void section(void)
{
    if (__atomic_add_fetch(&inside, 1, __ATOMIC_RELAXED) > 1)
        thr_lab_fail("two threads hold one lock");
    thr_yield_point();
    (void)__atomic_sub_fetch(&inside, 1, __ATOMIC_RELAXED);
}

static void *worker(void *arg)
{
    (void)arg;
    bool mine = thr_lock_try_acquire(&lock);
    if (mine)
        section();
    (void)thr_lock_release(&lock);
    return NULL;
}

int main(void)
{
    thr_thread *threads[] = {START(worker, NULL), START(worker, NULL), START(worker, NULL)};

    for (int i = 0; i < 3; i++)
        finish(threads[i]);
    return 0;
}
