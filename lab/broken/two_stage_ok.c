/* two_stage_ok.c - the correct twin of two_stage.c: the writer holds a until
 * both are there, and the reader holds it while it reads both. */

#include "broken.h"

static thr_lock a = THR_LOCK_INIT;
static thr_lock b = THR_LOCK_INIT;
static int first, second;

static void *writer(void *arg)
{
    (void)arg;
    THR_HOLD(&a);
    first = 1;
    THR_HOLD(&b);
    second = first + 1;
    return NULL;
}

static void *reader(void *arg)
{
    (void)arg;
    THR_HOLD(&a);
    if (first == 0)
        return NULL;
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
