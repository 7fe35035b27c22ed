/* task_no_join - the process waits at its end for a thread that nobody joined. */

#include <stdio.h>
#include <threading.h>

static void *task(void *arg)
{
    (void)arg;
    thr_sleep(1.0);
    puts("task done");
    return NULL;
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0); /* Each line goes out at once, into a pipe too. */

    if (thr_spawn(NULL, task, NULL) != THR_OK) /* NULL for the handle: nobody will join it. */
        return 1;
    puts("program finished");
    return 0; /* The process ends when the task has. */
}
