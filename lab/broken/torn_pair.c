/* torn_pair.c - two values that belong together are written in two steps, each under the lock.
 *
 * mover                          main
 * x = 1
 *                                reads x = 1, y = 0
 * y = 1 */

#include "broken.h"

static thr_lock lock = THR_LOCK_INIT;
static int x, y;

static void *mover(void *arg)
{
    (void)arg;
    for (int i = 1; i <= 2; i++) {
        {
            THR_HOLD(&lock);
            x = i;
        }
        THR_HOLD(&lock);
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
