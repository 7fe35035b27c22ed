/* test_event.c - set, clear and wait. How an event blocks is in test_blocking.c too. */

#include "support/support.h"

#include <errno.h>

#include "wait/atomic.h"

/* CPython: EventTests.test_is_set, test_repr. */
static void is_set(void)
{
    thr_event event = THR_EVENT_INIT;
    support_errno_set();
    CHECK(!thr_event_is_set(&event));
    for (int i = 0; i < 2; i++) {
        thr_event_set(&event);
        CHECK(thr_event_is_set(&event));
    }
    for (int i = 0; i < 2; i++) {
        thr_event_clear(&event);
        CHECK(!thr_event_is_set(&event));
    }
    CHECK_ERRNO();
}

static void test_zeroed(void **state)
{
    (void)state;
    thr_event *event = support_page_new();
    CHECK(!thr_event_is_set(event));
    CHECK_RESULT(thr_event_wait_until(event, 0), THR_TIMEOUT);
    thr_event_set(event);
    CHECK_OK(thr_event_wait(event));
    support_page_free(event);
}

struct waiting {
    thr_event event;
    struct support_count first;
    struct support_count second;
};

static void wait_twice(void *arg)
{
    struct waiting *waiting = arg;
    CHECK_OK(thr_event_wait(&waiting->event));
    support_count_add(&waiting->first);
    CHECK_OK(thr_event_wait(&waiting->event));
    support_count_add(&waiting->second);
}

static void check_notify(struct waiting *waiting)
{
    enum { N = 5 };
    struct support_bunch bunch;
    waiting->first.value = 0;
    waiting->second.value = 0;
    support_bunch_start(&bunch, N, wait_twice, waiting);
    support_wait_blocked(&waiting->event, N);
    CHECK_EQUAL(support_count_get(&waiting->first), 0);
    thr_event_set(&waiting->event);
    support_bunch_join(&bunch);
    CHECK_EQUAL(support_count_get(&waiting->first), N);
    CHECK_EQUAL(support_count_get(&waiting->second), N);
}

/* CPython: EventTests.test_notify. */
static void set_lets_all_go(void)
{
    struct waiting waiting = {0};
    check_notify(&waiting);
    thr_event_set(&waiting.event); /* once more, after a clear */
    thr_event_clear(&waiting.event);
    check_notify(&waiting);
}

static void time_out(void *arg)
{
    CHECK_RESULT(thr_event_wait_until(arg, 0), THR_TIMEOUT);
    thr_time deadline = thr_after(0.02);
    CHECK_RESULT(thr_event_wait_until(arg, deadline), THR_TIMEOUT);
    CHECK_PASSED(deadline);
}

static void pass(void *arg)
{
    CHECK_OK(thr_event_wait_until(arg, 0));
    CHECK_OK(thr_event_wait_until(arg, support_limit()));
}

/* CPython: EventTests.test_timeout. */
static void timeout(void)
{
    enum { N = 5 };
    thr_event event = THR_EVENT_INIT;
    struct support_bunch bunch;
    support_bunch_start(&bunch, N, time_out, &event);
    support_bunch_join(&bunch);
    CHECK(!thr_event_is_set(&event));
    thr_event_set(&event);
    support_bunch_start(&bunch, N, pass, &event);
    support_bunch_join(&bunch);
}

static void wait_once(void *arg)
{
    struct waiting *waiting = arg;
    CHECK_OK(thr_event_wait_until(&waiting->event, support_limit()));
    support_count_add(&waiting->first);
}

/* CPython: EventTests.test_set_and_clear (gh-57711). */
static void set_and_clear_lets_go(void)
{
    enum { N = 5, TIMES = 20 };
    for (int i = 0; i < TIMES; i++) {
        struct waiting waiting = {0};
        struct support_bunch bunch;
        support_bunch_start(&bunch, N, wait_once, &waiting);
        support_wait_blocked(&waiting.event, N);
        thr_event_set(&waiting.event);
        thr_event_clear(&waiting.event);
        support_bunch_join(&bunch);
        CHECK_EQUAL(support_count_get(&waiting.first), N);
        CHECK(!thr_event_is_set(&waiting.event));
    }
}

/* -- A slow waiter, and generations --------------------------------------------------------------------------------- */

struct slow {
    thr_event *event;
    struct support_count go;
    struct support_count done;
};

static void wait_slowly(void *arg)
{
    struct slow *slow = arg;
    support_count_wait(&slow->go, 1);
    CHECK_OK(thr_event_wait_until(slow->event, support_limit()));
    support_count_add(&slow->done);
}

/* Starts one more waiter, and returns when it is blocked. */
static struct support_thread *start_waiter(struct slow *slow, thr_event *event, unsigned blocked)
{
    *slow = (struct slow){.event = event, .go = {1}};
    struct support_thread *thread = support_thread_start(wait_slowly, slow);
    support_wait_blocked(event, blocked);
    return thread;
}

/* A waiter is stopped at its sleep while the flag goes up and down `rounds` times, each time with another waiter to let
 * go. Another one waits in the generation after those when the slow one looks: so the event looks as it did when that one
 * began, but for its generation. It was let go; the other one was not. */
static void check_slow_waiter(enum support_place place, int rounds, uint32_t word)
{
    thr_event event = {word};
    unsigned stopped = place == SUPPORT_BEFORE_SLEEP; /* it counts as blocked there */
    struct slow slow = {.event = &event};
    struct slow other;
    struct support_thread *thread = support_thread_start(wait_slowly, &slow);
    support_stop(place, &event, thread);
    support_count_add(&slow.go);
    if (place == SUPPORT_BEFORE_SLEEP)
        support_wait_stopped(place, 1);
    else
        support_wait_blocked(&event, 1);
    for (int i = 0; i < rounds; i++) {
        struct support_thread *passes = NULL;
        if (i > 0 || place == SUPPORT_BEFORE_SLEEP) /* the others asleep are let go by the first set */
            passes = start_waiter(&other, &event, stopped + 1);
        thr_event_set(&event);
        thr_event_clear(&event);
        if (passes)
            support_thread_join(passes);
        else
            support_wait_stopped(place, 1);
    }
    struct support_thread *last = start_waiter(&other, &event, stopped + 1);
    CHECK_EQUAL(support_count_get(&slow.done), 0);
    support_go(place);
    support_thread_join(thread);
    support_wait_blocked(&event, 1);
    CHECK_EQUAL(support_count_get(&other.done), 0);
    thr_event_set(&event);
    support_thread_join(last);
}

static void slow_waiter_was_let_go(void)
{
    for (int rounds = 1; rounds <= 9; rounds++) {
        check_slow_waiter(SUPPORT_BEFORE_SLEEP, rounds, 0);
        check_slow_waiter(SUPPORT_AFTER_SLEEP, rounds, 0);
    }
}

/* The count of generations begins again at its end. */
static void test_generation_wraps(void **state)
{
    (void)state;
    const uint32_t last = ~(uint32_t)3;
    for (int rounds = 1; rounds <= 3; rounds++) {
        check_slow_waiter(SUPPORT_BEFORE_SLEEP, rounds, last);
        check_slow_waiter(SUPPORT_AFTER_SLEEP, rounds, last - 4);
    }
    thr_event event = {last};
    CHECK(!thr_event_is_set(&event));
    thr_event_set(&event);
    CHECK(thr_event_is_set(&event));
    thr_event_clear(&event);
    CHECK(!thr_event_is_set(&event));
}

/* A waiter that comes after the clear waits for the next set, however soon it comes. */
static void late_waiter_waits(void)
{
    thr_event event = THR_EVENT_INIT;
    struct slow early;
    struct slow late;
    struct support_thread *first = start_waiter(&early, &event, 1);
    support_stop(SUPPORT_AFTER_SLEEP, &event, first);
    thr_event_set(&event);
    thr_event_clear(&event);
    support_wait_stopped(SUPPORT_AFTER_SLEEP, 1);
    struct support_thread *second = start_waiter(&late, &event, 1);
    support_go(SUPPORT_AFTER_SLEEP);
    support_thread_join(first);
    support_wait_blocked(&event, 1);
    CHECK_EQUAL(support_count_get(&late.done), 0);
    thr_event_set(&event);
    support_thread_join(second);
}

/* -- Order ---------------------------------------------------------------------------------------------------------- */

/* What was written before the set is read after the wait: whichever way the wait goes. (A sanitizer sees this.) */
struct message {
    thr_event event;
    int how;
    int text;
};

static void read_message(void *arg)
{
    struct message *message = arg;
    switch (message->how % 3) {
    case 0:
        CHECK_OK(thr_event_wait(&message->event));
        break;
    case 1:
        CHECK_OK(thr_event_wait_until(&message->event, support_limit()));
        break;
    default:
        while (!thr_event_is_set(&message->event))
            continue;
        break;
    }
    CHECK_EQUAL(message->text, 42);
}

static void set_publishes(void)
{
    for (int i = 0; i < 60; i++) {
        struct message message = {.how = i};
        struct support_thread *thread = support_thread_start(read_message, &message);
        if (i % 2 && i % 3 != 2)
            support_wait_blocked(&message.event, 1);
        message.text = 42;
        thr_event_set(&message.event);
        support_thread_join(thread);
    }
}

/* Hand-shakes of `work++; set` with `clear; look for work`: one of the two sees what the other did, although set finds
 * the flag up. Each side's two steps are a store and a load of different words, so both must be read-modify-writes. */
struct handshake {
    thr_event event;
    uint32_t work __attribute__((aligned(64)));
    uint32_t seen __attribute__((aligned(64)));
    thr_time end;
};

enum { LAST = 0x7fffffff };

static void look_for_work(void *arg)
{
    struct handshake *handshake = arg;
    uint32_t seen = 0;
    while (seen != LAST) {
        thr_event_clear(&handshake->event);
        uint32_t work = load_relaxed(&handshake->work);
        if (work == seen) {
            thr_event_wait(&handshake->event); /* with a deadline it might see at that what it was not woken for */
            continue;
        }
        seen = work;
        store_relaxed(&handshake->seen, seen);
    }
}

static void test_handshakes_lose_nothing(void **state)
{
    (void)state;
    enum { ROUNDS = 1000000 };
    struct handshake handshake = {0};
    struct support_thread *thread = support_thread_start(look_for_work, &handshake);
    thr_time end = thr_after(0.4);
    for (uint32_t work = 0; work != LAST;) {
        work = work == ROUNDS || thr_now() > end ? LAST : work + 1;
        store_relaxed(&handshake.work, work);
        thr_event_set(&handshake.event);
        thr_time limit = support_limit();
        for (uint32_t turns = 0; load_relaxed(&handshake.seen) != work; turns++) {
            if (turns % 4096 == 4095 && thr_now() > limit)
                support_fail(__FILE__, __LINE__, "work %u was lost", work);
        }
    }
    support_thread_join(thread);
}

/* -- Waits that begin in the middle of a set -------------------------------------------------------------------------- */

struct pulse {
    thr_event event;
    uint32_t stop;
    bool setter_stumbles; /* else the waiter */
};

static void set_and_clear(void *arg)
{
    struct pulse *pulse = arg;
    uint64_t random = support_seed();
    if (pulse->setter_stumbles)
        support_stumble_start();
    while (!load_relaxed(&pulse->stop)) {
        thr_event_set(&pulse->event);
        CHECK(thr_event_is_set(&pulse->event)); /* nobody else clears it */
        if (support_random_below(&random, 4) == 0)
            thr_event_set(&pulse->event);
        CHECK(thr_event_is_set(&pulse->event));
        thr_event_clear(&pulse->event);
        CHECK(!thr_event_is_set(&pulse->event));
        if (support_random_below(&random, 4) == 0)
            thr_event_clear(&pulse->event);
    }
    thr_event_set(&pulse->event);
    if (pulse->setter_stumbles)
        support_stumble_stop();
}

static void wait_on_and_on(void *arg)
{
    struct pulse *pulse = arg;
    uint64_t random = support_seed() + 1;
    if (!pulse->setter_stumbles)
        support_stumble_start();
    while (!load_relaxed(&pulse->stop)) {
        thr_event_wait(&pulse->event); /* with a deadline it might see at that what it was not woken for */
        for (uint32_t pause = support_random_below(&random, 300); pause > 0; pause--)
            __asm__ volatile("");
    }
    if (!pulse->setter_stumbles)
        support_stumble_stop();
}

static void check_stumbling(bool setter)
{
    struct pulse pulse = {.setter_stumbles = setter};
    struct support_thread *sets = support_thread_start(set_and_clear, &pulse);
    struct support_thread *waits =
        support_thread_start(wait_on_and_on, &pulse); /* a second one would wake it as well */
    thr_sleep(0.2);                                   /* so long it goes on */
    store_relaxed(&pulse.stop, 1);
    support_thread_join(sets);
    support_thread_join(waits);
}

/* The setter pauses at any instruction of set and clear; who begins to wait meanwhile is let go by the next set. (It gets
 * no signals itself: they would end a sleep beside a flag that is up.) */
static void setter_stumbles(void)
{
    check_stumbling(true);
}

/* The waiter pauses at any instruction; what is set and cleared meanwhile stays so. */
static void waiter_stumbles(void)
{
    check_stumbling(false);
}

/* -- Signal handlers ------------------------------------------------------------------------------------------------ */

static void set_in_handler(void *event)
{
    int saved = errno;
    support_errno_set();
    thr_event_set(event);
    CHECK_ERRNO();
    errno = saved;
}

/* The handler interrupts the very wait that its set ends. */
static void test_set_in_a_handler_of_the_waiter(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        thr_event event = THR_EVENT_INIT;
        struct support_pester pester;
        support_pester_start(&pester, set_in_handler, &event);
        for (int turn = 0; turn < 10; turn++) {
            thr_event_clear(&event);
            support_errno_set();
            CHECK_OK(thr_event_wait_until(&event, support_limit()));
            CHECK_ERRNO();
        }
        support_pester_stop(&pester);
        CHECK(thr_event_is_set(&event));
    }
}

struct setter {
    thr_event event;
    uint32_t stop;
    uint32_t turns;
};

static void set_and_clear_on(void *arg)
{
    struct setter *setter = arg;
    struct support_pester pester;
    support_pester_start(&pester, set_in_handler, &setter->event);
    while (!load_relaxed(&setter->stop)) {
        thr_event_set(&setter->event);
        thr_event_clear(&setter->event);
    }
    support_pester_stop(&pester);
}

/* The handler interrupts set and clear at any instruction; waiters are let go all the same. */
static void test_set_in_a_handler_of_the_setter(void **state)
{
    (void)state;
    struct setter setter = {0};
    struct support_thread *thread = support_thread_start(set_and_clear_on, &setter);
    for (int i = 0; i < 2000; i++)
        CHECK_OK(thr_event_wait_until(&setter.event, support_limit()));
    store_relaxed(&setter.stop, 1);
    support_thread_join(thread);
}

#define BOTH_WAYS(name)                                                                                                \
    static void test_##name(void **state)                                                                              \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        support_both_ways(name);                                                                                       \
    }

BOTH_WAYS(is_set)
BOTH_WAYS(set_lets_all_go)
BOTH_WAYS(timeout)
BOTH_WAYS(set_and_clear_lets_go)
BOTH_WAYS(slow_waiter_was_let_go)
BOTH_WAYS(late_waiter_waits)
BOTH_WAYS(set_publishes)
BOTH_WAYS(setter_stumbles)
BOTH_WAYS(waiter_stumbles)

SUPPORT_MAIN(cmocka_unit_test(test_is_set), cmocka_unit_test(test_zeroed), cmocka_unit_test(test_set_lets_all_go),
             cmocka_unit_test(test_timeout), cmocka_unit_test(test_set_and_clear_lets_go),
             cmocka_unit_test(test_slow_waiter_was_let_go), cmocka_unit_test(test_generation_wraps),
             cmocka_unit_test(test_late_waiter_waits), cmocka_unit_test(test_set_publishes),
             cmocka_unit_test(test_setter_stumbles), cmocka_unit_test(test_waiter_stumbles),
             cmocka_unit_test(test_handshakes_lose_nothing), cmocka_unit_test(test_set_in_a_handler_of_the_waiter),
             cmocka_unit_test(test_set_in_a_handler_of_the_setter))
