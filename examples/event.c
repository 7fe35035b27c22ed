/* event - one thread waits for an event for ever, another two seconds at a time. */

#include <stdbool.h>
#include <threading.h>

#include "support/log.h"

static thr_event e = THR_EVENT_INIT;

static const char *truth(bool value)
{
    return value ? "True" : "False";
}

static void *wait_for_event(void *arg)
{
    (void)arg;
    log_line("wait_for_event starting");
    bool is_set = thr_event_wait(&e) == THR_OK;
    log_line("event set: %s", truth(is_set));
    return NULL;
}

static void *wait_for_event_timeout(void *arg)
{
    const double *seconds = arg;

    while (!thr_event_is_set(&e)) {
        log_line("wait_for_event_timeout starting");
        bool is_set = thr_event_wait_until(&e, thr_after(*seconds)) == THR_OK;
        log_line("event set: %s", truth(is_set));
        log_line(is_set ? "processing event" : "doing other work");
    }
    return NULL;
}

int main(void)
{
    static double two_seconds = 2.0;

    if (thr_spawn(NULL, wait_for_event, NULL, .name = "block") != THR_OK ||
        thr_spawn(NULL, wait_for_event_timeout, &two_seconds, .name = "non-block") != THR_OK)
        return 1;

    log_line("Waiting before calling Event.set()");
    thr_sleep(3.0);
    thr_event_set(&e);
    log_line("Event is set");
    return 0;
}
