/* missing_while_ok.c - the correct twin of missing_while.c: the
 * wait is in a loop. */

#include "broken.h"

static thr_lock lock = THR_LOCK_INIT;
static thr_condition changed = THR_CONDITION_INIT;
static int items;

static void *consumer(void *arg)
{
    (void)arg;
    THR_HOLD(&lock);
    while (items == 0)
        thr_condition_wait(&changed, &lock);
    items--;
    if (items < 0)
        thr_lab_fail("took an item that was not there");
    return NULL;
}

int main(void)
{
    thr_thread *first = START(consumer, NULL);
    thr_thread *second = START(consumer, NULL);

    for (int i = 0; i < 2; i++) {
        THR_HOLD(&lock);
        items++;
        thr_condition_notify(&changed, 1);
    }
    finish(first);
    finish(second);
    return 0;
}
