/* test_queue_wait.c - every kind of queue: puts and gets that wait, with a deadline, or until they are interrupted. */

#include "calls.h"

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

static void get_interruptibly(void *arg)
{
    support_interruptible();
    get_it(arg);
}

static void put_interruptibly(void *arg)
{
    support_interruptible();
    put_it(arg);
}

static void join_interruptibly(void *arg)
{
    support_interruptible();
    join_it(arg);
}

static void interrupt(struct support_thread *thread, struct call *call)
{
    support_interrupt(thread, &call->result);
    ends(thread, call, THR_INTERRUPTED);
}

static void interrupted(enum kind kind)
{
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

SUPPORT_MAIN(cmocka_unit_test(test_crowds), cmocka_unit_test(test_all_at_once), cmocka_unit_test(test_deadlines),
             cmocka_unit_test(test_last_moment), cmocka_unit_test(test_robbed), cmocka_unit_test(test_about_to_sleep),
             cmocka_unit_test(test_interrupted))
