/* lost_wakeup_ok.c - the correct twin of lost_wakeup.c: the waiter looks under the
 * lock, and a notify cannot come between the look and the wait. */

#include "broken.h"

static thr_lock lock = THR_LOCK_INIT;
static thr_condition changed = THR_CONDITION_INIT;
static bool ready;

static void *waiter(void *arg)
{
    (void)arg;
    THR_HOLD(&lock);
    while (!ready)
        thr_condition_wait(&changed, &lock);
    return NULL;
}

int main(void)
{
    thr_thread *t = START(waiter, NULL);

    {
        THR_HOLD(&lock);
        ready = true;
        thr_condition_notify(&changed, 1);
    }
    finish(t);
    return 0;
}
