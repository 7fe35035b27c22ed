/* test_worker_place.c - which of the parked workers is woken: one that is not where the caller runs. */

#include "executors.h"

#include <sched.h>

enum { WORKERS = 2, ROUNDS = 20 };

static size_t processors[WORKERS];
static unsigned begun;

/* The first processors that we may use; false: there are fewer. */
static bool find_processors(void)
{
    cpu_set_t mine;
    unsigned n = 0;
    CHECK(sched_getaffinity(0, sizeof mine, &mine) == 0);
    for (size_t i = 0; i < CPU_SETSIZE && n < WORKERS; i++) {
        if (CPU_ISSET(i, &mine))
            processors[n++] = i;
    }
    return n == WORKERS;
}

static void stay_on(size_t processor)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(processor, &one);
    CHECK(sched_setaffinity(0, sizeof one, &one) == 0);
}

static void take_place(void *arg)
{
    (void)arg;
    stay_on(processors[__atomic_fetch_add(&begun, 1, __ATOMIC_RELAXED)]);
}

static void *meet(void *barrier)
{
    CHECK_OK(thr_barrier_wait(barrier, NULL));
    return NULL;
}

static void *tell_place(void *place)
{
    *(size_t *)place = (size_t)sched_getcpu();
    return NULL;
}

/* Whichever of them parked last. */
static void test_elsewhere(void **state)
{
    (void)state;
    thr_executor *executor;
    thr_barrier barrier = THR_BARRIER_INIT(WORKERS, NULL, NULL);
    thr_future *futures[WORKERS];
    if (!find_processors())
        skip();
    CHECK_OK(thr_executor_new(&executor, .max_workers = WORKERS, .initializer = take_place));
    for (int i = 0; i < WORKERS; i++)
        futures[i] = submit(executor, meet, &barrier);
    for (int i = 0; i < WORKERS; i++)
        (void)result_of(futures[i]);
    for (int i = 0; i < ROUNDS; i++) {
        size_t here = processors[i / 2 % WORKERS]; /* with the one that parked last there, and elsewhere */
        size_t there = here;
        stay_on(here);
        support_wait_blocked(executor, WORKERS);
        (void)result_of(submit(executor, tell_place, &there));
        CHECK(there != here);
    }
    end(executor);
}

SUPPORT_MAIN(cmocka_unit_test(test_elsewhere))
