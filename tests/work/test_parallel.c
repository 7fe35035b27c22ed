/* test_parallel.c - thr_parallel_for: each item once, however it is split; failures. */

#include "groups.h"

#include <string.h>

enum { LENGTH = 100000 };
static uint8_t touched[LENGTH];

static void touch(size_t first, size_t last, void *arg)
{
    size_t grain = *(size_t *)arg;
    CHECK(first < last && (grain == 0 || last - first <= grain));
    for (size_t i = first; i < last; i++)
        touched[i]++;
}

static void *touch_all(void *arg)
{
    static const size_t grains[] = {0, 1, 7, 1000, LENGTH - 1, LENGTH, 2 * LENGTH};
    for (size_t k = 0; k < sizeof grains / sizeof *grains; k++) {
        size_t grain = grains[k];
        memset(touched, 0, sizeof touched);
        CHECK_OK(thr_parallel_for(executor, 10, LENGTH, grain, touch, &grain));
        for (size_t i = 0; i < LENGTH; i++)
            CHECK_EQUAL(touched[i], i >= 10);
    }
    CHECK_OK(thr_parallel_for(executor, 5, 5, 1, touch, NULL));
    CHECK_RESULT(thr_parallel_for(executor, 6, 5, 1, touch, NULL), THR_INVALID);
    CHECK_RESULT(thr_parallel_for(executor, 5, 6, 1, NULL, NULL), THR_INVALID);
    CHECK_RESULT(thr_parallel_for(NULL, 5, 6, 1, touch, NULL), THR_INVALID);
    return arg;
}

static void test_parallel_for(void **state)
{
    (void)state;
    inside_and_outside(1, touch_all, NULL);
    inside_and_outside(3, touch_all, NULL);
}

/* Somebody who comes is given half: a range of two, whose halves wait for each other. */
static void meet(size_t first, size_t last, void *barrier)
{
    CHECK_EQUAL(last - first, 1);
    CHECK_OK(thr_barrier_wait(barrier, NULL));
}

static void test_parallel_for_is_split(void **state)
{
    (void)state;
    executor = make(2);
    for (int i = 0; i < 100; i++) {
        thr_barrier barrier = THR_BARRIER_INIT(2, NULL, NULL);
        CHECK_OK(thr_parallel_for(executor, 0, 2, 1, meet, &barrier));
    }
    end(executor);
}

static void nested(size_t first, size_t last, void *arg)
{
    (void)first;
    (void)last;
    size_t grain = 0;
    (void)arg;
    CHECK_OK(thr_parallel_for(executor, 0, 10, 1, touch, &grain));
}

static void test_parallel_for_nested(void **state)
{
    (void)state;
    executor = make(1);
    memset(touched, 0, sizeof touched);
    CHECK_OK(thr_parallel_for(executor, 0, 20, 1, nested, NULL));
    for (int i = 0; i < 10; i++)
        CHECK_EQUAL(touched[i], 20);
    end(executor);
}

static void count_all(size_t begin, size_t end, void *count)
{
    CHECK(begin < end);
    for (size_t i = begin; i < end; i++)
        support_count_add(count);
}

/* Fewer items than grains: the grain is 1, not 0. */
static void test_few(void **state)
{
    (void)state;
    executor = make(3);
    for (uint32_t n = 0; n < 20; n++) {
        struct support_count count = {0};
        CHECK_OK(thr_parallel_for(executor, 7, 7 + n, 0, count_all, &count));
        CHECK_EQUAL(support_count_get(&count), n);
    }
    end(executor);
}

/* -- Failures ----------------------------------------------------------------------------------------------------- */

static void fail_at(size_t first, size_t last, void *arg)
{
    size_t at = *(size_t *)arg;
    for (size_t i = first; i < last; i++)
        touched[i] = 1;
    if (first <= at && at < last)
        (void)fail_task(reason);
}

static void test_parallel_for_failure(void **state)
{
    (void)state;
    size_t at = 100;
    executor = make(1);
    memset(touched, 0, sizeof touched);
    reports = 0;
    thr_set_excepthook(report);
    CHECK_RESULT(thr_parallel_for(executor, 0, LENGTH, 10, fail_at, &at), THR_FAILED);
    thr_set_excepthook(NULL);
    CHECK_EQUAL(reports, 1);
    CHECK_EQUAL(touched[100], 1);
    CHECK_EQUAL(touched[LENGTH / 4], 0); /* one worker: it did not come further */
    CHECK_EQUAL(touched[LENGTH - 1], 0);
    end(executor);
}

static void fail_task_of(size_t begin, size_t end, void *text)
{
    (void)begin;
    (void)end;
    (void)fail_task(text);
}

/* A failure is reported once, where the loop was called; what went well, never. */
static void test_reports(void **state)
{
    (void)state;
    struct support_count count = {0};
    executor = make(2);
    reports = 0;
    thr_set_excepthook(report);
    CHECK_OK(thr_parallel_for(executor, 0, 10, 1, count_all, &count));
    CHECK_EQUAL(reports, 0);
    CHECK_RESULT(thr_parallel_for(executor, 0, 1, 1, fail_task_of, reason), THR_FAILED);
    CHECK_EQUAL(reports, 1);
    thr_set_excepthook(NULL);
    end(executor);
}

SUPPORT_MAIN(cmocka_unit_test(test_parallel_for), cmocka_unit_test(test_parallel_for_is_split),
             cmocka_unit_test(test_parallel_for_failure), cmocka_unit_test(test_parallel_for_nested),
             cmocka_unit_test(test_few), cmocka_unit_test(test_reports))
