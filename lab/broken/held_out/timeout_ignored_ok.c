/* timeout_ignored_ok.c - the correct twin of timeout_ignored.c: it looks, and
 * does without. */

#include "../broken.h"

static thr_lock lock = THR_LOCK_INIT;
static thr_condition changed = THR_CONDITION_INIT;
static bool ready;
static int answer;

static void *producer(void *arg)
{
    (void)arg;
    thr_sleep(0.01);
    THR_HOLD(&lock);
    answer = 42;
    ready = true;
    thr_condition_notify(&changed, 1);
    return NULL;
}

int main(void)
{
    thr_thread *t = START(producer, NULL);

    {
        thr_time deadline = thr_after(0.5);
        thr_result result = THR_OK;

        THR_HOLD(&lock);
        while (!ready && result == THR_OK)
            result = thr_condition_wait_until(&changed, &lock, deadline);
        if (ready && answer != 42)
            thr_lab_fail("used an answer that is not there");
    }
    finish(t);
    return 0;
}
