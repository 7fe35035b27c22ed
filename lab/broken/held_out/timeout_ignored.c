/* timeout_ignored.c - what a wait with a deadline returns is not looked at: when the time is up, what was waited for is not
 * there.
 *
 * consumer                       producer
 * waits for half a second
 *                                is late
 * its time is up, uses the answer: there is none
 *                                stores the answer */

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
        if (answer != 42)
            thr_lab_fail("used an answer that is not there");
    }
    finish(t);
    return 0;
}
