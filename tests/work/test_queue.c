/* test_queue.c - every kind of queue: order, bounds, waiting, what is done. */

#include "kinds.h"

#include <signal.h>

#include "wait/atomic.h"
#include "wait/wait.h"

enum { SIZE = 5 };

/* -- Threads that wait -------------------------------------------------------------------------------------------- */

struct call {
    thr_queue *queue;
    thr_time deadline;
    void *item;
    thr_result result;
};

static void put_it(void *arg)
{
    struct call *call = arg;
    store_release(&call->result, thr_queue_put_until(call->queue, call->item, call->deadline));
}

static void get_it(void *arg)
{
    struct call *call = arg;
    store_release(&call->result, thr_queue_get_until(call->queue, &call->item, call->deadline));
}

static void join_it(void *arg)
{
    struct call *call = arg;
    store_release(&call->result, thr_queue_join_until(call->queue, call->deadline));
}

/* Starts a call that has to wait. */
static struct support_thread *waits(void (*function)(void *), struct call *call)
{
    struct support_thread *thread = support_thread_start(function, call);
    support_wait_thread_blocked(thread, call->queue);
    return thread;
}

static void ends(struct support_thread *thread, const struct call *call, thr_result result)
{
    support_thread_join(thread);
    CHECK_RESULT(call->result, result);
}

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

/* -- Waiting ------------------------------------------------------------------------------------------------------ */

struct crowd {
    thr_queue *queue;
    struct support_count through;
    uint32_t sum;
};

static void get_one(void *arg)
{
    struct crowd *crowd = arg;
    (void)__atomic_add_fetch(&crowd->sum, (uint32_t)get(crowd->queue), __ATOMIC_RELAXED);
    support_count_add(&crowd->through);
}

static void put_one(void *arg)
{
    struct crowd *crowd = arg;
    put(crowd->queue, support_index() + 1);
    support_count_add(&crowd->through);
}

/* Each item lets one go, and no more; several at once let as many go. */
static void many_getters(enum kind kind)
{
    enum { N = 8 };
    struct crowd crowd = {.queue = queue_of(kind, 0)};
    struct support_bunch bunch;
    support_bunch_start(&bunch, N, get_one, &crowd);
    support_wait_blocked(crowd.queue, N);
    put(crowd.queue, 1);
    support_count_wait(&crowd.through, 1);
    support_wait_blocked(crowd.queue, N - 1);
    for (uintptr_t i = 2; i <= N; i++)
        put(crowd.queue, i);
    support_bunch_join(&bunch);
    CHECK_EQUAL(crowd.sum, N * (N + 1) / 2);
    CHECK(thr_queue_empty(crowd.queue));
    thr_queue_free(crowd.queue);
}

static void many_putters(enum kind kind)
{
    enum { N = 8 };
    struct crowd crowd = {.queue = queue_of(kind, 1)};
    struct support_bunch bunch;
    put(crowd.queue, 0);
    support_bunch_start(&bunch, N, put_one, &crowd);
    support_wait_blocked(crowd.queue, N);
    CHECK_EQUAL(get(crowd.queue), 0);
    support_count_wait(&crowd.through, 1);
    support_wait_blocked(crowd.queue, N - 1);
    uintptr_t sum = 0;
    for (int i = 0; i < N; i++)
        sum += get(crowd.queue);
    support_bunch_join(&bunch);
    CHECK_EQUAL(sum, N * (N + 1) / 2);
    thr_queue_free(crowd.queue);
}

static void test_crowds(void **state)
{
    (void)state;
    for_each_kind(many_getters);
    for_each_kind(many_putters);
}

/* More room for all at once: the wake goes from one to the next. */
static void all_at_once(enum kind kind)
{
    enum { N = 6 };
    struct crowd crowd = {.queue = queue_of(kind, N + 1)};
    struct support_bunch bunch;
    CHECK_OK(thr_queue_set_maxsize(crowd.queue, 1));
    put(crowd.queue, 0);
    support_bunch_start(&bunch, N, put_one, &crowd);
    support_wait_blocked(crowd.queue, N);
    CHECK_OK(thr_queue_set_maxsize(crowd.queue, N + 1));
    support_bunch_join(&bunch);
    CHECK_EQUAL(thr_queue_size(crowd.queue), N + 1);
    thr_queue_free(crowd.queue);
}

static void test_all_at_once(void **state)
{
    (void)state;
    for_each_kind(all_at_once);
}

static void deadlines(enum kind kind)
{
    thr_queue *queue = queue_of(kind, 1);
    support_clock_stop();
    struct call call = {queue, thr_after(10), NULL, THR_INVALID};
    struct support_thread *thread = waits(get_it, &call);
    support_clock_advance(9.99);
    CHECK_EQUAL(support_blocked(queue), 1);
    support_clock_advance(0.02);
    ends(thread, &call, THR_EMPTY);
    put(queue, 1);
    call.deadline = thr_after(10);
    thread = waits(put_it, &call);
    support_clock_advance(11);
    ends(thread, &call, THR_FULL);
    call.deadline = thr_after(10);
    thread = waits(join_it, &call);
    support_clock_advance(11);
    ends(thread, &call, THR_TIMEOUT);
    support_clock_go();
    CHECK_EQUAL(thr_queue_size(queue), 1);
    thr_queue_free(queue);
}

static void test_deadlines(void **state)
{
    (void)state;
    for_each_kind(deadlines);
}

/* One of two sleepers gives up between its wake-up and its last look: the item is taken, by it or by the other. */
static void last_moment(enum kind kind)
{
    thr_queue *queue = queue_of(kind, 0);
    support_clock_stop();
    struct call first = {queue, thr_after(10), NULL, THR_INVALID};
    struct call second = {queue, THR_FOREVER, NULL, THR_INVALID};
    struct support_thread *a = waits(get_it, &first);
    struct support_thread *b = waits(get_it, &second);
    support_stop(SUPPORT_AFTER_SLEEP, queue, a);
    support_clock_advance(11);
    support_wait_stopped(SUPPORT_AFTER_SLEEP, 1);
    put(queue, 1);
    put(queue, 2);
    support_go(SUPPORT_AFTER_SLEEP);
    ends(a, &first, THR_OK);
    ends(b, &second, THR_OK);
    CHECK_EQUAL(number_of(first.item) + number_of(second.item), 3);
    support_clock_go();
    thr_queue_free(queue);
}

static void test_last_moment(void **state)
{
    (void)state;
    for_each_kind(last_moment);
}

/* Woken for an item that another takes: the one that comes next still finds somebody to wake. */
static void robbed(enum kind kind)
{
    thr_queue *queue = queue_of(kind, 0);
    struct call calls[2] = {{queue, THR_FOREVER, NULL, THR_INVALID}, {queue, THR_FOREVER, NULL, THR_INVALID}};
    struct support_thread *threads[2];
    for (int i = 0; i < 2; i++)
        threads[i] = waits(get_it, &calls[i]);
    support_stop(SUPPORT_AFTER_SLEEP, queue, NULL);
    put(queue, 1);
    support_wait_stopped(SUPPORT_AFTER_SLEEP, 1);
    CHECK_EQUAL(get(queue), 1);
    support_go(SUPPORT_AFTER_SLEEP);
    support_wait_blocked(queue, 2);
    put(queue, 2);
    put(queue, 3);
    for (int i = 0; i < 2; i++)
        ends(threads[i], &calls[i], THR_OK);
    thr_queue_free(queue);
}

static void test_robbed(void **state)
{
    (void)state;
    for_each_kind(robbed);
}

/* Stopped just before its sleep: an item that comes then is seen. */
static void about_to_sleep(enum kind kind)
{
    thr_queue *queue = queue_of(kind, 1);
    struct call call = {queue, THR_FOREVER, NULL, THR_INVALID};
    support_stop(SUPPORT_BEFORE_SLEEP, queue, NULL);
    struct support_thread *thread = support_thread_start(get_it, &call);
    support_wait_stopped(SUPPORT_BEFORE_SLEEP, 1);
    put(queue, 1);
    support_go(SUPPORT_BEFORE_SLEEP);
    ends(thread, &call, THR_OK);
    put(queue, 1);
    support_stop(SUPPORT_BEFORE_SLEEP, queue, NULL);
    thread = support_thread_start(put_it, &call);
    support_wait_stopped(SUPPORT_BEFORE_SLEEP, 1);
    CHECK_EQUAL(get(queue), 1);
    support_go(SUPPORT_BEFORE_SLEEP);
    ends(thread, &call, THR_OK);
    support_stop(SUPPORT_BEFORE_SLEEP, queue, NULL);
    thread = support_thread_start(join_it, &call);
    support_wait_stopped(SUPPORT_BEFORE_SLEEP, 1);
    for (int i = 0; i < 3; i++)
        CHECK_OK(thr_queue_task_done(queue));
    support_go(SUPPORT_BEFORE_SLEEP);
    ends(thread, &call, THR_OK);
    thr_queue_free(queue);
}

static void test_about_to_sleep(void **state)
{
    (void)state;
    for_each_kind(about_to_sleep);
}

/* -- Interruptible waits ------------------------------------------------------------------------------------------ */

/* Only when the waiter has been seen asleep: it asks before, too. */
static uint32_t shall_go;

static bool shall_it(void *arg)
{
    (void)arg;
    return load_acquire(&shall_go);
}

static void nothing(int signal)
{
    (void)signal;
}

static void get_interruptibly(void *arg)
{
    support_record()->interrupt = shall_it;
    get_it(arg);
}

static void put_interruptibly(void *arg)
{
    support_record()->interrupt = shall_it;
    put_it(arg);
}

static void join_interruptibly(void *arg)
{
    support_record()->interrupt = shall_it;
    join_it(arg);
}

static void interrupt(struct support_thread *thread, struct call *call)
{
    store_release(&shall_go, 1);
    while (load_acquire(&call->result) == THR_INVALID)
        (void)pthread_kill(support_thread_native(thread), SIGUSR1);
    ends(thread, call, THR_INTERRUPTED);
    store_release(&shall_go, 0);
}

static void interrupted(enum kind kind)
{
    struct sigaction action = {.sa_handler = nothing};
    (void)sigaction(SIGUSR1, &action, NULL);
    thr_queue *queue = queue_of(kind, 1);
    struct call call = {queue, THR_FOREVER, NULL, THR_INVALID};
    interrupt(waits(get_interruptibly, &call), &call);
    put(queue, 1);
    call.result = THR_INVALID;
    interrupt(waits(put_interruptibly, &call), &call);
    call.result = THR_INVALID;
    interrupt(waits(join_interruptibly, &call), &call);
    thr_queue_free(queue);
}

static void test_interrupted(void **state)
{
    (void)state;
    for_each_kind(interrupted);
}

/* -- What is done ------------------------------------------------------------------------------------------------- */

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

static void worker(void *arg)
{
    struct crowd *crowd = arg;
    for (;;) {
        uintptr_t number = get(crowd->queue);
        if (number != STOP)
            (void)__atomic_add_fetch(&crowd->sum, (uint32_t)number, __ATOMIC_RELAXED);
        CHECK_OK(thr_queue_task_done(crowd->queue));
        if (number == STOP)
            return;
    }
}

static void check_join(thr_queue *queue)
{
    enum { WORKERS = 2, N = 100 };
    struct crowd crowd = {.queue = queue};
    struct support_bunch bunch;
    support_bunch_start(&bunch, WORKERS, worker, &crowd);
    for (uintptr_t i = 0; i < N; i++)
        put(queue, i);
    CHECK_OK(thr_queue_join(queue));
    CHECK_EQUAL(__atomic_load_n(&crowd.sum, __ATOMIC_RELAXED), N * (N - 1) / 2);
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

SUPPORT_MAIN(cmocka_unit_test(test_basic), cmocka_unit_test(test_arguments), cmocka_unit_test(test_rounds),
             cmocka_unit_test(test_without_bound), cmocka_unit_test(test_equals_in_order),
             cmocka_unit_test(test_set_maxsize), cmocka_unit_test(test_crowds), cmocka_unit_test(test_all_at_once),
             cmocka_unit_test(test_deadlines), cmocka_unit_test(test_last_moment), cmocka_unit_test(test_robbed),
             cmocka_unit_test(test_about_to_sleep), cmocka_unit_test(test_interrupted),
             cmocka_unit_test(test_too_many_done), cmocka_unit_test(test_join), cmocka_unit_test(test_joined_by_many))
