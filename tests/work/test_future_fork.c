/* test_future_fork.c - futures in the child of a fork: what was not done is cancelled, wherever it was at that moment, and
 * nobody waits for it, or for a thread that is gone.
 *
 * ctest: plain (ThreadSanitizer knows no threads in the child of a fork, and leaks are found in the child that are none) */

#include "executors.h"
#include "forks.h"

#include <stdlib.h>

static void called(thr_future *future, void *count)
{
    CHECK(thr_future_done(future));
    support_count_add(count);
}

/* Every call says so, and none blocks. */
static void check_cancelled(thr_future *future)
{
    struct support_count count = {0};
    void *result = &count;
    char message[8] = "before";
    thr_waitable waitable = thr_waitable_future(future);
    size_t which = 1;
    CHECK(thr_future_done(future) && thr_future_cancelled(future) && !thr_future_running(future));
    CHECK_RESULT(thr_future_result(future, &result), THR_CANCELLED);
    CHECK(!result);
    CHECK_EQUAL(thr_future_failure(future, message, sizeof message), 0);
    CHECK_EQUAL(message[0], '\0');
    CHECK_OK(thr_wait_any(&waitable, 1, THR_FOREVER, &which));
    CHECK_EQUAL(which, 0);
    CHECK_OK(thr_future_add_done_callback(future, called, &count));
    CHECK_EQUAL(support_count_get(&count), 1);
    for (thr_when when = THR_FIRST_COMPLETED; when <= THR_ALL_COMPLETED; when++)
        CHECK_OK(thr_future_wait(&future, 1, when, THR_FOREVER));
    CHECK_OK(thr_future_cancel(future));
    CHECK(thr_future_cancelled(future));
}

/* From now on, nobody else is stopped after a wake. */
static void stopped_is(unsigned n)
{
    static int nobody;
    support_wait_stopped(SUPPORT_AFTER_WAKE, n);
    support_stop(SUPPORT_AFTER_WAKE, &nobody, NULL);
}

/* -- Taken and not begun -------------------------------------------------------------------------------------------- */

/* A worker has taken the first of two jobs out of the queue, and calls another for the second. */
static void test_taken(void **state)
{
    (void)state;
    struct support_count count = {0};
    thr_executor *executor = make(2);
    for (int i = 0; i < 2; i++)
        (void)result_of(submit(executor, give_arg, NULL));
    thr_event go = THR_EVENT_INIT;
    thr_future *both[2] = {submit(executor, wait_for, &go), submit(executor, wait_for, &go)};
    support_wait_blocked(&go, 2); /* there are two */
    thr_event_set(&go);
    for (int i = 0; i < 2; i++)
        (void)result_of(both[i]);
    support_wait_blocked(executor, 2);
    support_stop(SUPPORT_AFTER_SLEEP, executor, NULL);
    thr_future *taken = submit(executor, count_up, &count);
    CHECK_OK(thr_future_add_done_callback(taken, called, &count));
    support_wait_stopped(SUPPORT_AFTER_SLEEP, 1);
    thr_future *next = submit(executor, give_arg, NULL);
    support_stop(SUPPORT_AFTER_WAKE, NULL, NULL);
    support_go(SUPPORT_AFTER_SLEEP);
    stopped_is(1);
    (void)result_of(next);
    if (forks()) {
        check_cancelled(taken);
        CHECK_EQUAL(support_count_get(&count), 0);
        CHECK(result_of(submit(executor, give_arg, &count)) == &count);
        end(executor);
        exit(0);
    }
    support_go(SUPPORT_AFTER_WAKE);
    (void)result_of(taken);
    support_count_wait(&count, 2);
    end(executor);
}

/* All of them, at a moment that nobody chooses. */
enum { LOAD = 1000, FORKS = 40 };

static void check_all_done(thr_future **futures, const struct support_count *count)
{
    uint32_t finished = 0;
    for (int i = 0; i < LOAD; i++) {
        CHECK(thr_future_done(futures[i]));
        if (thr_future_cancelled(futures[i]))
            check_cancelled(futures[i]);
        else
            finished++;
        thr_future_unref(futures[i]);
    }
    CHECK(finished <= count->value);
}

static void test_under_load(void **state)
{
    (void)state;
    static thr_future *futures[LOAD];
    thr_executor *executor = make(2);
    for (int round = 0; round < FORKS; round++) {
        struct support_count count = {0};
        for (int i = 0; i < LOAD; i++)
            futures[i] = submit(executor, count_up, &count);
        support_count_wait(&count, (uint32_t)round * (LOAD / FORKS));
        if (forks()) {
            check_all_done(futures, &count);
            (void)result_of(submit(executor, give_arg, NULL));
            end(executor);
            exit(0);
        }
        for (int i = 0; i < LOAD; i++)
            (void)result_of(futures[i]);
        CHECK_EQUAL(support_count_get(&count), LOAD);
    }
    end(executor);
}

/* -- Done, and others were just being told ------------------------------------------------------------------------- */

/* A worker has done `told`, holds the lock of its list, and is in the middle of a wake. */
struct telling {
    thr_executor *executor;
    thr_future *before;
    thr_future *told;
    thr_future *after;
    thr_as_completed *order; /* of the last two */
};

static void tell(struct telling *telling)
{
    static thr_event go;
    thr_event_clear(&go);
    telling->executor = make(1);
    telling->before = submit(telling->executor, wait_for, &go);
    telling->told = submit(telling->executor, give_arg, telling);
    telling->after = submit(telling->executor, give_arg, NULL);
    thr_future *both[] = {telling->after, telling->told};
    CHECK_OK(thr_as_completed_new(&telling->order, both, 2));
    support_wait_blocked(&go, 1);
    support_stop(SUPPORT_AFTER_SLEEP, &go, NULL);
    thr_event_set(&go);
    support_wait_stopped(SUPPORT_AFTER_SLEEP, 1);
    support_stop(SUPPORT_AFTER_WAKE, NULL, NULL);
    support_go(SUPPORT_AFTER_SLEEP);
    stopped_is(1);
    CHECK(thr_future_done(telling->told) && !thr_future_done(telling->after));
}

static void check_next(thr_as_completed *order, thr_future *expected)
{
    thr_future *next;
    CHECK_RESULT(thr_as_completed_next(order, &next), expected ? THR_OK : THR_EMPTY);
    CHECK(next == expected);
}

static void drop_telling(struct telling *telling)
{
    thr_future_unref(telling->before);
    thr_future_unref(telling->told);
    thr_future_unref(telling->after);
    end(telling->executor);
}

static void told_goes_on(struct telling *telling)
{
    support_go(SUPPORT_AFTER_WAKE);
    check_next(telling->order, telling->told);
    check_next(telling->order, telling->after);
    check_next(telling->order, NULL);
    thr_as_completed_free(telling->order);
    drop_telling(telling);
}

static void test_while_others_are_told(void **state)
{
    (void)state;
    struct telling telling;
    struct support_count count = {0};
    tell(&telling);
    if (forks()) {
        void *result;
        thr_future *both[] = {telling.told, NULL};
        CHECK_OK(thr_future_add_done_callback(telling.told, called, &count));
        CHECK_EQUAL(support_count_get(&count), 1);
        CHECK_OK(thr_future_new(&both[1]));
        CHECK_RESULT(thr_future_wait(both, 2, THR_FIRST_FAILED, thr_after(0.01)), THR_TIMEOUT);
        thr_future_unref(both[1]);
        CHECK_OK(thr_future_result(telling.told, &result));
        CHECK(result == &telling);
        check_cancelled(telling.after);
        thr_as_completed_free(telling.order);
        drop_telling(&telling);
        exit(0);
    }
    told_goes_on(&telling);
}

/* -- as_completed -------------------------------------------------------------------------------------------------- */

/* It goes on with those that it has not given, each once, in the order of the array. */
static void test_order(void **state)
{
    (void)state;
    struct telling telling;
    tell(&telling);
    if (forks()) {
        check_next(telling.order, telling.after);
        check_next(telling.order, telling.told);
        check_next(telling.order, NULL);
        thr_as_completed_free(telling.order);
        drop_telling(&telling);
        exit(0);
    }
    told_goes_on(&telling);
}

static void test_order_after_one(void **state)
{
    (void)state;
    struct telling telling;
    tell(&telling);
    check_next(telling.order, telling.told);
    if (forks()) {
        thr_future *none;
        check_next(telling.order, telling.after);
        CHECK_RESULT(thr_as_completed_next_until(telling.order, 0, &none), THR_EMPTY);
        thr_as_completed_free(telling.order);
        drop_telling(&telling);
        exit(0);
    }
    support_go(SUPPORT_AFTER_WAKE);
    check_next(telling.order, telling.after);
    thr_as_completed_free(telling.order);
    drop_telling(&telling);
}

/* -- Futures that somebody sets ------------------------------------------------------------------------------------ */

static void check_not_set(thr_future *future)
{
    CHECK_RESULT(thr_future_set_running(future), THR_CANCELLED);
    CHECK_RESULT(thr_future_set_result(future, future), THR_CANCELLED);
    CHECK_RESULT(thr_future_set_failure(future, 1, "too late"), THR_CANCELLED);
    check_cancelled(future);
    thr_future_unref(future);
}

/* One is pending, one is running, with observers and without; the last was set. */
static void test_set_by_hand(void **state)
{
    (void)state;
    enum { N = 5 };
    struct support_count count = {0};
    thr_future *futures[N];
    thr_as_completed *order;
    for (int i = 0; i < N; i++)
        CHECK_OK(thr_future_new(&futures[i]));
    for (int i = 1; i < N; i += 2)
        CHECK_OK(thr_future_set_running(futures[i]));
    CHECK_OK(thr_future_set_result(futures[4], &count));
    for (int i = 0; i < 2; i++)
        CHECK_OK(thr_future_add_done_callback(futures[i], called, &count));
    CHECK_OK(thr_as_completed_new(&order, futures, N));
    if (forks()) {
        thr_future *made;
        for (int i = 0; i < N; i++)
            check_next(order, futures[i]);
        thr_as_completed_free(order);
        for (int i = 0; i < 4; i++)
            check_not_set(futures[i]);
        CHECK_EQUAL(support_count_get(&count), 0);
        CHECK(result_of(futures[4]) == &count);
        CHECK_OK(thr_future_new(&made));
        CHECK_OK(thr_future_add_done_callback(made, called, &count));
        CHECK_OK(thr_future_set_result(made, &made));
        CHECK(result_of(made) == &made);
        CHECK_EQUAL(support_count_get(&count), 1);
        exit(0);
    }
    for (int i = 0; i < 4; i++)
        CHECK_OK(thr_future_set_result(futures[i], &count));
    CHECK_EQUAL(support_count_get(&count), 2);
    thr_as_completed_free(order);
    for (int i = 0; i < N; i++)
        CHECK(result_of(futures[i]) == &count);
}

/* -- The task that forks ------------------------------------------------------------------------------------------- */

static thr_event go = THR_EVENT_INIT;
static thr_future *mine;
static thr_future *another;
static thr_as_completed *order;
static struct support_count ends;

static void check_mine(void)
{
    CHECK_EQUAL(support_count_get(&ends), 1);
    CHECK(thr_future_done(mine));
    check_next(order, mine);
    check_next(order, NULL);
    thr_as_completed_free(order);
    CHECK(result_of(mine) == &mine);
}

static void check_runs(void)
{
    CHECK(thr_future_running(mine) && !thr_future_done(mine));
    CHECK_RESULT(thr_future_cancel(mine), THR_TOO_LATE);
    CHECK_RESULT(thr_future_result(mine, NULL), THR_DEADLOCK);
    check_cancelled(another);
}

/* In the children its own future goes on with it, and the other one is cancelled. */
static void *fork_twice(void *arg)
{
    thr_future *next;
    thr_event_wait(&go);
    if (!forks())
        return arg;
    CHECK(atexit(check_mine) == 0);
    check_runs();
    check_next(order, another);
    CHECK_RESULT(thr_as_completed_next_until(order, 0, &next), THR_TIMEOUT);
    if (forks())
        check_runs();
    CHECK_RESULT(thr_as_completed_next_until(order, 0, &next), THR_TIMEOUT);
    return arg;
}

static void test_own(void **state)
{
    (void)state;
    thr_executor *executor = make(1);
    mine = submit(executor, fork_twice, &mine);
    another = submit(executor, give_arg, NULL);
    thr_future *both[] = {mine, another};
    CHECK_OK(thr_future_add_done_callback(mine, called, &ends));
    CHECK_OK(thr_as_completed_new(&order, both, 2));
    thr_event_set(&go);
    check_next(order, mine);
    check_next(order, another);
    thr_as_completed_free(order);
    CHECK(result_of(mine) == &mine);
    (void)result_of(another);
    CHECK_EQUAL(support_count_get(&ends), 1);
    end(executor);
}

SUPPORT_MAIN(cmocka_unit_test(test_taken), cmocka_unit_test(test_under_load),
             cmocka_unit_test(test_while_others_are_told), cmocka_unit_test(test_order),
             cmocka_unit_test(test_order_after_one), cmocka_unit_test(test_set_by_hand), cmocka_unit_test(test_own))
