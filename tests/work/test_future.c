/* test_future.c - futures by themselves: states, results, callbacks, waiting for several, order of completion. */

#include "support/support.h"

#include <string.h>

#include "threading.h"

/* -- Futures in every state --------------------------------------------------------------------------------------- */

enum kind { PENDING, RUNNING, CANCELLED, FAILED, FINISHED, KINDS };

enum { RESULT = 42, CODE = 7 };

static int answer = RESULT;

static thr_future *make(enum kind kind)
{
    thr_future *future;
    CHECK_OK(thr_future_new(&future));
    switch (kind) {
    case RUNNING:
        CHECK_OK(thr_future_set_running(future));
        break;
    case CANCELLED:
        CHECK_OK(thr_future_cancel(future));
        break;
    case FAILED:
        CHECK_OK(thr_future_set_failure(future, CODE, "why %s", "not"));
        break;
    case FINISHED:
        CHECK_OK(thr_future_set_result(future, &answer));
        break;
    case PENDING:
    case KINDS:
    default:
        break;
    }
    return future;
}

static void make_all(thr_future *futures[KINDS])
{
    for (int kind = 0; kind < KINDS; kind++)
        futures[kind] = make((enum kind)kind);
}

static void drop_all(thr_future *futures[KINDS])
{
    for (int kind = 0; kind < KINDS; kind++)
        thr_future_unref(futures[kind]);
}

static void test_states(void **state)
{
    (void)state;
    thr_future *f[KINDS];
    make_all(f);
    for (int kind = 0; kind < KINDS; kind++) {
        CHECK_EQUAL(thr_future_cancelled(f[kind]), kind == CANCELLED);
        CHECK_EQUAL(thr_future_running(f[kind]), kind == RUNNING);
        CHECK_EQUAL(thr_future_done(f[kind]), kind >= CANCELLED);
    }
    drop_all(f);
}

static void test_cancel(void **state)
{
    (void)state;
    static const thr_result expected[KINDS] = {THR_OK, THR_TOO_LATE, THR_OK, THR_TOO_LATE, THR_TOO_LATE};
    thr_future *f[KINDS];
    make_all(f);
    for (int kind = 0; kind < KINDS; kind++) {
        support_errno_set();
        CHECK_RESULT(thr_future_cancel(f[kind]), expected[kind]);
        CHECK_RESULT(thr_future_cancel(f[kind]), expected[kind]);
        CHECK_ERRNO();
        CHECK_EQUAL(thr_future_cancelled(f[kind]), kind == PENDING || kind == CANCELLED);
    }
    drop_all(f);
}

static void test_result_at_once(void **state)
{
    (void)state;
    static const thr_result expected[KINDS] = {THR_TIMEOUT, THR_TIMEOUT, THR_CANCELLED, THR_FAILED, THR_OK};
    thr_future *f[KINDS];
    make_all(f);
    for (int kind = 0; kind < KINDS; kind++) {
        void *result = f;
        CHECK_RESULT(thr_future_result_until(f[kind], 0, &result), expected[kind]);
        CHECK_RESULT(thr_future_result_until(f[kind], 0, NULL), expected[kind]);
        if (expected[kind] == THR_TIMEOUT)
            CHECK(result == f); /* nothing has changed */
        else
            CHECK(result == (kind == FINISHED ? &answer : NULL));
    }
    drop_all(f);
}

static void test_failure_at_once(void **state)
{
    (void)state;
    thr_future *f[KINDS];
    make_all(f);
    for (int kind = 0; kind < KINDS; kind++) {
        char message[32] = "before";
        char cut[4] = "###";
        CHECK_EQUAL(thr_future_failure(f[kind], message, sizeof message), kind == FAILED ? CODE : 0);
        CHECK(strcmp(message, kind == FAILED ? "why not" : "") == 0);
        CHECK_EQUAL(thr_future_failure(f[kind], NULL, 0), kind == FAILED ? CODE : 0);
        (void)thr_future_failure(f[kind], cut, 3);
        CHECK(strcmp(cut, kind == FAILED ? "wh" : "") == 0);
    }
    drop_all(f);
}

/* Python: InvalidStateError. */
static void test_set_twice(void **state)
{
    (void)state;
    int other = 0;
    for (int kind = 0; kind < KINDS; kind++) {
        thr_future *f = make((enum kind)kind);
        void *result = NULL;
        thr_result expected = kind == CANCELLED ? THR_CANCELLED : kind < CANCELLED ? THR_OK : THR_TOO_LATE;
        CHECK_RESULT(thr_future_set_result(f, &other), expected);
        CHECK_RESULT(thr_future_set_failure(f, 1, "no"), expected == THR_OK ? THR_TOO_LATE : expected);
        CHECK_RESULT(thr_future_set_running(f), kind == CANCELLED ? THR_CANCELLED : THR_STARTED);
        CHECK_RESULT(thr_future_result_until(f, 0, &result), kind == CANCELLED ? THR_CANCELLED
                                                             : kind == FAILED  ? THR_FAILED
                                                                               : THR_OK);
        CHECK(result == (expected == THR_OK ? &other : kind == FINISHED ? &answer : NULL));
        thr_future_unref(f);
    }
}

/* -- Waiting for one ---------------------------------------------------------------------------------------------- */

struct asked {
    thr_future *future;
    thr_result outcome;
    void *result;
};

static void ask(void *arg)
{
    struct asked *asked = arg;
    asked->outcome = thr_future_result(asked->future, &asked->result);
}

static void ask_while(enum kind kind, thr_result expected)
{
    struct asked asked = {make(PENDING), THR_INVALID, &asked};
    struct support_thread *thread = support_thread_start(ask, &asked);
    support_wait_blocked(asked.future, 1);
    if (kind == CANCELLED)
        CHECK_OK(thr_future_cancel(asked.future));
    else if (kind == FAILED)
        CHECK_OK(thr_future_set_failure(asked.future, CODE, "no"));
    else
        CHECK_OK(thr_future_set_result(asked.future, &answer));
    support_thread_join(thread);
    CHECK_RESULT(asked.outcome, expected);
    CHECK(asked.result == (kind == FINISHED ? &answer : NULL));
    thr_future_unref(asked.future);
}

static void test_result_later(void **state)
{
    (void)state;
    ask_while(FINISHED, THR_OK);
    ask_while(CANCELLED, THR_CANCELLED);
    ask_while(FAILED, THR_FAILED);
}

static void test_result_in_time(void **state)
{
    (void)state;
    thr_future *f = make(PENDING);
    thr_time deadline = thr_after(0.01);
    CHECK_RESULT(thr_future_result_until(f, deadline, NULL), THR_TIMEOUT);
    CHECK_PASSED(deadline);
    CHECK(!thr_future_done(f));
    CHECK_OK(thr_future_set_result(f, NULL));
    CHECK_OK(thr_future_result_until(f, deadline, NULL)); /* done is done, however late */
    thr_future_unref(f);
}

static void ask_in_bunch(void *future)
{
    void *result;
    CHECK_OK(thr_future_result(future, &result));
    CHECK(result == &answer);
}

static void test_many_ask(void **state)
{
    (void)state;
    enum { N = 10 };
    struct support_bunch bunch;
    thr_future *f = make(PENDING);
    support_bunch_start(&bunch, N, ask_in_bunch, f);
    support_wait_blocked(f, N);
    CHECK_OK(thr_future_set_result(f, &answer));
    support_bunch_join(&bunch);
    thr_future_unref(f);
}

/* -- Callbacks ---------------------------------------------------------------------------------------------------- */

static char calls[16];
static size_t n_calls;
static thr_result seen;

static void note(thr_future *future, void *arg)
{
    calls[n_calls++] = *(const char *)arg;
    seen = thr_future_result_until(future, 0, NULL);
}

static void note_and_fail(thr_future *future, void *arg)
{
    note(future, arg);
    thr_fail(1, "a callback that fails");
}

static void *a_name(const char *name)
{
    return (void *)(uintptr_t)name;
}

static char reported[256];
static unsigned reports;

static void report(thr_thread *thread, int code, const char *message)
{
    (void)code;
    CHECK(thread == thr_current_thread());
    reports++;
    strncpy(reported, message, sizeof reported - 1);
}

static void check_calls(const char *expected, thr_result outcome)
{
    if (n_calls != strlen(expected) || strncmp(calls, expected, n_calls) != 0)
        support_fail(__FILE__, __LINE__, "called %.*s, not %s", (int)n_calls, calls, expected);
    CHECK_RESULT(seen, outcome);
    n_calls = 0;
}

static void test_callbacks(void **state)
{
    (void)state;
    thr_future *f = make(PENDING);
    CHECK_OK(thr_future_add_done_callback(f, note, a_name("a")));
    CHECK_RESULT(thr_future_add_done_callback(f, NULL, a_name("x")), THR_INVALID);
    CHECK_OK(thr_future_add_done_callback(f, note, a_name("b")));
    CHECK_OK(thr_future_add_done_callback(f, note, a_name("c")));
    CHECK_EQUAL(n_calls, 0);
    CHECK_OK(thr_future_set_result(f, &answer));
    check_calls("abc", THR_OK);
    CHECK_OK(thr_future_add_done_callback(f, note, a_name("d"))); /* at once */
    check_calls("d", THR_OK);
    thr_future_unref(f);

    f = make(PENDING);
    CHECK_OK(thr_future_add_done_callback(f, note, a_name("a")));
    CHECK_OK(thr_future_cancel(f));
    check_calls("a", THR_CANCELLED);
    CHECK_OK(thr_future_cancel(f)); /* not again */
    CHECK_EQUAL(n_calls, 0);
    thr_future_unref(f);

    f = make(FAILED);
    CHECK_OK(thr_future_add_done_callback(f, note, a_name("a")));
    check_calls("a", THR_FAILED);
    thr_future_unref(f);

    f = make(CANCELLED);
    CHECK_OK(thr_future_add_done_callback(f, note, a_name("a")));
    check_calls("a", THR_CANCELLED);
    thr_future_unref(f);
}

static void test_callbacks_that_fail(void **state)
{
    (void)state;
    thr_set_excepthook(report);
    reports = 0;
    thr_future *f = make(PENDING);
    CHECK_OK(thr_future_add_done_callback(f, note_and_fail, a_name("a")));
    CHECK_OK(thr_future_add_done_callback(f, note, a_name("b")));
    CHECK_OK(thr_future_set_result(f, &answer));
    check_calls("ab", THR_OK);
    CHECK_EQUAL(reports, 1);
    CHECK(strcmp(reported, "a callback that fails") == 0);
    CHECK_OK(thr_future_add_done_callback(f, note_and_fail, a_name("c")));
    check_calls("c", THR_OK);
    CHECK_EQUAL(reports, 2);
    thr_future_unref(f);
    thr_set_excepthook(NULL);
}

/* A future that is dropped with callbacks, and never set: nothing leaks (asan). */
static void test_dropped(void **state)
{
    (void)state;
    thr_future *f = make(PENDING);
    CHECK_OK(thr_future_add_done_callback(f, note, a_name("a")));
    thr_future_unref(thr_future_ref(f));
    thr_future_unref(f);
    thr_future_unref(NULL);
    CHECK_EQUAL(n_calls, 0);
}

/* -- Several ------------------------------------------------------------------------------------------------------ */

static void test_wait_at_once(void **state)
{
    (void)state;
    thr_future *f[KINDS];
    make_all(f);
    thr_future *done[] = {f[CANCELLED], f[FINISHED], f[FINISHED]};
    thr_future *failed[] = {f[PENDING], f[FAILED]};
    thr_future *none[] = {f[PENDING], f[RUNNING], f[PENDING]};
    thr_future *hole[] = {f[FINISHED], NULL};
    for (thr_when when = THR_FIRST_COMPLETED; when <= THR_ALL_COMPLETED; when++) {
        CHECK_OK(thr_future_wait(NULL, 0, when, 0));
        CHECK_OK(thr_future_wait(done, 3, when, THR_FOREVER));
        CHECK_RESULT(thr_future_wait(none, 3, when, 0), THR_TIMEOUT);
        CHECK_RESULT(thr_future_wait(none, 3, when, thr_after(0.001)), THR_TIMEOUT);
        CHECK_RESULT(thr_future_wait(hole, 2, when, THR_FOREVER), THR_INVALID);
        CHECK_RESULT(thr_future_wait(failed, 2, when, 0), when == THR_ALL_COMPLETED ? THR_TIMEOUT : THR_OK);
    }
    thr_future *with_cancelled[] = {f[CANCELLED], f[PENDING]}; /* that is no failure, as in Python */
    CHECK_RESULT(thr_future_wait(with_cancelled, 2, THR_FIRST_FAILED, 0), THR_TIMEOUT);
    CHECK_OK(thr_future_wait(with_cancelled, 2, THR_FIRST_COMPLETED, 0));
    CHECK_RESULT(thr_future_wait(done, 3, (thr_when)3, 0), THR_INVALID);
    drop_all(f);
}

enum { MANY = 40 };

struct wait_call {
    thr_future *futures[MANY];
    size_t n;
    thr_when when;
    struct support_count returned;
};

static void call_wait(void *arg)
{
    struct wait_call *call = arg;
    CHECK_OK(thr_future_wait(call->futures, call->n, call->when, THR_FOREVER));
    support_count_add(&call->returned);
}

/* Sets one after the other, and looks when the wait returns. */
static void wait_through(size_t n, thr_when when, size_t failing, size_t expected)
{
    struct wait_call call = {.n = n, .when = when};
    for (size_t i = 0; i < n; i++)
        call.futures[i] = make(i % 2 ? PENDING : RUNNING);
    struct support_thread *thread = support_thread_start(call_wait, &call);
    for (size_t i = 0; i < n; i++) {
        if (i == expected)
            CHECK_EQUAL(support_count_get(&call.returned), 0);
        if (i == failing)
            CHECK_OK(thr_future_set_failure(call.futures[i], 1, "no"));
        else
            CHECK_OK(thr_future_set_result(call.futures[i], NULL));
        if (i == expected)
            support_count_wait(&call.returned, 1);
    }
    support_thread_join(thread);
    for (size_t i = 0; i < n; i++)
        thr_future_unref(call.futures[i]);
}

static void test_wait_later(void **state)
{
    (void)state;
    for (size_t n = 2; n <= MANY; n += 19) { /* on the stack, and allocated */
        wait_through(n, THR_FIRST_COMPLETED, n, 0);
        wait_through(n, THR_FIRST_FAILED, n, n - 1);
        wait_through(n, THR_FIRST_FAILED, 1, 1);
        wait_through(n, THR_ALL_COMPLETED, 0, n - 1);
    }
}

/* Others wait for the same futures, and their observers come and go. */
static void test_wait_and_leave(void **state)
{
    (void)state;
    thr_future *f[2] = {make(PENDING), make(PENDING)};
    struct wait_call call = {.futures = {f[0], f[1]}, .n = 2, .when = THR_FIRST_COMPLETED};
    struct support_thread *thread = support_thread_start(call_wait, &call);
    for (int i = 0; i < 100; i++)
        CHECK_RESULT(thr_future_wait(f, 2, i % 2 ? THR_FIRST_COMPLETED : THR_FIRST_FAILED, thr_after(1e-5)),
                     THR_TIMEOUT);
    CHECK_OK(thr_future_set_result(f[1], NULL));
    support_thread_join(thread);
    thr_future_unref(f[0]);
    thr_future_unref(f[1]);
}

/* -- In order of completion --------------------------------------------------------------------------------------- */

static void test_as_completed(void **state)
{
    (void)state;
    thr_future *f[KINDS];
    make_all(f);
    thr_future *mixed[] = {f[FINISHED], f[RUNNING], f[CANCELLED], f[PENDING], f[FINISHED], f[FAILED], f[PENDING]};
    thr_as_completed *order;
    thr_future *next;
    CHECK_OK(thr_as_completed_new(&order, mixed, sizeof mixed / sizeof *mixed));
    CHECK_OK(thr_as_completed_next(order, &next));
    CHECK(next == f[FINISHED]);
    CHECK_OK(thr_as_completed_next(order, &next));
    CHECK(next == f[CANCELLED]);
    CHECK_OK(thr_as_completed_next(order, &next));
    CHECK(next == f[FAILED]);
    CHECK_RESULT(thr_as_completed_next_until(order, 0, &next), THR_TIMEOUT);
    CHECK(next == NULL);
    thr_time deadline = thr_after(0.002);
    CHECK_RESULT(thr_as_completed_next_until(order, deadline, &next), THR_TIMEOUT);
    CHECK_PASSED(deadline);
    CHECK_OK(thr_future_set_result(f[PENDING], NULL));
    CHECK_OK(thr_future_set_result(f[RUNNING], NULL));
    CHECK_OK(thr_as_completed_next(order, &next));
    CHECK(next == f[PENDING]); /* in the order in which they were done */
    CHECK_OK(thr_as_completed_next(order, &next));
    CHECK(next == f[RUNNING]);
    CHECK_RESULT(thr_as_completed_next(order, &next), THR_EMPTY);
    CHECK(next == NULL);
    thr_as_completed_free(order);
    thr_as_completed_free(NULL);
    drop_all(f);
}

static void test_as_completed_of_none(void **state)
{
    (void)state;
    thr_as_completed *order;
    thr_future *next;
    thr_future *hole[] = {NULL};
    CHECK_OK(thr_as_completed_new(&order, NULL, 0));
    CHECK_RESULT(thr_as_completed_next(order, &next), THR_EMPTY);
    thr_as_completed_free(order);
    CHECK_RESULT(thr_as_completed_new(&order, hole, 1), THR_INVALID);
}

/* The iterator goes before its futures are done, and they before the iterator. */
static void test_as_completed_dropped(void **state)
{
    (void)state;
    thr_future *f[2] = {make(PENDING), make(PENDING)};
    thr_as_completed *order;
    thr_future *next;
    CHECK_OK(thr_as_completed_new(&order, f, 2));
    thr_as_completed_free(order);
    CHECK_OK(thr_future_set_result(f[0], NULL));
    CHECK_OK(thr_as_completed_new(&order, f, 2));
    thr_future_unref(f[0]);
    CHECK_OK(thr_as_completed_next(order, &next));
    CHECK(thr_future_done(next));
    thr_as_completed_free(order);
    thr_future_unref(f[1]);
}

struct take_all {
    thr_as_completed *order;
    size_t n;
};

static void take_all(void *arg)
{
    struct take_all *taken = arg;
    thr_future *next;
    while (thr_as_completed_next(taken->order, &next) == THR_OK)
        taken->n++;
}

static void test_as_completed_later(void **state)
{
    (void)state;
    thr_future *f[MANY];
    struct take_all taken = {NULL, 0};
    for (size_t i = 0; i < MANY; i++)
        f[i] = make(PENDING);
    CHECK_OK(thr_as_completed_new(&taken.order, f, MANY));
    struct support_thread *thread = support_thread_start(take_all, &taken);
    support_wait_blocked(taken.order, 1);
    for (size_t i = 0; i < MANY; i++)
        CHECK_OK(thr_future_set_result(f[i], NULL));
    support_thread_join(thread);
    CHECK_EQUAL(taken.n, MANY);
    thr_as_completed_free(taken.order);
    for (size_t i = 0; i < MANY; i++)
        thr_future_unref(f[i]);
}

/* -- Several threads at once --------------------------------------------------------------------------------------- */

enum { RACERS = 3, RACES = 3000 };

struct race {
    thr_barrier round;
    thr_future *future;
    void *won[RACERS]; /* what it has set, if it was the one */
    bool cancelled;
    uint32_t calls;
};

static void count_race(thr_future *future, void *arg)
{
    struct race *race = arg;
    CHECK(thr_future_done(future));
    (void)__atomic_add_fetch(&race->calls, 1, __ATOMIC_RELAXED);
}

static void run_race(struct race *race, size_t i)
{
    CHECK_OK(thr_barrier_wait(&race->round, NULL));
    CHECK_OK(thr_future_add_done_callback(race->future, count_race, race));
    if (i == 0)
        race->cancelled = thr_future_cancel(race->future) == THR_OK;
    else if (thr_future_set_result(race->future, &race->won[i]) == THR_OK)
        race->won[i] = &race->won[i];
    CHECK_OK(thr_barrier_wait(&race->round, NULL));
}

static void racer(void *arg)
{
    for (int i = 0; i < RACES; i++)
        run_race(arg, support_index());
}

/* One cancels, two set: one of them has its way, and every callback is called once. */
static void test_race(void **state)
{
    (void)state;
    struct race race = {.round = THR_BARRIER_INIT(RACERS + 1, NULL, NULL)};
    struct support_bunch bunch;
    support_bunch_start(&bunch, RACERS, racer, &race);
    for (int i = 0; i < RACES; i++) {
        void *result;
        race.future = make(PENDING);
        race.calls = 0;
        race.won[1] = NULL;
        race.won[2] = NULL;
        CHECK_OK(thr_barrier_wait(&race.round, NULL));
        CHECK_OK(thr_barrier_wait(&race.round, NULL));
        CHECK_EQUAL((race.won[1] != NULL) + (race.won[2] != NULL) + race.cancelled, 1);
        CHECK_RESULT(thr_future_result_until(race.future, 0, &result), race.cancelled ? THR_CANCELLED : THR_OK);
        CHECK(result == (race.cancelled ? NULL : race.won[1] ? race.won[1] : race.won[2]));
        CHECK_EQUAL(race.calls, RACERS);
        thr_future_unref(race.future);
    }
    support_bunch_join(&bunch);
}

SUPPORT_MAIN(cmocka_unit_test(test_states), cmocka_unit_test(test_race), cmocka_unit_test(test_cancel),
             cmocka_unit_test(test_result_at_once), cmocka_unit_test(test_failure_at_once),
             cmocka_unit_test(test_set_twice), cmocka_unit_test(test_result_later),
             cmocka_unit_test(test_result_in_time), cmocka_unit_test(test_many_ask), cmocka_unit_test(test_callbacks),
             cmocka_unit_test(test_callbacks_that_fail), cmocka_unit_test(test_dropped),
             cmocka_unit_test(test_wait_at_once), cmocka_unit_test(test_wait_later),
             cmocka_unit_test(test_wait_and_leave), cmocka_unit_test(test_as_completed),
             cmocka_unit_test(test_as_completed_of_none), cmocka_unit_test(test_as_completed_dropped),
             cmocka_unit_test(test_as_completed_later))
