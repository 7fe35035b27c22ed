/* test_deque.c - the deque alone: each task that was put is taken once, by its owner or by a thief. */

#include "support/support.h"

#include <stdio.h>
#include <stdlib.h>

#include "work/deque.h"

enum { THIEVES = 2, TASKS = 200000, LONGEST = 40 };

static struct thr__deque deque;
static char tasks[TASKS]; /* the arguments tell one from the other */
static unsigned char taken[TASKS];
static size_t stolen[THIEVES];
static bool over;

static bool push(size_t i)
{
    struct thr__task task = {.arg = &tasks[i]};
    if (deque_full(&deque))
        return false;
    deque_put(&deque, &task);
    return true;
}

static void take(const struct thr__task *task)
{
    CHECK(__atomic_fetch_add(&taken[(char *)task->arg - tasks], 1, __ATOMIC_RELAXED) == 0);
}

static void *thief(void *arg)
{
    size_t *count = arg;
    while (!load_acquire(&over)) {
        struct thr__task task;
        if (!deque_any(&deque) || !deque_steal(&deque, &task, NULL, NULL))
            continue;
        take(&task);
        ++*count;
    }
    return NULL;
}

/* A task that the owner leaves alone is stolen. */
static void have_one_stolen(void)
{
    thr_time limit = support_limit();
    CHECK(push(0));
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
        for (int n = rand_r(seed) % LONGEST; n > 0 && put < TASKS && push(put); n--)
            put++;
        if (rand_r(seed) % 64 == 0)
            thr_sleep(0.00001);
        struct thr__task task;
        for (int n = rand_r(seed) % LONGEST; n > 0 && deque_pop(&deque, &task); n--) {
            take(&task);
            own++;
        }
    }
    for (struct thr__task task; deque_pop(&deque, &task); own++)
        take(&task);
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
        CHECK(push(i));
    CHECK(!push(0));
    struct thr__task task;
    CHECK(deque_steal(&deque, &task, NULL, NULL) && task.arg == &tasks[0]);
    CHECK(push(DEQUE_SIZE));
    CHECK(!push(0));
    for (size_t i = DEQUE_SIZE; i > 0; i--)
        CHECK(deque_pop(&deque, &task) && task.arg == &tasks[i]);
    CHECK(!deque_pop(&deque, &task));
    CHECK(!deque_steal(&deque, &task, NULL, NULL));
    CHECK(!deque_any(&deque));
}

static bool is(const struct thr__task *task, const void *of)
{
    return task->arg == of;
}

/* A thief takes the oldest or nothing; what the owner has put back is there as before. */
static void test_wanted(void **state)
{
    (void)state;
    struct thr__task task;
    deque_init(&deque);
    for (size_t i = 0; i < 3; i++)
        CHECK(push(i));
    CHECK(!deque_steal(&deque, &task, is, &tasks[1]));
    CHECK(deque_steal(&deque, &task, is, &tasks[0]) && task.arg == &tasks[0]);
    CHECK(deque_pop(&deque, &task) && task.arg == &tasks[2]);
    deque_unpop(&deque);
    CHECK(deque_pop(&deque, &task) && task.arg == &tasks[2]);
    CHECK(deque_pop(&deque, &task) && task.arg == &tasks[1]);
    deque_unpop(&deque);
    CHECK(deque_steal(&deque, &task, is, &tasks[1]) && task.arg == &tasks[1]);
    CHECK(!deque_any(&deque));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_is_taken_once), cmocka_unit_test(test_full),
                                       cmocka_unit_test(test_wanted)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
