/* test_worker_place.c - which of the parked workers is woken: one that is not where the caller runs. */

#include "executors.h"

#include <sched.h>

enum { WORKERS = 2, ROUNDS = 20 };

static unsigned begun;

static void take_place(void *arg)
{
    (void)arg;
    (void)support_stay_on(__atomic_fetch_add(&begun, 1, __ATOMIC_RELAXED));
}

static void *meet(void *barrier)
{
    CHECK_OK(thr_barrier_wait(barrier, NULL));
    return NULL;
}

static void *tell_place(void *place)
{
    *(int *)place = sched_getcpu();
    return NULL;
}

/* Whichever of them parked last. */
static void test_elsewhere(void **state)
{
    (void)state;
    thr_executor *executor;
    thr_barrier barrier = THR_BARRIER_INIT(WORKERS, NULL, NULL);
    thr_future *futures[WORKERS];
    if (support_processors() < WORKERS)
        skip();
    CHECK_OK(thr_executor_new(&executor, .max_workers = WORKERS, .initializer = take_place));
    for (int i = 0; i < WORKERS; i++)
        futures[i] = submit(executor, meet, &barrier);
    for (int i = 0; i < WORKERS; i++)
        (void)result_of(futures[i]);
    for (int i = 0; i < ROUNDS; i++) {
        int here = support_stay_on((unsigned)i / 2 % WORKERS); /* with the one that parked last there, and elsewhere */
        int there = here;
        support_wait_blocked(executor, WORKERS);
        (void)result_of(submit(executor, tell_place, &there));
        CHECK(there != here);
    }
    end(executor);
}

SUPPORT_MAIN(cmocka_unit_test(test_elsewhere))
