/* early_end_ok.c - the correct twin of early_end.c: the last item
 * first. */

#include "../broken.h"

static thr_lock lock = THR_LOCK_INIT;
static thr_condition changed = THR_CONDITION_INIT;
static int items;
static bool finished;

static void put(void)
{
    THR_HOLD(&lock);
    items++;
    thr_condition_notify_all(&changed);
}

static void finish_putting(void)
{
    THR_HOLD(&lock);
    finished = true;
    thr_condition_notify_all(&changed);
}

static void *producer(void *arg)
{
    (void)arg;
    put();
    put();
    finish_putting();
    return NULL;
}

static bool take(void)
{
    THR_HOLD(&lock);
    while (items == 0 && !finished)
        thr_condition_wait(&changed, &lock);
    if (items == 0)
        return false;
    items--;
    return true;
}

int main(void)
{
    thr_thread *t = START(producer, NULL);
    int taken = 0;

    compute(30);
    while (take())
        taken++;
    finish(t);
    if (taken != 2)
        thr_lab_fail("two items were put, and %d taken", taken);
    return 0;
}
