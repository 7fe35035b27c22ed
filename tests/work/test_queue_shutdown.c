/* test_queue_shutdown.c - every kind of queue: the end, gentle and immediate. */

#include "kinds.h"

#include "wait/atomic.h"

/* -- One thread --------------------------------------------------------------------------------------------------- */

/* That puts and gets give THR_CLOSED, in each form. */
static void check_puts_closed(thr_queue *queue)
{
    CHECK_RESULT(thr_queue_put(queue, NULL), THR_CLOSED);
    CHECK_RESULT(thr_queue_try_put(queue, NULL), THR_CLOSED);
    CHECK_RESULT(thr_queue_put_until(queue, NULL, support_limit()), THR_CLOSED);
}

static void check_gets_closed(thr_queue *queue)
{
    void *item = &item;
    CHECK_RESULT(thr_queue_get(queue, &item), THR_CLOSED);
    CHECK_RESULT(thr_queue_try_get(queue, &item), THR_CLOSED);
    CHECK_RESULT(thr_queue_get_until(queue, &item, support_limit()), THR_CLOSED);
    CHECK(item == &item);
}

static void empty(enum kind kind)
{
    void *item = NULL;
    for (int immediate = 0; immediate < 2; immediate++) {
        thr_queue *queue = queue_of(kind, 2);
        CHECK(!thr_queue_is_shutdown(queue));
        CHECK_RESULT(thr_queue_discarded(queue, &item), THR_EMPTY);
        thr_queue_shutdown(queue, immediate);
        CHECK(thr_queue_is_shutdown(queue));
        check_puts_closed(queue);
        check_gets_closed(queue);
        CHECK_RESULT(thr_queue_discarded(queue, &item), THR_EMPTY);
        CHECK_OK(thr_queue_join(queue));
        thr_queue_free(queue);
    }
}

static void test_empty(void **state)
{
    (void)state;
    for_each_kind(empty);
}

static void gentle(enum kind kind)
{
    thr_queue *queue = queue_of(kind, 2);
    void *item = NULL;
    put(queue, 1);
    CHECK_OK(thr_queue_try_put(queue, item_of(2)));
    thr_queue_shutdown(queue, false);
    check_puts_closed(queue);
    CHECK_EQUAL(thr_queue_size(queue), 2);
    CHECK(thr_queue_full(queue));
    CHECK_RESULT(thr_queue_discarded(queue, &item), THR_EMPTY);
    CHECK_EQUAL(get(queue), kind == LIFO ? 2 : 1);
    CHECK_OK(thr_queue_task_done(queue));
    check_puts_closed(queue); /* though there is room */
    CHECK_EQUAL(get(queue), kind == LIFO ? 1 : 2);
    CHECK_RESULT(thr_queue_join_until(queue, 0), THR_TIMEOUT);
    CHECK_OK(thr_queue_task_done(queue));
    CHECK_OK(thr_queue_join(queue));
    check_gets_closed(queue);
    thr_queue_free(queue);
}

static void test_gentle(void **state)
{
    (void)state;
    for_each_kind(gentle);
}

static void immediate(enum kind kind)
{
    thr_queue *queue = queue_of(kind, 3);
    void *item = &item;
    for (uintptr_t i = 1; i <= 3; i++)
        put(queue, i);
    CHECK_EQUAL(get(queue), kind == LIFO ? 3 : 1);
    thr_queue_shutdown(queue, true);
    check_puts_closed(queue);
    check_gets_closed(queue);
    CHECK_EQUAL(thr_queue_size(queue), 0);
    CHECK(thr_queue_empty(queue));
    CHECK(!thr_queue_full(queue));
    CHECK_EQUAL(thr_queue_unfinished(queue), 1); /* the one that was taken */
    thr_queue_shutdown(queue, true);             /* counts nothing twice */
    CHECK_EQUAL(thr_queue_unfinished(queue), 1);
    CHECK_OK(thr_queue_task_done(queue));
    CHECK_RESULT(thr_queue_task_done(queue), THR_TOO_MANY);
    CHECK_OK(thr_queue_join(queue));
    CHECK_OK(thr_queue_discarded(queue, &item));
    CHECK_EQUAL(number_of(item), 2);
    CHECK_OK(thr_queue_discarded(queue, &item));
    CHECK_EQUAL(number_of(item), kind == LIFO ? 1 : 3);
    CHECK_RESULT(thr_queue_discarded(queue, &item), THR_EMPTY);
    check_gets_closed(queue);
    thr_queue_free(queue);
}

static void test_immediate(void **state)
{
    (void)state;
    for_each_kind(immediate);
}

static void transitions(enum kind kind)
{
    thr_queue *queue = queue_of(kind, 0);
    void *item = NULL;
    put(queue, 1);
    put(queue, 2);
    for (int i = 0; i < 2; i++)
        thr_queue_shutdown(queue, false);
    CHECK_EQUAL(get(queue), kind == LIFO ? 2 : 1);
    thr_queue_shutdown(queue, true);
    check_gets_closed(queue);
    thr_queue_shutdown(queue, false); /* takes nothing back */
    check_gets_closed(queue);
    CHECK(thr_queue_is_shutdown(queue));
    CHECK_EQUAL(thr_queue_unfinished(queue), 1);
    CHECK_OK(thr_queue_discarded(queue, &item));
    thr_queue_free(queue);
}

static void test_transitions(void **state)
{
    (void)state;
    for_each_kind(transitions);
}

/* More was said to be done than was taken: what is discarded does not count below nothing. */
static void done_before(enum kind kind)
{
    thr_queue *queue = queue_of(kind, 0);
    for (uintptr_t i = 0; i < 3; i++)
        put(queue, i);
    CHECK_OK(thr_queue_task_done(queue));
    CHECK_OK(thr_queue_task_done(queue));
    thr_queue_shutdown(queue, true);
    CHECK_EQUAL(thr_queue_unfinished(queue), 0);
    CHECK_RESULT(thr_queue_task_done(queue), THR_TOO_MANY);
    CHECK_OK(thr_queue_join(queue));
    thr_queue_free(queue);
}

static void test_done_before(void **state)
{
    (void)state;
    for_each_kind(done_before);
}

/* Many segments' worth are discarded, and taken out. */
static void discards_many(enum kind kind)
{
    enum { N = 2000 };
    thr_queue *queue = queue_of(kind, N);
    for (uintptr_t i = 0; i < N; i++)
        put(queue, i);
    for (uintptr_t i = 0; i < N / 4; i++)
        (void)get(queue);
    thr_queue_shutdown(queue, true);
    void *item = NULL;
    size_t n = 0;
    while (thr_queue_discarded(queue, &item) == THR_OK)
        n++;
    CHECK_EQUAL(n, N - N / 4);
    thr_queue_free(queue);
}

static void test_discards_many(void **state)
{
    (void)state;
    for_each_kind(discards_many);
}

/* -- Those who wait ----------------------------------------------------------------------------------------------- */

struct call {
    thr_queue *queue;
    thr_result results[SUPPORT_BUNCH_MAX];
};

static void get_it(void *arg)
{
    struct call *call = arg;
    void *item = NULL;
    call->results[support_index()] = thr_queue_get(call->queue, &item);
}

static void put_it(void *arg)
{
    struct call *call = arg;
    call->results[support_index()] = thr_queue_put(call->queue, NULL);
}

static void put_it_soon(void *arg)
{
    struct call *call = arg;
    call->results[support_index()] = thr_queue_put_until(call->queue, NULL, support_limit());
}

static void join_it(void *arg)
{
    struct call *call = arg;
    call->results[support_index()] = thr_queue_join(call->queue);
}

static void get_and_done(void *arg)
{
    get_it(arg);
    CHECK_OK(thr_queue_task_done(((struct call *)arg)->queue));
}

enum { N = 4 };

static void check_results(const struct call *call, thr_result result)
{
    for (int i = 0; i < N; i++)
        CHECK_RESULT(call->results[i], result);
}

static void lets_go(enum kind kind, bool now, bool puts, void (*function)(void *))
{
    struct call call = {.queue = queue_of(kind, 1)};
    struct support_bunch bunch;
    if (puts)
        put(call.queue, 1);
    support_bunch_start(&bunch, N, function, &call);
    support_wait_blocked(call.queue, N);
    thr_queue_shutdown(call.queue, now);
    support_bunch_join(&bunch);
    check_results(&call, THR_CLOSED);
    thr_queue_free(call.queue);
}

static void lets_all_go(enum kind kind)
{
    for (int now = 0; now < 2; now++) {
        lets_go(kind, now, false, get_it);
        lets_go(kind, now, true, put_it);
        lets_go(kind, now, true, put_it_soon);
    }
}

static void test_lets_all_go(void **state)
{
    (void)state;
    for_each_kind(lets_all_go);
}

/* Each sort of waiting thread, stopped just before its sleep when the shutdown comes. */
static void about_to_sleep(enum kind kind)
{
    void (*const functions[])(void *) = {get_it, put_it};
    for (int i = 0; i < 4; i++) {
        struct call call = {.queue = queue_of(kind, 1)};
        struct support_bunch bunch;
        if (i / 2 == 1)
            put(call.queue, 1);
        support_stop(SUPPORT_BEFORE_SLEEP, call.queue, NULL);
        support_bunch_start(&bunch, N, functions[i / 2], &call);
        support_wait_stopped(SUPPORT_BEFORE_SLEEP, N);
        thr_queue_shutdown(call.queue, i % 2 == 1);
        support_go(SUPPORT_BEFORE_SLEEP);
        support_bunch_join(&bunch);
        check_results(&call, THR_CLOSED);
        thr_queue_free(call.queue);
    }
}

static void test_about_to_sleep(void **state)
{
    (void)state;
    for_each_kind(about_to_sleep);
}

static void joins(enum kind kind)
{
    struct call call = {.queue = queue_of(kind, 0)};
    struct support_bunch bunch;
    put(call.queue, 1);
    put(call.queue, 2);
    support_bunch_start(&bunch, N, join_it, &call);
    support_wait_blocked(call.queue, N);
    thr_queue_shutdown(call.queue, false);
    CHECK_EQUAL(support_blocked(call.queue), N);
    thr_queue_shutdown(call.queue, true);
    support_bunch_join(&bunch);
    check_results(&call, THR_OK);
    thr_queue_free(call.queue);

    call.queue = queue_of(kind, 0); /* one is being worked on: the joins wait for that */
    put(call.queue, 1);
    put(call.queue, 2);
    (void)get(call.queue);
    support_bunch_start(&bunch, N, join_it, &call);
    support_wait_blocked(call.queue, N);
    thr_queue_shutdown(call.queue, true);
    support_wait_blocked(call.queue, N);
    CHECK_OK(thr_queue_task_done(call.queue));
    support_bunch_join(&bunch);
    check_results(&call, THR_OK);
    thr_queue_free(call.queue);
}

static void test_joins(void **state)
{
    (void)state;
    for_each_kind(joins);
}

/* Gets what is left, and one too many, after a gentle shutdown. */
static void more_getters_than_items(enum kind kind)
{
    struct call call = {.queue = queue_of(kind, N - 1)};
    struct support_bunch bunch;
    for (uintptr_t i = 1; i < N; i++)
        put(call.queue, i);
    thr_queue_shutdown(call.queue, false);
    support_bunch_start(&bunch, N, get_it, &call);
    support_bunch_join(&bunch);
    int closed = 0;
    for (int i = 0; i < N; i++) {
        CHECK(call.results[i] == THR_OK || call.results[i] == THR_CLOSED);
        closed += call.results[i] == THR_CLOSED;
    }
    CHECK_EQUAL(closed, 1);
    thr_queue_free(call.queue);
}

static void test_more_getters_than_items(void **state)
{
    (void)state;
    for_each_kind(more_getters_than_items);
}

static void getters_and_joiners(enum kind kind)
{
    struct call gets = {.queue = queue_of(kind, 2)};
    struct call joins_of = {.queue = gets.queue};
    struct support_bunch getters;
    struct support_bunch joiners;
    put(gets.queue, 1);
    put(gets.queue, 2);
    support_bunch_start(&joiners, N, join_it, &joins_of);
    support_wait_blocked(gets.queue, N);
    thr_queue_shutdown(gets.queue, false);
    support_bunch_start(&getters, 2, get_and_done, &gets);
    support_bunch_join(&getters);
    support_bunch_join(&joiners);
    for (int i = 0; i < 2; i++)
        CHECK_OK(gets.results[i]);
    check_results(&joins_of, THR_OK);
    thr_queue_free(gets.queue);
}

static void test_getters_and_joiners(void **state)
{
    (void)state;
    for_each_kind(getters_and_joiners);
}

/* -- Everything at once ------------------------------------------------------------------------------------------- */

enum { WRITERS = 4, READERS = 6, JOINERS = 2, EACH = 4096 };

struct turmoil {
    thr_queue *queue;
    bool immediate;
    thr_barrier start;
    thr_event end;
    uint32_t in;
    uint32_t out;
    uint32_t writers_closed;
    uint32_t readers_closed;
};

static void write_many(struct turmoil *turmoil)
{
    uint32_t in = EACH / 4;
    for (uintptr_t i = 0; i < in; i++)
        put(turmoil->queue, i);
    CHECK_OK(thr_barrier_wait(&turmoil->start, NULL));
    for (uintptr_t i = in; i < EACH; i++) {
        thr_result result = thr_queue_put(turmoil->queue, item_of(i));
        if (result == THR_CLOSED) {
            (void)__atomic_add_fetch(&turmoil->writers_closed, 1, __ATOMIC_RELAXED);
            break;
        }
        CHECK_OK(result);
        in++;
        if (i == EACH / 2)
            thr_event_set(&turmoil->end);
    }
    (void)__atomic_add_fetch(&turmoil->in, in, __ATOMIC_RELAXED);
}

static void read_many(struct turmoil *turmoil)
{
    void *item = NULL;
    uint32_t out = 1;
    (void)get(turmoil->queue);
    CHECK_OK(thr_queue_task_done(turmoil->queue));
    CHECK_OK(thr_barrier_wait(&turmoil->start, NULL));
    for (;;) {
        thr_result result = out % 2 ? thr_queue_try_get(turmoil->queue, &item) : thr_queue_get(turmoil->queue, &item);
        if (result == THR_CLOSED)
            break;
        if (result == THR_EMPTY) {
            (void)sched_yield();
            continue;
        }
        CHECK_OK(result);
        out++;
        CHECK_OK(thr_queue_task_done(turmoil->queue));
    }
    (void)__atomic_add_fetch(&turmoil->readers_closed, 1, __ATOMIC_RELAXED);
    (void)__atomic_add_fetch(&turmoil->out, out, __ATOMIC_RELAXED);
}

static void take_part(void *arg)
{
    struct turmoil *turmoil = arg;
    size_t index = support_index();
    if (index < WRITERS) {
        write_many(turmoil);
    } else if (index < WRITERS + READERS) {
        read_many(turmoil);
    } else if (index < WRITERS + READERS + JOINERS) {
        CHECK_OK(thr_barrier_wait(&turmoil->start, NULL));
        CHECK_OK(thr_queue_join(turmoil->queue));
    } else {
        CHECK_OK(thr_event_wait(&turmoil->end));
        thr_queue_shutdown(turmoil->queue, turmoil->immediate);
    }
}

static void in_turmoil(enum kind kind, bool immediately)
{
    struct turmoil turmoil = {.queue = queue_of(kind, 8192), .immediate = immediately};
    CHECK_OK(thr_barrier_init(&turmoil.start, WRITERS + READERS + JOINERS, NULL, NULL));
    struct support_bunch bunch;
    support_bunch_start(&bunch, WRITERS + READERS + JOINERS + 1, take_part, &turmoil);
    support_bunch_join(&bunch);
    void *item = NULL;
    uint32_t left = 0;
    while (thr_queue_discarded(turmoil.queue, &item) == THR_OK)
        left++;
    CHECK_EQUAL(turmoil.out + left, turmoil.in);
    CHECK_EQUAL(turmoil.readers_closed, READERS);
    CHECK(thr_queue_empty(turmoil.queue));
    CHECK(immediately || left == 0);
    CHECK_EQUAL(thr_queue_unfinished(turmoil.queue), 0);
    thr_queue_free(turmoil.queue);
}

static void turmoils(enum kind kind)
{
    in_turmoil(kind, false);
    in_turmoil(kind, true);
}

static void test_turmoil(void **state)
{
    (void)state;
    for_each_kind(turmoils);
}

SUPPORT_MAIN(cmocka_unit_test(test_empty), cmocka_unit_test(test_gentle), cmocka_unit_test(test_immediate),
             cmocka_unit_test(test_transitions), cmocka_unit_test(test_done_before),
             cmocka_unit_test(test_discards_many), cmocka_unit_test(test_lets_all_go),
             cmocka_unit_test(test_about_to_sleep), cmocka_unit_test(test_joins),
             cmocka_unit_test(test_more_getters_than_items), cmocka_unit_test(test_getters_and_joiners),
             cmocka_unit_test(test_turmoil))
