/* test_outstanding.c - 1,000,000 tasks that have not begun, each with a future that somebody holds: what they cost in
 * memory, which is printed, and that none is lost.
 *
 *     ./check -V -R work/outstanding
 *
 * ctest: plain
 * ctest: serial */

#include "executors.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

enum { N = 1000000, MOST_BYTES = 72 };

/* What the program has got from the system for its heap, and uses. */
static size_t used(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static void test_memory(void **state)
{
    (void)state;
    static thr_future *futures[N];
    thr_event go = THR_EVENT_INIT;
    struct support_count count = {0};
    thr_executor *executor;
    CHECK_OK(thr_executor_new(&executor, .max_workers = 1));
    CHECK_OK(thr_executor_submit(executor, NULL, wait_for, &go));
    size_t before = used();
    for (int i = 0; i < N; i++)
        CHECK_OK(thr_executor_submit(executor, &futures[i], count_up, &count));
    double each = (double)(used() - before) / N;
    printf("%d futures outstanding: %.1f bytes each\n", N, each);
    CHECK(each <= MOST_BYTES);
    thr_event_set(&go);
    for (int i = 0; i < N; i++) {
        void *result;
        CHECK_OK(thr_future_result(futures[i], &result));
        CHECK(result == &count);
        thr_future_unref(futures[i]);
    }
    CHECK_EQUAL(support_count_get(&count), N);
    CHECK(used() < before + N); /* all of it was given back, but for a block or two */
    CHECK_OK(thr_executor_shutdown(executor, true, false));
    thr_executor_free(executor);
}

SUPPORT_MAIN(cmocka_unit_test(test_memory))
