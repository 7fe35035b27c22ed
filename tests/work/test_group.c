/* test_group.c - groups: fork and join, waits with a deadline, who may wait, and groups that are left open. */

#include "groups.h"

#include <stdlib.h>

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

/* -- Several that are open ---------------------------------------------------------------------------------------- */

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
    CHECK(left_open[0].frame_.next == NULL && left_open[1].frame_.next == NULL);
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
    CHECK(forgotten.frame_.next == NULL);
    end(executor);
}

SUPPORT_MAIN(cmocka_unit_test(test_fib), cmocka_unit_test(test_many), cmocka_unit_test(test_nothing_spawned),
             cmocka_unit_test(test_invalid), cmocka_unit_test(test_spawn_after_shutdown),
             cmocka_unit_test(test_wait_until), cmocka_unit_test(test_wait_again), cmocka_unit_test(test_who_may_wait),
             cmocka_unit_test(test_spawn_into_own_group), cmocka_unit_test(test_wait_in_any_order),
             cmocka_unit_test(test_left_open_in_a_group), cmocka_unit_test(test_forgotten_group))
