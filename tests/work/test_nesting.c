/* test_nesting.c - tasks that wait for tasks: who runs what, on whose stack, and that it ends. */

#include "executors.h"

#include <stdlib.h>

static thr_executor *executor;

/* -- What is waited for is run by who waits ------------------------------------------------------------------------ */

static void *submit_and_wait(void *arg)
{
    (void)arg;
    CHECK(result_of(submit(executor, who, NULL)) == thr_current_thread());
    return NULL;
}

/* With a deadline it only waits: another worker runs it. */
static void *submit_and_wait_in_time(void *arg)
{
    void *result;
    thr_future *future = submit(executor, who, NULL);
    CHECK_OK(thr_future_result_until(future, support_limit(), &result));
    CHECK(result != thr_current_thread());
    thr_future_unref(future);
    return arg;
}

static void test_not_with_a_deadline(void **state)
{
    (void)state;
    executor = make(1);
    (void)result_of(submit(executor, submit_and_wait_in_time, NULL));
    end(executor);
}

static void test_run_by_who_waits(void **state)
{
    (void)state;
    executor = make(1);
    (void)result_of(submit(executor, submit_and_wait, NULL));
    end(executor);
}

/* Also what a task spawns beside itself, into the group that it is in: no other worker comes for that. */
struct beside {
    thr_group group;
    thr_task tasks[2];
    thr_thread *waiter;
    thr_thread *ran;
};

static void *say_who(void *arg)
{
    struct beside *beside = arg;
    beside->ran = thr_current_thread();
    return NULL;
}

static void *spawn_beside(void *arg)
{
    struct beside *beside = arg;
    CHECK(thr_current_thread() == beside->waiter);
    CHECK_OK(thr_group_spawn(&beside->group, &beside->tasks[1], say_who, beside));
    return NULL;
}

static void *spawn_and_wait(void *arg)
{
    struct beside beside = {.group = THR_GROUP_INIT(executor), .waiter = thr_current_thread()};
    CHECK_OK(thr_group_spawn(&beside.group, &beside.tasks[0], spawn_beside, &beside));
    CHECK_OK(thr_group_wait(&beside.group));
    CHECK(beside.ran == beside.waiter);
    return arg;
}

static void test_spawned_beside(void **state)
{
    (void)state;
    executor = make(1);
    (void)result_of(submit(executor, spawn_and_wait, NULL));
    end(executor);
}

/* All tasks wait for one another, with one worker: Python's hangs. */
static void *sum(void *arg)
{
    intptr_t n = (intptr_t)arg;
    if (n == 0)
        return NULL;
    thr_future *two[2] = {submit(executor, sum, (void *)(n - 1)), submit(executor, sum, (void *)(n - 1))};
    CHECK_OK(thr_future_wait(two, 2, THR_ALL_COMPLETED, THR_FOREVER));
    return (void *)((intptr_t)result_of(two[0]) + (intptr_t)result_of(two[1]) + 1);
}

static void test_tree_of_futures(void **state)
{
    (void)state;
    for (unsigned max = 1; max <= 3; max++) {
        executor = make(max);
        CHECK_EQUAL((intptr_t)result_of(submit(executor, sum, (void *)8)), 255);
        end(executor);
    }
}

/* -- A stranger is not run ---------------------------------------------------------------------------------------- */

struct strangers {
    thr_lock lock;
    thr_thread *waiter;
    thr_event begun;
    thr_event go;
    struct support_count ran;
    bool in_group;
    bool holds; /* the waiter, the lock; it alone looks */
};

/* It needs the lock that the waiter holds, and would wait for ever on the waiter's stack. */
static void *need_lock(void *arg)
{
    struct strangers *s = arg;
    if (thr_current_thread() == s->waiter)
        CHECK(!s->holds);
    (void)thr_lock_acquire(&s->lock);
    (void)thr_lock_release(&s->lock);
    support_count_add(&s->ran);
    return NULL;
}

static void *block(void *arg)
{
    struct strangers *s = arg;
    thr_event_set(&s->begun);
    thr_event_wait(&s->go);
    return NULL;
}

enum { STRANGERS = 100 };

/* Waits, with the lock held, for something that runs elsewhere, while the pool is full of tasks that need the lock. */
static void *wait_with_lock(void *arg)
{
    struct strangers *s = arg;
    thr_task tasks[STRANGERS + 1];
    thr_group strangers = THR_GROUP_INIT(executor);
    thr_group awaited = THR_GROUP_INIT(executor);
    s->waiter = thr_current_thread();
    if (s->in_group) {
        CHECK_OK(thr_group_spawn(&awaited, &tasks[STRANGERS], block, s));
        thr_event_wait(&s->begun); /* another has stolen it */
    }
    thr_future *future = s->in_group ? NULL : submit(executor, block, s);
    if (future)
        thr_event_wait(&s->begun);
    (void)thr_lock_acquire(&s->lock);
    s->holds = true;
    for (int i = 0; i < STRANGERS; i++)
        CHECK_OK(thr_group_spawn(&strangers, &tasks[i], need_lock, s));
    for (int i = 0; i < STRANGERS; i++)
        CHECK_OK(thr_executor_submit(executor, NULL, need_lock, s));
    if (future)
        (void)result_of(future);
    else
        CHECK_OK(thr_group_wait(&awaited));
    s->holds = false;
    (void)thr_lock_release(&s->lock);
    CHECK_OK(thr_group_wait(&strangers));
    return NULL;
}

static void wait_among_strangers(bool in_group)
{
    struct strangers s = {.lock = THR_LOCK_INIT, .in_group = in_group};
    executor = make(2);
    thr_future *future = submit(executor, wait_with_lock, &s);
    support_wait_blocked(&s.lock, 1); /* another worker is at the strangers: one took the waiter's place */
    thr_event_set(&s.go);
    (void)result_of(future);
    support_count_wait(&s.ran, 2 * STRANGERS);
    end(executor);
}

static void test_no_stranger_is_run(void **state)
{
    (void)state;
    wait_among_strangers(false);
    wait_among_strangers(true);
}

/* -- Compensation ------------------------------------------------------------------------------------------------- */

/* One worker: a task waits for a future that only another pending task sets. */
static void *set_it(void *future)
{
    CHECK_OK(thr_future_set_result(future, future));
    return NULL;
}

static void *wait_for_set(void *arg)
{
    thr_future *future = arg;
    CHECK_OK(thr_executor_submit(executor, NULL, set_it, future));
    CHECK_OK(thr_future_result(future, NULL));
    return NULL;
}

static void *wait_for_set_in_time(void *arg)
{
    thr_future *future = arg;
    CHECK_OK(thr_executor_submit(executor, NULL, set_it, future));
    CHECK_OK(thr_future_wait(&future, 1, THR_FIRST_COMPLETED, support_limit()));
    return NULL;
}

static void *wait_for_set_in_order(void *arg)
{
    thr_future *future = arg;
    thr_future *next;
    thr_as_completed *order;
    CHECK_OK(thr_executor_submit(executor, NULL, set_it, future));
    CHECK_OK(thr_as_completed_new(&order, &future, 1));
    CHECK_OK(thr_as_completed_next(order, &next));
    thr_as_completed_free(order);
    return NULL;
}

static void test_another_takes_the_place(void **state)
{
    (void)state;
    void *(*const waits[])(void *) = {wait_for_set, wait_for_set_in_time, wait_for_set_in_order};
    executor = make(1);
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
        thr_future *future;
        CHECK_OK(thr_future_new(&future));
        (void)result_of(submit(executor, waits[i], future));
        thr_future_unref(future);
    }
    end(executor);
}

/* Two executors whose tasks wait for each other's. */
struct bounce {
    thr_executor *pools[2];
    int left;
};

static void *bounce(void *arg)
{
    struct bounce *b = arg;
    if (b->left == 0)
        return NULL;
    struct bounce next = {{b->pools[1], b->pools[0]}, b->left - 1};
    thr_future *future;
    CHECK_OK(thr_executor_submit(b->pools[0], &future, bounce, &next));
    (void)result_of(future);
    return NULL;
}

static void test_two_executors(void **state)
{
    (void)state;
    struct bounce b = {.left = 20};
    CHECK_OK(thr_executor_new(&b.pools[0], .max_workers = 1));
    CHECK_OK(thr_executor_new(&b.pools[1], .max_workers = 1));
    (void)bounce(&b);
    for (int i = 0; i < 2; i++) {
        CHECK_OK(thr_executor_shutdown(b.pools[i], true, false));
        thr_executor_free(b.pools[i]);
    }
    CHECK_EQUAL(thr_active_count(), 1);
}

/* -- Waiting for oneself ------------------------------------------------------------------------------------------ */

struct self {
    thr_future *future;
    thr_event known;
    thr_result alone;
    thr_result in_group;
};

static void *wait_in_group(void *arg)
{
    struct self *self = arg;
    self->in_group = thr_future_result(self->future, NULL);
    return NULL;
}

static void *wait_for_oneself(void *arg)
{
    struct self *self = arg;
    thr_group group = THR_GROUP_INIT(executor);
    thr_task task;
    thr_event_wait(&self->known);
    self->alone = thr_future_result(self->future, NULL);
    CHECK_OK(thr_group_spawn(&group, &task, wait_in_group, self));
    CHECK_OK(thr_group_wait(&group));
    return NULL;
}

static void test_waiting_for_oneself(void **state)
{
    (void)state;
    executor = make(2);
    struct self self = {NULL, THR_EVENT_INIT, THR_OK, THR_OK};
    self.future = submit(executor, wait_for_oneself, &self);
    thr_event_set(&self.known);
    (void)result_of(self.future);
    CHECK_RESULT(self.alone, THR_DEADLOCK);
    CHECK_RESULT(self.in_group, THR_DEADLOCK);
    end(executor);
}

/* As many threads beyond max_workers as tasks wait, and no more. */
static void *wait_for_future(void *future)
{
    CHECK_OK(thr_future_result(future, NULL));
    return NULL;
}

static void test_replacements(void **state)
{
    (void)state;
    enum { N = 40 };
    thr_future *tasks[N];
    thr_future *future;
    CHECK_OK(thr_future_new(&future));
    executor = make(1);
    for (int i = 0; i < N; i++)
        tasks[i] = submit(executor, wait_for_future, future);
    support_wait_blocked(future, N);
    size_t threads = thr_active_count() - 1;
    CHECK(threads == N || threads == N + 1); /* and the one that works, if it was needed */
    CHECK_OK(thr_future_set_result(future, NULL));
    for (int i = 0; i < N; i++)
        (void)result_of(tasks[i]);
    thr_future_unref(future);
    end(executor);
}

/* -- Depth -------------------------------------------------------------------------------------------------------- */

enum { DEEP = 10000 };

static void *go_deeper(void *arg)
{
    intptr_t left = (intptr_t)arg;
    volatile char frame[1000]; /* as a function has it that does something */
    frame[0] = (char)left;
    if (left == 0)
        return NULL;
    void *result = result_of(submit(executor, go_deeper, (void *)(left - 1)));
    return (void *)((intptr_t)result + 1 + frame[0] - (char)left);
}

static void *go_deeper_in_groups(void *arg)
{
    intptr_t *left = arg;
    volatile char frame[1000];
    frame[0] = (char)*left;
    if (*left == 0)
        return NULL;
    intptr_t next = *left - 1;
    thr_group group = THR_GROUP_INIT(executor);
    thr_task task;
    CHECK_OK(thr_group_spawn(&group, &task, go_deeper_in_groups, &next));
    CHECK_OK(thr_group_wait(&group));
    *left = next + 1 + frame[0] - frame[0];
    return NULL;
}

static void test_deep(void **state)
{
    (void)state;
    executor = make(2);
    CHECK_EQUAL((intptr_t)result_of(submit(executor, go_deeper, (void *)DEEP)), DEEP);
    intptr_t left = DEEP;
    (void)result_of(submit(executor, go_deeper_in_groups, &left));
    CHECK_EQUAL(left, DEEP);
    end(executor);
}

SUPPORT_MAIN(cmocka_unit_test(test_replacements), cmocka_unit_test(test_run_by_who_waits),
             cmocka_unit_test(test_not_with_a_deadline), cmocka_unit_test(test_spawned_beside),
             cmocka_unit_test(test_tree_of_futures), cmocka_unit_test(test_no_stranger_is_run),
             cmocka_unit_test(test_another_takes_the_place), cmocka_unit_test(test_two_executors),
             cmocka_unit_test(test_waiting_for_oneself), cmocka_unit_test(test_deep))
