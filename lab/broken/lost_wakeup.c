/* lost_wakeup.c - a lost wake-up: the flag is looked at without the lock.
 *
 * waiter                         main
 * ready is false
 *                                ready = true, notifies: nobody waits
 * waits, for ever */

#include "broken.h"

static thr_lock lock = THR_LOCK_INIT;
static thr_condition changed = THR_CONDITION_INIT;
static bool ready;

static void *waiter(void *arg)
{
    (void)arg;
    if (!__atomic_load_n(&ready, __ATOMIC_ACQUIRE)) {
        THR_HOLD(&lock);
        thr_condition_wait(&changed, &lock);
    }
    return NULL;
}

int main(void)
{
    thr_thread *t = START(waiter, NULL);

    {
        THR_HOLD(&lock);
        __atomic_store_n(&ready, true, __ATOMIC_RELEASE);
        thr_condition_notify(&changed, 1);
    }
    finish(t);
    return 0;
}
