/* callback_under_lock_ok.c - the correct twin of callback_under_lock.c: it is
 * called when the lock has been released. */

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
    bool now;
    {
        THR_HOLD(&lock);
        now = done;
        if (!now)
            waiting = function;
    }
    if (now)
        function();
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
