/* test_map.c - one function for many arguments. */

#include "executors.h"

/* -- map ---------------------------------------------------------------------------------------------------------- */

enum { MAPPED = 1000 };

static int numbers[MAPPED];
static void *args[MAPPED];
static void *results[MAPPED];

static void *square(void *arg)
{
    int n = *(int *)arg;
    return (void *)(intptr_t)(n * n);
}

static void fill_args(void)
{
    for (int i = 0; i < MAPPED; i++) {
        numbers[i] = i;
        args[i] = &numbers[i];
        results[i] = args;
    }
}

static void test_map(void **state)
{
    (void)state;
    thr_executor *executor = make(3);
    for (size_t n = 0; n <= MAPPED; n = n * 10 + 1) {
        fill_args();
        CHECK_OK(thr_executor_map(executor, square, args, n, results));
        for (size_t i = 0; i < n; i++)
            CHECK_EQUAL((intptr_t)results[i], (intptr_t)(i * i));
        CHECK(n == MAPPED || results[n] == args);
        CHECK_OK(thr_executor_map(executor, square, args, n, NULL));
    }
    CHECK_RESULT(thr_executor_map(executor, NULL, args, 1, results), THR_INVALID);
    end(executor);
}

static void *square_or_fail(void *arg)
{
    if (*(int *)arg == 2)
        (void)fail_task(reason);
    return square(arg);
}

static void test_map_failure(void **state)
{
    (void)state;
    fill_args();
    thr_executor *executor = make(1);
    reports = 0;
    thr_set_excepthook(report);
    CHECK_RESULT(thr_executor_map(executor, square_or_fail, args, 4, results), THR_FAILED);
    thr_set_excepthook(NULL);
    CHECK_EQUAL(reports, 1);
    CHECK_EQUAL((intptr_t)results[0], 0);
    CHECK_EQUAL((intptr_t)results[1], 1);
    CHECK(results[2] == NULL);
    CHECK(results[3] == NULL); /* it was not started */
    end(executor);
}

static thr_event map_go = THR_EVENT_INIT;

static void *square_or_wait(void *arg)
{
    if (*(int *)arg == 2)
        thr_event_wait(&map_go);
    return square(arg);
}

static void test_map_timeout(void **state)
{
    (void)state;
    fill_args();
    thr_executor *executor = make(1);
    thr_time deadline = thr_after(0.02);
    CHECK_RESULT(thr_executor_map_until(executor, square_or_wait, args, 4, deadline, results), THR_TIMEOUT);
    CHECK_PASSED(deadline);
    for (int i = 0; i < 4; i++)
        results[i] = args; /* nothing is stored any more */
    thr_event_set(&map_go);
    end(executor);
    for (int i = 0; i < 4; i++)
        CHECK(results[i] == args);
}

/* Behind a task that runs, with a deadline that has passed: none of it starts. */
static void test_map_is_cancelled(void **state)
{
    (void)state;
    thr_event go = THR_EVENT_INIT;
    struct support_count count = {0};
    void *counts[] = {&count, &count};
    thr_executor *executor = make(1);
    thr_future *first = submit(executor, wait_for, &go);
    CHECK_RESULT(thr_executor_map_until(executor, count_up, counts, 2, 0, NULL), THR_TIMEOUT);
    thr_event_set(&go);
    (void)result_of(first);
    end(executor);
    CHECK_EQUAL(support_count_get(&count), 0);
}

static thr_executor *mapping;

static void *map_inside(void *arg)
{
    (void)arg;
    CHECK_OK(thr_executor_map(mapping, square, args, MAPPED, results));
    return results[MAPPED - 1];
}

static void test_map_in_a_task(void **state)
{
    (void)state;
    fill_args();
    mapping = make(1);
    CHECK_EQUAL((intptr_t)result_of(submit(mapping, map_inside, NULL)), (MAPPED - 1) * (MAPPED - 1));
    end(mapping);
}

struct running {
    struct support_count now;
    uint32_t most;
};

static void *run_beside(void *arg)
{
    struct running *running = arg;
    uint32_t now = __atomic_add_fetch(&running->now.value, 1, __ATOMIC_SEQ_CST);
    uint32_t most = __atomic_load_n(&running->most, __ATOMIC_SEQ_CST);
    while (now > most &&
           !__atomic_compare_exchange_n(&running->most, &most, now, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        continue;
    thr_sleep(0);
    __atomic_sub_fetch(&running->now.value, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

static void test_no_more_than_max(void **state)
{
    (void)state;
    struct running running = {{0}, 0};
    thr_executor *executor = make(3);
    for (int i = 0; i < MAPPED; i++)
        args[i] = &running;
    CHECK_OK(thr_executor_map(executor, run_beside, args, MAPPED, NULL));
    for (int i = 0; i < MAPPED; i++)
        CHECK_OK(thr_executor_submit(executor, NULL, run_beside, &running));
    end(executor);
    CHECK(running.most <= 3);
}

static void *meet(void *barrier)
{
    CHECK_OK(thr_barrier_wait(barrier, NULL));
    return barrier;
}

/* Two workers take from it at the same time: the calls wait for each other. */
static void test_map_is_shared(void **state)
{
    (void)state;
    thr_barrier barrier = THR_BARRIER_INIT(2, NULL, NULL);
    void *both[] = {&barrier, &barrier};
    void *met[2];
    thr_executor *executor = make(2);
    CHECK_OK(thr_executor_map(executor, meet, both, 2, met));
    CHECK(met[0] == &barrier && met[1] == &barrier);
    end(executor);
}

/* -- A shutdown that cancels, in the middle of it ----------------------------------------------------------------------- */

struct stage {
    struct support_count begun;
    thr_event go;
};

static void *play(void *arg)
{
    struct stage *stage = arg;
    support_count_add(&stage->begun);
    CHECK_OK(thr_event_wait(&stage->go));
    return stage;
}

struct mapped {
    thr_executor *executor;
    void *args[2];
    size_t n;
    void *results[2];
    thr_result result;
};

static void map_them(void *arg)
{
    struct mapped *mapped = arg;
    mapped->result = thr_executor_map(mapped->executor, play, mapped->args, mapped->n, mapped->results);
}

/* One runs, and the next is not begun. */
static void test_map_and_shutdown(void **state)
{
    (void)state;
    struct stage stage = {{0}, THR_EVENT_INIT};
    struct mapped mapped = {make(1), {&stage, &stage}, 2, {NULL, NULL}, THR_INVALID};
    struct support_thread *thread = support_thread_start(map_them, &mapped);
    support_count_wait(&stage.begun, 1);
    CHECK_OK(thr_executor_shutdown(mapped.executor, false, true));
    thr_event_set(&stage.go);
    support_thread_join(thread);
    CHECK_RESULT(mapped.result, THR_CANCELLED);
    CHECK(mapped.results[0] == &stage && mapped.results[1] == NULL);
    end(mapped.executor);
}

/* The last one runs, while a worker that would have helped is busy elsewhere: nothing is missing. */
static void test_map_and_late_shutdown(void **state)
{
    (void)state;
    struct stage other = {{0}, THR_EVENT_INIT};
    struct stage quick = {{0}, THR_EVENT_INIT};
    struct stage last = {{0}, THR_EVENT_INIT};
    thr_event_set(&quick.go);
    struct mapped mapped = {make(2), {&quick, &last}, 2, {NULL, NULL}, THR_INVALID};
    thr_future *busy = submit(mapped.executor, play, &other);
    support_count_wait(&other.begun, 1);
    struct support_thread *thread = support_thread_start(map_them, &mapped);
    support_count_wait(&last.begun, 1);
    CHECK_OK(thr_executor_shutdown(mapped.executor, false, true));
    thr_event_set(&last.go);
    support_thread_join(thread);
    CHECK_OK(mapped.result);
    CHECK(mapped.results[0] == &quick && mapped.results[1] == &last);
    thr_event_set(&other.go);
    CHECK(result_of(busy) == &other);
    end(mapped.executor);
}

/* None has begun, since the worker is busy elsewhere. (If the shutdown came before the map, once more.) */
static thr_result map_and_shutdown_after(double seconds)
{
    struct stage other = {{0}, THR_EVENT_INIT};
    struct stage never = {{0}, THR_EVENT_INIT};
    struct mapped mapped = {make(1), {&never, &never}, 2, {NULL, NULL}, THR_INVALID};
    thr_future *busy = submit(mapped.executor, play, &other);
    support_count_wait(&other.begun, 1);
    struct support_thread *thread = support_thread_start(map_them, &mapped);
    thr_sleep(seconds);
    CHECK_OK(thr_executor_shutdown(mapped.executor, false, true));
    support_thread_join(thread);
    CHECK_EQUAL(support_count_get(&never.begun), 0);
    thr_event_set(&other.go);
    CHECK(result_of(busy) == &other);
    end(mapped.executor);
    return mapped.result;
}

static void test_map_and_early_shutdown(void **state)
{
    (void)state;
    thr_result result;
    double seconds = 0.001;
    while ((result = map_and_shutdown_after(seconds)) == THR_CLOSED)
        seconds *= 2;
    CHECK_RESULT(result, THR_CANCELLED);
}

struct shut {
    thr_executor *executor;
    thr_event begun;
    thr_event go;
    struct support_count calls;
};

static void *begin_and_wait(void *arg)
{
    struct shut *shut = arg;
    support_count_add(&shut->calls);
    thr_event_set(&shut->begun);
    thr_event_wait(&shut->go);
    return NULL;
}

static void map_three(void *arg)
{
    struct shut *shut = arg;
    void *three[] = {shut, shut, shut};
    CHECK_OK(thr_executor_map(shut->executor, begin_and_wait, three, 3, NULL));
}

/* A shutdown that cancels nothing lets a map go on to its end. */
static void test_gentle_shutdown(void **state)
{
    (void)state;
    struct shut shut = {.executor = make(1)};
    struct support_thread *thread = support_thread_start(map_three, &shut);
    thr_event_wait(&shut.begun);
    CHECK_OK(thr_executor_shutdown(shut.executor, false, false));
    thr_event_set(&shut.go);
    support_thread_join(thread);
    CHECK_EQUAL(support_count_get(&shut.calls), 3);
    end(shut.executor);
}

SUPPORT_MAIN(cmocka_unit_test(test_gentle_shutdown), cmocka_unit_test(test_map), cmocka_unit_test(test_map_failure),
             cmocka_unit_test(test_map_timeout), cmocka_unit_test(test_map_is_cancelled),
             cmocka_unit_test(test_map_in_a_task), cmocka_unit_test(test_no_more_than_max),
             cmocka_unit_test(test_map_is_shared), cmocka_unit_test(test_map_and_shutdown),
             cmocka_unit_test(test_map_and_late_shutdown), cmocka_unit_test(test_map_and_early_shutdown))
