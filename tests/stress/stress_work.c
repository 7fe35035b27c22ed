/* stress_work.c - everything of the executor at once: submits, cancels, groups, failures, waits with deadlines, callbacks,
 * executors that come and go. What was promised is counted. */

#include "support/support.h"

#include <stdlib.h>
#include <unistd.h>

#include "threading.h"

enum { ROUNDS = 60, SUBMITTERS = 4, EACH = 200 };

struct round {
    thr_executor *executor;
    uint64_t seed;
    struct support_count begun;     /* tasks that ran */
    struct support_count called;    /* callbacks */
    struct support_count cancelled; /* by us, in time */
    struct support_count refused;   /* submits after the shutdown */
    struct support_count dropped;   /* cancelled by the shutdown */
};

static thr_executor *current;

static void *tiny(void *count)
{
    support_count_add(count);
    return NULL;
}

/* A group of a few tasks, some of which fail, or are cancelled. */
static void *fork_join(void *arg)
{
    uint64_t random = (uintptr_t)arg;
    struct support_count ran = {0};
    thr_task tasks[8];
    thr_group group = THR_GROUP_INIT(current);
    uint32_t n = support_random_below(&random, 8);
    for (uint32_t i = 0; i < n; i++)
        CHECK_OK(thr_group_spawn(&group, &tasks[i], tiny, &ran));
    bool cancel = support_random_below(&random, 4) == 0;
    if (cancel && n > 0)
        thr_group_cancel(&group);
    thr_result result = thr_group_wait(&group);
    CHECK_RESULT(result, cancel && n > 0 ? THR_CANCELLED : THR_OK);
    CHECK(support_count_get(&ran) == n || (cancel && support_count_get(&ran) < n));
    return NULL;
}

struct task {
    struct round *round;
    uint64_t random;
};

static void *run(void *arg)
{
    struct task *task = arg;
    uint64_t random = task->random;
    support_count_add(&task->round->begun);
    switch (support_random_below(&random, 6)) {
    case 0:
        thr_fail((int)support_random_below(&random, 100) + 1, "chosen");
    case 1:
        (void)fork_join((void *)(uintptr_t)random);
        break;
    case 2:
        thr_sleep(0);
        break;
    case 3: {
        thr_future *inner;
        struct support_count ran = {0};
        if (thr_executor_submit(task->round->executor, &inner, tiny, &ran) != THR_OK)
            break;
        thr_result result = support_random_below(&random, 2) ? thr_future_result(inner, NULL)
                                                             : thr_future_result_until(inner, thr_after(1e-5), NULL);
        if (result == THR_TIMEOUT && thr_future_cancel(inner) != THR_OK)
            result = thr_future_result(inner, NULL);
        CHECK(support_count_get(&ran) == (result == THR_OK));
        thr_future_unref(inner);
        break;
    }
    default:
        break;
    }
    return task;
}

static void called(thr_future *future, void *arg)
{
    struct round *round = arg;
    CHECK(thr_future_done(future));
    support_count_add(&round->called);
}

static void check_end(struct round *round, thr_future *future, void *expected)
{
    void *result;
    switch (thr_future_result(future, &result)) {
    case THR_OK:
        CHECK(result == expected);
        break;
    case THR_FAILED:
        CHECK(thr_future_failure(future, NULL, 0) != 0);
        break;
    case THR_CANCELLED:
        support_count_add(&round->dropped);
        break;
    default:
        CHECK(false);
    }
}

static void submit_some(void *arg)
{
    struct round *round = arg;
    uint64_t random = round->seed + support_index();
    struct task *tasks = calloc(EACH, sizeof *tasks);
    thr_future **futures = calloc(EACH, sizeof(thr_future *));
    for (int i = 0; i < EACH; i++) {
        tasks[i] = (struct task){round, support_random(&random)};
        thr_result result = thr_executor_submit(round->executor, &futures[i], run, &tasks[i]);
        if (result != THR_OK) {
            CHECK_RESULT(result, THR_CLOSED);
            support_count_add(&round->refused);
            continue;
        }
        CHECK_OK(thr_future_add_done_callback(futures[i], called, round));
        if (support_random_below(&random, 8) == 0 && thr_future_cancel(futures[i]) == THR_OK)
            support_count_add(&round->cancelled);
    }
    for (int i = 0; i < EACH; i++) {
        if (!futures[i])
            continue;
        check_end(round, futures[i], &tasks[i]);
        thr_future_unref(futures[i]);
    }
    free(futures);
    free(tasks);
}

/* In the middle, or at the end, it is shut down: nothing is lost, nothing done twice. */
static void play(uint64_t *random)
{
    struct round round = {.seed = support_random(random)};
    struct support_bunch bunch;
    thr_executor_options options = {.max_workers = 1 + support_random_below(random, 4)};
    CHECK_OK(thr_executor_new_with(&round.executor, &options));
    current = round.executor;
    support_bunch_start(&bunch, SUBMITTERS, submit_some, &round);
    bool in_the_middle = support_random_below(random, 2);
    if (in_the_middle)
        support_count_wait(&round.begun, support_random_below(random, SUBMITTERS * EACH / 2));
    else
        support_bunch_join(&bunch);
    bool cancel = support_random_below(random, 2);
    CHECK_OK(thr_executor_shutdown(round.executor, true, cancel));
    CHECK_RESULT(thr_executor_submit(round.executor, NULL, tiny, NULL), THR_CLOSED);
    if (in_the_middle)
        support_bunch_join(&bunch);
    thr_executor_free(round.executor);
    uint32_t accepted = SUBMITTERS * EACH - support_count_get(&round.refused);
    CHECK_EQUAL(support_count_get(&round.begun) + support_count_get(&round.dropped), accepted);
    CHECK(support_count_get(&round.dropped) >= support_count_get(&round.cancelled));
    CHECK_EQUAL(support_count_get(&round.called), accepted);
    if (thr_active_count() != 1)
        thr_dump(STDERR_FILENO);
    CHECK_EQUAL(thr_active_count(), 1);
}

static void test_everything(void **state)
{
    (void)state;
    uint64_t random = support_seed();
    for (int i = 0; i < ROUNDS; i++)
        play(&random);
}

/* A tree whose leaves are counted, by thieves and by waiters, on more workers than processors. */
struct branch {
    struct support_count *leaves;
    int height;
};

static void *grow(void *arg)
{
    struct branch *branch = arg;
    if (branch->height == 0) {
        support_count_add(branch->leaves);
        return NULL;
    }
    struct branch next[3];
    thr_task tasks[3];
    thr_group group = THR_GROUP_INIT(current);
    for (int i = 0; i < 3; i++) {
        next[i] = (struct branch){branch->leaves, branch->height - 1};
        CHECK_OK(thr_group_spawn(&group, &tasks[i], grow, &next[i]));
    }
    CHECK_OK(thr_group_wait(&group));
    return NULL;
}

static void test_trees(void **state)
{
    (void)state;
    enum { TREES = 100, HEIGHT = 7, LEAVES = 2187 };
    for (unsigned max = 2; max <= 6; max += 2) {
        thr_executor_options options = {.max_workers = max};
        CHECK_OK(thr_executor_new_with(&current, &options));
        for (int i = 0; i < TREES; i++) {
            struct support_count leaves = {0};
            struct branch root = {&leaves, HEIGHT};
            thr_future *future;
            CHECK_OK(thr_executor_submit(current, &future, grow, &root));
            CHECK_OK(thr_future_result(future, NULL));
            thr_future_unref(future);
            CHECK_EQUAL(support_count_get(&leaves), LEAVES);
        }
        CHECK_OK(thr_executor_shutdown(current, true, false));
        thr_executor_free(current);
    }
}

/* Tasks that only meet if two workers run at once: a wake-up that is lost would stop it. */
static void *meet(void *barrier)
{
    CHECK_OK(thr_barrier_wait(barrier, NULL));
    return NULL;
}

static void *meet_in_group(void *arg)
{
    (void)arg;
    thr_barrier barrier = THR_BARRIER_INIT(2, NULL, NULL);
    thr_group group = THR_GROUP_INIT(current);
    thr_task task;
    CHECK_OK(thr_group_spawn(&group, &task, meet, &barrier));
    (void)meet(&barrier); /* the other has to be stolen */
    CHECK_OK(thr_group_wait(&group));
    return NULL;
}

static void test_meetings(void **state)
{
    (void)state;
    enum { MEETINGS = 3000 };
    thr_executor_options options = {.max_workers = 2};
    CHECK_OK(thr_executor_new_with(&current, &options));
    for (int i = 0; i < MEETINGS; i++) {
        thr_future *future;
        CHECK_OK(thr_executor_submit(current, &future, meet_in_group, NULL));
        CHECK_OK(thr_future_result(future, NULL));
        thr_future_unref(future);
        thr_barrier barrier = THR_BARRIER_INIT(2, NULL, NULL);
        thr_future *two[2];
        for (int k = 0; k < 2; k++)
            CHECK_OK(thr_executor_submit(current, &two[k], meet, &barrier));
        CHECK_OK(thr_future_wait(two, 2, THR_ALL_COMPLETED, THR_FOREVER));
        for (int k = 0; k < 2; k++)
            thr_future_unref(two[k]);
    }
    CHECK_OK(thr_executor_shutdown(current, true, false));
    thr_executor_free(current);
}

SUPPORT_MAIN(cmocka_unit_test(test_everything), cmocka_unit_test(test_trees), cmocka_unit_test(test_meetings))
