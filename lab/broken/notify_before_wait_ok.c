/* notify_before_wait_ok.c - the correct twin of notify_before_wait.c: what
 * happened is kept in a variable, and the wait is for that. */

#include "broken.h"

static thr_lock lock = THR_LOCK_INIT;
static thr_condition done = THR_CONDITION_INIT;
static bool is_done;

static void *helper(void *arg)
{
    (void)arg;
    THR_HOLD(&lock);
    is_done = true;
    thr_condition_notify(&done, 1);
    return NULL;
}

int main(void)
{
    thr_thread *t = START(helper, NULL);

    {
        THR_HOLD(&lock);
        while (!is_done)
            thr_condition_wait(&done, &lock);
    }
    finish(t);
    return 0;
}
