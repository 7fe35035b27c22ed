/* test_queue.c - every kind of queue: order and bounds. */

#include "calls.h"

enum { SIZE = 5 };

/* -- One thread --------------------------------------------------------------------------------------------------- */

static void check_order(enum kind kind, thr_queue *queue)
{
    static const uintptr_t orders[KINDS][3] = {{111, 333, 222}, {111, 333, 222}, {222, 333, 111}, {111, 222, 333}};
    put(queue, 111);
    put(queue, 333);
    put(queue, 222);
    for (int i = 0; i < 3; i++)
        CHECK_EQUAL(get(queue), orders[kind][i]);
}

static void check_sizes(const thr_queue *queue, size_t n)
{
    CHECK_EQUAL(thr_queue_size(queue), n);
    CHECK_EQUAL(thr_queue_empty(queue), n == 0);
    CHECK_EQUAL(thr_queue_full(queue), n == SIZE);
}

static void fill(thr_queue *queue)
{
    for (uintptr_t i = 0; i < SIZE; i++) {
        check_sizes(queue, i);
        put(queue, i);
    }
    check_sizes(queue, SIZE);
}

static void check_basic(enum kind kind, thr_queue *queue)
{
    void *item = &item;
    check_sizes(queue, 0);
    check_order(kind, queue);
    fill(queue);
    CHECK_RESULT(thr_queue_try_put(queue, NULL), THR_FULL);
    CHECK_RESULT(thr_queue_put_until(queue, NULL, -1), THR_FULL);
    CHECK_RESULT(thr_queue_put_until(queue, NULL, thr_after(0.001)), THR_FULL);
    for (int i = 0; i < 2; i++) {
        struct call call = {queue, i == 0 ? THR_FOREVER : support_limit(), item_of(9), THR_INVALID};
        struct support_thread *thread = waits(put_it, &call);
        (void)get(queue);
        ends(thread, &call, THR_OK);
    }
    for (int i = SIZE; i > 0; i--) {
        check_sizes(queue, (size_t)i);
        (void)get(queue);
    }
    check_sizes(queue, 0);
    CHECK_RESULT(thr_queue_try_get(queue, &item), THR_EMPTY);
    CHECK_RESULT(thr_queue_get_until(queue, &item, -1), THR_EMPTY);
    CHECK_RESULT(thr_queue_get_until(queue, &item, thr_after(0.001)), THR_EMPTY);
    CHECK(item == &item); /* untouched */
    for (int i = 0; i < 2; i++) {
        struct call call = {queue, i == 0 ? THR_FOREVER : support_limit(), NULL, THR_INVALID};
        struct support_thread *thread = waits(get_it, &call);
        put(queue, 77);
        ends(thread, &call, THR_OK);
        CHECK_EQUAL(number_of(call.item), 77);
    }
}

static void basic(enum kind kind)
{
    thr_queue *queue = queue_of(kind, SIZE);
    support_errno_set();
    for (int i = 0; i < 2; i++)
        check_basic(kind, queue);
    thr_queue_free(queue);
    CHECK_ERRNO();
}

static void test_basic(void **state)
{
    (void)state;
    for_each_kind(basic);
}

static void test_arguments(void **state)
{
    (void)state;
    thr_queue *queue = NULL;
    CHECK_RESULT(thr_queue_new(&queue, THR_QUEUE_MAX + 1), THR_INVALID);
    CHECK_RESULT(thr_lifo_queue_new(&queue, THR_QUEUE_MAX + 1), THR_INVALID);
    CHECK_RESULT(thr_priority_queue_new(&queue, THR_QUEUE_MAX + 1, by_number), THR_INVALID);
    CHECK_RESULT(thr_priority_queue_new(&queue, 0, NULL), THR_INVALID);
    CHECK(queue == NULL);
    CHECK_OK(thr_queue_new(&queue, THR_QUEUE_MAX)); /* takes no memory for that */
    CHECK_EQUAL(thr_queue_maxsize(queue), THR_QUEUE_MAX);
    thr_queue_free(queue);
    thr_queue_free(NULL);
}

/* All bounds around the powers of two, and each many times round. */
static void test_rounds(void **state)
{
    (void)state;
    for (size_t maxsize = 1; maxsize <= 17; maxsize++) {
        for (enum kind kind = RING; kind <= SEGMENTS; kind++) {
            thr_queue *queue = queue_of(kind, maxsize);
            uintptr_t next_in = 0;
            uintptr_t next_out = 0;
            for (int round = 0; round < 500; round++) {
                while (thr_queue_try_put(queue, item_of(next_in)) == THR_OK)
                    next_in++;
                CHECK_EQUAL(next_in - next_out, maxsize);
                for (size_t i = 0; i < 1 + (size_t)round % maxsize; i++)
                    CHECK_EQUAL(get(queue), next_out++);
            }
            thr_queue_free(queue);
        }
    }
}

/* Without a bound; also an item that is NULL, and queues that are freed with items in them. */
static void without_bound(enum kind kind)
{
    enum { N = 3000 };
    thr_queue *queue = queue_of(kind, 0);
    CHECK_EQUAL(thr_queue_maxsize(queue), 0);
    for (int round = 0; round < 3; round++) {
        for (uintptr_t i = 0; i < N; i++) {
            put(queue, i);
            CHECK(!thr_queue_full(queue));
        }
        CHECK_EQUAL(thr_queue_size(queue), N);
        for (uintptr_t i = 0; i < N; i++)
            CHECK_EQUAL(get(queue), kind == LIFO ? N - 1 - i : i);
        CHECK(thr_queue_empty(queue));
    }
    for (uintptr_t i = 0; i < N; i++)
        put(queue, i);
    thr_queue_free(queue);
}

static void test_without_bound(void **state)
{
    (void)state;
    for_each_kind(without_bound);
}

struct task {
    int priority;
    int number;
};

static int by_priority(const void *a, const void *b)
{
    return ((const struct task *)a)->priority - ((const struct task *)b)->priority;
}

static void test_equals_in_order(void **state)
{
    (void)state;
    enum { N = 1000, PRIORITIES = 7 };
    static struct task tasks[N];
    uint64_t random = support_seed();
    thr_queue *queue = NULL;
    CHECK_OK(thr_priority_queue_new(&queue, 0, by_priority));
    for (int i = 0; i < N; i++) {
        tasks[i] = (struct task){(int)support_random_below(&random, PRIORITIES), i};
        CHECK_OK(thr_queue_put(queue, &tasks[i]));
        if (i % 3 == 2) { /* one in, one out: they stay in order in between too */
            void *first = NULL;
            CHECK_OK(thr_queue_get(queue, &first));
            CHECK_OK(thr_queue_put(queue, first));
        }
    }
    const struct task *before = NULL;
    for (int i = 0; i < N; i++) {
        void *item = NULL;
        CHECK_OK(thr_queue_get(queue, &item));
        const struct task *task = item;
        CHECK(!before || before->priority <= task->priority);
        before = task;
    }
    CHECK(thr_queue_empty(queue));
    for (int i = 0; i < N; i++)
        CHECK_OK(thr_queue_put(queue, &tasks[i]));
    before = NULL;
    for (int i = 0; i < N; i++) {
        void *item = NULL;
        CHECK_OK(thr_queue_get(queue, &item));
        const struct task *task = item;
        CHECK(!before || before->priority < task->priority ||
              (before->priority == task->priority && before->number < task->number));
        before = task;
    }
    thr_queue_free(queue);
}

/* -- The bound changes -------------------------------------------------------------------------------------------- */

static void shrinks_and_grows(enum kind kind)
{
    thr_queue *queue = queue_of(kind, 3);
    for (uintptr_t i = 1; i <= 3; i++)
        put(queue, i);
    CHECK_RESULT(thr_queue_try_put(queue, NULL), THR_FULL);
    CHECK_OK(thr_queue_set_maxsize(queue, 2));
    CHECK_EQUAL(thr_queue_size(queue), 3);
    CHECK(thr_queue_full(queue));
    CHECK_RESULT(thr_queue_try_put(queue, NULL), THR_FULL);
    (void)get(queue);
    CHECK(thr_queue_full(queue));
    CHECK_RESULT(thr_queue_try_put(queue, NULL), THR_FULL);
    struct call call = {queue, THR_FOREVER, item_of(4), THR_INVALID};
    struct support_thread *thread = waits(put_it, &call);
    CHECK_OK(thr_queue_set_maxsize(queue, 3));
    ends(thread, &call, THR_OK);
    CHECK_EQUAL(thr_queue_size(queue), 3);
    CHECK_RESULT(thr_queue_set_maxsize(queue, THR_QUEUE_MAX + 1), THR_INVALID);
    thr_result expected = kind == RING ? THR_INVALID : THR_OK;
    CHECK_RESULT(thr_queue_set_maxsize(queue, 4), expected);
    CHECK_RESULT(thr_queue_set_maxsize(queue, 0), expected);
    CHECK_EQUAL(thr_queue_maxsize(queue), kind == RING ? 3 : 0);
    thr_queue_free(queue);
}

static void test_set_maxsize(void **state)
{
    (void)state;
    for_each_kind(shrinks_and_grows);
}

SUPPORT_MAIN(cmocka_unit_test(test_basic), cmocka_unit_test(test_arguments), cmocka_unit_test(test_rounds),
             cmocka_unit_test(test_without_bound), cmocka_unit_test(test_equals_in_order),
             cmocka_unit_test(test_set_maxsize))
