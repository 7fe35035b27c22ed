/* test_explore_work.c - small programs with an executor under thousands of schedules: nothing is lost and nobody hangs,
 * and a mistake between two tasks is found.
 *
 * ctest: plain
 * ctest: timeout=180 */

#include "support/support.h"

#include <string.h>

#include "threading/lab.h"

static thr_executor *executor;
static int number;

static void must(thr_result result)
{
    if (result != THR_OK)
        thr_lab_fail("a call failed: %s", thr_strerror(result));
}

static void expect(int expected)
{
    int seen = __atomic_load_n(&number, __ATOMIC_RELAXED);
    if (seen != expected)
        thr_lab_fail("the number is %d, not %d", seen, expected);
}

static void *add_one(void *arg)
{
    (void)__atomic_add_fetch(&number, 1, __ATOMIC_RELAXED);
    return arg;
}

/* Without a lock: one of two may be lost. */
static void *add_one_wrongly(void *arg)
{
    int seen = __atomic_load_n(&number, __ATOMIC_RELAXED);
    thr_yield_point();
    __atomic_store_n(&number, seen + 1, __ATOMIC_RELAXED);
    return arg;
}

static void begin(unsigned max_workers)
{
    must(thr_executor_new(&executor, .max_workers = max_workers));
}

static void end(void)
{
    must(thr_executor_shutdown(executor, true, false));
    thr_executor_free(executor);
}

static thr_future *submit(void *(*function)(void *), void *arg)
{
    thr_future *future;
    must(thr_executor_submit(executor, &future, function, arg));
    return future;
}

/* -- Bodies -------------------------------------------------------------------------------------------------------- */

static void *submit_one(void *function)
{
    void *(*task)(void *);
    memcpy(&task, function, sizeof task);
    thr_future *future = submit(task, &number);
    void *result;
    must(thr_future_result(future, &result));
    if (result != &number)
        thr_lab_fail("another result");
    thr_future_unref(future);
    return NULL;
}

/* Two threads submit to the same executor. */
static void two_submit(void *function)
{
    thr_thread *thread;
    begin(2);
    must(thr_spawn(&thread, submit_one, function));
    (void)submit_one(function);
    must(thr_thread_join(thread, NULL));
    thr_thread_unref(thread);
    end();
    expect(2);
}

static void *submit_two(void *arg)
{
    unsigned taken = 0;
    while (taken < 2 && thr_executor_submit(executor, NULL, add_one, NULL) == THR_OK)
        taken++;
    return (void *)(uintptr_t)(taken + (arg != NULL));
}

/* It is shut down while a thread submits: what was taken is done. */
static void shut_down(void *arg)
{
    thr_thread *thread;
    void *taken;
    begin(1);
    must(thr_spawn(&thread, submit_two, arg));
    must(thr_executor_shutdown(executor, true, false));
    must(thr_thread_join(thread, &taken));
    thr_thread_unref(thread);
    thr_executor_free(executor);
    expect((int)(uintptr_t)taken);
}

/* With cancel: each is done or cancelled. */
static void shut_down_at_once(void *arg)
{
    (void)arg;
    int done = 0;
    begin(1);
    thr_future *futures[2] = {submit(add_one, NULL), submit(add_one, NULL)};
    must(thr_executor_shutdown(executor, true, true));
    for (int i = 0; i < 2; i++) {
        thr_result result = thr_future_result(futures[i], NULL);
        if (result != THR_OK && result != THR_CANCELLED)
            thr_lab_fail("the result is: %s", thr_strerror(result));
        done += result == THR_OK;
        thr_future_unref(futures[i]);
    }
    thr_executor_free(executor);
    expect(done);
}

static void *group_of_two(void *arg)
{
    thr_group group = THR_GROUP_INIT(executor);
    thr_task tasks[2];
    for (int i = 0; i < 2; i++)
        must(thr_group_spawn(&group, &tasks[i], add_one, NULL));
    must(thr_group_wait(&group));
    expect(2);
    return arg;
}

static void in_a_task(void *arg)
{
    begin(2);
    thr_future *future = submit(group_of_two, arg);
    must(thr_future_result(future, NULL));
    thr_future_unref(future);
    end();
}

static void from_outside(void *arg)
{
    begin(2);
    (void)group_of_two(arg);
    end();
}

static void *submit_and_wait(void *arg)
{
    thr_future *future = submit(add_one, arg);
    must(thr_wait_any((thr_waitable[]){thr_waitable_future(future)}, 1, THR_FOREVER, NULL));
    thr_future_unref(future);
    return arg;
}

/* The only worker sleeps for a task: another takes its place. */
static void nested(void *arg)
{
    begin(1);
    thr_future *future = submit(submit_and_wait, arg);
    must(thr_future_result(future, NULL));
    thr_future_unref(future);
    end();
    expect(1);
}

/* One of two futures, each set by a worker, or cancelled by who waits. */
static void first_of_two(void *arg)
{
    size_t which;
    begin(2);
    thr_future *futures[2] = {submit(add_one, arg), submit(add_one, arg)};
    const thr_waitable any[2] = {thr_waitable_future(futures[0]), thr_waitable_future(futures[1])};
    must(thr_wait_any(any, 2, THR_FOREVER, &which));
    if (!thr_future_done(futures[which]))
        thr_lab_fail("it is not done");
    bool cancelled = thr_future_cancel(futures[1 - which]) == THR_OK;
    end();
    for (int i = 0; i < 2; i++)
        thr_future_unref(futures[i]);
    expect(cancelled ? 1 : 2);
}

/* -- Tests --------------------------------------------------------------------------------------------------------- */

static void nothing(void (*body)(void *arg), void *arg)
{
    enum { SCHEDULES = 2000 };
    thr_verdict verdict;
    thr_result result =
        thr_explore(&verdict, body, arg, .schedules = SCHEDULES, .seed = support_seed(), .hang = 25, .report = true);
    if (result != THR_OK)
        support_fail(__FILE__, __LINE__, "found %d: %s", (int)verdict.finding, verdict.message);
    CHECK(!verdict.uncontrolled);
    CHECK(verdict.distinct > 1);
}

static void test_two_submit(void **state)
{
    (void)state;
    void *(*task)(void *) = add_one;
    nothing(two_submit, &task);
}

static void test_found(void **state)
{
    (void)state;
    void *(*task)(void *) = add_one_wrongly;
    thr_verdict verdict;
    CHECK_RESULT(thr_explore(&verdict, two_submit, &task, .schedules = 2000, .seed = support_seed(), .hang = 25),
                 THR_FAILED);
    CHECK_EQUAL(verdict.finding, THR_FOUND_FAIL);
    CHECK(strstr(verdict.message, "the number is 1, not 2"));
}

static void test_shut_down(void **state)
{
    (void)state;
    nothing(shut_down, NULL);
    nothing(shut_down_at_once, NULL);
}

static void test_group(void **state)
{
    (void)state;
    nothing(in_a_task, NULL);
    nothing(from_outside, NULL);
}

static void test_waits(void **state)
{
    (void)state;
    nothing(nested, NULL);
    nothing(first_of_two, NULL);
}

SUPPORT_MAIN(cmocka_unit_test(test_two_submit), cmocka_unit_test(test_found), cmocka_unit_test(test_shut_down),
             cmocka_unit_test(test_group), cmocka_unit_test(test_waits))
