/* callback_under_lock.c - a callback is called under a lock that it takes itself: only when the result was there before the
 * callback.
 *
 * main                           worker
 *                                the result is there
 * adds a callback, takes the lock
 * it is there already: calls, and the callback waits for the lock */

#include "../broken.h"

typedef void callback(void);

static thr_lock lock = THR_LOCK_INIT;
static bool done;
static int value;
static callback *waiting;
static int seen;

static int get_value(void)
{
    THR_HOLD(&lock);
    return value;
}

static void show(void)
{
    seen = get_value();
}

static void add_callback(callback *function)
{
    THR_HOLD(&lock);
    if (done)
        function();
    else
        waiting = function;
}

static void *worker(void *arg)
{
    (void)arg;
    callback *function;
    {
        THR_HOLD(&lock);
        value = 42;
        done = true;
        function = waiting;
    }
    if (function)
        function();
    return NULL;
}

int main(void)
{
    thr_thread *t = START(worker, NULL);

    add_callback(show);
    finish(t);
    return seen == 42 ? 0 : 1;
}
