/* one_condition_ok.c - the correct twin of one_condition.c: one
 * condition for those who want to put, one for those who want to take. */

#include "broken.h"

enum { ITEMS = 2 };

static thr_lock lock = THR_LOCK_INIT;
static thr_condition not_full = THR_CONDITION_INIT;
static thr_condition not_empty = THR_CONDITION_INIT;
static bool full;

static void *producer(void *arg)
{
    (void)arg;
    for (int i = 0; i < ITEMS; i++) {
        THR_HOLD(&lock);
        while (full)
            thr_condition_wait(&not_full, &lock);
        full = true;
        thr_condition_notify(&not_empty, 1);
    }
    return NULL;
}

static void *consumer(void *arg)
{
    (void)arg;
    for (int i = 0; i < ITEMS; i++) {
        THR_HOLD(&lock);
        while (!full)
            thr_condition_wait(&not_empty, &lock);
        full = false;
        thr_condition_notify(&not_full, 1);
    }
    return NULL;
}

int main(void)
{
    thr_thread *threads[] = {START(producer, NULL), START(consumer, NULL), START(producer, NULL),
                             START(consumer, NULL)};

    for (int i = 0; i < 4; i++)
        finish(threads[i]);
    return 0;
}
