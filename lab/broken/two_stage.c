/* two_stage.c - a value and what is derived from it, each under a lock of its own: a reader between the two stages sees
 * the one without the other.
 *
 * writer                         reader
 * first = 1, under a
 *                                first is 1, second is 0
 * second = 2, under b */

#include "broken.h"

static thr_lock a = THR_LOCK_INIT;
static thr_lock b = THR_LOCK_INIT;
static int first, second;

static void *writer(void *arg)
{
    (void)arg;
    {
        THR_HOLD(&a);
        first = 1;
    }
    THR_HOLD(&b);
    second = first + 1;
    return NULL;
}

static void *reader(void *arg)
{
    (void)arg;
    {
        THR_HOLD(&a);
        if (first == 0)
            return NULL;
    }
    THR_HOLD(&b);
    if (second != 2)
        thr_lab_fail("first is there, and second is %d", second);
    return NULL;
}

int main(void)
{
    thr_thread *t = START(reader, NULL);
    thr_thread *u = START(writer, NULL);

    finish(t);
    finish(u);
    return 0;
}
