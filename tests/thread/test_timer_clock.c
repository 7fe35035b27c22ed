/* test_timer_clock.c - timers by a clock that stands still: what takes long, or has to be exact. */

#include "support/support.h"

#include "thread/crew.h"

#define SECOND ((thr_time)1000000000)

static unsigned threads(void)
{
    service_lock();
    unsigned n = crew_threads();
    service_unlock();
    return n;
}

/* Blocks until all threads of the service are asleep: what they ran has been dealt with. */
static void wait_asleep(void)
{
    support_wait_blocked(&service, threads());
}

/* A callback that says when it ran, and how long it takes. */
struct runs {
    struct support_count n;
    thr_time at;
    double takes;
};

static void run(void *arg)
{
    struct runs *runs = arg;
    runs->at = thr_now();
    support_clock_advance(runs->takes);
    support_count_add(&runs->n);
}

static void test_far_away(void **state)
{
    (void)state;
    support_clock_stop();
    const double delays[] = {0.001, 1, 3600, 86400, 3e7, 3e8};
    for (size_t i = 0; i < sizeof delays / sizeof *delays; i++) {
        struct runs runs = {0};
        thr_timer *timer;
        thr_time due = thr_after(delays[i]);
        CHECK_OK(thr_timer_new(&timer, delays[i], run, &runs));
        CHECK_OK(thr_timer_start(timer));
        for (int half = 0; half < 2; half++) {
            wait_asleep();
            CHECK_EQUAL(support_count_get(&runs.n), 0);
            support_clock_advance(delays[i] / 2);
        }
        CHECK_OK(thr_timer_join(timer));
        CHECK_EQUAL(support_count_get(&runs.n), 1);
        CHECK_EQUAL(runs.at, due);
        thr_timer_unref(timer);
    }
}

static void test_in_order(void **state)
{
    (void)state;
    enum { N = 100 };
    static struct runs runs[N];
    thr_timer *timers[N];
    support_clock_stop();
    thr_time start = thr_now();
    for (size_t i = 0; i < N; i++) {
        size_t seconds = (i * 37) % N + 1;
        runs[i] = (struct runs){0};
        CHECK_OK(thr_timer_new(&timers[i], (double)seconds, run, &runs[i]));
        CHECK_OK(thr_timer_start(timers[i]));
    }
    for (size_t second = 1; second <= N; second++) {
        wait_asleep();
        support_clock_advance(1);
        for (size_t i = 0; i < N; i++) {
            if ((i * 37) % N + 1 == second) {
                CHECK_OK(thr_timer_join(timers[i]));
                CHECK_EQUAL(runs[i].at, start + (thr_time)second * SECOND);
                thr_timer_unref(timers[i]);
            }
        }
    }
}

/* Runs are whole periods apart, however long they take; times that have passed while it ran are left out. */
static void test_no_drift_no_burst(void **state)
{
    (void)state;
    static const struct {
        double takes;
        thr_time next; /* period */
    } steps[] = {{0, 1},  {4, 2},      {9.999, 3}, {10, 5} /* at the time of a run: that one is past */,
                 {10, 7}, {10.5, 9},   {35, 13},   {0, 14},
                 {0, 15}, {1000, 116}, {0, 117}};
    struct runs runs = {0};
    thr_timer *timer;
    support_clock_stop();
    thr_time start = thr_now();
    CHECK_OK(thr_timer_new(&timer, 10, run, &runs, .repeat = true));
    CHECK_OK(thr_timer_start(timer));
    for (uint32_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        thr_time due = start + steps[i].next * 10 * SECOND;
        wait_asleep();
        CHECK_EQUAL(support_count_get(&runs.n), i);
        CHECK(thr_now() < due);
        if (i + 1 < sizeof steps / sizeof *steps)
            runs.takes = steps[i + 1].takes;
        support_clock_advance((double)(due - thr_now()) * 1e-9);
        support_count_wait(&runs.n, i + 1);
        CHECK_EQUAL(runs.at, due);
    }
    wait_asleep();
    CHECK_OK(thr_timer_cancel(timer));
    CHECK_OK(thr_timer_join(timer));
    thr_timer_unref(timer);
}

/* The service looks too late, by far: one run makes up for all the missed ones. */
static void test_late_look(void **state)
{
    (void)state;
    struct runs runs = {0};
    thr_timer *timer;
    support_clock_stop();
    CHECK_OK(thr_timer_new(&timer, 1, run, &runs, .repeat = true));
    CHECK_OK(thr_timer_start(timer));
    wait_asleep();
    support_clock_advance(3600.5);
    support_count_wait(&runs.n, 1);
    wait_asleep();
    CHECK_EQUAL(support_count_get(&runs.n), 1);
    support_clock_advance(0.5);
    support_count_wait(&runs.n, 2);
    wait_asleep();
    CHECK_EQUAL(support_count_get(&runs.n), 2);
    CHECK_OK(thr_timer_cancel(timer));
    thr_timer_unref(timer);
}

/* A reset starts the periods anew. */
static void test_reset_periods(void **state)
{
    (void)state;
    struct runs runs = {0};
    thr_timer *timer;
    support_clock_stop();
    CHECK_OK(thr_timer_new(&timer, 10, run, &runs, .repeat = true));
    CHECK_OK(thr_timer_start(timer));
    wait_asleep();
    support_clock_advance(7);
    CHECK_OK(thr_timer_reset(timer, 4));
    for (uint32_t i = 1; i <= 3; i++) {
        thr_time due = thr_after(4);
        wait_asleep();
        support_clock_advance(3.5);
        wait_asleep();
        CHECK_EQUAL(support_count_get(&runs.n), i - 1);
        support_clock_advance(0.5);
        support_count_wait(&runs.n, i);
        CHECK_EQUAL(runs.at, due);
    }
    wait_asleep();
    CHECK_OK(thr_timer_cancel(timer));
    thr_timer_unref(timer);
}

/* -- Threads come and go ------------------------------------------------------------------------------------------ */

/* Counts the threads that have run a slow one and have ended. */
static struct support_count ended;

static void count_end(void *count)
{
    support_count_add(count);
}

static thr_local mark = THR_LOCAL_INIT(NULL, count_end);

struct slow {
    struct support_count begun;
    thr_event go;
};

static void run_slow(void *arg)
{
    struct slow *slow = arg;
    CHECK_OK(thr_local_set(&mark, &ended));
    support_count_add(&slow->begun);
    CHECK_OK(thr_event_wait(&slow->go));
}

static thr_timer *slow_one(struct slow *slow)
{
    thr_timer *timer;
    CHECK_OK(thr_timer_new(&timer, 0, run_slow, slow));
    CHECK_OK(thr_timer_start(timer));
    return timer;
}

/* The first test: nobody has used the service yet. */
static void test_last_thread_ends(void **state)
{
    (void)state;
    struct slow slow = {.go = THR_EVENT_INIT};
    thr_event_set(&slow.go);
    support_clock_stop();
    for (uint32_t i = 1; i <= 3; i++) {
        CHECK_EQUAL(threads(), 0);
        thr_timer *timer = slow_one(&slow);
        CHECK_OK(thr_timer_join(timer));
        CHECK_EQUAL(threads(), 1); /* one timer needs no second thread */
        thr_timer_unref(timer);
        wait_asleep();
        support_clock_advance(4);
        wait_asleep();
        CHECK_EQUAL(threads(), 1);
        support_clock_advance(1);
        support_count_wait(&ended, i);
    }
}

static void test_idle_threads_end(void **state)
{
    (void)state;
    enum { N = 20 };
    struct slow slow = {.go = THR_EVENT_INIT};
    struct runs runs = {0};
    thr_timer *timers[N];
    thr_timer *far;
    support_clock_stop();
    support_clock_advance(1); /* callbacks that have just ended would hold back new threads */
    ended = (struct support_count){0};
    CHECK_OK(thr_timer_new(&far, 1e8, run, &runs));
    CHECK_OK(thr_timer_start(far));
    for (size_t i = 0; i < N; i++)
        timers[i] = slow_one(&slow);
    support_count_wait(&slow.begun, N);
    CHECK_EQUAL(threads(), N + 1);
    thr_event_set(&slow.go);
    for (size_t i = 0; i < N; i++) {
        CHECK_OK(thr_timer_join(timers[i]));
        thr_timer_unref(timers[i]);
    }
    wait_asleep();
    CHECK_EQUAL(threads(), N + 1);
    support_clock_advance(5);
    support_count_wait(&ended, N - 1);
    CHECK_EQUAL(threads(), 2); /* the leader, and one in reserve */
    support_clock_advance(50);
    wait_asleep();
    CHECK_EQUAL(threads(), 2);
    CHECK_OK(thr_timer_cancel(far));
    thr_timer_unref(far);
}

SUPPORT_MAIN(cmocka_unit_test(test_last_thread_ends), cmocka_unit_test(test_far_away), cmocka_unit_test(test_in_order),
             cmocka_unit_test(test_no_drift_no_burst), cmocka_unit_test(test_late_look),
             cmocka_unit_test(test_reset_periods), cmocka_unit_test(test_idle_threads_end))
