/* test_executor_shutdown.c - an executor is shut down, or its handle is given up. */

#include "executors.h"

/* -- Shutdown ----------------------------------------------------------------------------------------------------- */

static void test_run_after_shutdown(void **state)
{
    (void)state;
    thr_future *future = NULL;
    void *args[1] = {NULL};
    for (int waits = 0; waits < 2; waits++) {
        thr_executor *executor = make(2);
        CHECK(result_of(submit(executor, give_arg, &waits)) == &waits);
        CHECK_OK(thr_executor_shutdown(executor, waits, false));
        CHECK_OK(thr_executor_shutdown(executor, waits, true));
        CHECK_RESULT(thr_executor_submit(executor, &future, give_arg, NULL), THR_CLOSED);
        CHECK_RESULT(thr_executor_submit(executor, NULL, give_arg, NULL), THR_CLOSED);
        CHECK_RESULT(thr_executor_map(executor, give_arg, args, 1, NULL), THR_CLOSED);
        CHECK_OK(thr_executor_map(executor, give_arg, NULL, 0, NULL));
        CHECK(future == NULL);
        end(executor);
    }
    thr_executor *unused = make(2);
    end(unused);
}

static void test_pending_is_done(void **state)
{
    (void)state;
    enum { N = 50 };
    struct support_count count = {0};
    thr_future *futures[N];
    thr_executor *executor = make(5);
    for (int i = 0; i < N; i++)
        futures[i] = submit(executor, count_up, &count);
    end(executor);
    CHECK_EQUAL(support_count_get(&count), N);
    for (int i = 0; i < N; i++)
        CHECK(result_of(futures[i]) == &count);
}

static void test_cancel_futures(void **state)
{
    (void)state;
    enum { N = 300, MAX = 3 };
    thr_event go = THR_EVENT_INIT;
    thr_future *futures[N];
    unsigned cancelled = 0;
    thr_executor *executor = make(MAX);
    for (int i = 0; i < N; i++)
        futures[i] = submit(executor, wait_for, &go);
    CHECK_OK(thr_executor_submit(executor, NULL, fail_task, reason)); /* dropped */
    support_wait_blocked(&go, MAX);
    CHECK_OK(thr_executor_shutdown(executor, false, true));
    for (int i = 0; i < N; i++)
        cancelled += thr_future_cancelled(futures[i]);
    CHECK_EQUAL(cancelled, N - MAX);
    thr_event_set(&go);
    end(executor);
    for (int i = 0; i < N; i++) {
        CHECK(thr_future_done(futures[i]));
        CHECK_EQUAL(thr_future_failure(futures[i], NULL, 0), 0);
        thr_future_unref(futures[i]);
    }
}

/* Of a map that has begun, the calls that have not. */
struct mapping {
    thr_executor *executor;
    thr_event go;
    uint32_t calls;
};

static void *count_and_wait(void *arg)
{
    struct mapping *mapping = arg;
    __atomic_fetch_add(&mapping->calls, 1, __ATOMIC_RELAXED);
    return wait_for(&mapping->go);
}

static void map_cancelled(void *arg)
{
    enum { N = 20 };
    struct mapping *mapping = arg;
    void *args[N];
    for (int i = 0; i < N; i++)
        args[i] = mapping;
    CHECK_RESULT(thr_executor_map(mapping->executor, count_and_wait, args, N, NULL), THR_CANCELLED);
}

static void test_cancelled_map(void **state)
{
    (void)state;
    for (unsigned max = 1; max <= 3; max++) {
        struct mapping mapping = {make(max), THR_EVENT_INIT, 0};
        struct support_bunch bunch;
        support_bunch_start(&bunch, 1, map_cancelled, &mapping);
        support_wait_blocked(&mapping.go, max);
        CHECK_OK(thr_executor_shutdown(mapping.executor, false, true));
        thr_event_set(&mapping.go);
        support_bunch_join(&bunch);
        CHECK_EQUAL(mapping.calls, max);
        end(mapping.executor);
    }
}

/* CPython's gh-94440. */
static void test_cancelled_right_before(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++) {
        thr_executor *executor = make(1);
        (void)result_of(submit(executor, give_arg, executor));
        thr_future *future = submit(executor, give_arg, NULL);
        (void)thr_future_cancel(future);
        thr_future_unref(future);
        end(executor);
    }
}

static void test_shutdown_until(void **state)
{
    (void)state;
    thr_event go = THR_EVENT_INIT;
    thr_executor *executor = make(1);
    thr_future *future = submit(executor, wait_for, &go);
    thr_time deadline = thr_after(0.005);
    CHECK_RESULT(thr_executor_shutdown_until(executor, 0, false), THR_TIMEOUT);
    CHECK_RESULT(thr_executor_shutdown_until(executor, deadline, false), THR_TIMEOUT);
    CHECK_PASSED(deadline);
    CHECK_RESULT(thr_executor_submit(executor, NULL, give_arg, NULL), THR_CLOSED);
    thr_event_set(&go);
    CHECK_OK(thr_executor_shutdown_until(executor, support_limit(), false));
    (void)result_of(future);
    end(executor);
}

struct inside {
    thr_executor *executor;
    thr_result result;
    thr_result submitted;
};

static void *shut_from_inside(void *arg)
{
    struct inside *inside = arg;
    inside->result = thr_executor_shutdown(inside->executor, true, false);
    inside->submitted = thr_executor_submit(inside->executor, NULL, give_arg, NULL);
    CHECK_OK(thr_executor_shutdown(inside->executor, false, false));
    CHECK_RESULT(thr_executor_submit(inside->executor, NULL, give_arg, NULL), THR_CLOSED);
    return NULL;
}

static void test_shutdown_in_a_task(void **state)
{
    (void)state;
    struct inside inside = {make(1), THR_OK, THR_INVALID};
    (void)result_of(submit(inside.executor, shut_from_inside, &inside));
    CHECK_RESULT(inside.result, THR_DEADLOCK);
    CHECK_OK(inside.submitted); /* nothing had changed */
    end(inside.executor);
}

/* A task in a group that a worker of the executor has open; by itself it is another executor's. */
struct held {
    thr_executor *outer;
    thr_executor *middle;
    thr_executor *inner;
    thr_event done;
};

static void *shut_what_waits(void *arg)
{
    struct held *held = arg;
    CHECK_RESULT(thr_executor_shutdown(held->outer, true, true), THR_DEADLOCK);
    CHECK_RESULT(thr_executor_shutdown_until(held->outer, 0, true), THR_DEADLOCK);
    CHECK_RESULT(thr_executor_shutdown(held->middle, true, true), THR_DEADLOCK);
    CHECK_RESULT(thr_shutdown(), THR_DEADLOCK);
    CHECK_OK(thr_executor_submit(held->outer, NULL, give_arg, NULL)); /* nothing had changed */
    CHECK_OK(thr_executor_submit(held->middle, NULL, give_arg, NULL));
    return NULL;
}

static void *open_in_the_middle(void *arg)
{
    struct held *held = arg;
    thr_group group = THR_GROUP_INIT(held->inner);
    CHECK_OK(thr_group_spawn(&group, NULL, shut_what_waits, held));
    CHECK_OK(thr_group_wait(&group));
    return NULL;
}

static void *open_outside(void *arg)
{
    struct held *held = arg;
    thr_group group = THR_GROUP_INIT(held->middle);
    CHECK_OK(thr_group_spawn(&group, NULL, open_in_the_middle, held));
    CHECK_OK(thr_group_wait(&group));
    thr_event_set(&held->done);
    return NULL;
}

static void test_shutdown_of_who_waits(void **state)
{
    (void)state;
    struct held held = {make(1), make(1), make(1), THR_EVENT_INIT};
    (void)result_of(submit(held.outer, open_outside, &held));
    thr_event_clear(&held.done);
    CHECK_OK(thr_executor_submit(held.outer, NULL, open_outside, &held)); /* without a future */
    thr_event_wait(&held.done);
    CHECK_OK(thr_executor_shutdown(held.outer, true, false));
    CHECK_OK(thr_executor_shutdown(held.middle, true, false));
    thr_executor_free(held.outer);
    thr_executor_free(held.middle);
    end(held.inner);
}

/* Where nobody waits for the task that a worker could, another executor, and all threads, may be waited for. */
static void *shut_others(void *arg)
{
    struct held *held = arg;
    CHECK_OK(thr_executor_shutdown(held->inner, true, false));
    CHECK_OK(thr_shutdown());
    return NULL;
}

static void test_shutdown_of_another(void **state)
{
    (void)state;
    struct held held = {make(1), NULL, make(1), THR_EVENT_INIT};
    (void)result_of(submit(held.inner, give_arg, NULL));
    (void)result_of(submit(held.outer, shut_others, &held));
    thr_executor_free(held.inner);
    end(held.outer);
}

static void shut_in_a_callback(thr_future *future, void *arg)
{
    struct inside *inside = arg;
    (void)future;
    (void)shut_from_inside(inside);
}

static void shut_in_initializer(void *arg)
{
    struct inside *inside = arg;
    inside->result = thr_executor_shutdown(inside->executor, true, true);
}

static void test_shutdown_in_other_functions(void **state)
{
    (void)state;
    thr_event go = THR_EVENT_INIT;
    struct inside inside = {make(1), THR_OK, THR_INVALID};
    thr_future *future = submit(inside.executor, wait_for, &go);
    CHECK_OK(thr_future_add_done_callback(future, shut_in_a_callback, &inside));
    thr_event_set(&go);
    (void)result_of(future);
    while (thr_executor_submit(inside.executor, NULL, give_arg, NULL) == THR_OK)
        thr_sleep(0); /* the callback comes after the result */
    end(inside.executor);
    CHECK_RESULT(inside.result, THR_DEADLOCK);
    inside.result = THR_OK;
    CHECK_OK(
        thr_executor_new(&inside.executor, .max_workers = 1, .initializer = shut_in_initializer, .initarg = &inside));
    CHECK(result_of(submit(inside.executor, give_arg, &go)) == &go);
    CHECK_RESULT(inside.result, THR_DEADLOCK);
    end(inside.executor);
}

/* Groups are no futures: what has been spawned is done. */
static void test_groups_are_not_cancelled(void **state)
{
    (void)state;
    enum { N = 30 };
    thr_event go = THR_EVENT_INIT;
    struct support_count count = {0};
    thr_executor *executor = make(1);
    thr_group group = THR_GROUP_INIT(executor);
    CHECK_OK(thr_group_spawn(&group, NULL, wait_for, &go));
    for (int i = 0; i < N; i++)
        CHECK_OK(thr_group_spawn(&group, NULL, count_up, &count));
    support_wait_blocked(&go, 1);
    CHECK_OK(thr_executor_shutdown(executor, false, true));
    CHECK_RESULT(thr_group_spawn(&group, NULL, count_up, &count), THR_CLOSED);
    thr_event_set(&go);
    CHECK_OK(thr_group_wait(&group));
    CHECK_EQUAL(support_count_get(&count), N);
    end(executor);
}

struct looping {
    thr_executor *executor;
    thr_event go;
    struct support_count count;
};

static void wait_and_count(size_t begin, size_t end, void *arg)
{
    struct looping *looping = arg;
    thr_event_wait(&looping->go);
    for (size_t i = begin; i < end; i++)
        support_count_add(&looping->count);
}

static void loop(void *arg)
{
    struct looping *looping = arg;
    CHECK_OK(thr_parallel_for(looping->executor, 0, 100, 1, wait_and_count, looping));
}

static void test_loops_are_not_cancelled(void **state)
{
    (void)state;
    for (unsigned max = 1; max <= 3; max++) {
        struct looping looping = {make(max), THR_EVENT_INIT, {0}};
        struct support_bunch bunch;
        support_bunch_start(&bunch, 1, loop, &looping);
        support_wait_blocked(&looping.go, max);
        CHECK_OK(thr_executor_shutdown(looping.executor, false, true));
        thr_event_set(&looping.go);
        support_bunch_join(&bunch);
        CHECK_EQUAL(support_count_get(&looping.count), 100);
        end(looping.executor);
    }
}

static void shut_and_wait(void *executor)
{
    CHECK_OK(thr_executor_shutdown(executor, true, false));
}

static void test_several_shut_down(void **state)
{
    (void)state;
    enum { N = 5 };
    thr_event go = THR_EVENT_INIT;
    struct support_bunch bunch;
    thr_executor *executor = make(2);
    thr_future *future = submit(executor, wait_for, &go);
    support_bunch_start(&bunch, N, shut_and_wait, executor);
    support_wait_blocked(executor, N);
    thr_event_set(&go);
    support_bunch_join(&bunch);
    (void)result_of(future);
    end(executor);
}

/* Dropped while busy: what is pending is done, then the workers end. */
static void test_dropped_while_busy(void **state)
{
    (void)state;
    enum { N = 200 };
    thr_event go = THR_EVENT_INIT;
    struct support_count count = {0};
    thr_executor *executor = make(2);
    thr_future *first = submit(executor, wait_for, &go);
    for (int i = 0; i < N; i++)
        CHECK_OK(thr_executor_submit(executor, NULL, count_up, &count));
    thr_executor_free(executor);
    thr_event_set(&go);
    (void)result_of(first);
    thr_shutdown(); /* waits for them */
    CHECK_EQUAL(support_count_get(&count), N);
    CHECK_EQUAL(thr_active_count(), 1);
}

static void *drop(void *executor)
{
    thr_executor_free(executor);
    return executor;
}

static void test_dropped_by_a_task(void **state)
{
    (void)state;
    thr_executor *executor = make(2);
    (void)result_of(submit(executor, drop, executor));
    thr_shutdown();
    CHECK_EQUAL(thr_active_count(), 1);
}

/* thr_shutdown ends idle workers, and the executor can be used afterwards. */
static void test_used_after_thr_shutdown(void **state)
{
    (void)state;
    struct support_count count = {0};
    thr_executor *executor = make(2);
    for (uint32_t i = 1; i <= 20; i++) {
        CHECK_OK(thr_executor_submit(executor, NULL, count_up, &count));
        thr_shutdown();
        CHECK_EQUAL(support_count_get(&count), i);
        CHECK_EQUAL(thr_active_count(), 1);
    }
    end(executor);
}

SUPPORT_MAIN(cmocka_unit_test(test_run_after_shutdown), cmocka_unit_test(test_pending_is_done),
             cmocka_unit_test(test_cancel_futures), cmocka_unit_test(test_cancelled_map),
             cmocka_unit_test(test_cancelled_right_before), cmocka_unit_test(test_shutdown_until),
             cmocka_unit_test(test_shutdown_in_a_task), cmocka_unit_test(test_shutdown_of_who_waits),
             cmocka_unit_test(test_shutdown_of_another), cmocka_unit_test(test_shutdown_in_other_functions),
             cmocka_unit_test(test_groups_are_not_cancelled), cmocka_unit_test(test_loops_are_not_cancelled),
             cmocka_unit_test(test_several_shut_down), cmocka_unit_test(test_dropped_while_busy),
             cmocka_unit_test(test_dropped_by_a_task), cmocka_unit_test(test_used_after_thr_shutdown))
