/* consumer.c - a program of somebody who uses the installed library: its flags must be enough for everything here.
 * Its argument is the version that the package says it has. */

#include <stdio.h>
#include <string.h>
#include <threading.h>

static thr_lock lock = THR_LOCK_INIT;
static thr_event ready = THR_EVENT_INIT;
static int counter;
static int cleaned;

static void *count(void *arg)
{
    (void)thr_event_wait(&ready);
    for (int i = 0; i < 1000; i++) {
        THR_HOLD(&lock);
        counter++;
    }
    return arg;
}

static void clean(int *unused)
{
    (void)unused;
    cleaned = 1;
}

/* Only with -fexceptions, which the package's flags must bring, does the cleanup run. */
static void *fail(void *arg)
{
    __attribute__((cleanup(clean))) int local = 0;
    (void)arg;
    thr_fail(1, "on purpose, %d", local);
}

static void quiet(thr_thread *thread, int code, const char *message)
{
    (void)thread;
    (void)code;
    (void)message;
}

int main(int argc, char **argv)
{
    thr_thread *threads[4];
    for (int i = 0; i < 4; i++)
        if (thr_spawn(&threads[i], count, &threads[i], .name = "counter") != THR_OK)
            return 1;
    thr_event_set(&ready);
    for (int i = 0; i < 4; i++) {
        void *result = NULL;
        if (thr_thread_join(threads[i], &result) != THR_OK || result != &threads[i])
            return 2;
        thr_thread_unref(threads[i]);
    }
    if (counter != 4000)
        return 3;

    thr_thread *failing;
    thr_set_excepthook(quiet);
    if (thr_spawn(&failing, fail, NULL) != THR_OK || thr_thread_join(failing, NULL) != THR_FAILED)
        return 4;
    thr_thread_unref(failing);
    if (!cleaned)
        return 5;

    return argc == 2 && strcmp(argv[1], thr_version()) == 0 ? 0 : 6;
}
