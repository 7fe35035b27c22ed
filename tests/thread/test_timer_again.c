/* test_timer_again.c - timers that are reset, or repeat. */

#include "timers.h"

/* -- Reset --------------------------------------------------------------------------------------------------------- */

static void test_reset(void **state)
{
    (void)state;
    struct runs runs;
    runs_init(&runs, false);
    support_errno_set();
    thr_timer *timer = started(&runs, 1000, false);
    runs.not_before = thr_now() + 5 * MS;
    CHECK_OK(thr_timer_reset(timer, 0.005)); /* earlier */
    CHECK_OK(thr_timer_join(timer));
    CHECK_EQUAL(runs.ended.value, 1);
    runs.not_before = thr_now() + 2 * MS;
    CHECK_OK(thr_timer_reset(timer, 0.002)); /* after it ran */
    CHECK_OK(thr_timer_join(timer));
    CHECK_EQUAL(runs.ended.value, 2);
    CHECK_OK(thr_timer_reset(timer, 1000));
    CHECK_OK(thr_timer_cancel(timer)); /* it did run, but not as it was armed last */
    CHECK_OK(thr_timer_cancel(timer));
    CHECK_OK(thr_timer_reset(timer, -1)); /* after a cancel */
    CHECK_OK(thr_timer_join(timer));
    CHECK_EQUAL(runs.ended.value, 3);
    CHECK_RESULT(thr_timer_cancel(timer), THR_TOO_LATE);
    CHECK_ERRNO();
    thr_timer_unref(timer);
}

static void test_reset_later(void **state)
{
    (void)state;
    struct runs runs;
    runs_init(&runs, false);
    thr_timer *timer = started(&runs, 0.5, false);
    for (int i = 0; i < 100; i++) {
        runs.not_before = thr_now() + 510 * MS;
        CHECK_OK(thr_timer_reset(timer, 0.51));
    }
    runs.not_before = thr_now() + 10 * MS;
    CHECK_OK(thr_timer_reset(timer, 0.01));
    CHECK_OK(thr_timer_join(timer));
    CHECK_EQUAL(runs.ended.value, 1);
    thr_timer_unref(timer);
}

/* It runs once more, but not before the first run has ended. */
static void test_reset_in_run(void **state)
{
    (void)state;
    struct runs runs;
    struct runs other;
    runs_init(&runs, true);
    runs_init(&other, false);
    thr_timer *timer = started(&runs, 0, false);
    support_count_wait(&runs.begun, 1);
    CHECK_OK(thr_timer_reset(timer, 0));
    thr_timer *after = started(&other, 0.001, false); /* when this has run, the other was due */
    CHECK_OK(thr_timer_join(after));
    CHECK_EQUAL(runs.begun.value, 1);
    CHECK_RESULT(thr_timer_join_until(timer, 0), THR_TIMEOUT);
    thr_event_set(&runs.go);
    CHECK_OK(thr_timer_join(timer));
    CHECK_EQUAL(runs.ended.value, 2);

    thr_event_clear(&runs.go);
    CHECK_OK(thr_timer_reset(timer, 0));
    support_count_wait(&runs.begun, 3);
    CHECK_OK(thr_timer_reset(timer, 1000));
    CHECK_RESULT(thr_timer_cancel(timer), THR_TOO_LATE); /* of this run; the next is cancelled */
    thr_event_set(&runs.go);
    CHECK_OK(thr_timer_join(timer));
    CHECK_EQUAL(runs.ended.value, 3);
    CHECK_EQUAL(service.wheel.count, 0);
    thr_timer_unref(timer);
    thr_timer_unref(after);
}

static void run_again(void *arg)
{
    struct again *again = arg;
    if (again->left > 0) {
        again->left--;
        CHECK_OK(thr_timer_reset(again->timer, 0.0001));
    }
}

static void test_reset_in_own_callback(void **state)
{
    (void)state;
    struct again again = {NULL, 100};
    CHECK_OK(thr_timer_new(&again.timer, 0, run_again, &again));
    CHECK_OK(thr_timer_start(again.timer));
    CHECK_OK(thr_timer_join(again.timer));
    CHECK_EQUAL(again.left, 0);
    thr_timer_unref(again.timer);
}

/* -- Repeat -------------------------------------------------------------------------------------------------------- */

struct periods {
    struct support_count runs;
    thr_time start;
    thr_time period;
};

static void run_period(void *arg)
{
    struct periods *periods = arg;
    CHECK_PASSED(periods->start + (periods->runs.value + 1) * periods->period);
    support_count_add(&periods->runs);
}

static void test_repeat(void **state)
{
    (void)state;
    struct periods periods = {.start = thr_now(), .period = 2 * MS};
    thr_timer *timer;
    CHECK_OK(thr_timer_new(&timer, 0.002, run_period, &periods, .repeat = true));
    CHECK_OK(thr_timer_start(timer));
    support_count_wait(&periods.runs, 20);
    thr_result result = thr_timer_cancel(timer); /* it may just be running */
    CHECK(result == THR_OK || result == THR_TOO_LATE);
    CHECK_OK(thr_timer_join(timer));
    uint32_t runs = support_count_get(&periods.runs);
    CHECK_OK(thr_timer_cancel(timer));

    periods.start = thr_now() - runs * (thr_time)MS; /* the first of the new ones comes a period after this */
    periods.period = MS;
    CHECK_OK(thr_timer_reset(timer, 0.001));
    support_count_wait(&periods.runs, runs + 5);
    (void)thr_timer_cancel(timer);
    CHECK_OK(thr_timer_join(timer));
    thr_timer_unref(timer);
    CHECK_EQUAL(service.wheel.count, 0);
}

static void test_repeat_cancelled_in_run(void **state)
{
    (void)state;
    struct runs runs;
    runs_init(&runs, true);
    thr_timer *timer = started(&runs, 0.001, true);
    support_count_wait(&runs.begun, 1);
    for (int i = 0; i < 2; i++)
        CHECK_RESULT(thr_timer_cancel(timer), THR_TOO_LATE);
    CHECK_RESULT(thr_timer_join_until(timer, thr_after(0.003)), THR_TIMEOUT);
    thr_event_set(&runs.go);
    CHECK_OK(thr_timer_join(timer));
    CHECK_EQUAL(runs.ended.value, 1);
    CHECK_OK(thr_timer_cancel(timer));
    CHECK_EQUAL(service.wheel.count, 0);
    thr_timer_unref(timer);
}

static void test_repeat_reset_in_run(void **state)
{
    (void)state;
    struct runs runs;
    runs_init(&runs, true);
    thr_timer *timer = started(&runs, 0.001, true);
    support_count_wait(&runs.begun, 1);
    CHECK_RESULT(thr_timer_cancel(timer), THR_TOO_LATE);
    runs.not_before = thr_now() + 20 * MS;
    CHECK_OK(thr_timer_reset(timer, 0.02)); /* it goes on after all, with another period */
    thr_event_set(&runs.go);
    support_count_wait(&runs.begun, 2);
    (void)thr_timer_cancel(timer);
    CHECK_OK(thr_timer_join(timer));
    thr_timer_unref(timer);
}

SUPPORT_MAIN(cmocka_unit_test(test_reset), cmocka_unit_test(test_reset_later), cmocka_unit_test(test_reset_in_run),
             cmocka_unit_test(test_reset_in_own_callback), cmocka_unit_test(test_repeat),
             cmocka_unit_test(test_repeat_cancelled_in_run), cmocka_unit_test(test_repeat_reset_in_run))
