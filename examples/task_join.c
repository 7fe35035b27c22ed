/* task_join - waits for a thread; with the argument `daemon`, leaves a daemon behind. */

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <threading.h>

static void *task(void *arg)
{
    (void)arg;
    thr_sleep(1.0);
    puts("task done");
    return NULL;
}

int main(int argc, char **argv)
{
    bool as_daemon = argc > 1 && strcmp(argv[1], "daemon") == 0;
    thr_thread *t;

    setvbuf(stdout, NULL, _IOLBF, 0); /* Each line goes out at once, into a pipe too. */

    if (thr_spawn(&t, task, NULL, .daemon = as_daemon ? THR_DAEMON_YES : THR_DAEMON_NO) != THR_OK)
        return 1;
    if (!as_daemon)
        thr_thread_join(t, NULL);
    thr_thread_unref(t);
    puts("program finished");
    return 0; /* The process does not wait for a daemon. */
}
