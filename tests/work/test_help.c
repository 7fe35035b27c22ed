/* test_help.c - what a worker runs while it waits: what the tasks that it waits for have spawned, also where others have it.
 * There are two workers, and the other one is busy until all of that has run: so only who waits can run it. */

#include "executors.h"

static thr_executor *executor;

enum { LARGE = THR__DEQUE_SIZE + 100 };

struct work {
    uint32_t n; /* how many tasks are spawned, by the one that is waited for */
    bool in_group;
    thr_thread *waiter;
    bool waits; /* the waiter; it alone looks */
    thr_event begun;
    thr_event go;
    thr_event spawned;
    thr_event all_have_run;
    uint32_t ran;
    thr_task tasks[LARGE];
};

/* Only the waiter runs these, one after the other. */
static void *count_down(void *arg)
{
    struct work *work = arg;
    CHECK(thr_current_thread() == work->waiter);
    if (++work->ran == work->n)
        thr_event_set(&work->all_have_run);
    return NULL;
}

static void *spawn_many(void *arg)
{
    struct work *work = arg;
    thr_group group = THR_GROUP_INIT(executor);
    CHECK(thr_current_thread() != work->waiter);
    thr_event_set(&work->begun);
    thr_event_wait(&work->go);
    for (uint32_t i = 0; i < work->n; i++)
        CHECK_OK(thr_group_spawn(&group, &work->tasks[i], count_down, work));
    thr_event_set(&work->spawned);
    thr_event_wait(&work->all_have_run);
    CHECK_OK(thr_group_wait(&group));
    return NULL;
}

static void *wait_for_many(void *arg)
{
    struct work *work = arg;
    thr_task task;
    thr_group group = THR_GROUP_INIT(executor);
    work->waiter = thr_current_thread();
    thr_future *future = NULL;
    if (work->in_group)
        CHECK_OK(thr_group_spawn(&group, &task, spawn_many, work));
    else
        future = submit(executor, spawn_many, work);
    thr_event_wait(&work->spawned); /* the other worker has taken it */
    work->waits = true;
    if (work->in_group)
        CHECK_OK(thr_group_wait(&group));
    else
        (void)result_of(future);
    work->waits = false;
    CHECK_EQUAL(work->ran, work->n);
    return NULL;
}

static struct work work;

/* Not in the wait. */
static void *count_stranger(void *count)
{
    if (thr_current_thread() == work.waiter)
        CHECK(!work.waits);
    return count_up(count);
}

static void help(bool in_group, uint32_t n)
{
    enum { STRANGERS = 3 };
    thr_task strangers[STRANGERS];
    struct support_count count = {0};
    work = (struct work){.n = n, .in_group = in_group};
    executor = make(2);
    thr_group group = THR_GROUP_INIT(executor);
    thr_future *future = submit(executor, wait_for_many, &work);
    thr_event_wait(&work.begun); /* both are busy: what is spawned here stays in the list, and stands before the rest */
    for (int i = 0; i < STRANGERS; i++)
        CHECK_OK(thr_group_spawn(&group, &strangers[i], count_stranger, &count));
    thr_event_set(&work.go);
    (void)result_of(future);
    CHECK_OK(thr_group_wait(&group));
    CHECK_EQUAL(support_count_get(&count), STRANGERS);
    end(executor);
}

/* Out of the other's deque. */
static void test_with_what_a_future_spawns(void **state)
{
    (void)state;
    help(false, 1);
    help(false, 100);
}

static void test_with_what_a_group_spawns(void **state)
{
    (void)state;
    help(true, 1);
    help(true, 100);
}

/* And, where that was full, out of the list. */
static void test_with_what_is_in_the_list(void **state)
{
    (void)state;
    help(true, LARGE);
}

/* -- In an initializer, whose worker nobody replaces --------------------------------------------------------------- */

struct turns {
    uint32_t n;
    struct support_count ran[3];
};

/* The tasks of the first group stand between those of the others, and, where there are many, behind them in the list. */
static void spawn_in_turns(void *arg)
{
    static thr_task tasks[3 * LARGE];
    struct turns *turns = arg;
    thr_group groups[3] = {THR_GROUP_INIT(executor), THR_GROUP_INIT(executor), THR_GROUP_INIT(executor)};
    for (uint32_t i = 0; i < 3 * turns->n; i++) {
        uint32_t which = (i + 1) % 3;
        CHECK_OK(thr_group_spawn(&groups[which], &tasks[i], count_up, &turns->ran[which]));
    }
    for (int i = 0; i < 3; i++) {
        CHECK_OK(thr_group_wait(&groups[i]));
        CHECK_EQUAL(support_count_get(&turns->ran[i]), turns->n);
    }
}

static void initialize(uint32_t n)
{
    struct turns turns = {.n = n};
    CHECK_OK(thr_executor_new(&executor, .max_workers = 1, .initializer = spawn_in_turns, .initarg = &turns));
    (void)result_of(submit(executor, give_arg, NULL));
    end(executor);
}

static void test_in_an_initializer(void **state)
{
    (void)state;
    initialize(1);
    initialize(2);
    initialize(LARGE);
}

/* -- Who holds whom ----------------------------------------------------------------------------------------------- */

static void *shut_down(void *arg)
{
    CHECK_RESULT(thr_executor_shutdown(executor, true, false), THR_DEADLOCK);
    return arg;
}

/* In a task that the wait of its group runs, the executor cannot be waited for either. */
static void *shut_down_further_in(void *arg)
{
    thr_task tasks[2];
    thr_group group = THR_GROUP_INIT(executor);
    for (int i = 0; i < 2; i++)
        CHECK_OK(thr_group_spawn(&group, &tasks[i], shut_down, NULL));
    CHECK_OK(thr_group_wait(&group));
    return arg;
}

static void test_shutdown_further_in(void **state)
{
    (void)state;
    executor = make(1);
    (void)result_of(submit(executor, shut_down_further_in, NULL));
    end(executor);
}

SUPPORT_MAIN(cmocka_unit_test(test_with_what_a_future_spawns), cmocka_unit_test(test_with_what_a_group_spawns),
             cmocka_unit_test(test_with_what_is_in_the_list), cmocka_unit_test(test_in_an_initializer),
             cmocka_unit_test(test_shutdown_further_in))
