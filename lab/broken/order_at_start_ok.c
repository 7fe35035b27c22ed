/* order_at_start_ok.c - the correct twin of order_at_start.c: the name is
 * stored before the start. */

#include "broken.h"

static thr_lock lock = THR_LOCK_INIT;
static int started;
static const char *volatile name;
static volatile char initial;

static void *worker(void *arg)
{
    (void)arg;
    initial = name[0];
    return NULL;
}

int main(void)
{
    name = "worker";
    thr_thread *t = START(worker, NULL);

    {
        THR_HOLD(&lock);
        started++;
    }
    finish(t);
    return initial == 'w' ? 0 : 1;
}
