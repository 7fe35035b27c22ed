/* timer_cancel_ok.c - the correct twin of timer_cancel.c: what the cancel
 * says is looked at, and a callback that runs is waited for. */

#include "../broken.h"

struct connection {
    int pings;
};

static thr_lock lock = THR_LOCK_INIT;
static struct connection storage;
static struct connection *volatile connection = &storage;

static void ping(void *arg)
{
    (void)arg;
    THR_HOLD(&lock);
    connection->pings++;
}

int main(void)
{
    thr_timer *timer;

    if (thr_timer_new(&timer, 0.0, ping, NULL) != THR_OK || thr_timer_start(timer) != THR_OK)
        return 2;
    if (thr_timer_cancel(timer) == THR_TOO_LATE)
        (void)thr_timer_join(timer);
    {
        THR_HOLD(&lock);
        connection = NULL;
    }
    thr_timer_unref(timer);
    return 0;
}
