/* writer_starvation_ok.c - the correct twin of writer_starvation.c: who wants to read
 * waits while a writer waits. */

#include "broken.h"

enum { READERS = 3, ROUNDS = 6, PATIENCE = 6 };

static thr_lock lock = THR_LOCK_INIT;
static thr_condition changed = THR_CONDITION_INIT;
static int reading;
static bool writer_waits;
static int passed; /* how many readers have come in since */

static void enter(void)
{
    THR_HOLD(&lock);
    while (writer_waits)
        thr_condition_wait(&changed, &lock);
    reading++;
    if (writer_waits && ++passed > PATIENCE)
        thr_lab_fail("the writer waits, and %d readers came in", passed);
}

static void leave(void)
{
    THR_HOLD(&lock);
    if (--reading == 0)
        thr_condition_notify_all(&changed);
}

static void *reader(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        enter();
        leave();
    }
    return NULL;
}

int main(void)
{
    thr_thread *threads[READERS];

    for (int i = 0; i < READERS; i++)
        threads[i] = START(reader, NULL);
    {
        THR_HOLD(&lock);
        writer_waits = true;
        while (reading > 0)
            thr_condition_wait(&changed, &lock);
        writer_waits = false;
        thr_condition_notify_all(&changed);
    }
    for (int i = 0; i < READERS; i++)
        finish(threads[i]);
    return 0;
}
