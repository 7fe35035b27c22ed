/* test_parallel.c - what parallel_for does with few items, and when all is well; the rest is in test_group.c. */

#include "executors.h"

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
    thr_executor *executor = make(3);
    for (uint32_t n = 0; n < 20; n++) {
        struct support_count count = {0};
        CHECK_OK(thr_parallel_for(executor, 7, 7 + n, 0, count_all, &count));
        CHECK_EQUAL(support_count_get(&count), n);
    }
    end(executor);
}

static void fail_task_of(size_t begin, size_t end, void *why)
{
    (void)begin;
    (void)end;
    (void)fail_task(why);
}

/* A failure is reported once, where the loop was called; what went well, never. */
static void test_reports(void **state)
{
    (void)state;
    struct support_count count = {0};
    thr_executor *executor = make(2);
    reports = 0;
    thr_set_excepthook(report);
    CHECK_OK(thr_parallel_for(executor, 0, 10, 1, count_all, &count));
    CHECK_EQUAL(reports, 0);
    CHECK_RESULT(thr_parallel_for(executor, 0, 1, 1, fail_task_of, reason), THR_FAILED);
    CHECK_EQUAL(reports, 1);
    thr_set_excepthook(NULL);
    end(executor);
}

SUPPORT_MAIN(cmocka_unit_test(test_few), cmocka_unit_test(test_reports))
