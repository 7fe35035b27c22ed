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

static struct support_count reached;

static void *spawn_deeper(void *arg)
{
    volatile char room[2000];
    thr_task task;
    thr_group group = THR_GROUP_INIT(executor);
    uintptr_t left = (uintptr_t)arg;
    room[0] = 0;
    support_count_add(&reached);
    if (left > 0) {
        CHECK_OK(thr_group_spawn(&group, &task, spawn_deeper, (void *)(left - 1)));
        CHECK_OK(thr_group_wait(&group));
    }
    return room[0] == 0 ? NULL : arg;
}

/* Each waits for the next, which its own stack has no room for in the end: another worker runs that. */
static void test_groups_on_small_stacks(void **state)
{
    (void)state;
    enum { STACK = 512 * 1024, DEEP = 1000 };
    thr_task task;
    CHECK_OK(thr_stack_size(STACK));
    CHECK_OK(thr_executor_new(&executor, .max_workers = 1));
    thr_group group = THR_GROUP_INIT(executor);
    CHECK_OK(thr_group_spawn(&group, &task, spawn_deeper, (void *)(uintptr_t)DEEP));
    CHECK_OK(thr_group_wait(&group));
    CHECK_EQUAL(support_count_get(&reached), DEEP + 1);
    CHECK_OK(thr_executor_shutdown(executor, true, false));
    thr_executor_free(executor);
}

SUPPORT_MAIN(cmocka_unit_test(test_deep_on_small_stacks), cmocka_unit_test(test_groups_on_small_stacks))
