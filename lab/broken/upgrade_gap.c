/* upgrade_gap.c - a read lock given up and a write lock taken instead: in the gap, what was read becomes old.
 *
 * one                            two
 * reads 0, gives the lock up
 *                                reads 0, gives the lock up
 * writes 1
 *                                writes 1: a count is lost */

#include "broken.h"

static thr_rwlock lock = THR_RWLOCK_INIT;
static int hits;

static void *count(void *arg)
{
    (void)arg;
    (void)thr_rwlock_acquire_read(&lock);
    int seen = hits;
    (void)thr_rwlock_release_read(&lock);

    (void)thr_rwlock_acquire_write(&lock);
    hits = seen + 1;
    (void)thr_rwlock_release_write(&lock);
    return NULL;
}

int main(void)
{
    thr_thread *one = START(count, NULL);
    thr_thread *two = START(count, NULL);

    finish(one);
    finish(two);
    if (hits != 2)
        thr_lab_fail("two were counted, and there are %d", hits);
    return 0;
}
