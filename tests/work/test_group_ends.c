/* test_group_ends.c - how groups end: after a spawn that is refused, by waits that come late or by others; and more tasks than
 * a deque has room for. */

#include "groups.h"

/* -- Waits --------------------------------------------------------------------------------------------------------- */

static void wait_for_nothing(void *group)
{
    CHECK_OK(thr_group_wait(group));
}

/* A spawn that is refused leaves the group closed, for everybody. */
static void test_refused_spawn(void **state)
{
    (void)state;
    thr_task task;
    executor = make(1);
    thr_group group = THR_GROUP_INIT(executor);
    CHECK_OK(thr_executor_shutdown(executor, true, false));
    CHECK_RESULT(thr_group_spawn(&group, &task, give_arg, NULL), THR_CLOSED);
    CHECK_RESULT(thr_group_spawn(&group, NULL, give_arg, NULL), THR_CLOSED);
    support_thread_join(support_thread_start(wait_for_nothing, &group));
    thr_executor_free(executor);
}

static void wait_for_others(void *group)
{
    CHECK_RESULT(thr_group_wait(group), THR_NOT_OWNER);
    CHECK_RESULT(thr_group_wait_until(group, support_limit()), THR_NOT_OWNER);
}

static void *wait_for_own(void *group)
{
    CHECK_RESULT(thr_group_wait(group), THR_DEADLOCK);
    CHECK_RESULT(thr_group_wait_until(group, support_limit()), THR_DEADLOCK);
    support_thread_join(support_thread_start(wait_for_others, group));
    return NULL;
}

static void *spawn_waiters(void *arg)
{
    thr_task tasks[3];
    thr_group group = THR_GROUP_INIT(executor);
    for (int i = 0; i < 3; i++)
        CHECK_OK(thr_group_spawn(&group, &tasks[i], wait_for_own, &group));
    CHECK_OK(thr_group_wait(&group));
    return arg;
}

/* With a deadline as without; and whichever of several tasks it is. */
static void test_who_may_wait(void **state)
{
    (void)state;
    executor = make(1);
    (void)result_of(submit(executor, spawn_waiters, NULL));
    (void)spawn_waiters(NULL);
    end(executor);
}

static void *add(void *count)
{
    support_count_add(count);
    return NULL;
}

/* A deadline that has passed does not matter where all have ended. */
static void test_late_wait(void **state)
{
    (void)state;
    thr_task task;
    struct support_count count = {0};
    executor = make(1);
    thr_group group = THR_GROUP_INIT(executor);
    CHECK_OK(thr_group_spawn(&group, &task, add, &count));
    thr_time limit = support_limit();
    thr_result result = THR_TIMEOUT;
    while (result == THR_TIMEOUT && thr_now() < limit)
        result = thr_group_wait_until(&group, 0);
    CHECK_RESULT(result, THR_OK);
    CHECK_EQUAL(support_count_get(&count), 1);
    end(executor);
}

struct late {
    thr_group *group;
    thr_event go;
    thr_time deadline;
    thr_task task;
};

static void spawn_and_wait(void *arg)
{
    struct late *late = arg;
    thr_group group = THR_GROUP_INIT(executor);
    late->group = &group;
    CHECK_OK(thr_group_spawn(&group, &late->task, wait_for, &late->go));
    CHECK_OK(thr_group_wait_until(&group, late->deadline));
}

/* Its deadline passes; before it sees that, the last task ends. */
static void test_last_moment(void **state)
{
    (void)state;
    struct late late = {.go = THR_EVENT_INIT};
    executor = make(1);
    CHECK(result_of(submit(executor, give_arg, &late)) == &late); /* the worker is there */
    support_clock_stop();
    late.deadline = thr_after(10);
    struct support_thread *thread = support_thread_start(spawn_and_wait, &late);
    support_wait_blocked(&late.go, 1);
    support_wait_thread_blocked(thread, late.group);
    support_stop(SUPPORT_AFTER_SLEEP, late.group, thread);
    support_clock_advance(11);
    support_wait_stopped(SUPPORT_AFTER_SLEEP, 1);
    thr_event_set(&late.go);
    (void)result_of(submit(executor, give_arg, NULL)); /* the task has ended */
    support_go(SUPPORT_AFTER_SLEEP);
    support_thread_join(thread);
    support_clock_go();
    end(executor);
}

/* -- Room ---------------------------------------------------------------------------------------------------------- */

enum { MANY = 3 * THR__DEQUE_SIZE };

static unsigned char runs[MANY]; /* of each; by one worker */

static void *run(void *arg)
{
    ++*(unsigned char *)arg;
    return arg;
}

static void *spawn_many(void *arg)
{
    static thr_task tasks[MANY];
    thr_group group = THR_GROUP_INIT(executor);
    memset(runs, 0, sizeof runs);
    for (int i = 0; i < MANY; i++)
        CHECK_OK(thr_group_spawn(&group, &tasks[i], run, &runs[i]));
    CHECK_OK(thr_group_wait(&group));
    for (int i = 0; i < MANY; i++)
        CHECK_EQUAL(runs[i], 1);
    return arg;
}

static void test_more_than_a_deque_holds(void **state)
{
    (void)state;
    executor = make(1);
    for (int i = 0; i < 3; i++)
        (void)result_of(submit(executor, spawn_many, NULL));
    end(executor);
}

SUPPORT_MAIN(cmocka_unit_test(test_refused_spawn), cmocka_unit_test(test_who_may_wait),
             cmocka_unit_test(test_late_wait), cmocka_unit_test(test_last_moment),
             cmocka_unit_test(test_more_than_a_deque_holds))
