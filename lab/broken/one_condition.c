/* one_condition.c - a bounded buffer whose producers and consumers wait on one condition, and are notified one at a time:
 * the wake-up may go to one who cannot use it.
 *
 * With room for one item: both consumers wait; a producer puts and notifies consumer 1; before that one runs, the other
 * producer finds the buffer full and waits; consumer 1 takes the item, and its notify goes to consumer 2, who has waited
 * longer, finds nothing, and waits again. The producer waits for ever, and so do both consumers. */

#include "broken.h"

enum { ITEMS = 2 };

static thr_lock lock = THR_LOCK_INIT;
static thr_condition changed = THR_CONDITION_INIT;
static bool full;

static void *producer(void *arg)
{
    (void)arg;
    for (int i = 0; i < ITEMS; i++) {
        THR_HOLD(&lock);
        while (full)
            thr_condition_wait(&changed, &lock);
        full = true;
        thr_condition_notify(&changed, 1);
    }
    return NULL;
}

static void *consumer(void *arg)
{
    (void)arg;
    for (int i = 0; i < ITEMS; i++) {
        THR_HOLD(&lock);
        while (!full)
            thr_condition_wait(&changed, &lock);
        full = false;
        thr_condition_notify(&changed, 1);
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
