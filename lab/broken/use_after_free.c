/* use_after_free.c - main frees what a daemon still uses, at the end of the program.
 *
 * logger                         main
 *                                asks for a line, does something else
 *                                frees the buffer
 * writes into it: a crash
 *                                puts the rest away, returns */

#include "broken.h"

static thr_semaphore wanted = THR_SEMAPHORE_INIT(0);
static thr_lock lock = THR_LOCK_INIT;
static char *volatile buffer;
static int open_files = 1;

static void *logger(void *arg)
{
    (void)arg;
    for (;;) {
        thr_semaphore_acquire(&wanted);
        buffer[0] = 'x';
    }
    return NULL;
}

int main(void)
{
    thr_thread *t;

    buffer = malloc(100);
    if (!buffer || thr_spawn(&t, logger, NULL, .name = "logger", .daemon = THR_DAEMON_YES) != THR_OK)
        return 2;
    (void)thr_semaphore_release(&wanted, 1);
    compute(30);

    free(buffer);
    buffer = NULL;
    thr_thread_unref(t);

    THR_HOLD(&lock);
    open_files = 0;
    return open_files;
}
