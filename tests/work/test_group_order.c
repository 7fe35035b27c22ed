/* test_group_order.c - groups of one task that are waited for in any order, and whose memory is gone at once, while the tasks of
 * others, far below, ask what they are in. */

#include "groups.h"

#include <string.h>

enum { GROUPS = 6, DEEP = 4, ROUNDS = 800 };

static struct support_count ran;

/* One group, with storage for a task that has a tree of others below it. */
struct one {
    thr_group group;
    thr_task task;
    int depth;
};

/* Every cancel, of whichever group, makes others look up again whether those that they are in are cancelled. */
static void cancel_another(void)
{
    thr_group group = THR_GROUP_INIT(executor);
    thr_task task;
    CHECK_OK(thr_group_spawn(&group, &task, give_arg, NULL));
    thr_group_cancel(&group);
    (void)thr_group_wait(&group);
}

static void *descend(void *arg)
{
    const int *depth = arg;
    int below = *depth - 1;
    thr_group groups[2] = {THR_GROUP_INIT(executor), THR_GROUP_INIT(executor)};
    thr_task tasks[2];
    CHECK(!thr_group_cancelled());
    support_count_add(&ran);
    if (*depth == 0) {
        cancel_another();
        return NULL;
    }
    for (int i = 0; i < 2; i++)
        CHECK_OK(thr_group_spawn(&groups[i], &tasks[i], descend, &below));
    CHECK(!thr_group_cancelled());
    for (int i = 0; i < 2; i++)
        CHECK_OK(thr_group_wait(&groups[i])); /* the first is not the newest */
    return NULL;
}

static struct one *spawn_one(void)
{
    struct one *one = support_page_new();
    *one = (struct one){.group = THR_GROUP_INIT(executor), .depth = DEEP};
    CHECK_OK(thr_group_spawn(&one->group, &one->task, descend, &one->depth));
    return one;
}

static void end_one(struct one *one)
{
    CHECK_OK(thr_group_wait(&one->group));
    support_page_free(one); /* who still looks there, crashes */
}

static void *wait_at_random(void *arg)
{
    uint64_t *random = arg;
    struct one *open[GROUPS];
    for (int i = 0; i < GROUPS; i++)
        open[i] = spawn_one();
    for (int i = 0; i < ROUNDS; i++) {
        struct one **which = &open[support_random_below(random, GROUPS)];
        end_one(*which);
        *which = spawn_one();
    }
    for (int i = 0; i < GROUPS; i++)
        end_one(open[i]);
    return NULL;
}

static void test_any_order(void **state)
{
    (void)state;
    enum { WORKERS = 3, IN_A_TASK = 2 };
    uint64_t randoms[IN_A_TASK + 1];
    thr_future *futures[IN_A_TASK];
    memset(&ran, 0, sizeof ran);
    executor = make(WORKERS);
    for (int i = 0; i <= IN_A_TASK; i++)
        randoms[i] = support_seed() + (uint64_t)i;
    for (int i = 0; i < IN_A_TASK; i++)
        futures[i] = submit(executor, wait_at_random, &randoms[i]);
    (void)wait_at_random(&randoms[IN_A_TASK]); /* and in a thread that is no worker */
    for (int i = 0; i < IN_A_TASK; i++) {
        CHECK_OK(thr_future_result(futures[i], NULL));
        thr_future_unref(futures[i]);
    }
    end(executor);
    CHECK_EQUAL(support_count_get(&ran), (IN_A_TASK + 1) * (GROUPS + ROUNDS) * ((2 << DEEP) - 1));
}

/* A task of the group that was opened first is the newest of all: its wait runs that one, and the other group stays open
 * beside. */
static void *fail_or_return(void *fails)
{
    support_count_add(&ran);
    if (*(bool *)fails)
        thr_fail(3, "as asked");
    return NULL;
}

static void *wait_for_the_older(void *fails)
{
    bool returns = false;
    thr_group older = THR_GROUP_INIT(executor);
    thr_group newer = THR_GROUP_INIT(executor);
    thr_task tasks[3];
    CHECK_OK(thr_group_spawn(&older, &tasks[0], fail_or_return, &returns));
    CHECK_OK(thr_group_spawn(&newer, &tasks[1], fail_or_return, &returns));
    CHECK_OK(thr_group_spawn(&older, &tasks[2], fail_or_return, fails));
    CHECK_RESULT(thr_group_wait(&older), *(bool *)fails ? THR_FAILED : THR_OK);
    CHECK_OK(thr_group_wait(&newer));
    CHECK(!thr_group_cancelled());
    return NULL;
}

static void test_newest_of_the_older(void **state)
{
    (void)state;
    for (int fails = 0; fails < 2; fails++) {
        bool arg = fails != 0;
        memset(&ran, 0, sizeof ran);
        executor = make(1);
        in_a_task(wait_for_the_older, &arg);
        end(executor);
        CHECK(support_count_get(&ran) >= (arg ? 2 : 3)); /* what has not begun when it fails does not begin */
    }
}

SUPPORT_MAIN(cmocka_unit_test(test_any_order), cmocka_unit_test(test_newest_of_the_older))
