/* test_several.c - waits for several futures, some of which are done before, or while it waits; and the moment at which a
 * deadline passes while what is waited for is done. */

#include "executors.h"

enum { N = 3 };

static void make_some(thr_future **futures)
{
    for (int i = 0; i < N; i++)
        CHECK_OK(thr_future_new(&futures[i]));
}

static void drop(thr_future **futures)
{
    for (int i = 0; i < N; i++)
        thr_future_unref(futures[i]);
}

struct call {
    thr_future *futures[N];
    thr_when when;
    thr_time deadline;
    thr_as_completed *order;
};

/* Starts the thread, and blocks until it is about to sleep, where it stops. */
static struct support_thread *about_to_sleep(void (*function)(void *), struct call *call)
{
    support_stop(SUPPORT_BEFORE_SLEEP, NULL, NULL);
    struct support_thread *thread = support_thread_start(function, call);
    support_wait_stopped(SUPPORT_BEFORE_SLEEP, 1);
    return thread;
}

static void wait_for_them(void *arg)
{
    struct call *call = arg;
    CHECK_OK(thr_future_wait(call->futures, N, call->when, call->deadline));
}

/* Those that are done before count. */
static void test_first_failed_with_one_done(void **state)
{
    (void)state;
    struct call call = {.when = THR_FIRST_FAILED, .deadline = THR_FOREVER};
    make_some(call.futures);
    CHECK_OK(thr_future_set_result(call.futures[1], NULL));
    struct support_thread *thread = about_to_sleep(wait_for_them, &call);
    support_go(SUPPORT_BEFORE_SLEEP);
    CHECK_OK(thr_future_set_result(call.futures[0], NULL));
    CHECK_OK(thr_future_cancel(call.futures[2]));
    support_thread_join(thread);
    drop(call.futures);
}

/* All means all, whatever becomes of each. */
static void test_all_in_any_order(void **state)
{
    (void)state;
    struct call call = {.when = THR_ALL_COMPLETED, .deadline = THR_FOREVER};
    make_some(call.futures);
    struct support_thread *thread = support_thread_start(wait_for_them, &call);
    support_wait_blocked(call.futures[0], 1);
    CHECK_OK(thr_future_set_result(call.futures[2], NULL));
    CHECK_OK(thr_future_set_failure(call.futures[0], 1, "it failed"));
    support_wait_blocked(call.futures[1], 1);
    CHECK_OK(thr_future_cancel(call.futures[1]));
    support_thread_join(thread);
    drop(call.futures);
}

static void *wait_for_three(void *executor)
{
    thr_future *futures[N];
    for (int i = 0; i < N; i++)
        futures[i] = submit(executor, who, NULL);
    CHECK_OK(thr_future_wait(futures, N, THR_ALL_COMPLETED, THR_FOREVER));
    for (int i = 0; i < N; i++)
        CHECK(result_of(futures[i]) == thr_current_thread()); /* who waits for all runs them */
    return NULL;
}

static void test_all_run_by_who_waits(void **state)
{
    (void)state;
    thr_executor *executor = make(1);
    (void)result_of(submit(executor, wait_for_three, executor));
    end(executor);
}

/* -- thr_as_completed --------------------------------------------------------------------------------------------- */

static void check_next(thr_as_completed *order, const thr_future *expected)
{
    thr_future *next;
    CHECK_OK(thr_as_completed_next(order, &next));
    CHECK(next == expected);
}

/* More are done when some have been given out, and others not. */
static void test_more_are_done(void **state)
{
    (void)state;
    thr_future *futures[N];
    thr_future *next;
    thr_as_completed *order;
    make_some(futures);
    CHECK_OK(thr_as_completed_new(&order, futures, N));
    CHECK_OK(thr_future_set_result(futures[2], NULL));
    CHECK_OK(thr_future_set_result(futures[1], NULL));
    check_next(order, futures[2]);
    CHECK_OK(thr_future_set_result(futures[0], NULL));
    check_next(order, futures[1]);
    check_next(order, futures[0]);
    CHECK_RESULT(thr_as_completed_next(order, &next), THR_EMPTY);
    thr_as_completed_free(order);
    drop(futures);
}

/* The place of one that is there twice is its first. */
static void test_in_the_order_of_the_array(void **state)
{
    (void)state;
    thr_future *futures[N];
    thr_as_completed *order;
    make_some(futures);
    thr_future *twice[] = {futures[2], futures[0], futures[1], futures[2], futures[0]};
    for (int i = 0; i < N; i++)
        CHECK_OK(thr_future_set_result(futures[i], NULL));
    CHECK_OK(thr_as_completed_new(&order, twice, 5));
    check_next(order, futures[2]);
    check_next(order, futures[0]);
    check_next(order, futures[1]);
    thr_as_completed_free(order);
    drop(futures);
}

/* -- The last moment ---------------------------------------------------------------------------------------------- */

/* The deadline of the wait passes; before it sees that, the first future is done: so it is no timeout. */
static void at_the_last_moment(void (*wait)(void *call))
{
    struct call call = {.when = THR_FIRST_COMPLETED};
    make_some(call.futures);
    CHECK_OK(thr_as_completed_new(&call.order, call.futures, N));
    support_clock_stop();
    call.deadline = thr_after(10);
    struct support_thread *thread = about_to_sleep(wait, &call);
    support_stop(SUPPORT_AFTER_SLEEP, NULL, NULL);
    support_clock_advance(11);
    support_go(SUPPORT_BEFORE_SLEEP);
    support_wait_stopped(SUPPORT_AFTER_SLEEP, 1);
    CHECK_OK(thr_future_set_result(call.futures[0], NULL));
    support_go(SUPPORT_AFTER_SLEEP);
    support_thread_join(thread);
    support_clock_go();
    thr_as_completed_free(call.order);
    drop(call.futures);
}

static void wait_for_one(void *arg)
{
    struct call *call = arg;
    CHECK_OK(thr_future_result_until(call->futures[0], call->deadline, NULL));
}

static void wait_for_the_next(void *arg)
{
    struct call *call = arg;
    thr_future *next;
    CHECK_OK(thr_as_completed_next_until(call->order, call->deadline, &next));
    CHECK(next == call->futures[0]);
}

static void test_last_moment(void **state)
{
    (void)state;
    at_the_last_moment(wait_for_them);
    at_the_last_moment(wait_for_one);
    at_the_last_moment(wait_for_the_next);
}

SUPPORT_MAIN(cmocka_unit_test(test_first_failed_with_one_done), cmocka_unit_test(test_all_in_any_order),
             cmocka_unit_test(test_all_run_by_who_waits), cmocka_unit_test(test_more_are_done),
             cmocka_unit_test(test_in_the_order_of_the_array), cmocka_unit_test(test_last_moment))
