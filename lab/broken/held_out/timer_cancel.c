/* timer_cancel.c - a cancel that came too late is taken for one that came in time: the callback is running.
 *
 * timer                          main
 * the callback begins
 *                                cancels: too late, but goes on
 *                                takes the connection down
 * uses it: a crash */

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
    (void)thr_timer_cancel(timer);
    {
        THR_HOLD(&lock);
        connection = NULL;
    }
    (void)thr_timer_join(timer);
    thr_timer_unref(timer);
    return 0;
}
