/* test_work_fork.c - executors in the child of a fork.
 *
 * ctest: plain (ThreadSanitizer knows no threads in the child of a fork, and leaks are found in the child that are none) */

#include "executors.h"
#include "forks.h"

#include <stdlib.h>

/* The child of a fork: everything works anew. */
static void use(thr_executor *executor)
{
    int value;
    void *result;
    thr_future *future;
    struct support_count count = {0};
    thr_task task;
    thr_group group = THR_GROUP_INIT(executor);
    CHECK_OK(thr_executor_submit(executor, &future, give_arg, &value));
    CHECK_OK(thr_future_result(future, &result));
    CHECK(result == &value);
    thr_future_unref(future);
    CHECK_OK(thr_group_spawn(&group, &task, count_up, &count));
    CHECK_OK(thr_group_wait(&group));
    CHECK_EQUAL(support_count_get(&count), 1);
    CHECK_OK(thr_executor_shutdown(executor, true, false));
    CHECK_EQUAL(thr_active_count(), 1);
    thr_executor_free(executor);
}

static void test_idle(void **state)
{
    (void)state;
    thr_executor *executor;
    thr_future *future;
    CHECK_OK(thr_executor_new(&executor, .max_workers = 2));
    CHECK_OK(thr_executor_submit(executor, &future, give_arg, NULL));
    CHECK_OK(thr_future_result(future, NULL));
    thr_future_unref(future);
    pid_t child = fork();
    if (child == 0) {
        (void)alarm(20);
        use(executor);
        exit(0);
    }
    child_end(child);
    use(executor);
}

static void test_busy(void **state)
{
    (void)state;
    enum { N = 600 }; /* more than two blocks of inject.c */
    thr_event go = THR_EVENT_INIT;
    thr_executor *executor;
    thr_future *running;
    thr_future *pending[N];
    struct support_count count = {0};
    thr_task tasks[2];
    char zeros[128] = {0};
    CHECK_OK(thr_executor_new(&executor, .max_workers = 1));
    thr_group group = THR_GROUP_INIT(executor);
    CHECK_OK(thr_executor_submit(executor, &running, wait_for, &go));
    for (int i = 0; i < N; i++)
        CHECK_OK(thr_executor_submit(executor, &pending[i], count_up, &count));
    CHECK_OK(thr_executor_submit(executor, NULL, give_arg, zeros)); /* nobody's future */
    CHECK_OK(thr_group_spawn(&group, &tasks[0], count_up, &count));
    support_wait_blocked(&go, 1);
    pid_t child = fork();
    if (child == 0) {
        (void)alarm(20);
        CHECK_RESULT(thr_future_result(running, NULL), THR_CANCELLED);
        CHECK_RESULT(thr_future_wait(pending, N, THR_ALL_COMPLETED, THR_FOREVER), THR_OK);
        for (int i = 0; i < N; i++)
            CHECK(thr_future_cancelled(pending[i]));
        for (size_t i = 0; i < sizeof zeros; i++)
            CHECK_EQUAL(zeros[i], 0);
        CHECK_RESULT(thr_group_wait(&group), THR_CANCELLED);
        thr_shutdown();
        use(executor);
        exit(0);
    }
    child_end(child);
    thr_event_set(&go);
    CHECK_OK(thr_future_result(running, NULL));
    thr_future_unref(running);
    CHECK_OK(thr_group_wait(&group));
    for (int i = 0; i < N; i++) {
        CHECK_OK(thr_future_result(pending[i], NULL));
        thr_future_unref(pending[i]);
    }
    CHECK_EQUAL(support_count_get(&count), N + 1);
    use(executor);
}

/* A task that forks: in the child it goes on, and then that process ends. */
static void *fork_inside(void *arg)
{
    pid_t child = fork();
    if (child != 0) {
        child_end(child);
        return arg;
    }
    (void)alarm(20);
    CHECK(thr_current_thread() == thr_main_thread());
    return NULL; /* the thread is no worker any more: it ends, and with it the process */
}

static void test_fork_in_a_task(void **state)
{
    (void)state;
    thr_executor *executor;
    CHECK_OK(thr_executor_new(&executor, .max_workers = 2));
    for (int i = 0; i < 5; i++) {
        thr_future *future;
        CHECK_OK(thr_executor_submit(executor, &future, fork_inside, NULL));
        CHECK_OK(thr_future_result(future, NULL));
        thr_future_unref(future);
    }
    use(executor);
}

/* The same in a group, which the task's own thread waits for. */
static void *fork_in_a_group(void *executor)
{
    pid_t parent = getpid();
    thr_task task;
    thr_group group = THR_GROUP_INIT(executor);
    CHECK_OK(thr_group_spawn(&group, &task, fork_inside, NULL));
    thr_result result = thr_group_wait(&group);
    CHECK_RESULT(result, getpid() == parent ? THR_OK : THR_CANCELLED);
    return NULL;
}

static void test_fork_in_a_group(void **state)
{
    (void)state;
    thr_executor *executor;
    CHECK_OK(thr_executor_new(&executor, .max_workers = 1)); /* nobody steals it */
    for (int i = 0; i < 5; i++) {
        thr_future *future;
        CHECK_OK(thr_executor_submit(executor, &future, fork_in_a_group, executor));
        CHECK_OK(thr_future_result(future, NULL));
        thr_future_unref(future);
    }
    use(executor);
}

/* It has been run by who waited for it, while its job is still in the queue: it stays what it is in the child. */
static void *fork_after_one(void *executor)
{
    int value;
    void *result;
    thr_future *future;
    CHECK_OK(thr_executor_submit(executor, &future, give_arg, &value));
    CHECK_OK(thr_future_result(future, NULL));
    pid_t child = fork();
    if (child != 0)
        child_end(child);
    CHECK_OK(thr_future_result(future, &result));
    CHECK(result == &value);
    thr_future_unref(future);
    return NULL;
}

static void test_done_and_in_the_queue(void **state)
{
    (void)state;
    thr_executor *executor;
    thr_future *future;
    CHECK_OK(thr_executor_new(&executor, .max_workers = 1));
    CHECK_OK(thr_executor_submit(executor, &future, fork_after_one, executor));
    CHECK_OK(thr_future_result(future, NULL));
    thr_future_unref(future);
    use(executor);
}

/* CPython's bpo-45021: forks while an executor is always at work. */
struct endless {
    thr_executor *executor;
    uint32_t stop;
};

static void *submit_again(void *arg)
{
    struct endless *endless = arg;
    if (!__atomic_load_n(&endless->stop, __ATOMIC_RELAXED))
        (void)!thr_executor_submit(endless->executor, NULL, submit_again, endless); /* THR_CLOSED at the end */
    return NULL;
}

static void test_forks_under_load(void **state)
{
    (void)state;
    enum { FORKS = 50 };
    struct endless endless = {.stop = 0};
    CHECK_OK(thr_executor_new(&endless.executor, .max_workers = 2));
    CHECK_OK(thr_executor_submit(endless.executor, NULL, submit_again, &endless));
    CHECK_OK(thr_executor_submit(endless.executor, NULL, submit_again, &endless));
    for (int i = 0; i < FORKS; i++) {
        pid_t child = fork();
        if (child == 0) {
            (void)alarm(20);
            use(endless.executor);
            exit(0);
        }
        child_end(child);
    }
    __atomic_store_n(&endless.stop, 1, __ATOMIC_RELAXED);
    CHECK_OK(thr_executor_shutdown(endless.executor, true, false));
    thr_executor_free(endless.executor);
}

SUPPORT_MAIN(cmocka_unit_test(test_idle), cmocka_unit_test(test_busy), cmocka_unit_test(test_fork_in_a_task),
             cmocka_unit_test(test_fork_in_a_group), cmocka_unit_test(test_done_and_in_the_queue),
             cmocka_unit_test(test_forks_under_load))
