/* test_timer_threads.c - the threads that run timers, and what the end of the process waits for. */

#include "timers.h"

/* -- Threads ------------------------------------------------------------------------------------------------------- */

static void test_slow_ones_delay_nobody(void **state)
{
    (void)state;
    enum { SLOW = 40 };
    struct runs slow[SLOW];
    thr_timer *timers[SLOW];
    struct runs quick;
    runs_init(&quick, false);
    for (size_t i = 0; i < SLOW; i++) {
        runs_init(&slow[i], true);
        timers[i] = started(&slow[i], 0.001, i % 2 == 0);
    }
    for (size_t i = 0; i < SLOW; i++)
        support_count_wait(&slow[i].begun, 1); /* all at the same time */
    thr_timer *timer = started(&quick, 0.001, false);
    CHECK_OK(thr_timer_join(timer));
    for (size_t i = 0; i < SLOW; i++) {
        CHECK_RESULT(thr_timer_cancel(timers[i]), THR_TOO_LATE);
        thr_event_set(&slow[i].go);
        CHECK_OK(thr_timer_join(timers[i]));
        thr_timer_unref(timers[i]);
    }
    thr_timer_unref(timer);
}

static void test_more_slow_ones_than_threads(void **state)
{
    (void)state;
    enum { SLOW = 80, LIMIT = 64 };
    static struct runs slow[SLOW];
    thr_timer *timers[SLOW];
    all_begun = (struct support_count){0};
    for (size_t i = 0; i < SLOW; i++) {
        runs_init(&slow[i], true);
        timers[i] = started(&slow[i], 0.001, false);
    }
    support_count_wait(&all_begun, LIMIT);
    CHECK_EQUAL(all_begun.value, LIMIT);
    CHECK_EQUAL(crew_threads(), LIMIT);
    for (size_t i = 0; i < SLOW; i++)
        thr_event_set(&slow[i].go);
    for (size_t i = 0; i < SLOW; i++) {
        CHECK_OK(thr_timer_join(timers[i]));
        CHECK_EQUAL(slow[i].ended.value, 1);
        thr_timer_unref(timers[i]);
    }
}

static void fail_it(void *arg)
{
    support_count_add(arg);
    thr_fail(7, "%s", "on purpose");
}

static void leave(void *arg)
{
    support_count_add(arg);
    pthread_exit(NULL);
}

static struct support_count hooked;

static void excepthook(thr_thread *thread, int code, const char *message)
{
    CHECK(thread == thr_current_thread());
    CHECK_EQUAL(code, 7);
    CHECK(strcmp(message, "on purpose") == 0);
    support_count_add(&hooked);
}

static void test_failing(void **state)
{
    (void)state;
    void (*const functions[])(void *) = {fail_it, leave};
    hooked.value = 0;
    thr_set_excepthook(excepthook);
    for (size_t i = 0; i < 2; i++) {
        struct support_count runs = {0};
        thr_timer *timer;
        CHECK_OK(thr_timer_new(&timer, 0, functions[i], &runs));
        CHECK_OK(thr_timer_start(timer));
        CHECK_OK(thr_timer_join(timer));
        CHECK_RESULT(thr_timer_cancel(timer), THR_TOO_LATE);
        CHECK_OK(thr_timer_reset(timer, 0));
        CHECK_OK(thr_timer_join(timer));
        thr_timer_unref(timer);
        CHECK_EQUAL(runs.value, 2);

        CHECK_OK(thr_timer_new(&timer, 0.0001, functions[i], &runs, .repeat = true));
        CHECK_OK(thr_timer_start(timer));
        support_count_wait(&runs, 10);
        (void)thr_timer_cancel(timer);
        CHECK_OK(thr_timer_join(timer));
        thr_timer_unref(timer);
    }
    CHECK(hooked.value >= 10);
    thr_set_excepthook(NULL);
}

struct self {
    size_t active;
    bool daemon;
    char name[32];
};

static void look_around(void *arg)
{
    struct self *self = arg;
    thr_thread *me = thr_current_thread();
    CHECK(me != NULL && me != thr_main_thread());
    CHECK(thr_thread_is_alive(me));
    CHECK_EQUAL(thr_thread_ident(me), thr_get_ident());
    CHECK_RESULT(thr_thread_join_until(me, 0, NULL), THR_DEADLOCK);
    self->active = thr_active_count();
    self->daemon = thr_thread_daemon(me);
    (void)thr_thread_name(me, self->name, sizeof self->name);
    thr_thread *all[64];
    size_t n = thr_enumerate(all, 64);
    for (size_t i = 0; i < n && i < 64; i++) {
        CHECK(all[i] != me);
        thr_thread_unref(all[i]);
    }
}

static void test_threads_are_not_counted(void **state)
{
    (void)state;
    struct self self = {0};
    size_t active = thr_active_count();
    for (int daemon = 0; daemon < 2; daemon++) {
        thr_timer *timer;
        CHECK_OK(thr_timer_new(&timer, 0, look_around, &self, .daemon = daemon ? THR_DAEMON_YES : THR_DAEMON_NO));
        CHECK_OK(thr_timer_start(timer));
        CHECK_OK(thr_timer_join(timer));
        thr_timer_unref(timer);
        CHECK_EQUAL(self.active, active);
        CHECK_EQUAL(self.daemon, daemon);
        CHECK(strcmp(self.name, "timer") == 0);
    }
    CHECK_EQUAL(thr_active_count(), active);
}

/* -- The end of the process ---------------------------------------------------------------------------------------- */

static void test_shutdown_waits(void **state)
{
    (void)state;
    struct runs runs;
    runs_init(&runs, false);
    runs.not_before = thr_now() + 10 * MS;
    thr_timer *timer = started(&runs, 0.01, false);
    thr_shutdown();
    CHECK_EQUAL(runs.ended.value, 1);
    thr_timer_unref(timer);

    CHECK_OK(thr_timer_new(&timer, 1000, run, &runs, .daemon = THR_DAEMON_YES));
    CHECK_OK(thr_timer_start(timer));
    thr_shutdown();
    CHECK_OK(thr_timer_cancel(timer));
    thr_timer_unref(timer);

    timer = started(&runs, 1000, false);
    CHECK_OK(thr_timer_cancel(timer));
    thr_shutdown();
    thr_timer_unref(timer);
}

static void shut_down(void *arg)
{
    struct support_count *done = arg;
    thr_shutdown();
    support_count_add(done);
}

static void test_cancel_lets_shutdown_go(void **state)
{
    (void)state;
    struct runs runs;
    struct support_count done = {0};
    runs_init(&runs, false);
    thr_timer *first = started(&runs, 1000, false);
    thr_timer *second = started(&runs, 1000, true);
    struct support_thread *thread = support_thread_start(shut_down, &done);
    CHECK_OK(thr_timer_cancel(first));
    CHECK_EQUAL(support_count_get(&done), 0);
    CHECK_OK(thr_timer_cancel(second));
    support_thread_join(thread);
    CHECK_EQUAL(support_count_get(&done), 1);
    thr_timer_unref(first);
    thr_timer_unref(second);
}

/* It still holds the process after its first run. */
static void test_repeating_holds(void **state)
{
    (void)state;
    struct runs runs;
    struct support_count done = {0};
    runs_init(&runs, false);
    thr_timer *timer = started(&runs, 0.001, true);
    support_count_wait(&runs.ended, 2);
    struct support_thread *thread = support_thread_start(shut_down, &done);
    support_count_wait(&runs.ended, 20);
    CHECK_EQUAL(support_count_get(&done), 0);
    (void)thr_timer_cancel(timer);
    support_thread_join(thread);
    CHECK_EQUAL(support_count_get(&done), 1);
    CHECK_OK(thr_timer_join(timer));
    thr_timer_unref(timer);
}

/* A callback does not wait for itself, even if it repeats, or is armed again. */
static void shut_down_again(void *arg)
{
    struct again *again = arg;
    if (again->left > 0) {
        again->left--;
        CHECK_OK(thr_timer_reset(again->timer, 0));
    }
    thr_shutdown();
}

static void test_shutdown_in_callback(void **state)
{
    (void)state;
    struct support_count done = {0};
    thr_timer *timer;
    CHECK_OK(thr_timer_new(&timer, 0.0001, shut_down, &done, .repeat = true));
    CHECK_OK(thr_timer_start(timer));
    support_count_wait(&done, 3);
    (void)thr_timer_cancel(timer);
    CHECK_OK(thr_timer_join(timer));
    thr_timer_unref(timer);

    struct again again = {NULL, 5};
    CHECK_OK(thr_timer_new(&again.timer, 0, shut_down_again, &again));
    CHECK_OK(thr_timer_start(again.timer));
    CHECK_OK(thr_timer_join(again.timer));
    CHECK_EQUAL(again.left, 0);
    thr_timer_unref(again.timer);
    thr_shutdown();
}

static void start_inner(void *arg)
{
    struct runs *runs = arg;
    runs->not_before = thr_now() + 5 * MS;
    thr_timer_unref(started(runs, 0.005, false)); /* inherits from this timer */
}

static void test_daemon_is_inherited(void **state)
{
    (void)state;
    static struct runs runs;
    thr_timer *timer;
    runs_init(&runs, false);
    CHECK_OK(thr_timer_new(&timer, 0, start_inner, &runs));
    CHECK_OK(thr_timer_start(timer));
    thr_shutdown();
    CHECK_EQUAL(runs.ended.value, 1);
    thr_timer_unref(timer);

    runs_init(&runs, true);
    CHECK_OK(thr_timer_new(&timer, 0, start_inner, &runs, .daemon = THR_DAEMON_YES));
    CHECK_OK(thr_timer_start(timer));
    support_count_wait(&runs.begun, 1);
    thr_shutdown(); /* does not wait for the inner one, which blocks */
    CHECK_EQUAL(runs.ended.value, 0);
    thr_event_set(&runs.go);
    support_count_wait(&runs.ended, 1);
    thr_timer_unref(timer);
}

SUPPORT_MAIN(cmocka_unit_test(test_slow_ones_delay_nobody), cmocka_unit_test(test_more_slow_ones_than_threads),
             cmocka_unit_test(test_failing), cmocka_unit_test(test_threads_are_not_counted),
             cmocka_unit_test(test_shutdown_waits), cmocka_unit_test(test_cancel_lets_shutdown_go),
             cmocka_unit_test(test_repeating_holds), cmocka_unit_test(test_shutdown_in_callback),
             cmocka_unit_test(test_daemon_is_inherited))
