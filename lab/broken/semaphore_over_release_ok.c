/* semaphore_over_release_ok.c - the correct twin of semaphore_over_release.c: who
 * did not get the seat releases nothing. */

#include "broken.h"

static thr_semaphore seat = THR_SEMAPHORE_INIT(1);
static int seated;

static void sit(void)
{
    if (__atomic_add_fetch(&seated, 1, __ATOMIC_RELAXED) > 1)
        thr_lab_fail("two guests on one seat");
    thr_yield_point();
    (void)__atomic_sub_fetch(&seated, 1, __ATOMIC_RELAXED);
}

static void *guest(void *arg)
{
    (void)arg;
    if (thr_semaphore_try_acquire(&seat)) {
        sit();
        (void)thr_semaphore_release(&seat, 1);
    }
    return NULL;
}

int main(void)
{
    thr_thread *threads[] = {START(guest, NULL), START(guest, NULL), START(guest, NULL)};

    for (int i = 0; i < 3; i++)
        finish(threads[i]);
    return 0;
}
