/* test_deque.c - the deque alone: each task that was put is taken once, by its owner or by a thief. */

#include "support/support.h"

#include <stdio.h>
#include <stdlib.h>

#include "work/deque.h"

enum { THIEVES = 2, TASKS = 200000, LONGEST = 40 };

static struct thr__deque deque;
static thr_task tasks[TASKS];
static unsigned char taken[TASKS];
static size_t stolen[THIEVES];
static bool over;

static void take(const thr_task *task)
{
    CHECK(__atomic_fetch_add(&taken[task - tasks], 1, __ATOMIC_RELAXED) == 0);
}

static void *thief(void *arg)
{
    size_t *count = arg;
    while (!load_acquire(&over)) {
        thr_task *task = deque_any(&deque) ? deque_steal(&deque) : NULL;
        if (!task)
            continue;
        take(task);
        ++*count;
    }
    return NULL;
}

/* A task that the owner leaves alone is stolen. */
static void have_one_stolen(void)
{
    thr_time limit = support_limit();
    CHECK(deque_push(&deque, &tasks[0]));
    while (load_relaxed(&taken[0]) == 0) {
        CHECK(thr_now() < limit);
        thr_sleep(0.0001);
    }
}

/* Puts some, takes some, now and then all, and now and then none for a while. */
static size_t work(unsigned *seed)
{
    size_t put = 1;
    size_t own = 0;
    while (put < TASKS) {
        for (int n = rand_r(seed) % LONGEST; n > 0 && put < TASKS && deque_push(&deque, &tasks[put]); n--)
            put++;
        if (rand_r(seed) % 64 == 0)
            thr_sleep(0.00001);
        thr_task *task = NULL;
        for (int n = rand_r(seed) % LONGEST; n > 0 && (task = deque_pop(&deque)); n--) {
            take(task);
            own++;
        }
    }
    for (thr_task *task; (task = deque_pop(&deque)); own++)
        take(task);
    return own;
}

static void test_each_is_taken_once(void **state)
{
    (void)state;
    thr_thread *threads[THIEVES];
    unsigned seed = (unsigned)thr_now();
    printf("seed %u\n", seed);
    os_barrier_prepare();
    deque_init(&deque);
    for (size_t i = 0; i < THIEVES; i++)
        CHECK_OK(thr_spawn(&threads[i], thief, &stolen[i]));
    have_one_stolen();
    size_t all = work(&seed);
    store_release(&over, true);
    for (size_t i = 0; i < THIEVES; i++) {
        CHECK_OK(thr_thread_join(threads[i], NULL));
        thr_thread_unref(threads[i]);
        all += stolen[i];
    }
    printf("stolen %zu and %zu\n", stolen[0], stolen[1]);
    CHECK_EQUAL(all, TASKS);
}

/* A full one takes no more; who takes something makes room, at either end. */
static void test_full(void **state)
{
    (void)state;
    deque_init(&deque);
    for (size_t i = 0; i < DEQUE_SIZE; i++)
        CHECK(deque_push(&deque, &tasks[i]));
    CHECK(!deque_push(&deque, &tasks[0]));
    CHECK(deque_steal(&deque) == &tasks[0]);
    CHECK(deque_push(&deque, &tasks[DEQUE_SIZE]));
    CHECK(!deque_push(&deque, &tasks[0]));
    for (size_t i = DEQUE_SIZE; i > 0; i--)
        CHECK(deque_pop(&deque) == &tasks[i]);
    CHECK(deque_pop(&deque) == NULL);
    CHECK(deque_steal(&deque) == NULL);
    CHECK(!deque_any(&deque));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_is_taken_once), cmocka_unit_test(test_full)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
