/* test_small_stacks.c - deep nesting on small stacks: many threads, each for a part of the depth.
 *
 * ctest: plain (a sanitizer needs more of a stack than there is) */

#include "support/support.h"

#include "threading.h"

static thr_executor *executor;

static void *go_deeper(void *arg)
{
    intptr_t left = (intptr_t)arg;
    volatile char frame[1000]; /* as a function has it that does something */
    thr_future *future;
    void *result;
    frame[0] = (char)left;
    if (left == 0)
        return NULL;
    CHECK_OK(thr_executor_submit(executor, &future, go_deeper, (void *)(left - 1)));
    CHECK_OK(thr_future_result(future, &result));
    thr_future_unref(future);
    return (void *)((intptr_t)result + 1 + frame[0] - (char)left);
}

static void test_deep_on_small_stacks(void **state)
{
    (void)state;
    enum { STACK = 256 * 1024, DEEP = 5000 };
    thr_future *future;
    void *result;
    CHECK_OK(thr_stack_size(STACK));
    CHECK_OK(thr_executor_new(&executor, .max_workers = 1));
    CHECK_OK(thr_executor_submit(executor, &future, go_deeper, (void *)(intptr_t)DEEP));
    CHECK_OK(thr_future_result(future, &result));
    CHECK_EQUAL((intptr_t)result, DEEP);
    thr_future_unref(future);
    CHECK_OK(thr_executor_shutdown(executor, true, false));
    CHECK_EQUAL(thr_active_count(), 1);
    thr_executor_free(executor);
}

SUPPORT_MAIN(cmocka_unit_test(test_deep_on_small_stacks))
