/* test_executor_fails.c - tasks and initializers that fail. */

#include "executors.h"

/* -- Failures ----------------------------------------------------------------------------------------------------- */

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

/* An initializer that waits keeps its place: whoever came instead would have to run it too. */
struct loading {
    thr_future *future;
    uint32_t times;
};

static void load(void *arg)
{
    struct loading *loading = arg;
    __atomic_fetch_add(&loading->times, 1, __ATOMIC_RELAXED);
    CHECK_OK(thr_future_result(loading->future, NULL));
}

static void check_waiting_initializer(unsigned max)
{
    enum { N = 10 };
    thr_future *futures[N];
    struct loading loading = {NULL, 0};
    thr_executor *executor;
    CHECK_OK(thr_future_new(&loading.future));
    CHECK_OK(thr_executor_new(&executor, .max_workers = max, .initializer = load, .initarg = &loading));
    for (unsigned i = 0; i < N; i++) {
        futures[i] = submit(executor, give_arg, &loading);
        support_wait_blocked(loading.future, i + 1 < max ? i + 1 : max);
    }
    CHECK_EQUAL(thr_active_count(), max + 1);
    CHECK_OK(thr_future_set_result(loading.future, NULL));
    for (unsigned i = 0; i < N; i++)
        CHECK(result_of(futures[i]) == &loading);
    CHECK_EQUAL(loading.times, max);
    end(executor);
    thr_future_unref(loading.future);
}

static void test_waiting_initializer(void **state)
{
    (void)state;
    for (unsigned max = 1; max <= 3; max++)
        check_waiting_initializer(max);
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
    CHECK_OK(thr_executor_map(failing.executor, give_arg, NULL, 0, NULL));
    CHECK_OK(thr_executor_shutdown(failing.executor, true, false));
    CHECK_RESULT(thr_executor_submit(failing.executor, &future, give_arg, NULL), THR_BROKEN); /* not THR_CLOSED */
    CHECK_RESULT(thr_executor_map(failing.executor, give_arg, (void *[1]){NULL}, 1, NULL), THR_BROKEN);
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

/* Groups that an initializer leaves open are cancelled and waited for, as those of a task. */
struct leaving {
    thr_executor *executor;
    thr_group groups[2];
    thr_task tasks[2];
    struct support_count count;
    bool fail;
};

static void leave_open(void *arg)
{
    struct leaving *leaving = arg;
    for (int i = 0; i < 2; i++) {
        leaving->groups[i] = (thr_group)THR_GROUP_INIT(leaving->executor);
        CHECK_OK(thr_group_spawn(&leaving->groups[i], &leaving->tasks[i], count_up, &leaving->count));
        CHECK_OK(thr_group_spawn(&leaving->groups[i], NULL, count_up, &leaving->count));
    }
    CHECK_RESULT(thr_group_wait_until(&leaving->groups[1], 0), THR_TIMEOUT);
    if (leaving->fail)
        thr_fail(3, "%s", reason);
}

static void check_leaving_initializer(bool fail)
{
    struct leaving leaving = {.fail = fail};
    CHECK_OK(thr_executor_new(&leaving.executor, .max_workers = 1, .initializer = leave_open, .initarg = &leaving));
    reports = 0;
    thr_set_excepthook(report);
    thr_future *future = NULL;
    thr_result result = thr_executor_submit(leaving.executor, &future, give_arg, &leaving);
    if (result == THR_OK) /* else the initializer was faster */
        result = thr_future_result(future, NULL);
    CHECK_RESULT(result, fail ? THR_BROKEN : THR_OK);
    CHECK(leaving.groups[0].frame_.next == NULL && leaving.groups[1].frame_.next == NULL);
    CHECK_EQUAL(support_count_get(&leaving.count), 0); /* nobody else could run them */
    CHECK_EQUAL(reports, fail ? 1 : 0);
    thr_set_excepthook(NULL);
    thr_future_unref(future);
    end(leaving.executor);
}

static void test_initializer_leaves_groups(void **state)
{
    (void)state;
    check_leaving_initializer(false);
    check_leaving_initializer(true);
}

/* What it has spawned into another's group, and nobody has stolen, is not lost when it fails. */
struct giving {
    thr_group group;
    struct support_count count;
    thr_event go;
};

static void give_and_fail(void *arg)
{
    struct giving *giving = arg;
    thr_event_wait(&giving->go);
    for (int i = 0; i < 5; i++)
        CHECK_OK(thr_group_spawn(&giving->group, NULL, count_up, &giving->count));
    thr_fail(3, "%s", reason);
}

static void test_initializer_spawns_and_fails(void **state)
{
    (void)state;
    thr_executor *executor;
    struct giving giving = {.count = {0}, .go = THR_EVENT_INIT};
    CHECK_OK(thr_executor_new(&executor, .max_workers = 1, .initializer = give_and_fail, .initarg = &giving));
    giving.group = (thr_group)THR_GROUP_INIT(executor);
    thr_set_excepthook(report);
    CHECK_OK(thr_group_spawn(&giving.group, NULL, count_up, &giving.count));
    thr_event_set(&giving.go);
    CHECK_RESULT(thr_group_wait(&giving.group), THR_BROKEN);
    CHECK_EQUAL(support_count_get(&giving.count), 0);
    thr_set_excepthook(NULL);
    end(executor);
}

SUPPORT_MAIN(cmocka_unit_test(test_initializer_leaves_groups), cmocka_unit_test(test_initializer_spawns_and_fails),
             cmocka_unit_test(test_failing_task), cmocka_unit_test(test_failure_unwinds),
             cmocka_unit_test(test_pthread_exit), cmocka_unit_test(test_initializer),
             cmocka_unit_test(test_initializers_meet), cmocka_unit_test(test_waiting_initializer),
             cmocka_unit_test(test_failing_initializer))
