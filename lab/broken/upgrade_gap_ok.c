/* upgrade_gap_ok.c - the correct twin of upgrade_gap.c: it is read
 * again, and changed, under the write lock. */

#include "broken.h"

static thr_rwlock lock = THR_RWLOCK_INIT;
static int hits;

static void *count(void *arg)
{
    (void)arg;
    (void)thr_rwlock_acquire_write(&lock);
    hits = hits + 1;
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
