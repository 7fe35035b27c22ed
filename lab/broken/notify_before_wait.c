/* notify_before_wait.c - a notify that comes before the wait: conditions do not remember.
 *
 * main                           helper
 * starts helper
 *                                notifies: nobody waits
 * waits, for ever */

#include "broken.h"

static thr_lock lock = THR_LOCK_INIT;
static thr_condition done = THR_CONDITION_INIT;

static void *helper(void *arg)
{
    (void)arg;
    THR_HOLD(&lock);
    thr_condition_notify(&done, 1);
    return NULL;
}

int main(void)
{
    thr_thread *t = START(helper, NULL);

    {
        THR_HOLD(&lock);
        thr_condition_wait(&done, &lock);
    }
    finish(t);
    return 0;
}
