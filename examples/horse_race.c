/* horse_race - a barrier lets all horses go at once, when the last of them is ready. */

#include <stdio.h>
#include <stdlib.h>
#include <threading.h>

#define HORSES 3

static void start(void *arg)
{
    (void)arg;
    puts("--- RACE STARTED ---"); /* By the last horse to come, before any runs. */
}

static thr_barrier gate = THR_BARRIER_INIT(HORSES, start, NULL);
static thr_lock dice = THR_LOCK_INIT; /* rand() is for one thread at a time. */

static double random_below_one(void)
{
    THR_HOLD(&dice);
    return rand() / (RAND_MAX + 1.0);
}

static void after_a_while(const char *name, const char *message)
{
    thr_sleep(random_below_one());
    printf("%s %s\n", name, message);
}

static void *horse(void *arg)
{
    const char *name = arg;

    after_a_while(name, "ready...");
    if (thr_barrier_wait(&gate, NULL) != THR_OK)
        return NULL; /* Broken: there is no race. */
    after_a_while(name, "started");
    after_a_while(name, "finished");
    return NULL;
}

int main(void)
{
    static char names[HORSES][6] = {"Alfie", "Daisy", "Unity"};
    thr_thread *horses[HORSES];
    int started = 0;

    setvbuf(stdout, NULL, _IOLBF, 0); /* Each line goes out at once, into a pipe too. */
    srand((unsigned)thr_now());

    while (started < HORSES && thr_spawn(&horses[started], horse, names[started]) == THR_OK)
        started++;
    if (started < HORSES)
        thr_barrier_abort(&gate); /* The others would wait for ever. */

    /* All are started before the first is joined, or they would run one after the other. */
    for (int i = 0; i < started; i++) {
        thr_thread_join(horses[i], NULL);
        thr_thread_unref(horses[i]);
    }
    return started == HORSES ? 0 : 1;
}
