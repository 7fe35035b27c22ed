/* test_worker_ends.c - workers that end: with their task, when they are idle and one too many, and with their executor. */

#include "executors.h"

#include <pthread.h>

#include "os/os.h"

static thr_executor *executor;

/* -- With their task ----------------------------------------------------------------------------------------------- */

static void *end_thread_later(void *go)
{
    thr_event_wait(go);
    pthread_exit(NULL);
}

/* What is pending behind it is done by another. */
static void test_what_is_behind(void **state)
{
    (void)state;
    enum { N = 10 };
    thr_event go = THR_EVENT_INIT;
    struct support_count count = {0};
    thr_future *futures[N];
    executor = make(1);
    thr_future *first = submit(executor, end_thread_later, &go);
    for (int i = 0; i < N; i++)
        futures[i] = submit(executor, count_up, &count);
    thr_event_set(&go);
    CHECK_RESULT(thr_future_result(first, NULL), THR_FAILED);
    thr_future_unref(first);
    support_count_wait(&count, N);
    for (int i = 0; i < N; i++)
        (void)result_of(futures[i]);
    end(executor);
}

static struct support_count ends;

static void report_end(thr_thread *thread, int code, const char *message)
{
    CHECK(thread == thr_current_thread());
    CHECK_EQUAL(code, 0);
    CHECK(*message != '\0');
    support_count_add(&ends);
}

/* Nobody can ask for it, so the excepthook is told. */
static void test_without_a_future(void **state)
{
    (void)state;
    thr_event go = THR_EVENT_INIT;
    executor = make(1);
    thr_set_excepthook(report_end);
    thr_event_set(&go);
    CHECK_OK(thr_executor_submit(executor, NULL, end_thread_later, &go));
    support_count_wait(&ends, 1);
    CHECK(result_of(submit(executor, give_arg, &go)) == &go);
    end(executor);
    thr_set_excepthook(NULL);
    CHECK_EQUAL(support_count_get(&ends), 1);
}

static void fail_again(int *code)
{
    thr_fail(*code + 1, "again");
}

static void *fail_in_cleanup(void *arg)
{
    int code __attribute__((cleanup(fail_again))) = 1;
    (void)arg;
    thr_fail(code, "at first");
}

/* A cleanup that fails in its turn changes nothing of it. */
static void test_failure_in_a_cleanup(void **state)
{
    (void)state;
    char message[32];
    executor = make(1);
    thr_future *future = submit(executor, fail_in_cleanup, NULL);
    CHECK_RESULT(thr_future_result(future, NULL), THR_FAILED);
    CHECK_EQUAL(thr_future_failure(future, message, sizeof message), 1);
    CHECK(strcmp(message, "at first") == 0);
    thr_future_unref(future);
    end(executor);
}

static void *fail_at_once(void *arg)
{
    (void)arg;
    thr_fail(1, "at once");
}

static void *give_arg_after_a_failure(void *arg)
{
    thr_group group = THR_GROUP_INIT(executor);
    thr_task task;
    CHECK_OK(thr_group_spawn(&group, &task, fail_at_once, NULL));
    CHECK_RESULT(thr_group_wait(&group), THR_FAILED);
    return arg;
}

/* A task that fails on the stack of who waits for it comes back to there, and no further. */
static void test_failure_on_a_stack(void **state)
{
    (void)state;
    executor = make(1);
    CHECK(result_of(submit(executor, give_arg_after_a_failure, &executor)) == &executor);
    end(executor);
}

/* -- Idle, and one too many ---------------------------------------------------------------------------------------- */

static void *wait_for_another(void *arg)
{
    thr_event *go = arg;
    void *result;
    thr_future *future = submit(executor, give_arg, NULL);
    CHECK_OK(thr_future_result_until(future, thr_after(100), &result)); /* with a deadline: another runs it */
    thr_future_unref(future);
    support_wait_blocked(executor, 1); /* and has parked, before this one does */
    thr_event_wait(go);
    return NULL;
}

static void wait_for_active(unsigned n)
{
    thr_time limit = os_now() + 10000000000;
    while (thr_active_count() != n)
        CHECK(os_now() < limit);
}

/* The one that came for it while it waited goes after five seconds, wherever it is among those that are parked. */
static void test_one_too_many(void **state)
{
    (void)state;
    thr_event go = THR_EVENT_INIT;
    executor = make(1);
    support_clock_stop();
    thr_future *future = submit(executor, wait_for_another, &go);
    thr_event_set(&go);
    (void)result_of(future);
    support_wait_blocked(executor, 2);
    support_clock_advance(4);
    CHECK_EQUAL(thr_active_count(), 3);
    support_clock_advance(2);
    wait_for_active(2);
    CHECK(result_of(submit(executor, give_arg, &go)) == &go);
    support_clock_go();
    end(executor);
}

/* -- With their executor ------------------------------------------------------------------------------------------- */

static void test_dropped(void **state)
{
    (void)state;
    executor = make(2);
    CHECK(result_of(submit(executor, give_arg, &executor)) == &executor);
    support_wait_blocked(executor, 1);
    thr_executor_free(executor);
    wait_for_active(1);
}

SUPPORT_MAIN(cmocka_unit_test(test_what_is_behind), cmocka_unit_test(test_without_a_future),
             cmocka_unit_test(test_failure_in_a_cleanup), cmocka_unit_test(test_failure_on_a_stack),
             cmocka_unit_test(test_one_too_many), cmocka_unit_test(test_dropped))
