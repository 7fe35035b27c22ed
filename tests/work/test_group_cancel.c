/* test_group_cancel.c - a group that is cancelled: what has not begun does not run, what runs can learn of it. */

#include "groups.h"

struct cancelling {
    thr_group *group;
    thr_executor *inner; /* whose groups are inside */
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

/* Between the spawn of the only task and the wait, `cancelled` is: the group, or the one that the caller is in. */
static void cancel_before_the_wait(struct cancelling *c, thr_group *cancelled)
{
    thr_task task;
    thr_group group = THR_GROUP_INIT(executor);
    CHECK_OK(thr_group_spawn(&group, &task, count_cancelling, c));
    thr_group_cancel(cancelled ? cancelled : &group);
    CHECK_RESULT(thr_group_wait(&group), THR_CANCELLED);
    CHECK_EQUAL(support_count_get(&c->ran), 0);
}

static void *cancel_own_group(void *arg)
{
    struct cancelling c = {.group = NULL};
    cancel_before_the_wait(&c, NULL);
    return arg;
}

static void *cancel_group_outside(void *arg)
{
    struct cancelling *c = arg;
    cancel_before_the_wait(c, c->group);
    return NULL;
}

static void *wait_for_one_that_cancels(void *arg)
{
    thr_task task;
    thr_group group = THR_GROUP_INIT(executor);
    struct cancelling c = {.group = &group};
    CHECK_OK(thr_group_spawn(&group, &task, cancel_group_outside, &c));
    CHECK_RESULT(thr_group_wait(&group), THR_CANCELLED);
    return arg;
}

static void test_cancel(void **state)
{
    (void)state;
    executor = make(1);
    in_a_task(cancel_own_group, NULL); /* the first of the process */
    in_a_task(wait_for_one_that_cancels, NULL);
    in_a_task(cancel_the_rest, NULL);
    end(executor);
}

static void *spawn_and_ask(void *arg)
{
    struct cancelling *c = arg;
    thr_group inner = THR_GROUP_INIT(c->inner);
    thr_task tasks[2];
    CHECK_OK(thr_group_spawn(&inner, &tasks[0], ask_cancelled, c));
    thr_event_wait(&c->go);
    CHECK_OK(thr_group_spawn(&inner, &tasks[1], count_cancelling, c)); /* into a group inside a cancelled one */
    CHECK_RESULT(thr_group_wait(&inner), THR_CANCELLED);
    thr_group late = THR_GROUP_INIT(c->inner);
    CHECK_OK(thr_group_spawn(&late, &tasks[1], count_cancelling, c));
    CHECK_RESULT(thr_group_wait(&late), THR_CANCELLED);
    return NULL;
}

static void check_groups_inside(thr_executor *inner)
{
    thr_group group = THR_GROUP_INIT(executor);
    struct cancelling c = {.group = &group, .inner = inner, .asked = false};
    thr_task task;
    CHECK_OK(thr_group_spawn(&group, &task, spawn_and_ask, &c));
    thr_event_wait(&c.begun);
    thr_group_cancel(&group);
    thr_event_set(&c.go);
    CHECK_RESULT(thr_group_wait(&group), THR_CANCELLED);
    CHECK(c.asked);
    CHECK_EQUAL(support_count_get(&c.ran), 0);
}

/* A running task in a group inside the cancelled one learns of it, also if that is another executor's; the groups inside end as
 * cancelled. */
static void test_cancel_reaches_groups_inside(void **state)
{
    (void)state;
    executor = make(3);
    thr_executor *another = make(3);
    check_groups_inside(executor);
    check_groups_inside(another);
    CHECK_OK(thr_executor_shutdown(another, true, false));
    thr_executor_free(another);
    end(executor);
}

struct asking {
    thr_event done;
    bool cancelled;
};

static void *ask_once(void *arg)
{
    struct asking *asking = arg;
    asking->cancelled = thr_group_cancelled();
    thr_event_set(&asking->done);
    return NULL;
}

/* A job without a future is in no group: not in that of the task that its worker has run before. */
static void test_job_is_in_no_group(void **state)
{
    (void)state;
    executor = make(1);
    thr_group group = THR_GROUP_INIT(executor);
    thr_task task;
    struct asking asking = {THR_EVENT_INIT, true};
    CHECK_OK(thr_group_spawn(&group, &task, fail_task, (char[]){"it fails"}));
    CHECK_RESULT(thr_group_wait(&group), THR_FAILED);
    CHECK_OK(thr_executor_submit(executor, NULL, ask_once, &asking));
    thr_event_wait(&asking.done);
    CHECK(!asking.cancelled);
    end(executor);
}

SUPPORT_MAIN(cmocka_unit_test(test_cancel), cmocka_unit_test(test_cancel_reaches_groups_inside),
             cmocka_unit_test(test_job_is_in_no_group))
