/* abba.c - two locks taken in two orders.
 *
 * first                          second
 * takes a
 *                                takes b
 * waits for b                    waits for a */

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
    THR_HOLD(&b);
    THR_HOLD(&a);
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
