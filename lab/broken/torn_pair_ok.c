/* torn_pair_ok.c - the correct twin of torn_pair.c: in one step. */

#include "broken.h"

static thr_lock lock = THR_LOCK_INIT;
static int x, y;

static void *mover(void *arg)
{
    (void)arg;
    for (int i = 1; i <= 2; i++) {
        THR_HOLD(&lock);
        x = i;
        y = i;
    }
    return NULL;
}

int main(void)
{
    thr_thread *t = START(mover, NULL);

    {
        THR_HOLD(&lock);
        if (x != y)
            thr_lab_fail("at %d, %d: never there", x, y);
    }
    finish(t);
    return 0;
}
