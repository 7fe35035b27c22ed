/* test_executor.c - submitting, workers, map, initializers, shutdown: what Python's ThreadPoolExecutor promises. */

#include "support/support.h"

#include <stdio.h>
#include <string.h>

#include "threading.h"

static thr_executor *make(unsigned max_workers)
{
    thr_executor *executor;
    CHECK_OK(thr_executor_new(&executor, .max_workers = max_workers));
    return executor;
}

static void end(thr_executor *executor)
{
    CHECK_OK(thr_executor_shutdown(executor, true, false));
    CHECK_EQUAL(thr_active_count(), 1); /* its threads have ended, all of them */
    thr_executor_free(executor);
}

static thr_future *submit(thr_executor *executor, void *(*function)(void *), void *arg)
{
    thr_future *future;
    CHECK_OK(thr_executor_submit(executor, &future, function, arg));
    return future;
}

static void *result_of(thr_future *future)
{
    void *result;
    CHECK_OK(thr_future_result(future, &result));
    thr_future_unref(future);
    return result;
}

static void *give_arg(void *arg)
{
    return arg;
}

static void *wait_for(void *event)
{
    thr_event_wait(event);
    return event;
}

static void *count_up(void *count)
{
    support_count_add(count);
    return count;
}

static void *fail_task(void *arg)
{
    thr_fail(3, "%s", (const char *)arg);
}

static void *who(void *arg)
{
    (void)arg;
    return thr_current_thread();
}

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

/* -- Failures ----------------------------------------------------------------------------------------------------- */

static uint32_t reports;

static void report(thr_thread *thread, int code, const char *message)
{
    CHECK(thread == thr_current_thread());
    CHECK_EQUAL(code, 3);
    CHECK(strcmp(message, "no reason") == 0);
    __atomic_fetch_add(&reports, 1, __ATOMIC_RELAXED);
}

static char reason[] = "no reason";

static void test_failing_task(void **state)
{
    (void)state;
    char message[64];
    void *result = reason;
    thr_executor *executor = make(1);
    reports = 0;
    thr_set_excepthook(report);
    thr_future *future = submit(executor, fail_task, reason);
    CHECK_RESULT(thr_future_result(future, &result), THR_FAILED);
    CHECK(result == NULL);
    CHECK_EQUAL(thr_future_failure(future, message, sizeof message), 3);
    CHECK(strcmp(message, reason) == 0);
    CHECK(thr_future_done(future) && !thr_future_cancelled(future) && !thr_future_running(future));
    thr_future_unref(future);
    CHECK_EQUAL(reports, 0);
    thr_thread *worker = result_of(submit(executor, who, NULL));
    CHECK_OK(thr_executor_submit(executor, NULL, fail_task, reason)); /* nobody will ask */
    CHECK(result_of(submit(executor, who, NULL)) == worker);
    CHECK_EQUAL(reports, 1);
    thr_set_excepthook(NULL);
    end(executor);
}

struct cleaned {
    uint32_t times;
    thr_event *last;
};

static void clean(struct cleaned **cleaned)
{
    (*cleaned)->times++;
}

static void *fail_deep(void *arg)
{
    struct cleaned *outer __attribute__((cleanup(clean))) = arg;
    if (outer->times == 0) {
        struct cleaned *inner __attribute__((cleanup(clean))) = arg;
        inner->last = NULL;
        thr_fail(1, "%s", "deep");
    }
    return outer;
}

static void test_failure_unwinds(void **state)
{
    (void)state;
    struct cleaned cleaned = {0, NULL};
    thr_executor *executor = make(1);
    thr_future *future = submit(executor, fail_deep, &cleaned);
    CHECK_RESULT(thr_future_result(future, NULL), THR_FAILED);
    CHECK_EQUAL(cleaned.times, 2);
    thr_future_unref(future);
    end(executor);
}

/* pthread_exit ends the worker, and the task has failed; others go on. */
static void *leave(void *arg)
{
    (void)arg;
    pthread_exit(NULL);
}

static void test_pthread_exit(void **state)
{
    (void)state;
    thr_executor *executor = make(1);
    for (int i = 0; i < 10; i++) {
        thr_future *future = submit(executor, leave, NULL);
        CHECK_RESULT(thr_future_result(future, NULL), THR_FAILED);
        thr_future_unref(future);
        CHECK(result_of(submit(executor, give_arg, &i)) == &i);
    }
    end(executor);
}

/* -- Workers ------------------------------------------------------------------------------------------------------ */

static void test_saturation(void **state)
{
    (void)state;
    enum { MAX = 4, N = 15 * MAX };
    thr_semaphore semaphore = THR_SEMAPHORE_INIT(0);
    thr_event go = THR_EVENT_INIT;
    thr_executor *executor = make(MAX);
    (void)semaphore;
    for (int i = 0; i < N; i++)
        CHECK_OK(thr_executor_submit(executor, NULL, wait_for, &go));
    support_wait_blocked(&go, MAX);
    CHECK_EQUAL(thr_active_count(), 1 + MAX);
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

/* -- Initializers ------------------------------------------------------------------------------------------------- */

static __thread int initialized;

static void initialize(void *value)
{
    initialized = *(int *)value;
}

static void *get_initialized(void *event)
{
    if (event)
        thr_event_wait(event);
    return (void *)(intptr_t)initialized;
}

static void test_initializer(void **state)
{
    (void)state;
    enum { N = 2, VALUE = 17 };
    int value = VALUE;
    thr_event go = THR_EVENT_INIT;
    thr_future *futures[N];
    thr_executor *executor;
    CHECK_OK(thr_executor_new(&executor, .max_workers = N, .initializer = initialize, .initarg = &value));
    for (int i = 0; i < N; i++)
        futures[i] = submit(executor, get_initialized, &go);
    support_wait_blocked(&go, N);
    thr_event_set(&go);
    for (int i = 0; i < N; i++)
        CHECK_EQUAL((intptr_t)result_of(futures[i]), VALUE);
    end(executor);
}

/* Initializers that wait for each other: each submit has started a worker. */
static void meet(void *barrier)
{
    CHECK_OK(thr_barrier_wait(barrier, NULL));
}

static void test_initializers_meet(void **state)
{
    (void)state;
    enum { N = 4 };
    thr_barrier barrier = THR_BARRIER_INIT(N, NULL, NULL);
    thr_future *futures[N];
    thr_executor *executor;
    CHECK_OK(thr_executor_new(&executor, .max_workers = N, .initializer = meet, .initarg = &barrier));
    for (int i = 0; i < N; i++)
        futures[i] = submit(executor, give_arg, &barrier);
    for (int i = 0; i < N; i++)
        CHECK(result_of(futures[i]) == &barrier);
    end(executor);
}

struct failing {
    thr_event go;
    thr_executor *executor;
    thr_result submitted;
    bool leave;
};

static void fail_to_initialize(void *arg)
{
    struct failing *failing = arg;
    thr_event_wait(&failing->go);
    failing->submitted = thr_executor_submit(failing->executor, NULL, give_arg, NULL);
    if (failing->leave)
        pthread_exit(NULL);
    thr_fail(3, "%s", reason);
}

static void check_failing_initializer(bool leave_instead)
{
    enum { N = 100 };
    struct failing failing = {THR_EVENT_INIT, NULL, THR_INVALID, leave_instead};
    thr_future *futures[N];
    thr_future *future = NULL;
    uint32_t called = 0;
    CHECK_OK(
        thr_executor_new(&failing.executor, .max_workers = 1, .initializer = fail_to_initialize, .initarg = &failing));
    reports = 0;
    thr_set_excepthook(report);
    for (int i = 0; i < N; i++)
        futures[i] = submit(failing.executor, give_arg, &called);
    thr_event_set(&failing.go);
    for (int i = 0; i < N; i++) {
        void *result = futures;
        CHECK_RESULT(thr_future_result(futures[i], &result), THR_BROKEN);
        CHECK(result == NULL);
        CHECK(thr_future_done(futures[i]) && !thr_future_cancelled(futures[i]));
        thr_future_unref(futures[i]);
    }
    CHECK_OK(failing.submitted);
    CHECK_RESULT(thr_executor_submit(failing.executor, &future, give_arg, NULL), THR_BROKEN);
    CHECK(future == NULL);
    CHECK_EQUAL(reports, leave_instead ? 0 : 1);
    thr_set_excepthook(NULL);
    end(failing.executor);
}

static void test_failing_initializer(void **state)
{
    (void)state;
    check_failing_initializer(false);
    check_failing_initializer(true);
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

/* -- Shutdown ----------------------------------------------------------------------------------------------------- */

static void test_run_after_shutdown(void **state)
{
    (void)state;
    thr_future *future = NULL;
    for (int waits = 0; waits < 2; waits++) {
        thr_executor *executor = make(2);
        CHECK(result_of(submit(executor, give_arg, &waits)) == &waits);
        CHECK_OK(thr_executor_shutdown(executor, waits, false));
        CHECK_OK(thr_executor_shutdown(executor, waits, true));
        CHECK_RESULT(thr_executor_submit(executor, &future, give_arg, NULL), THR_CLOSED);
        CHECK_RESULT(thr_executor_submit(executor, NULL, give_arg, NULL), THR_CLOSED);
        CHECK_RESULT(thr_executor_map(executor, give_arg, args, 1, results), THR_CLOSED);
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

SUPPORT_MAIN(cmocka_unit_test(test_submit), cmocka_unit_test(test_invalid), cmocka_unit_test(test_without_future),
             cmocka_unit_test(test_order), cmocka_unit_test(test_cancel_pending), cmocka_unit_test(test_failing_task),
             cmocka_unit_test(test_failure_unwinds), cmocka_unit_test(test_pthread_exit),
             cmocka_unit_test(test_saturation), cmocka_unit_test(test_idle_worker_is_used_again),
             cmocka_unit_test(test_names), cmocka_unit_test(test_workers_are_no_daemons),
             cmocka_unit_test(test_initializer), cmocka_unit_test(test_initializers_meet),
             cmocka_unit_test(test_failing_initializer), cmocka_unit_test(test_task_submits),
             cmocka_unit_test(test_callback_submits), cmocka_unit_test(test_map), cmocka_unit_test(test_map_failure),
             cmocka_unit_test(test_map_timeout), cmocka_unit_test(test_map_is_cancelled),
             cmocka_unit_test(test_map_in_a_task), cmocka_unit_test(test_no_more_than_max),
             cmocka_unit_test(test_run_after_shutdown), cmocka_unit_test(test_pending_is_done),
             cmocka_unit_test(test_cancel_futures), cmocka_unit_test(test_cancelled_right_before),
             cmocka_unit_test(test_shutdown_until), cmocka_unit_test(test_shutdown_in_a_task),
             cmocka_unit_test(test_several_shut_down), cmocka_unit_test(test_dropped_while_busy),
             cmocka_unit_test(test_dropped_by_a_task), cmocka_unit_test(test_used_after_thr_shutdown))
