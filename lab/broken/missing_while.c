/* missing_while.c - `if` around a wait where `while` belongs: what was true at the notify is no longer true when the wait
 * returns.
 *
 * consumer 1                     main                           consumer 2
 * nothing there: waits
 *                                puts one, notifies
 *                                                               takes it
 * returns from the wait, takes what is not there */

#include "broken.h"

static thr_lock lock = THR_LOCK_INIT;
static thr_condition changed = THR_CONDITION_INIT;
static int items;

static void *consumer(void *arg)
{
    (void)arg;
    THR_HOLD(&lock);
    if (items == 0)
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
