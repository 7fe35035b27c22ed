/* test_executor.c - submitting, workers, tasks and callbacks that submit: what Python's ThreadPoolExecutor promises. */

#include "executors.h"

#include <stdio.h>

/* -- Submitting --------------------------------------------------------------------------------------------------- */

static void test_submit(void **state)
{
    (void)state;
    int value;
    thr_executor *executor = make(0);
    thr_future *untouched = (thr_future *)(void *)&value;
    thr_future *future = untouched;
    support_errno_set();
    CHECK_OK(thr_executor_submit(executor, &future, give_arg, &value));
    CHECK_ERRNO();
    CHECK(result_of(future) == &value);
    future = untouched;
    CHECK_RESULT(thr_executor_submit(executor, &future, NULL, NULL), THR_INVALID);
    CHECK(future == untouched);
    end(executor);
}

static void test_invalid(void **state)
{
    (void)state;
    thr_executor *executor = NULL;
    CHECK_RESULT(thr_executor_new(&executor, .max_workers = 65536), THR_INVALID);
    CHECK(executor == NULL);
    thr_executor_free(NULL);
    CHECK_OK(thr_executor_new_with(&executor, NULL));
    thr_executor_free(executor);
    CHECK_EQUAL(thr_active_count(), 1);
}

static void test_without_future(void **state)
{
    (void)state;
    enum { N = 1000 };
    struct support_count count = {0};
    thr_executor *executor = make(2);
    for (int i = 0; i < N; i++)
        CHECK_OK(thr_executor_submit(executor, NULL, count_up, &count));
    support_count_wait(&count, N);
    end(executor);
}

/* One worker: exactly in the order of the submits, those of tasks as well. */
static uint32_t order[1100];
static uint32_t ordered;
static thr_executor *ordering;

static void *note(void *number)
{
    order[ordered++] = (uint32_t)(uintptr_t)number;
    return NULL;
}

static void *note_and_submit(void *number)
{
    (void)note(number);
    CHECK_OK(thr_executor_submit(ordering, NULL, note, (void *)((uintptr_t)number + 2)));
    return NULL;
}

static void test_order(void **state)
{
    (void)state;
    enum { N = 1000 };
    thr_event go = THR_EVENT_INIT;
    ordering = make(1);
    thr_future *first = submit(ordering, wait_for, &go);
    CHECK_OK(thr_executor_submit(ordering, NULL, note_and_submit, (void *)0));
    CHECK_OK(thr_executor_submit(ordering, NULL, note, (void *)1));
    thr_event_set(&go);
    (void)result_of(first);
    (void)result_of(submit(ordering, give_arg, NULL));
    first = submit(ordering, wait_for, &go);
    for (uintptr_t i = 3; i < N; i++)
        CHECK_OK(thr_executor_submit(ordering, NULL, note, (void *)i));
    (void)result_of(first);
    end(ordering);
    CHECK_EQUAL(ordered, N);
    for (uint32_t i = 0; i < ordered; i++)
        CHECK_EQUAL(order[i], i);
}

/* Two workers, and one of many short tasks is a long one: those that its worker had taken with it are not overtaken by all
 * the others. */
struct place {
    thr_event *wait; /* NULL: a short one */
    uint32_t began;
};

static struct support_count begun;
static uint32_t turn;

static void *take_place(void *arg)
{
    struct place *place = arg;
    place->began = __atomic_fetch_add(&turn, 1, __ATOMIC_RELAXED);
    support_count_add(&begun);
    return place->wait ? wait_for(place->wait) : NULL;
}

static void check_order_of_two(uint32_t held)
{
    enum { N = 5000, NEAR = 4 * 65 };
    static struct place places[N];
    thr_event go = THR_EVENT_INIT;
    thr_event end_of_long = THR_EVENT_INIT;
    thr_executor *executor = make(2);
    begun = (struct support_count){0};
    turn = 0;
    for (int i = 0; i < 2; i++)
        CHECK_OK(thr_executor_submit(executor, NULL, wait_for, &go));
    for (uint32_t i = 0; i < N; i++) {
        places[i] = (struct place){i == held ? &end_of_long : NULL, 0};
        CHECK_OK(thr_executor_submit(executor, NULL, take_place, &places[i]));
    }
    support_wait_blocked(&go, 2);
    thr_event_set(&go);
    support_count_wait(&begun, N);
    for (uint32_t i = held; i < N; i++) {
        if (places[i].began > i + NEAR)
            support_fail(__FILE__, __LINE__, "task %u began as number %u; %u was long", i, places[i].began, held);
    }
    thr_event_set(&end_of_long);
    end(executor);
}

static void test_order_of_two(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 20; i++)
        check_order_of_two(i * 103);
}

static void test_cancel_pending(void **state)
{
    (void)state;
    enum { N = 200 };
    thr_event go = THR_EVENT_INIT;
    struct support_count count = {0};
    thr_future *futures[N];
    thr_executor *executor = make(1);
    thr_future *first = submit(executor, wait_for, &go);
    for (int i = 0; i < N; i++)
        futures[i] = submit(executor, count_up, &count);
    for (int i = 0; i < N; i += 2)
        CHECK_OK(thr_future_cancel(futures[i]));
    support_wait_blocked(&go, 1);
    CHECK(thr_future_running(first));
    CHECK_RESULT(thr_future_cancel(first), THR_TOO_LATE);
    thr_event_set(&go);
    (void)result_of(first);
    for (int i = 0; i < N; i++) {
        CHECK_RESULT(thr_future_result(futures[i], NULL), i % 2 ? THR_OK : THR_CANCELLED);
        thr_future_unref(futures[i]);
    }
    CHECK_EQUAL(support_count_get(&count), N / 2);
    end(executor);
}

/* A future that has a task is set by nobody else. */
static void test_set_by_a_stranger(void **state)
{
    (void)state;
    thr_event go = THR_EVENT_INIT;
    thr_executor *executor = make(1);
    thr_future *running = submit(executor, wait_for, &go);
    thr_future *pending = submit(executor, give_arg, &go);
    CHECK_RESULT(thr_future_set_running(pending), THR_INVALID);
    CHECK_RESULT(thr_future_set_result(pending, NULL), THR_INVALID);
    CHECK_RESULT(thr_future_set_failure(pending, 1, "no"), THR_INVALID);
    CHECK_RESULT(thr_future_set_result(running, NULL), THR_INVALID);
    thr_event_set(&go);
    CHECK(result_of(running) == &go);
    CHECK(result_of(pending) == &go);
    end(executor);
}

/* -- Workers ------------------------------------------------------------------------------------------------------ */

static void test_saturation(void **state)
{
    (void)state;
    enum { MAX = 4, N = 15 * MAX };
    thr_event go = THR_EVENT_INIT;
    thr_executor *executor = make(MAX);
    for (int i = 0; i < N; i++)
        CHECK_OK(thr_executor_submit(executor, NULL, wait_for, &go));
    support_wait_blocked(&go, MAX);
    CHECK_EQUAL(thr_active_count(), 1 + MAX);
    thr_event_set(&go);
    end(executor);
}

/* By default the processors of the process and 4 more, but at most 32. */
static void test_default_workers(void **state)
{
    (void)state;
    enum { N = 40, MOST = 32 };
    thr_event go = THR_EVENT_INIT;
    thr_executor *executor = make(0);
    unsigned workers = support_processors() + 4 < MOST ? support_processors() + 4 : MOST;
    for (int i = 0; i < N; i++)
        CHECK_OK(thr_executor_submit(executor, NULL, wait_for, &go));
    support_wait_blocked(&go, workers);
    CHECK_EQUAL(thr_active_count(), 1 + workers);
    thr_event_set(&go);
    end(executor);
}

static void test_idle_worker_is_used_again(void **state)
{
    (void)state;
    thr_executor *executor = make(0);
    for (int i = 0; i < 50; i++) {
        CHECK(result_of(submit(executor, give_arg, &i)) == &i);
        support_wait_blocked(executor, 1); /* it is idle */
        CHECK_EQUAL(thr_active_count(), 2);
    }
    end(executor);
}

static void *own_name(void *buffer)
{
    (void)thr_thread_name(thr_current_thread(), buffer, 64);
    return buffer;
}

static bool is_name(const char *name, const char *prefix, unsigned max)
{
    size_t length = strlen(prefix);
    return strncmp(name, prefix, length) == 0 && name[length] == '_' && name[length + 1] >= '0' &&
           name[length + 1] < (char)('0' + max) && name[length + 2] == '\0';
}

static void test_names(void **state)
{
    (void)state;
    char name[64];
    unsigned number;
    char rest[16];
    thr_executor *executor;
    CHECK_OK(thr_executor_new(&executor, .max_workers = 5, .thread_name_prefix = "SpecialPool"));
    (void)result_of(submit(executor, own_name, name));
    CHECK(is_name(name, "SpecialPool", 5));
    end(executor);
    executor = make(5);
    (void)result_of(submit(executor, own_name, name));
    CHECK(sscanf(name, "ThreadPoolExecutor-%u_%15s", &number, rest) == 2 && strcmp(rest, "0") == 0);
    end(executor);
}

static void *is_daemon(void *arg)
{
    return thr_thread_daemon(thr_current_thread()) ? arg : NULL;
}

static void test_workers_are_no_daemons(void **state)
{
    (void)state;
    thr_executor *executor = make(1);
    CHECK(result_of(submit(executor, is_daemon, &executor)) == NULL);
    end(executor);
}

/* -- Tasks and callbacks that submit ------------------------------------------------------------------------------ */

struct chain {
    thr_executor *executor;
    struct support_count count;
    uint32_t left;
};

static void *submit_next(void *arg)
{
    struct chain *chain = arg;
    support_count_add(&chain->count);
    if (chain->left-- > 0)
        CHECK_OK(thr_executor_submit(chain->executor, NULL, submit_next, chain));
    return NULL;
}

static void test_task_submits(void **state)
{
    (void)state;
    enum { N = 10000 };
    struct chain chain = {make(2), {0}, N};
    CHECK_OK(thr_executor_submit(chain.executor, NULL, submit_next, &chain));
    support_count_wait(&chain.count, N + 1);
    end(chain.executor);
}

static void submit_again(thr_future *future, void *arg)
{
    struct chain *chain = arg;
    CHECK_OK(thr_future_result_until(future, 0, NULL));
    support_count_add(&chain->count);
    if (chain->left-- == 0)
        return;
    thr_future *next = submit(chain->executor, give_arg, NULL);
    CHECK_OK(thr_future_add_done_callback(next, submit_again, chain));
    thr_future_unref(next);
}

static void test_callback_submits(void **state)
{
    (void)state;
    enum { N = 1000 };
    struct chain chain = {make(1), {0}, N};
    thr_future *future = submit(chain.executor, give_arg, NULL);
    CHECK_OK(thr_future_add_done_callback(future, submit_again, &chain));
    thr_future_unref(future);
    support_count_wait(&chain.count, N + 1);
    end(chain.executor);
}

SUPPORT_MAIN(cmocka_unit_test(test_submit), cmocka_unit_test(test_invalid), cmocka_unit_test(test_without_future),
             cmocka_unit_test(test_order), cmocka_unit_test(test_order_of_two), cmocka_unit_test(test_cancel_pending),
             cmocka_unit_test(test_set_by_a_stranger), cmocka_unit_test(test_saturation),
             cmocka_unit_test(test_default_workers), cmocka_unit_test(test_idle_worker_is_used_again),
             cmocka_unit_test(test_names), cmocka_unit_test(test_workers_are_no_daemons),
             cmocka_unit_test(test_task_submits), cmocka_unit_test(test_callback_submits))
