/* test_timer.c - timers: start, cancel, join. Reset and repeat are in test_timer_again.c, the threads that run them, and the
 * end of the process, in test_timer_threads.c. */

#include "timers.h"

/* -- Start and run ------------------------------------------------------------------------------------------------- */

static void test_runs_once(void **state)
{
    (void)state;
    struct runs runs;
    runs_init(&runs, false);
    support_errno_set();
    thr_timer *timer = timer_of(&runs, 0.02, false);
    runs.not_before = thr_now() + 20 * MS;
    CHECK_OK(thr_timer_start(timer));
    CHECK_OK(thr_timer_join(timer));
    CHECK_PASSED(runs.not_before);
    CHECK_EQUAL(runs.ended.value, 1);
    CHECK_RESULT(thr_timer_start(timer), THR_STARTED);
    CHECK_OK(thr_timer_join(timer));
    CHECK_OK(thr_timer_join_until(timer, 0));
    thr_timer_unref(timer);
    CHECK_ERRNO();
}

static void test_arguments(void **state)
{
    (void)state;
    struct runs runs;
    runs_init(&runs, false);
    thr_timer *timer = NULL;
    CHECK_RESULT(thr_timer_new(&timer, NAN, run, &runs), THR_INVALID);
    CHECK_RESULT(thr_timer_new(&timer, 1, NULL, &runs), THR_INVALID);
    CHECK_RESULT(thr_timer_new(&timer, NAN, run, &runs, .repeat = true), THR_INVALID);
    CHECK_RESULT(thr_timer_new(&timer, 0, run, &runs, .repeat = true), THR_INVALID);
    CHECK_RESULT(thr_timer_new(&timer, -1, run, &runs, .repeat = true), THR_INVALID);
    CHECK_RESULT(thr_timer_new(&timer, INFINITY, run, &runs, .repeat = true), THR_INVALID);
    CHECK(timer == NULL);
    thr_timer_unref(NULL);

    CHECK_OK(thr_timer_new_with(&timer, -5, run, &runs, NULL));
    CHECK_RESULT(thr_timer_reset(timer, 1), THR_NOT_STARTED);
    CHECK_RESULT(thr_timer_join(timer), THR_NOT_STARTED);
    CHECK_RESULT(thr_timer_join_until(timer, 0), THR_NOT_STARTED);
    CHECK_OK(thr_timer_start(timer));
    CHECK_OK(thr_timer_join(timer));
    CHECK_EQUAL(runs.ended.value, 1);
    CHECK_RESULT(thr_timer_reset(timer, NAN), THR_INVALID);
    CHECK_OK(thr_timer_join_until(timer, 0)); /* a failed reset changes nothing */
    thr_timer_unref(timer);

    thr_timer_options options = {.repeat = true};
    CHECK_OK(thr_timer_new_with(&timer, 1e-300, run, &runs, &options));
    CHECK_RESULT(thr_timer_reset(timer, 0), THR_INVALID);
    runs_init(&runs, false);
    CHECK_OK(thr_timer_start(timer)); /* a period is a nanosecond at least */
    support_count_wait(&runs.ended, 10);
    (void)thr_timer_cancel(timer);
    CHECK_OK(thr_timer_join(timer));
    thr_timer_unref(timer);
}

static void test_endless(void **state)
{
    (void)state;
    struct runs runs;
    runs_init(&runs, false);
    const double delays[] = {1e9, 3e9, 1e18, 1e300, INFINITY};
    for (size_t i = 0; i < sizeof delays / sizeof *delays; i++) {
        thr_timer *timer = started(&runs, delays[i], isfinite(delays[i]));
        CHECK_RESULT(thr_timer_join_until(timer, thr_after(0.001)), THR_TIMEOUT);
        CHECK_OK(thr_timer_cancel(timer));
        CHECK_OK(thr_timer_join(timer));
        thr_timer_unref(timer);
    }
    CHECK_EQUAL(runs.begun.value, 0);
}

/* Many, in any order; each at its time or later, and the service is empty in the end. */
static void test_many(void **state)
{
    (void)state;
    enum { N = 2000 };
    static struct runs runs[N];
    static thr_timer *timers[N];
    uint64_t random = support_seed();
    for (size_t i = 0; i < N; i++) {
        double delay = support_random_below(&random, 100000) * 1e-6;
        runs_init(&runs[i], false);
        timers[i] = timer_of(&runs[i], delay, false);
        runs[i].not_before = thr_now() + (thr_time)(delay * 1e9);
        CHECK_OK(thr_timer_start(timers[i]));
    }
    for (size_t i = 0; i < N; i++) {
        CHECK_OK(thr_timer_join(timers[i]));
        CHECK_EQUAL(runs[i].ended.value, 1);
        thr_timer_unref(timers[i]);
    }
    CHECK_EQUAL(service.wheel.count, 0);
}

static void test_100000(void **state)
{
    (void)state;
    enum { N = 100000 };
    struct runs runs;
    runs_init(&runs, false);
    thr_timer **timers = malloc(N * sizeof *timers);
    CHECK(timers != NULL);
    uint64_t random = support_seed();
    for (size_t i = 0; i < N; i++)
        timers[i] = started(&runs, 1000 + support_random_below(&random, 1000000), false);
    CHECK_EQUAL(service.wheel.count, N);
    for (size_t i = 0; i < N; i++)
        CHECK_OK(thr_timer_reset(timers[i], 1000 + support_random_below(&random, 1000)));
    for (size_t i = 0; i < N; i++) {
        CHECK_OK(thr_timer_cancel(timers[i]));
        thr_timer_unref(timers[i]);
    }
    CHECK_EQUAL(service.wheel.count, 0);
    CHECK_EQUAL(runs.begun.value, 0);
    free(timers);
}

static void test_dropped_handle(void **state)
{
    (void)state;
    enum { N = 3 };
    static struct runs runs[N];
    for (size_t i = 0; i < N; i++) {
        runs_init(&runs[i], true);
        thr_timer_unref(started(&runs[i], 0.001 * (double)i, false));
    }
    for (size_t i = 0; i < N; i++) {
        support_count_wait(&runs[i].begun, 1);
        thr_event_set(&runs[i].go);
        support_count_wait(&runs[i].ended, 1);
    }
}

static void test_references(void **state)
{
    (void)state;
    static struct runs runs;
    runs_init(&runs, true);
    thr_timer *timer = started(&runs, 0, false);
    CHECK(thr_timer_ref(timer) == timer);
    support_count_wait(&runs.begun, 1);
    thr_timer_unref(timer);
    CHECK_RESULT(thr_timer_cancel(timer), THR_TOO_LATE);
    thr_timer_unref(timer); /* while it runs */
    thr_event_set(&runs.go);
    support_count_wait(&runs.ended, 1);
}

/* -- Cancel -------------------------------------------------------------------------------------------------------- */

static void test_cancel(void **state)
{
    (void)state;
    struct runs runs;
    runs_init(&runs, false);
    support_errno_set();
    thr_timer *timer = started(&runs, 1000, false);
    CHECK_RESULT(thr_timer_join_until(timer, 0), THR_TIMEOUT);
    for (int i = 0; i < 3; i++)
        CHECK_OK(thr_timer_cancel(timer));
    CHECK_OK(thr_timer_join(timer));
    CHECK_RESULT(thr_timer_start(timer), THR_STARTED);
    CHECK_EQUAL(runs.begun.value, 0);
    CHECK_ERRNO();
    thr_timer_unref(timer);
}

static void test_cancel_before_start(void **state)
{
    (void)state;
    struct runs runs;
    runs_init(&runs, false);
    thr_timer *timer = timer_of(&runs, 0, false);
    for (int i = 0; i < 2; i++)
        CHECK_OK(thr_timer_cancel(timer));
    CHECK_RESULT(thr_timer_start(timer), THR_CANCELLED);
    CHECK_RESULT(thr_timer_start(timer), THR_CANCELLED);
    CHECK_RESULT(thr_timer_reset(timer, 0), THR_NOT_STARTED);
    CHECK_RESULT(thr_timer_join(timer), THR_NOT_STARTED);
    thr_timer_unref(timer);
}

static void test_cancel_too_late(void **state)
{
    (void)state;
    struct runs runs;
    runs_init(&runs, true);
    thr_timer *timer = started(&runs, 0, false);
    support_count_wait(&runs.begun, 1);
    CHECK_RESULT(thr_timer_cancel(timer), THR_TOO_LATE);
    CHECK_RESULT(thr_timer_join_until(timer, thr_after(0.001)), THR_TIMEOUT);
    thr_event_set(&runs.go);
    CHECK_OK(thr_timer_join(timer));
    CHECK_EQUAL(runs.ended.value, 1);
    for (int i = 0; i < 2; i++)
        CHECK_RESULT(thr_timer_cancel(timer), THR_TOO_LATE);
    thr_timer_unref(timer);
}

/* -- Join ---------------------------------------------------------------------------------------------------------- */

static void join_it(void *timer)
{
    CHECK_OK(thr_timer_join(timer));
}

static void test_joined_by_many(void **state)
{
    (void)state;
    enum { N = 5 };
    struct support_bunch bunch;
    struct runs runs;
    runs_init(&runs, true);
    thr_timer *timer = started(&runs, 0, false);
    support_count_wait(&runs.begun, 1);
    support_bunch_start(&bunch, N, join_it, timer);
    support_wait_blocked(timer, N);
    thr_event_set(&runs.go);
    support_bunch_join(&bunch);
    CHECK_EQUAL(runs.ended.value, 1);

    CHECK_OK(thr_timer_reset(timer, 1000));
    support_bunch_start(&bunch, N, join_it, timer);
    support_wait_blocked(timer, N);
    CHECK_OK(thr_timer_cancel(timer));
    CHECK_OK(thr_timer_reset(timer, 1000)); /* they have been let go all the same */
    support_bunch_join(&bunch);
    CHECK_OK(thr_timer_cancel(timer));
    thr_timer_unref(timer);
}

static void join_myself(void *arg)
{
    thr_timer **timer = arg;
    CHECK_RESULT(thr_timer_join(*timer), THR_DEADLOCK);
    CHECK_RESULT(thr_timer_join_until(*timer, 0), THR_DEADLOCK);
}

static void test_join_from_own_callback(void **state)
{
    (void)state;
    thr_timer *timer;
    CHECK_OK(thr_timer_new(&timer, 0, join_myself, &timer));
    CHECK_OK(thr_timer_start(timer));
    CHECK_OK(thr_timer_join(timer));
    thr_timer_unref(timer);
}

SUPPORT_MAIN(cmocka_unit_test(test_runs_once), cmocka_unit_test(test_arguments), cmocka_unit_test(test_endless),
             cmocka_unit_test(test_many), cmocka_unit_test(test_100000), cmocka_unit_test(test_dropped_handle),
             cmocka_unit_test(test_references), cmocka_unit_test(test_cancel),
             cmocka_unit_test(test_cancel_before_start), cmocka_unit_test(test_cancel_too_late),
             cmocka_unit_test(test_joined_by_many), cmocka_unit_test(test_join_from_own_callback))
