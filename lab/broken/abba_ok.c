/* abba_ok.c - the correct twin of abba.c: both take a before b. */

#include "broken.h"

static thr_lock a = THR_LOCK_INIT;
static thr_lock b = THR_LOCK_INIT;
static int both;

static void *first(void *arg)
{
    (void)arg;
    THR_HOLD(&a);
    THR_HOLD(&b);
    both++;
    return NULL;
}

static void *second(void *arg)
{
    (void)arg;
    THR_HOLD(&a);
    THR_HOLD(&b);
    both++;
    return NULL;
}

int main(void)
{
    thr_thread *t = START(first, NULL);
    thr_thread *u = START(second, NULL);

    finish(t);
    finish(u);
    return both == 2 ? 0 : 1;
}
