/* test_queue_done.c - every kind of queue: what is done, and who waits for that. */

#include "calls.h"

static void too_many_done(enum kind kind)
{
    thr_queue *queue = queue_of(kind, 0);
    CHECK_RESULT(thr_queue_task_done(queue), THR_TOO_MANY);
    CHECK_OK(thr_queue_join(queue));
    put(queue, 1);
    CHECK_EQUAL(thr_queue_unfinished(queue), 1);
    CHECK_RESULT(thr_queue_join_until(queue, 0), THR_TIMEOUT);
    CHECK_EQUAL(get(queue), 1);
    CHECK_EQUAL(thr_queue_unfinished(queue), 1);
    CHECK_OK(thr_queue_task_done(queue));
    CHECK_EQUAL(thr_queue_unfinished(queue), 0);
    CHECK_RESULT(thr_queue_task_done(queue), THR_TOO_MANY);
    CHECK_OK(thr_queue_join_until(queue, 0));
    thr_queue_free(queue);
}

static void test_too_many_done(void **state)
{
    (void)state;
    for_each_kind(too_many_done);
}

enum { STOP = 1000 };

struct work {
    thr_queue *queue;
    uint32_t sum;
};

static void worker(void *arg)
{
    struct work *work = arg;
    for (;;) {
        uintptr_t number = get(work->queue);
        if (number != STOP)
            (void)__atomic_add_fetch(&work->sum, (uint32_t)number, __ATOMIC_RELAXED);
        CHECK_OK(thr_queue_task_done(work->queue));
        if (number == STOP)
            return;
    }
}

static void check_join(thr_queue *queue)
{
    enum { WORKERS = 2, N = 100 };
    struct work work = {.queue = queue};
    struct support_bunch bunch;
    support_bunch_start(&bunch, WORKERS, worker, &work);
    for (uintptr_t i = 0; i < N; i++)
        put(queue, i);
    CHECK_OK(thr_queue_join(queue));
    CHECK_EQUAL(__atomic_load_n(&work.sum, __ATOMIC_RELAXED), N * (N - 1) / 2);
    for (int i = 0; i < WORKERS; i++)
        put(queue, STOP);
    CHECK_OK(thr_queue_join(queue));
    support_bunch_join(&bunch);
}

static void joins(enum kind kind)
{
    thr_queue *queue = queue_of(kind, 0);
    for (int i = 0; i < 2; i++)
        check_join(queue);
    CHECK_RESULT(thr_queue_task_done(queue), THR_TOO_MANY);
    thr_queue_free(queue);
}

static void test_join(void **state)
{
    (void)state;
    for_each_kind(joins);
}

static void joined_by_many(enum kind kind)
{
    enum { N = 5 };
    thr_queue *queue = queue_of(kind, 0);
    struct call call = {queue, THR_FOREVER, NULL, THR_OK};
    struct support_bunch bunch;
    put(queue, 1);
    put(queue, 2);
    support_bunch_start(&bunch, N, join_it, &call);
    support_wait_blocked(queue, N);
    CHECK_OK(thr_queue_task_done(queue)); /* before any get, as in Python */
    CHECK_EQUAL(support_blocked(queue), N);
    CHECK_OK(thr_queue_task_done(queue));
    support_bunch_join(&bunch);
    CHECK_EQUAL(thr_queue_size(queue), 2);
    thr_queue_free(queue);
}

static void test_joined_by_many(void **state)
{
    (void)state;
    for_each_kind(joined_by_many);
}

SUPPORT_MAIN(cmocka_unit_test(test_too_many_done), cmocka_unit_test(test_join), cmocka_unit_test(test_joined_by_many))
