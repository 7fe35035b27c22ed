/* test_timer_fork.c - timers in the child of a fork.
 *
 * ctest: plain (ThreadSanitizer knows no threads in the child of a fork, and leaks are found in the child that are none) */

#include "support/support.h"

#include <sys/wait.h>
#include <unistd.h>

#include "thread/service.h"
#include "wait/atomic.h"

/* A callback that counts its runs, and may block in them. */
struct runs {
    struct support_count begun;
    struct support_count ended;
    thr_event go; /* set from the beginning, unless the callback should block */
    uint32_t inside;
};

static void runs_init(struct runs *runs, bool block)
{
    *runs = (struct runs){.go = THR_EVENT_INIT};
    if (!block)
        thr_event_set(&runs->go);
}

static void run(void *arg)
{
    struct runs *runs = arg;
    CHECK_EQUAL(add_acq_rel(&runs->inside, 1), 0); /* one run at a time */
    support_count_add(&runs->begun);
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

static void child_end(pid_t child)
{
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void in_child(thr_timer *pending, thr_timer *repeating, thr_timer *running, struct runs *runs)
{
    (void)alarm(20);
    CHECK_OK(thr_timer_join(pending)); /* gone: as if cancelled */
    CHECK_OK(thr_timer_cancel(pending));
    CHECK_RESULT(thr_timer_start(pending), THR_STARTED);
    CHECK_OK(thr_timer_join(repeating));
    CHECK_OK(thr_timer_join(running));
    CHECK_OK(thr_timer_cancel(running));
    CHECK_EQUAL(service.wheel.count, 0);
    thr_shutdown(); /* nothing is held any more */

    runs_init(runs, false);
    CHECK_OK(thr_timer_reset(pending, 0.001));
    CHECK_OK(thr_timer_join(pending));
    CHECK_EQUAL(runs->ended.value, 1);
    thr_timer *timer = started(runs, 0.001, false);
    CHECK_OK(thr_timer_join(timer));
    CHECK_EQUAL(runs->ended.value, 2);
    thr_timer_unref(timer);
    thr_timer_unref(pending);
    thr_timer_unref(repeating);
    thr_timer_unref(running);
    _exit(0);
}

static void test_fork(void **state)
{
    (void)state;
    struct runs runs;
    struct runs blocked;
    runs_init(&runs, false);
    runs_init(&blocked, true);
    thr_timer *pending = started(&runs, 1000, false);
    thr_timer *repeating = started(&runs, 1000, true);
    thr_timer *running = started(&blocked, 0, false);
    thr_timer *orphan; /* without a handle: it is still armed when this process ends */
    CHECK_OK(thr_timer_new(&orphan, 2000, run, &runs, .daemon = THR_DAEMON_YES));
    CHECK_OK(thr_timer_start(orphan));
    thr_timer_unref(orphan);
    support_count_wait(&blocked.begun, 1);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0)
        in_child(pending, repeating, running, &runs);
    child_end(child);
    CHECK_OK(thr_timer_cancel(pending));
    CHECK_OK(thr_timer_cancel(repeating));
    thr_event_set(&blocked.go);
    CHECK_OK(thr_timer_join(running));
    thr_timer_unref(pending);
    thr_timer_unref(repeating);
    thr_timer_unref(running);
}

static bool leave;

/* The callback goes on in the child, on the only thread there. */
static void fork_in_callback(void *arg)
{
    pid_t *child = arg;
    *child = fork();
    CHECK(*child >= 0);
    if (*child > 0)
        return;
    (void)alarm(20);
    CHECK(thr_current_thread() == thr_main_thread());
    struct runs runs;
    runs_init(&runs, false);
    thr_timer *timer = started(&runs, 0.001, false);
    CHECK_OK(thr_timer_join(timer));
    CHECK_EQUAL(runs.ended.value, 1);
    thr_timer_unref(timer);
    /* Its end is the end of the child, with status 0. */
    if (leave)
        pthread_exit(NULL);
}

static void test_fork_in_callback(void **state)
{
    (void)state;
    for (int how = 0; how < 2; how++) {
        pid_t child = 0;
        thr_timer *timer;
        leave = how == 1;
        CHECK_OK(thr_timer_new(&timer, 0, fork_in_callback, &child));
        CHECK_OK(thr_timer_start(timer));
        CHECK_OK(thr_timer_join(timer));
        child_end(child);
        thr_timer_unref(timer);
    }
}

struct churn {
    uint32_t stop;
    struct support_count turns;
};

static void churn(void *arg)
{
    struct churn *load = arg;
    struct runs runs;
    runs_init(&runs, false);
    thr_timer *timer = started(&runs, 1000, false);
    while (!load_acquire(&load->stop)) {
        CHECK_OK(thr_timer_reset(timer, 0.5));
        CHECK_OK(thr_timer_cancel(timer));
        support_count_add(&load->turns);
    }
    thr_timer_unref(timer);
}

static void test_fork_under_load(void **state)
{
    (void)state;
    enum { THREADS = 2, FORKS = 30 };
    struct churn load = {0};
    struct support_bunch bunch;
    support_bunch_start(&bunch, THREADS, churn, &load);
    for (uint32_t i = 0; i < FORKS; i++) {
        support_count_wait(&load.turns, (i + 1) * 10);
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            (void)alarm(20);
            struct runs runs;
            runs_init(&runs, false);
            thr_timer *timer = started(&runs, 0, false);
            CHECK_OK(thr_timer_join(timer));
            CHECK_EQUAL(runs.ended.value, 1);
            _exit(0);
        }
        child_end(child);
    }
    store_release(&load.stop, 1);
    support_bunch_join(&bunch);
}

SUPPORT_MAIN(cmocka_unit_test(test_fork), cmocka_unit_test(test_fork_in_callback),
             cmocka_unit_test(test_fork_under_load))
