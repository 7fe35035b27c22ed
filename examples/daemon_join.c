/* daemon_join - joining a daemon gives it the time to end. */

#include <threading.h>

#include "support/log.h"

static thr_event daemon_runs = THR_EVENT_INIT;

static void *run_daemon(void *arg)
{
    (void)arg;
    log_line("Starting");
    thr_event_set(&daemon_runs);
    thr_sleep(2.0);
    log_line("Exiting");
    return NULL;
}

static void *run_non_daemon(void *arg)
{
    (void)arg;
    thr_event_wait(&daemon_runs); /* Else either might log first. */
    log_line("Starting");
    log_line("Exiting");
    return NULL;
}

int main(void)
{
    thr_thread *d, *t;

    if (thr_spawn(&d, run_daemon, NULL, .name = "daemon", .daemon = THR_DAEMON_YES) != THR_OK ||
        thr_spawn(&t, run_non_daemon, NULL, .name = "non-daemon") != THR_OK)
        return 1;
    thr_thread_join(d, NULL);
    thr_thread_join(t, NULL);
    thr_thread_unref(d);
    thr_thread_unref(t);
    return 0;
}
