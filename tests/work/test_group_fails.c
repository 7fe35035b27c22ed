/* test_group_fails.c - tasks of groups that fail, or end their thread: which failure counts, and what becomes of groups that
 * are open where it happens. */

#include "groups.h"

#include <pthread.h>

/* -- Which counts ------------------------------------------------------------------------------------------------- */

static void *fail_why(void *arg)
{
    thr_fail(5, "%s", (const char *)arg);
}

static char why[] = "the reason";

static void *fail_first(void *arg)
{
    enum { N = 20 };
    char message[32];
    thr_task tasks[N + 1];
    thr_group group = THR_GROUP_INIT(executor);
    struct support_count ran = {0};
    for (int i = 0; i < N; i++)
        CHECK_OK(thr_group_spawn(&group, &tasks[i], count_up, &ran));
    CHECK_OK(thr_group_spawn(&group, &tasks[N], fail_why, why));
    CHECK_RESULT(thr_group_wait(&group), THR_FAILED);
    if (arg)
        CHECK_EQUAL(support_count_get(&ran), 0);
    CHECK_EQUAL(thr_group_failure(&group, message, sizeof message), 5);
    CHECK(strcmp(message, why) == 0);
    CHECK_EQUAL(thr_group_failure(&group, NULL, 0), 5);
    CHECK_OK(thr_group_spawn(&group, NULL, count_up, &ran));
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

static struct support_count meeting;

static void *fail_with_1(void *arg)
{
    support_count_add(&meeting);
    support_count_wait(&meeting, 2);
    (void)arg;
    thr_fail(1, "the first");
}

static void *fail_with_2(void *arg)
{
    support_count_add(&meeting);
    while (!thr_group_cancelled())
        continue;
    (void)arg;
    thr_fail(2, "the second");
}

/* Both run at the same time: the first that fails counts. */
static void *fail_twice(void *arg)
{
    char message[32];
    thr_task tasks[2];
    thr_group group = THR_GROUP_INIT(executor);
    meeting = (struct support_count){0};
    CHECK_OK(thr_group_spawn(&group, &tasks[0], fail_with_1, NULL));
    CHECK_OK(thr_group_spawn(&group, &tasks[1], fail_with_2, NULL));
    CHECK_RESULT(thr_group_wait(&group), THR_FAILED);
    CHECK_EQUAL(thr_group_failure(&group, message, sizeof message), 1);
    CHECK(strcmp(message, "the first") == 0);
    return arg;
}

static void test_the_first_failure_counts(void **state)
{
    (void)state;
    executor = make(2);
    for (int i = 0; i < 10; i++) {
        (void)result_of(submit(executor, fail_twice, NULL));
        (void)fail_twice(NULL);
    }
    end(executor);
}

/* Of two groups that have failed, the message is that of the last; the codes are those of both. */
static void test_message_of_another(void **state)
{
    (void)state;
    char message[32] = "before";
    executor = make(1);
    thr_group groups[2] = {THR_GROUP_INIT(executor), THR_GROUP_INIT(executor)};
    for (int i = 0; i < 2; i++) {
        CHECK_OK(thr_group_spawn(&groups[i], NULL, fail_task, reason));
        CHECK_RESULT(thr_group_wait(&groups[i]), THR_FAILED);
    }
    CHECK_EQUAL(thr_group_failure(&groups[0], message, sizeof message), 3);
    CHECK(strcmp(message, "") == 0);
    CHECK_EQUAL(thr_group_failure(&groups[1], message, sizeof message), 3);
    CHECK(strcmp(message, reason) == 0);
    end(executor);
}

static void *end_thread(void *arg)
{
    pthread_exit(arg);
}

static void test_task_that_ends_its_thread(void **state)
{
    (void)state;
    thr_task task;
    executor = make(1);
    thr_group group = THR_GROUP_INIT(executor);
    CHECK_OK(thr_group_spawn(&group, &task, end_thread, NULL));
    CHECK_RESULT(thr_group_wait(&group), THR_FAILED);
    CHECK_OK(thr_group_spawn(&group, NULL, end_thread, NULL));
    CHECK_RESULT(thr_group_wait(&group), THR_FAILED);
    end(executor);
}

/* -- What is on the stack ---------------------------------------------------------------------------------------- */

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

SUPPORT_MAIN(cmocka_unit_test(test_failure), cmocka_unit_test(test_the_first_failure_counts),
             cmocka_unit_test(test_message_of_another), cmocka_unit_test(test_task_that_ends_its_thread),
             cmocka_unit_test(test_failures_keep_variables), cmocka_unit_test(test_failure_joins_open_groups),
             cmocka_unit_test(test_failing_thread_joins_open_groups))
