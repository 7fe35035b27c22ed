/* test_group.c - groups: fork and join, cancelling, failures, who may wait; parallel_for. */

#include "executors.h"

#include <stdlib.h>
#include <string.h>

static thr_executor *executor;

/* Runs function(arg) as a task, and as a plain thread. */
static void in_a_task(void *(*function)(void *), void *arg)
{
    thr_future *future;
    CHECK_OK(thr_executor_submit(executor, &future, function, arg));
    CHECK_OK(thr_future_result(future, NULL));
    thr_future_unref(future);
}

static void inside_and_outside(unsigned max_workers, void *(*function)(void *), void *arg)
{
    executor = make(max_workers);
    in_a_task(function, arg);
    (void)function(arg);
    end(executor);
}

static void *fail_why(void *arg)
{
    thr_fail(5, "%s", (const char *)arg);
}

/* -- Fork and join ------------------------------------------------------------------------------------------------ */

struct fib {
    int n;
    long result;
};

static void *fib(void *arg)
{
    struct fib *f = arg;
    if (f->n < 2) {
        f->result = f->n;
        return NULL;
    }
    struct fib left = {f->n - 1, 0};
    struct fib right = {f->n - 2, 0};
    thr_group group = THR_GROUP_INIT(executor);
    thr_task task;
    CHECK_OK(thr_group_spawn(&group, &task, fib, &left));
    (void)fib(&right);
    CHECK_OK(thr_group_wait(&group));
    f->result = left.result + right.result;
    return NULL;
}

static void test_fib(void **state)
{
    (void)state;
    for (unsigned max = 1; max <= 4; max++) {
        executor = make(max);
        for (int i = 0; i < 5; i++) {
            struct fib f = {20, 0};
            in_a_task(fib, &f);
            CHECK_EQUAL(f.result, 6765);
        }
        struct fib f = {12, 0};
        (void)fib(&f); /* by a plain thread */
        CHECK_EQUAL(f.result, 144);
        end(executor);
    }
}

/* More than a deque holds, with and without storage. */
static void *spawn_many(void *arg)
{
    enum { N = 5000 };
    struct support_count *count = arg;
    thr_task *tasks = calloc(N, sizeof *tasks);
    thr_group group = THR_GROUP_INIT(executor);
    for (int round = 0; round < 3; round++) { /* it can be used again */
        uint32_t before = support_count_get(count);
        for (int i = 0; i < N; i++)
            CHECK_OK(thr_group_spawn(&group, round == 1 ? NULL : &tasks[i], count_up, count));
        CHECK_OK(thr_group_wait(&group));
        CHECK_EQUAL(support_count_get(count) - before, N);
    }
    free(tasks);
    return NULL;
}

static void test_many(void **state)
{
    (void)state;
    struct support_count count = {0};
    inside_and_outside(1, spawn_many, &count);
    inside_and_outside(3, spawn_many, &count);
}

static void *wait_for_nothing(void *arg)
{
    thr_group group = THR_GROUP_INIT(executor);
    CHECK_OK(thr_group_wait(&group));
    CHECK_OK(thr_group_wait_until(&group, 0));
    thr_group_cancel(&group);
    CHECK_OK(thr_group_wait(&group));
    CHECK(!thr_group_cancelled());
    return arg;
}

static void test_nothing_spawned(void **state)
{
    (void)state;
    inside_and_outside(1, wait_for_nothing, NULL);
}

static void test_invalid(void **state)
{
    (void)state;
    executor = make(1);
    thr_group group = THR_GROUP_INIT(executor);
    thr_group zeroed = {0};
    thr_task task;
    CHECK_RESULT(thr_group_spawn(&group, &task, NULL, NULL), THR_INVALID);
    CHECK_RESULT(thr_group_spawn(&zeroed, &task, count_up, NULL), THR_INVALID);
    CHECK_OK(thr_group_wait(&group));
    thr_group_cancel(&zeroed);
    CHECK_OK(thr_group_wait(&zeroed));
    CHECK_OK(thr_executor_shutdown(executor, true, false));
    CHECK_RESULT(thr_group_spawn(&group, &task, count_up, NULL), THR_CLOSED);
    CHECK_RESULT(thr_group_spawn(&group, NULL, count_up, NULL), THR_CLOSED);
    CHECK_OK(thr_group_wait(&group));
    end(executor);
}

static void *spawn_after_shutdown(void *arg)
{
    struct support_count *count = arg;
    CHECK_OK(thr_executor_shutdown(executor, false, false));
    (void)spawn_many(count);
    return NULL;
}

/* What runs goes on to its end, with all that it spawns. */
static void test_spawn_after_shutdown(void **state)
{
    (void)state;
    struct support_count count = {0};
    executor = make(2);
    in_a_task(spawn_after_shutdown, &count);
    end(executor);
}

/* -- Waiting with a deadline -------------------------------------------------------------------------------------- */

static void *wait_in_time(void *arg)
{
    thr_event go = THR_EVENT_INIT;
    thr_group group = THR_GROUP_INIT(executor);
    thr_task task;
    CHECK_OK(thr_group_spawn(&group, &task, wait_for, &go));
    thr_time deadline = thr_after(0.005);
    CHECK_RESULT(thr_group_wait_until(&group, 0), THR_TIMEOUT);
    CHECK_RESULT(thr_group_wait_until(&group, deadline), THR_TIMEOUT);
    CHECK_PASSED(deadline);
    thr_event_set(&go);
    CHECK_OK(thr_group_wait_until(&group, support_limit()));
    return arg;
}

/* The wait ends while one task runs elsewhere, and the other two are still in the worker's own deque: what runs them then is
 * the wait without a deadline. */
static void *begin_and_wait(void *go)
{
    support_clock_advance(2);
    thr_event_wait(go);
    return go;
}

static void *let_it_end(void *go)
{
    thr_event_set(go);
    return go;
}

static void *wait_again(void *count)
{
    thr_event go = THR_EVENT_INIT;
    thr_group group = THR_GROUP_INIT(executor);
    thr_task tasks[3];
    CHECK_OK(thr_group_spawn(&group, &tasks[0], begin_and_wait, &go));
    CHECK_OK(thr_group_spawn(&group, &tasks[1], count_up, count));
    CHECK_OK(thr_group_spawn(&group, &tasks[2], let_it_end, &go));
    CHECK_RESULT(thr_group_wait_until(&group, thr_after(1)), THR_TIMEOUT);
    CHECK_OK(thr_group_wait(&group));
    return count;
}

static void test_wait_again(void **state)
{
    (void)state;
    struct support_count count = {0};
    executor = make(1);
    support_clock_stop();
    in_a_task(wait_again, &count);
    support_clock_go();
    CHECK_EQUAL(support_count_get(&count), 1);
    end(executor);
}

static void test_wait_until(void **state)
{
    (void)state;
    inside_and_outside(1, wait_in_time, NULL);
    inside_and_outside(2, wait_in_time, NULL);
}

/* -- Who may wait ------------------------------------------------------------------------------------------------- */

static void *wait_for_own(void *group)
{
    CHECK_RESULT(thr_group_wait(group), THR_DEADLOCK);
    return NULL;
}

static void *wait_for_others(void *group)
{
    CHECK_RESULT(thr_group_wait(group), THR_NOT_OWNER);
    return NULL;
}

static void *spawn_waiters(void *arg)
{
    thr_group group = THR_GROUP_INIT(executor);
    thr_group other = THR_GROUP_INIT(executor);
    thr_task tasks[2];
    CHECK_OK(thr_group_spawn(&group, &tasks[0], wait_for_own, &group));
    CHECK_OK(thr_group_wait(&group));
    CHECK_OK(thr_group_spawn(&group, &tasks[0], count_up, arg));
    CHECK_OK(thr_group_spawn(&other, &tasks[1], wait_for_others, &group));
    CHECK_OK(thr_group_wait(&other));
    CHECK_OK(thr_group_wait(&group));
    return NULL;
}

static void test_who_may_wait(void **state)
{
    (void)state;
    struct support_count count = {0};
    inside_and_outside(1, spawn_waiters, &count);
    inside_and_outside(2, spawn_waiters, &count);
}

/* Tasks spawn into the group that they are in. */
struct nest {
    thr_group *group;
    struct support_count *count;
    int left;
};

static void *spawn_into(void *arg)
{
    struct nest *nest = arg;
    support_count_add(nest->count);
    for (int i = 0; nest->left > 0 && i < 2; i++) {
        struct nest *next = malloc(sizeof *next);
        *next = (struct nest){nest->group, nest->count, nest->left - 1};
        CHECK_OK(thr_group_spawn(nest->group, NULL, spawn_into, next));
    }
    free(nest);
    return NULL;
}

static void *grow(void *count)
{
    thr_group group = THR_GROUP_INIT(executor);
    struct nest *first = malloc(sizeof *first);
    uint32_t before = support_count_get(count);
    *first = (struct nest){&group, count, 10};
    CHECK_OK(thr_group_spawn(&group, NULL, spawn_into, first));
    CHECK_OK(thr_group_wait(&group));
    CHECK_EQUAL(support_count_get(count) - before, 2047);
    return NULL;
}

static void test_spawn_into_own_group(void **state)
{
    (void)state;
    struct support_count count = {0};
    for (unsigned max = 1; max <= 3; max++)
        inside_and_outside(max, grow, &count);
}

/* -- Cancelling --------------------------------------------------------------------------------------------------- */

struct cancelling {
    thr_group *group;
    thr_event begun;
    thr_event go;
    struct support_count ran;
    bool asked;
};

static void *ask_cancelled(void *arg)
{
    struct cancelling *c = arg;
    thr_event_set(&c->begun);
    while (!thr_group_cancelled())
        thr_sleep(0);
    c->asked = true;
    return NULL;
}

static void *count_cancelling(void *arg)
{
    struct cancelling *c = arg;
    support_count_add(&c->ran);
    return NULL;
}

static void *cancel_from_a_task(void *arg)
{
    struct cancelling *c = arg;
    thr_group_cancel(c->group);
    CHECK(thr_group_cancelled());
    return NULL;
}

/* The tasks behind the one that cancels do not run: one worker. */
static void *cancel_the_rest(void *arg)
{
    enum { N = 50 };
    thr_task tasks[N + 1];
    thr_group group = THR_GROUP_INIT(executor);
    struct cancelling c = {.group = &group};
    for (int i = 0; i < N; i++)
        CHECK_OK(thr_group_spawn(&group, &tasks[i], count_cancelling, &c));
    CHECK_OK(thr_group_spawn(&group, &tasks[N], cancel_from_a_task, &c)); /* the newest is the first to run */
    CHECK_RESULT(thr_group_wait(&group), THR_CANCELLED);
    CHECK_EQUAL(support_count_get(&c.ran), 0);
    CHECK(!thr_group_cancelled());
    CHECK_OK(thr_group_spawn(&group, &tasks[0], count_cancelling, &c)); /* as new */
    CHECK_OK(thr_group_wait(&group));
    CHECK_EQUAL(support_count_get(&c.ran), 1);
    return arg;
}

static void test_cancel(void **state)
{
    (void)state;
    executor = make(1);
    in_a_task(cancel_the_rest, NULL);
    end(executor);
}

static void *spawn_and_ask(void *arg)
{
    struct cancelling *c = arg;
    thr_group inner = THR_GROUP_INIT(executor);
    thr_task tasks[2];
    CHECK_OK(thr_group_spawn(&inner, &tasks[0], ask_cancelled, c));
    thr_event_wait(&c->go);
    CHECK_OK(thr_group_spawn(&inner, &tasks[1], count_cancelling, c)); /* into a group inside a cancelled one */
    CHECK_RESULT(thr_group_wait(&inner), THR_CANCELLED);
    thr_group late = THR_GROUP_INIT(executor);
    CHECK_OK(thr_group_spawn(&late, &tasks[1], count_cancelling, c));
    CHECK_RESULT(thr_group_wait(&late), THR_CANCELLED);
    return NULL;
}

/* A running task in a group inside the cancelled one learns of it; the groups inside end as cancelled. */
static void test_cancel_reaches_groups_inside(void **state)
{
    (void)state;
    executor = make(3);
    thr_group group = THR_GROUP_INIT(executor);
    struct cancelling c = {.group = &group, .asked = false};
    thr_task task;
    CHECK_OK(thr_group_spawn(&group, &task, spawn_and_ask, &c));
    thr_event_wait(&c.begun);
    thr_group_cancel(&group);
    thr_event_set(&c.go);
    CHECK_RESULT(thr_group_wait(&group), THR_CANCELLED);
    CHECK(c.asked);
    CHECK_EQUAL(support_count_get(&c.ran), 0);
    end(executor);
}

/* Groups of one task may be waited for in any order; one that was opened before the newest is waited for first here. */
static void *wait_in_order(void *arg)
{
    enum { N = 10 };
    struct support_count *count = arg;
    thr_task tasks[N];
    thr_group groups[N];
    for (int i = 0; i < N; i++) {
        groups[i] = (thr_group)THR_GROUP_INIT(executor);
        CHECK_OK(thr_group_spawn(&groups[i], &tasks[i], count_up, count));
    }
    for (int i = 0; i < N; i++)
        CHECK_OK(thr_group_wait(&groups[(i * 3 + 1) % N]));
    for (int i = 0; i < N; i++)
        CHECK_OK(thr_group_wait(&groups[i])); /* not open */
    return NULL;
}

static void test_wait_in_any_order(void **state)
{
    (void)state;
    struct support_count count = {0};
    inside_and_outside(1, wait_in_order, &count);
    inside_and_outside(3, wait_in_order, &count);
    CHECK_EQUAL(support_count_get(&count), 40);
}

/* A task of the newest group opens groups and leaves them: they end with it, and nothing of the groups below. */
static thr_group left_open[2];
static thr_task left_tasks[2];

static void *leave_open(void *count)
{
    for (int i = 0; i < 2; i++) {
        left_open[i] = (thr_group)THR_GROUP_INIT(executor);
        CHECK_OK(thr_group_spawn(&left_open[i], &left_tasks[i], count_up, count));
    }
    return NULL;
}

static void *wait_for_who_leaves(void *count)
{
    thr_group below = THR_GROUP_INIT(executor);
    thr_group group = THR_GROUP_INIT(executor);
    thr_task tasks[2];
    uint32_t before = support_count_get(count);
    CHECK_OK(thr_group_spawn(&below, &tasks[0], count_up, count));
    CHECK_OK(thr_group_spawn(&group, &tasks[1], leave_open, count));
    CHECK_OK(thr_group_wait(&group));
    CHECK(left_open[0].frame_ == 0 && left_open[1].frame_ == 0);
    CHECK_OK(thr_group_wait(&below));
    CHECK(support_count_get(count) > before); /* what is left open is cancelled */
    return NULL;
}

static void test_left_open_in_a_group(void **state)
{
    (void)state;
    struct support_count count = {0};
    executor = make(1);
    in_a_task(wait_for_who_leaves, &count);
    end(executor);
}

/* -- Failures ----------------------------------------------------------------------------------------------------- */

static char why[] = "the reason";

static void *fail_first(void *arg)
{
    enum { N = 20 };
    char message[32];
    thr_task tasks[N + 1];
    thr_group group = THR_GROUP_INIT(executor);
    struct cancelling c = {.group = &group};
    for (int i = 0; i < N; i++)
        CHECK_OK(thr_group_spawn(&group, &tasks[i], count_cancelling, &c));
    CHECK_OK(thr_group_spawn(&group, &tasks[N], fail_why, why));
    CHECK_RESULT(thr_group_wait(&group), THR_FAILED);
    if (arg)
        CHECK_EQUAL(support_count_get(&c.ran), 0);
    CHECK_EQUAL(thr_group_failure(&group, message, sizeof message), 5);
    CHECK(strcmp(message, why) == 0);
    CHECK_EQUAL(thr_group_failure(&group, NULL, 0), 5);
    CHECK_OK(thr_group_spawn(&group, NULL, count_cancelling, &c));
    CHECK_OK(thr_group_wait(&group));
    CHECK_EQUAL(thr_group_failure(&group, message, sizeof message), 0);
    CHECK(strcmp(message, "") == 0);
    return NULL;
}

static void test_failure(void **state)
{
    (void)state;
    executor = make(1);
    in_a_task(fail_first, executor);
    in_a_task(fail_first, executor); /* now that a group was cancelled */
    (void)fail_first(NULL);
    end(executor);
    executor = make(3);
    for (int i = 0; i < 20; i++)
        in_a_task(fail_first, NULL);
    end(executor);
}

static void *fail_deep(void *arg)
{
    uint64_t *depth = arg;
    uint64_t a = *depth * 3;
    uint64_t b = a ^ *depth;
    uint64_t c = b * a + 1;
    uint64_t next = *depth - 1;
    if (*depth > 100)
        return NULL;
    if (*depth == 0)
        thr_fail(7, "deep");
    (void)fail_deep(&next);
    return (void *)(uintptr_t)(a + b + c + *depth);
}

/* Who waits finds its own variables as they were, when what it ran has failed deep down. */
static void *keep_variables(void *arg)
{
    (void)arg;
    uint64_t sum = 0;
    for (uint64_t a = 1, b = 2, c = 3, d = 5, e = 7, f = 11; a < 10; a++, b += a, c ^= b, d += c, e *= 3, f += e ^ d) {
        thr_group group = THR_GROUP_INIT(executor);
        thr_task task;
        uint64_t depth = a % 9;
        uint64_t before = a + 31 * (b + 31 * (c + 31 * (d + 31 * (e + 31 * f))));
        CHECK_OK(thr_group_spawn(&group, &task, fail_deep, &depth));
        CHECK_RESULT(thr_group_wait(&group), THR_FAILED);
        CHECK_EQUAL(thr_group_failure(&group, NULL, 0), 7);
        CHECK(before == a + 31 * (b + 31 * (c + 31 * (d + 31 * (e + 31 * f)))));
        sum += before;
    }
    CHECK(sum != 0);
    return NULL;
}

static void test_failures_keep_variables(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) { /* the first failure of an executor takes the short path */
        executor = make(1);
        in_a_task(keep_variables, NULL);
        end(executor);
    }
}

/* thr_fail with open groups: their tasks have ended before the stack is unwound. */
struct open_groups {
    struct support_count ended;
    uint32_t at_cleanup;
};

static void *end_slowly(void *arg)
{
    struct open_groups *open = arg;
    while (!thr_group_cancelled())
        thr_sleep(0);
    thr_sleep(0.001);
    support_count_add(&open->ended);
    return NULL;
}

static void look(struct open_groups **open)
{
    (*open)->at_cleanup = support_count_get(&(*open)->ended);
}

static void *fail_with_open_groups(void *arg)
{
    struct open_groups *open __attribute__((cleanup(look))) = arg;
    thr_group first = THR_GROUP_INIT(executor);
    thr_group second = THR_GROUP_INIT(executor);
    thr_task tasks[2];
    CHECK_OK(thr_group_spawn(&first, &tasks[0], end_slowly, open));
    CHECK_OK(thr_group_spawn(&second, &tasks[1], end_slowly, open));
    while (support_count_get(&open->ended) > 0)
        thr_sleep(0);
    thr_sleep(0.002); /* they most likely run by now; it makes no difference */
    thr_fail(1, "with open groups");
}

static void test_failure_joins_open_groups(void **state)
{
    (void)state;
    struct open_groups open = {{0}, 99};
    thr_future *future;
    executor = make(3);
    CHECK_OK(thr_executor_submit(executor, &future, fail_with_open_groups, &open));
    CHECK_RESULT(thr_future_result(future, NULL), THR_FAILED);
    thr_future_unref(future);
    CHECK_EQUAL(open.at_cleanup, support_count_get(&open.ended));
    end(executor);
    CHECK_EQUAL(open.at_cleanup, support_count_get(&open.ended));
}

static void quietly(thr_thread *thread, int code, const char *message)
{
    (void)thread;
    (void)code;
    (void)message;
}

/* The same in a thread that is no worker. */
static void test_failing_thread_joins_open_groups(void **state)
{
    (void)state;
    struct open_groups open = {{0}, 99};
    thr_thread *thread;
    executor = make(3);
    thr_set_excepthook(quietly);
    CHECK_OK(thr_spawn(&thread, fail_with_open_groups, &open));
    CHECK_RESULT(thr_thread_join(thread, NULL), THR_FAILED);
    thr_set_excepthook(NULL);
    thr_thread_unref(thread);
    CHECK_EQUAL(open.at_cleanup, support_count_get(&open.ended));
    end(executor);
}

/* A group that its opener forgets is waited for where its task ends. (Its memory is not on the stack here.) */
static thr_group forgotten;
static thr_task forgotten_task;
static struct support_count forgotten_ran;

static void *forget(void *arg)
{
    forgotten = (thr_group)THR_GROUP_INIT(executor);
    CHECK_OK(thr_group_spawn(&forgotten, &forgotten_task, count_up, &forgotten_ran));
    return arg;
}

static void test_forgotten_group(void **state)
{
    (void)state;
    executor = make(1);
    in_a_task(forget, NULL);
    CHECK(forgotten.frame_ == 0);
    end(executor);
}

/* -- parallel_for ------------------------------------------------------------------------------------------------- */

enum { LENGTH = 100000 };
static uint8_t touched[LENGTH];

static void touch(size_t first, size_t last, void *arg)
{
    size_t grain = *(size_t *)arg;
    CHECK(first < last && (grain == 0 || last - first <= grain));
    for (size_t i = first; i < last; i++)
        touched[i]++;
}

static void *touch_all(void *arg)
{
    static const size_t grains[] = {0, 1, 7, 1000, LENGTH - 1, LENGTH, 2 * LENGTH};
    for (size_t k = 0; k < sizeof grains / sizeof *grains; k++) {
        size_t grain = grains[k];
        memset(touched, 0, sizeof touched);
        CHECK_OK(thr_parallel_for(executor, 10, LENGTH, grain, touch, &grain));
        for (size_t i = 0; i < LENGTH; i++)
            CHECK_EQUAL(touched[i], i >= 10);
    }
    CHECK_OK(thr_parallel_for(executor, 5, 5, 1, touch, NULL));
    CHECK_RESULT(thr_parallel_for(executor, 6, 5, 1, touch, NULL), THR_INVALID);
    CHECK_RESULT(thr_parallel_for(executor, 5, 6, 1, NULL, NULL), THR_INVALID);
    CHECK_RESULT(thr_parallel_for(NULL, 5, 6, 1, touch, NULL), THR_INVALID);
    return arg;
}

static void test_parallel_for(void **state)
{
    (void)state;
    inside_and_outside(1, touch_all, NULL);
    inside_and_outside(3, touch_all, NULL);
}

/* Somebody who comes is given half: a range of two, whose halves wait for each other. */
static void meet(size_t first, size_t last, void *barrier)
{
    CHECK_EQUAL(last - first, 1);
    CHECK_OK(thr_barrier_wait(barrier, NULL));
}

static void test_parallel_for_is_split(void **state)
{
    (void)state;
    executor = make(2);
    for (int i = 0; i < 100; i++) {
        thr_barrier barrier = THR_BARRIER_INIT(2, NULL, NULL);
        CHECK_OK(thr_parallel_for(executor, 0, 2, 1, meet, &barrier));
    }
    end(executor);
}

static void fail_at(size_t first, size_t last, void *arg)
{
    size_t at = *(size_t *)arg;
    for (size_t i = first; i < last; i++)
        touched[i] = 1;
    if (first <= at && at < last)
        thr_fail(5, "%s", why);
}

static uint32_t failures;

static void report_why(thr_thread *thread, int code, const char *message)
{
    (void)thread;
    CHECK_EQUAL(code, 5);
    CHECK(strcmp(message, why) == 0);
    failures++;
}

static void test_parallel_for_failure(void **state)
{
    (void)state;
    size_t at = 100;
    executor = make(1);
    memset(touched, 0, sizeof touched);
    failures = 0;
    thr_set_excepthook(report_why);
    CHECK_RESULT(thr_parallel_for(executor, 0, LENGTH, 10, fail_at, &at), THR_FAILED);
    thr_set_excepthook(NULL);
    CHECK_EQUAL(failures, 1);
    CHECK_EQUAL(touched[100], 1);
    CHECK_EQUAL(touched[LENGTH / 4], 0); /* one worker: it did not come further */
    CHECK_EQUAL(touched[LENGTH - 1], 0);
    end(executor);
}

static void nested(size_t first, size_t last, void *arg)
{
    (void)first;
    (void)last;
    size_t grain = 0;
    (void)arg;
    CHECK_OK(thr_parallel_for(executor, 0, 10, 1, touch, &grain));
}

static void test_parallel_for_nested(void **state)
{
    (void)state;
    executor = make(1);
    memset(touched, 0, sizeof touched);
    CHECK_OK(thr_parallel_for(executor, 0, 20, 1, nested, NULL));
    for (int i = 0; i < 10; i++)
        CHECK_EQUAL(touched[i], 20);
    end(executor);
}

SUPPORT_MAIN(cmocka_unit_test(test_fib), cmocka_unit_test(test_many), cmocka_unit_test(test_nothing_spawned),
             cmocka_unit_test(test_invalid), cmocka_unit_test(test_spawn_after_shutdown),
             cmocka_unit_test(test_wait_until), cmocka_unit_test(test_wait_again), cmocka_unit_test(test_who_may_wait),
             cmocka_unit_test(test_spawn_into_own_group), cmocka_unit_test(test_cancel),
             cmocka_unit_test(test_cancel_reaches_groups_inside), cmocka_unit_test(test_wait_in_any_order),
             cmocka_unit_test(test_left_open_in_a_group), cmocka_unit_test(test_failure),
             cmocka_unit_test(test_failure_joins_open_groups), cmocka_unit_test(test_failing_thread_joins_open_groups),
             cmocka_unit_test(test_failures_keep_variables), cmocka_unit_test(test_forgotten_group),
             cmocka_unit_test(test_parallel_for), cmocka_unit_test(test_parallel_for_is_split),
             cmocka_unit_test(test_parallel_for_failure), cmocka_unit_test(test_parallel_for_nested))
