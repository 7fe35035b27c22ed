/* test_timer.c - timers: start, cancel, reset, repeat, join, and the threads that run them. */

#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "thread/crew.h"
#include "wait/atomic.h"

#define MS 1000000 /* nanoseconds */

/* A callback that counts its runs, and may block in them. */
struct runs {
    struct support_count begun;
    struct support_count ended;
    thr_time not_before;
    thr_event go; /* set from the beginning, unless the callback should block */
    uint32_t inside;
};

static struct support_count all_begun;

static void runs_init(struct runs *runs, bool block)
{
    *runs = (struct runs){.go = THR_EVENT_INIT};
    if (!block)
        thr_event_set(&runs->go);
}

static void run(void *arg)
{
    struct runs *runs = arg;
    CHECK_PASSED(runs->not_before);
    CHECK_EQUAL(add_acq_rel(&runs->inside, 1), 0); /* one run at a time */
    support_count_add(&runs->begun);
    support_count_add(&all_begun);
    CHECK_OK(thr_event_wait(&runs->go));
    CHECK_EQUAL(sub_acq_rel(&runs->inside, 1), 1);
    support_count_add(&runs->ended);
}

static thr_timer *timer_of(struct runs *runs, double seconds, bool repeat)
{
    thr_timer *timer;
    CHECK_OK(thr_timer_new(&timer, seconds, run, runs, .repeat = repeat));
    return timer;
}

static thr_timer *started(struct runs *runs, double seconds, bool repeat)
{
    thr_timer *timer = timer_of(runs, seconds, repeat);
    CHECK_OK(thr_timer_start(timer));
    return timer;
}

/* -- Start and run ------------------------------------------------------------------------------------------------ */

static void test_runs_once(void **state)
{
    (void)state;
    struct runs runs;
    runs_init(&runs, false);
    support_errno_set();
    thr_timer *timer = timer_of(&runs, 0.02, false);
    runs.not_before = thr_now() + 20 * MS;
    CHECK_OK(thr_timer_start(timer));
    CHECK_OK(thr_timer_join(timer));
    CHECK_PASSED(runs.not_before);
    CHECK_EQUAL(runs.ended.value, 1);
    CHECK_RESULT(thr_timer_start(timer), THR_STARTED);
    CHECK_OK(thr_timer_join(timer));
    CHECK_OK(thr_timer_join_until(timer, 0));
    thr_timer_unref(timer);
    CHECK_ERRNO();
}

static void test_arguments(void **state)
{
    (void)state;
    struct runs runs;
    runs_init(&runs, false);
    thr_timer *timer = NULL;
    CHECK_RESULT(thr_timer_new(&timer, NAN, run, &runs), THR_INVALID);
    CHECK_RESULT(thr_timer_new(&timer, 1, NULL, &runs), THR_INVALID);
    CHECK_RESULT(thr_timer_new(&timer, NAN, run, &runs, .repeat = true), THR_INVALID);
    CHECK_RESULT(thr_timer_new(&timer, 0, run, &runs, .repeat = true), THR_INVALID);
    CHECK_RESULT(thr_timer_new(&timer, -1, run, &runs, .repeat = true), THR_INVALID);
    CHECK_RESULT(thr_timer_new(&timer, INFINITY, run, &runs, .repeat = true), THR_INVALID);
    CHECK(timer == NULL);
    thr_timer_unref(NULL);

    CHECK_OK(thr_timer_new_with(&timer, -5, run, &runs, NULL));
    CHECK_RESULT(thr_timer_reset(timer, 1), THR_NOT_STARTED);
    CHECK_RESULT(thr_timer_join(timer), THR_NOT_STARTED);
    CHECK_RESULT(thr_timer_join_until(timer, 0), THR_NOT_STARTED);
    CHECK_OK(thr_timer_start(timer));
    CHECK_OK(thr_timer_join(timer));
    CHECK_EQUAL(runs.ended.value, 1);
    CHECK_RESULT(thr_timer_reset(timer, NAN), THR_INVALID);
    CHECK_OK(thr_timer_join_until(timer, 0)); /* a failed reset changes nothing */
    thr_timer_unref(timer);

    thr_timer_options options = {.repeat = true};
    CHECK_OK(thr_timer_new_with(&timer, 1e-300, run, &runs, &options));
    CHECK_RESULT(thr_timer_reset(timer, 0), THR_INVALID);
    runs_init(&runs, false);
    CHECK_OK(thr_timer_start(timer)); /* a period is a nanosecond at least */
    support_count_wait(&runs.ended, 10);
    (void)thr_timer_cancel(timer);
    CHECK_OK(thr_timer_join(timer));
    thr_timer_unref(timer);
}

static void test_endless(void **state)
{
    (void)state;
    struct runs runs;
    runs_init(&runs, false);
    const double delays[] = {1e9, 3e9, 1e18, 1e300, INFINITY};
    for (size_t i = 0; i < sizeof delays / sizeof *delays; i++) {
        thr_timer *timer = started(&runs, delays[i], isfinite(delays[i]));
        CHECK_RESULT(thr_timer_join_until(timer, thr_after(0.001)), THR_TIMEOUT);
        CHECK_OK(thr_timer_cancel(timer));
        CHECK_OK(thr_timer_join(timer));
        thr_timer_unref(timer);
    }
    CHECK_EQUAL(runs.begun.value, 0);
}

/* Many, in any order; each at its time or later, and the service is empty in the end. */
static void test_many(void **state)
{
    (void)state;
    enum { N = 2000 };
    static struct runs runs[N];
    static thr_timer *timers[N];
    uint64_t random = support_seed();
    for (size_t i = 0; i < N; i++) {
        double delay = support_random_below(&random, 100000) * 1e-6;
        runs_init(&runs[i], false);
        timers[i] = timer_of(&runs[i], delay, false);
        runs[i].not_before = thr_now() + (thr_time)(delay * 1e9);
        CHECK_OK(thr_timer_start(timers[i]));
    }
    for (size_t i = 0; i < N; i++) {
        CHECK_OK(thr_timer_join(timers[i]));
        CHECK_EQUAL(runs[i].ended.value, 1);
        thr_timer_unref(timers[i]);
    }
    CHECK_EQUAL(service.wheel.count, 0);
}

static void test_100000(void **state)
{
    (void)state;
    enum { N = 100000 };
    struct runs runs;
    runs_init(&runs, false);
    thr_timer **timers = malloc(N * sizeof *timers);
    CHECK(timers != NULL);
    uint64_t random = support_seed();
    for (size_t i = 0; i < N; i++)
        timers[i] = started(&runs, 1000 + support_random_below(&random, 1000000), false);
    CHECK_EQUAL(service.wheel.count, N);
    for (size_t i = 0; i < N; i++)
        CHECK_OK(thr_timer_reset(timers[i], 1000 + support_random_below(&random, 1000)));
    for (size_t i = 0; i < N; i++) {
        CHECK_OK(thr_timer_cancel(timers[i]));
        thr_timer_unref(timers[i]);
    }
    CHECK_EQUAL(service.wheel.count, 0);
    CHECK_EQUAL(runs.begun.value, 0);
    free(timers);
}

static void test_dropped_handle(void **state)
{
    (void)state;
    enum { N = 3 };
    static struct runs runs[N];
    for (size_t i = 0; i < N; i++) {
        runs_init(&runs[i], true);
        thr_timer_unref(started(&runs[i], 0.001 * (double)i, false));
    }
    for (size_t i = 0; i < N; i++) {
        support_count_wait(&runs[i].begun, 1);
        thr_event_set(&runs[i].go);
        support_count_wait(&runs[i].ended, 1);
    }
}

static void test_references(void **state)
{
    (void)state;
    static struct runs runs;
    runs_init(&runs, true);
    thr_timer *timer = started(&runs, 0, false);
    CHECK(thr_timer_ref(timer) == timer);
    support_count_wait(&runs.begun, 1);
    thr_timer_unref(timer);
    CHECK_RESULT(thr_timer_cancel(timer), THR_TOO_LATE);
    thr_timer_unref(timer); /* while it runs */
    thr_event_set(&runs.go);
    support_count_wait(&runs.ended, 1);
}

/* -- Cancel ------------------------------------------------------------------------------------------------------- */

static void test_cancel(void **state)
{
    (void)state;
    struct runs runs;
    runs_init(&runs, false);
    support_errno_set();
    thr_timer *timer = started(&runs, 1000, false);
    CHECK_RESULT(thr_timer_join_until(timer, 0), THR_TIMEOUT);
    for (int i = 0; i < 3; i++)
        CHECK_OK(thr_timer_cancel(timer));
    CHECK_OK(thr_timer_join(timer));
    CHECK_RESULT(thr_timer_start(timer), THR_STARTED);
    CHECK_EQUAL(runs.begun.value, 0);
    CHECK_ERRNO();
    thr_timer_unref(timer);
}

static void test_cancel_before_start(void **state)
{
    (void)state;
    struct runs runs;
    runs_init(&runs, false);
    thr_timer *timer = timer_of(&runs, 0, false);
    for (int i = 0; i < 2; i++)
        CHECK_OK(thr_timer_cancel(timer));
    CHECK_RESULT(thr_timer_start(timer), THR_CANCELLED);
    CHECK_RESULT(thr_timer_start(timer), THR_CANCELLED);
    CHECK_RESULT(thr_timer_reset(timer, 0), THR_NOT_STARTED);
    CHECK_RESULT(thr_timer_join(timer), THR_NOT_STARTED);
    thr_timer_unref(timer);
}

static void test_cancel_too_late(void **state)
{
    (void)state;
    struct runs runs;
    runs_init(&runs, true);
    thr_timer *timer = started(&runs, 0, false);
    support_count_wait(&runs.begun, 1);
    CHECK_RESULT(thr_timer_cancel(timer), THR_TOO_LATE);
    CHECK_RESULT(thr_timer_join_until(timer, thr_after(0.001)), THR_TIMEOUT);
    thr_event_set(&runs.go);
    CHECK_OK(thr_timer_join(timer));
    CHECK_EQUAL(runs.ended.value, 1);
    for (int i = 0; i < 2; i++)
        CHECK_RESULT(thr_timer_cancel(timer), THR_TOO_LATE);
    thr_timer_unref(timer);
}

/* -- Reset -------------------------------------------------------------------------------------------------------- */

static void test_reset(void **state)
{
    (void)state;
    struct runs runs;
    runs_init(&runs, false);
    support_errno_set();
    thr_timer *timer = started(&runs, 1000, false);
    runs.not_before = thr_now() + 5 * MS;
    CHECK_OK(thr_timer_reset(timer, 0.005)); /* earlier */
    CHECK_OK(thr_timer_join(timer));
    CHECK_EQUAL(runs.ended.value, 1);
    runs.not_before = thr_now() + 2 * MS;
    CHECK_OK(thr_timer_reset(timer, 0.002)); /* after it ran */
    CHECK_OK(thr_timer_join(timer));
    CHECK_EQUAL(runs.ended.value, 2);
    CHECK_OK(thr_timer_reset(timer, 1000));
    CHECK_OK(thr_timer_cancel(timer)); /* it did run, but not as it was armed last */
    CHECK_OK(thr_timer_cancel(timer));
    CHECK_OK(thr_timer_reset(timer, -1)); /* after a cancel */
    CHECK_OK(thr_timer_join(timer));
    CHECK_EQUAL(runs.ended.value, 3);
    CHECK_RESULT(thr_timer_cancel(timer), THR_TOO_LATE);
    CHECK_ERRNO();
    thr_timer_unref(timer);
}

static void test_reset_later(void **state)
{
    (void)state;
    struct runs runs;
    runs_init(&runs, false);
    thr_timer *timer = started(&runs, 0.5, false);
    for (int i = 0; i < 100; i++) {
        runs.not_before = thr_now() + 510 * MS;
        CHECK_OK(thr_timer_reset(timer, 0.51));
    }
    runs.not_before = thr_now() + 10 * MS;
    CHECK_OK(thr_timer_reset(timer, 0.01));
    CHECK_OK(thr_timer_join(timer));
    CHECK_EQUAL(runs.ended.value, 1);
    thr_timer_unref(timer);
}

/* It runs once more, but not before the first run has ended. */
static void test_reset_in_run(void **state)
{
    (void)state;
    struct runs runs;
    struct runs other;
    runs_init(&runs, true);
    runs_init(&other, false);
    thr_timer *timer = started(&runs, 0, false);
    support_count_wait(&runs.begun, 1);
    CHECK_OK(thr_timer_reset(timer, 0));
    thr_timer *after = started(&other, 0.001, false); /* when this has run, the other was due */
    CHECK_OK(thr_timer_join(after));
    CHECK_EQUAL(runs.begun.value, 1);
    CHECK_RESULT(thr_timer_join_until(timer, 0), THR_TIMEOUT);
    thr_event_set(&runs.go);
    CHECK_OK(thr_timer_join(timer));
    CHECK_EQUAL(runs.ended.value, 2);

    thr_event_clear(&runs.go);
    CHECK_OK(thr_timer_reset(timer, 0));
    support_count_wait(&runs.begun, 3);
    CHECK_OK(thr_timer_reset(timer, 1000));
    CHECK_RESULT(thr_timer_cancel(timer), THR_TOO_LATE); /* of this run; the next is cancelled */
    thr_event_set(&runs.go);
    CHECK_OK(thr_timer_join(timer));
    CHECK_EQUAL(runs.ended.value, 3);
    CHECK_EQUAL(service.wheel.count, 0);
    thr_timer_unref(timer);
    thr_timer_unref(after);
}

struct again {
    thr_timer *timer;
    unsigned left;
};

static void run_again(void *arg)
{
    struct again *again = arg;
    if (again->left > 0) {
        again->left--;
        CHECK_OK(thr_timer_reset(again->timer, 0.0001));
    }
}

static void test_reset_in_own_callback(void **state)
{
    (void)state;
    struct again again = {NULL, 100};
    CHECK_OK(thr_timer_new(&again.timer, 0, run_again, &again));
    CHECK_OK(thr_timer_start(again.timer));
    CHECK_OK(thr_timer_join(again.timer));
    CHECK_EQUAL(again.left, 0);
    thr_timer_unref(again.timer);
}

/* -- Repeat ------------------------------------------------------------------------------------------------------- */

struct periods {
    struct support_count runs;
    thr_time start;
    thr_time period;
};

static void run_period(void *arg)
{
    struct periods *periods = arg;
    CHECK_PASSED(periods->start + (periods->runs.value + 1) * periods->period);
    support_count_add(&periods->runs);
}

static void test_repeat(void **state)
{
    (void)state;
    struct periods periods = {.start = thr_now(), .period = 2 * MS};
    thr_timer *timer;
    CHECK_OK(thr_timer_new(&timer, 0.002, run_period, &periods, .repeat = true));
    CHECK_OK(thr_timer_start(timer));
    support_count_wait(&periods.runs, 20);
    thr_result result = thr_timer_cancel(timer); /* it may just be running */
    CHECK(result == THR_OK || result == THR_TOO_LATE);
    CHECK_OK(thr_timer_join(timer));
    uint32_t runs = support_count_get(&periods.runs);
    CHECK_OK(thr_timer_cancel(timer));

    periods.start = thr_now() - runs * (thr_time)MS; /* the first of the new ones comes a period after this */
    periods.period = MS;
    CHECK_OK(thr_timer_reset(timer, 0.001));
    support_count_wait(&periods.runs, runs + 5);
    (void)thr_timer_cancel(timer);
    CHECK_OK(thr_timer_join(timer));
    thr_timer_unref(timer);
    CHECK_EQUAL(service.wheel.count, 0);
}

static void test_repeat_cancelled_in_run(void **state)
{
    (void)state;
    struct runs runs;
    runs_init(&runs, true);
    thr_timer *timer = started(&runs, 0.001, true);
    support_count_wait(&runs.begun, 1);
    for (int i = 0; i < 2; i++)
        CHECK_RESULT(thr_timer_cancel(timer), THR_TOO_LATE);
    CHECK_RESULT(thr_timer_join_until(timer, thr_after(0.003)), THR_TIMEOUT);
    thr_event_set(&runs.go);
    CHECK_OK(thr_timer_join(timer));
    CHECK_EQUAL(runs.ended.value, 1);
    CHECK_OK(thr_timer_cancel(timer));
    CHECK_EQUAL(service.wheel.count, 0);
    thr_timer_unref(timer);
}

static void test_repeat_reset_in_run(void **state)
{
    (void)state;
    struct runs runs;
    runs_init(&runs, true);
    thr_timer *timer = started(&runs, 0.001, true);
    support_count_wait(&runs.begun, 1);
    CHECK_RESULT(thr_timer_cancel(timer), THR_TOO_LATE);
    runs.not_before = thr_now() + 20 * MS;
    CHECK_OK(thr_timer_reset(timer, 0.02)); /* it goes on after all, with another period */
    thr_event_set(&runs.go);
    support_count_wait(&runs.begun, 2);
    (void)thr_timer_cancel(timer);
    CHECK_OK(thr_timer_join(timer));
    thr_timer_unref(timer);
}

/* -- Join --------------------------------------------------------------------------------------------------------- */

static void join_it(void *timer)
{
    CHECK_OK(thr_timer_join(timer));
}

static void test_joined_by_many(void **state)
{
    (void)state;
    enum { N = 5 };
    struct support_bunch bunch;
    struct runs runs;
    runs_init(&runs, true);
    thr_timer *timer = started(&runs, 0, false);
    support_count_wait(&runs.begun, 1);
    support_bunch_start(&bunch, N, join_it, timer);
    support_wait_blocked(timer, N);
    thr_event_set(&runs.go);
    support_bunch_join(&bunch);
    CHECK_EQUAL(runs.ended.value, 1);

    CHECK_OK(thr_timer_reset(timer, 1000));
    support_bunch_start(&bunch, N, join_it, timer);
    support_wait_blocked(timer, N);
    CHECK_OK(thr_timer_cancel(timer));
    CHECK_OK(thr_timer_reset(timer, 1000)); /* they have been let go all the same */
    support_bunch_join(&bunch);
    CHECK_OK(thr_timer_cancel(timer));
    thr_timer_unref(timer);
}

static void join_myself(void *arg)
{
    thr_timer **timer = arg;
    CHECK_RESULT(thr_timer_join(*timer), THR_DEADLOCK);
    CHECK_RESULT(thr_timer_join_until(*timer, 0), THR_DEADLOCK);
}

static void test_join_from_own_callback(void **state)
{
    (void)state;
    thr_timer *timer;
    CHECK_OK(thr_timer_new(&timer, 0, join_myself, &timer));
    CHECK_OK(thr_timer_start(timer));
    CHECK_OK(thr_timer_join(timer));
    thr_timer_unref(timer);
}

/* -- Threads ------------------------------------------------------------------------------------------------------ */

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

/* -- The end of the process --------------------------------------------------------------------------------------- */

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

SUPPORT_MAIN(cmocka_unit_test(test_runs_once), cmocka_unit_test(test_arguments), cmocka_unit_test(test_endless),
             cmocka_unit_test(test_many), cmocka_unit_test(test_100000), cmocka_unit_test(test_dropped_handle),
             cmocka_unit_test(test_references), cmocka_unit_test(test_cancel),
             cmocka_unit_test(test_cancel_before_start), cmocka_unit_test(test_cancel_too_late),
             cmocka_unit_test(test_reset), cmocka_unit_test(test_reset_later), cmocka_unit_test(test_reset_in_run),
             cmocka_unit_test(test_reset_in_own_callback), cmocka_unit_test(test_repeat),
             cmocka_unit_test(test_repeat_cancelled_in_run), cmocka_unit_test(test_repeat_reset_in_run),
             cmocka_unit_test(test_joined_by_many), cmocka_unit_test(test_join_from_own_callback),
             cmocka_unit_test(test_slow_ones_delay_nobody), cmocka_unit_test(test_more_slow_ones_than_threads),
             cmocka_unit_test(test_failing), cmocka_unit_test(test_threads_are_not_counted),
             cmocka_unit_test(test_shutdown_waits), cmocka_unit_test(test_cancel_lets_shutdown_go),
             cmocka_unit_test(test_repeating_holds), cmocka_unit_test(test_shutdown_in_callback),
             cmocka_unit_test(test_daemon_is_inherited))
