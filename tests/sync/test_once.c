/* test_once.c - done once, by whoever comes first. */

#include "support/support.h"

#include <string.h>

#include "wait/atomic.h"
#include "wait/wait.h"

struct work {
    thr_once once;
    int runs; /* not atomic: the once orders them */
    int text;
    struct support_count begun;
    struct support_count go;
    struct support_count returned;
};

static void run(void *arg)
{
    struct work *work = arg;
    CHECK(!thr_once_done(&work->once));
    support_count_add(&work->begun);
    support_count_wait(&work->go, 1);
    work->runs++;
    work->text = 42;
}

static void run_once(void *arg)
{
    struct work *work = arg;
    support_errno_set();
    CHECK_OK(thr_once_run(&work->once, run, work));
    CHECK_ERRNO();
    CHECK_EQUAL(work->text, 42);
    CHECK(thr_once_done(&work->once));
    support_count_add(&work->returned);
}

static void runs_once(void)
{
    struct work work = {.go = {1}};
    CHECK(!thr_once_done(&work.once));
    for (int i = 0; i < 3; i++) {
        run_once(&work);
        CHECK_EQUAL(work.runs, 1);
        CHECK_EQUAL(support_count_get(&work.begun), 1);
    }
}

/* All others wait for the end of the one that runs. */
static void others_wait(void)
{
    enum { N = 5 };
    struct work work = {.runs = 0};
    struct support_bunch bunch;
    support_bunch_start(&bunch, N, run_once, &work);
    support_count_wait(&work.begun, 1);
    support_wait_blocked(&work.once, N - 1);
    CHECK_EQUAL(support_count_get(&work.returned), 0);
    CHECK(!thr_once_done(&work.once));
    support_count_add(&work.go);
    support_bunch_join(&bunch);
    CHECK_EQUAL(support_count_get(&work.returned), N);
    CHECK_EQUAL(support_count_get(&work.begun), 1);
    CHECK_EQUAL(work.runs, 1);
}

/* One that is about to sleep, and one that signals wake from its sleep all the time. */
static void run_stopped(void *arg)
{
    struct work *work = arg;
    struct support_pester signals;
    support_pester_start(&signals, NULL, NULL);
    run_once(work);
    support_pester_stop(&signals);
}

static void no_wake_is_lost(void)
{
    struct work work = {.runs = 0};
    struct support_thread *runner = support_thread_start(run_once, &work);
    support_count_wait(&work.begun, 1);
    struct support_thread *pestered = support_thread_start(run_stopped, &work);
    support_wait_blocked(&work.once, 1);
    support_stop(SUPPORT_BEFORE_SLEEP, &work.once, NULL);
    struct support_thread *stopped = support_thread_start(run_once, &work);
    support_wait_stopped(SUPPORT_BEFORE_SLEEP, 2); /* a signal brings the pestered one there too */
    CHECK_EQUAL(support_count_get(&work.returned), 0);
    support_count_add(&work.go);
    support_thread_join(runner);
    support_go(SUPPORT_BEFORE_SLEEP);
    support_thread_join(pestered);
    support_thread_join(stopped);
    CHECK_EQUAL(work.runs, 1);
}

/* -- From inside --------------------------------------------------------------------------------------------------- */

static void run_again(void *arg)
{
    struct work *work = arg;
    const thr_once before = work->once;
    support_errno_set();
    for (int i = 0; i < 3; i++)
        CHECK_RESULT(thr_once_run(&work->once, run, work), THR_DEADLOCK);
    CHECK_ERRNO();
    CHECK(memcmp(&before, &work->once, sizeof before) == 0);
    CHECK(!thr_once_done(&work->once));
    work->runs++;
    work->text = 42;
}

static void start_recursive(void *arg)
{
    struct work *work = arg;
    CHECK_OK(thr_once_run(&work->once, run_again, work));
}

static void recursion(void)
{
    struct work work = {.runs = 0};
    struct support_thread *thread = support_thread_start(start_recursive, &work);
    support_thread_join(thread);
    CHECK(thr_once_done(&work.once));
    CHECK_EQUAL(work.runs, 1);
    CHECK_EQUAL(support_count_get(&work.begun), 0);
    CHECK_OK(thr_once_run(&work.once, run, &work));
    CHECK_EQUAL(support_count_get(&work.begun), 0);
}

/* Also with somebody waiting: that one is not mistaken for the runner. */
struct recursion {
    struct work work;
    struct support_count inside;
};

static void run_again_beside_a_waiter(void *arg)
{
    struct recursion *recursion = arg;
    support_count_add(&recursion->inside);
    support_count_wait(&recursion->work.go, 1);
    CHECK_RESULT(thr_once_run(&recursion->work.once, run, recursion), THR_DEADLOCK);
    recursion->work.text = 42;
}

static void start_beside_a_waiter(void *arg)
{
    struct recursion *recursion = arg;
    CHECK_OK(thr_once_run(&recursion->work.once, run_again_beside_a_waiter, recursion));
}

static void recursion_beside_a_waiter(void)
{
    struct recursion recursion = {.inside = {0}};
    struct support_thread *runner = support_thread_start(start_beside_a_waiter, &recursion);
    support_count_wait(&recursion.inside, 1);
    struct support_thread *waiter = support_thread_start(run_once, &recursion.work);
    support_wait_blocked(&recursion.work.once, 1);
    support_count_add(&recursion.work.go);
    support_thread_join(runner);
    support_thread_join(waiter);
}

/* One once inside another is no recursion. */
static void run_inner(void *arg)
{
    struct work *works = arg;
    CHECK_OK(thr_once_run(&works[1].once, run, &works[1]));
    CHECK_EQUAL(works[1].text, 42);
    works[0].runs++;
}

static void nested(void)
{
    struct work works[2] = {{.go = {1}}, {.go = {1}}};
    CHECK_OK(thr_once_run(&works[0].once, run_inner, works));
    CHECK(thr_once_done(&works[0].once));
    CHECK(thr_once_done(&works[1].once));
    CHECK_EQUAL(works[0].runs, 1);
    CHECK_EQUAL(works[1].runs, 1);
}

/* -- A function that does not return ------------------------------------------------------------------------------- */

static void run_and_exit(void *arg)
{
    struct work *work = arg;
    support_count_add(&work->begun);
    support_count_wait(&work->go, 1);
    work->runs--;
    pthread_exit(NULL);
}

static void run_once_and_exit(void *arg)
{
    struct work *work = arg;
    (void)thr_once_run(&work->once, run_and_exit, work);
    support_count_add(&work->returned);
}

static void not_done_if_it_does_not_return(void)
{
    struct work work = {.go = {1}};
    for (int i = 0; i < 3; i++) {
        struct support_thread *thread = support_thread_start(run_once_and_exit, &work);
        support_thread_join(thread);
        CHECK(!thr_once_done(&work.once));
        CHECK_EQUAL(work.runs, -i - 1);
    }
    CHECK_EQUAL(support_count_get(&work.returned), 0);
    run_once(&work);
    CHECK_EQUAL(work.runs, -2);
}

/* Of those that wait, one runs its own; if that one fails too, the next. Never two at a time. */
static void run_alone(void *arg)
{
    struct work *work = arg;
    CHECK_EQUAL(work->runs++, 0);
    bool fails = support_count_get(&work->begun) < 4;
    support_count_add(&work->begun);
    work->runs--;
    if (fails)
        pthread_exit(NULL);
    work->text = 42;
}

static void run_once_alone(void *arg)
{
    struct work *work = arg;
    CHECK_OK(thr_once_run(&work->once, run_alone, work));
    CHECK_EQUAL(work->text, 42);
    support_count_add(&work->returned);
}

static void those_that_wait_take_over(void)
{
    enum { N = 6 };
    struct work work = {.runs = 0};
    struct support_bunch bunch;
    struct support_thread *first = support_thread_start(run_once_and_exit, &work);
    support_count_wait(&work.begun, 1);
    support_bunch_start(&bunch, N, run_once_alone, &work);
    support_wait_blocked(&work.once, N);
    work.runs = 1; /* the first takes it away again */
    support_count_add(&work.go);
    support_thread_join(first);
    support_bunch_join(&bunch);
    CHECK_EQUAL(support_count_get(&work.begun), 5); /* 4 failed: the first and 3 of the others */
    CHECK_EQUAL(support_count_get(&work.returned), N - 3);
    CHECK(thr_once_done(&work.once));
}

/* -- Interrupts, lifetime, order ----------------------------------------------------------------------------------- */

static bool interrupt(void *arg)
{
    support_count_add(arg);
    return support_count_get(arg) >= 3;
}

static void run_interrupted(void *arg)
{
    struct work *work = arg;
    struct support_pester signals;
    struct support_count interrupts = {0};
    support_pester_start(&signals, NULL, NULL);
    support_record()->interrupt = interrupt;
    support_record()->interrupt_arg = &interrupts;
    support_errno_set();
    CHECK_RESULT(thr_once_run(&work->once, run, work), THR_INTERRUPTED);
    CHECK_ERRNO();
    support_record()->interrupt = NULL;
    support_pester_stop(&signals);
    CHECK_EQUAL(support_count_get(&interrupts), 3);
}

static void interrupted(void)
{
    struct work work = {.runs = 0};
    struct support_thread *runner = support_thread_start(run_once, &work);
    support_count_wait(&work.begun, 1);
    struct support_thread *stays = support_thread_start(run_once, &work);
    support_wait_blocked(&work.once, 1);
    struct support_thread *thread = support_thread_start(run_interrupted, &work);
    support_thread_join(thread);
    CHECK_EQUAL(support_count_get(&work.returned), 0);
    support_count_add(&work.go);
    support_thread_join(runner);
    support_thread_join(stays);
    CHECK_EQUAL(work.runs, 1);
}

/* The once is gone when its waiter returns; the runner is still in its tail. */
struct gone {
    thr_once *once;
    struct support_count begun;
    struct support_count go;
    struct support_count freed;
};

static void run_for_the_gone(void *arg)
{
    struct gone *gone = arg;
    support_count_add(&gone->begun);
    support_count_wait(&gone->go, 1);
}

static void run_the_gone(void *arg)
{
    struct gone *gone = arg;
    CHECK_OK(thr_once_run(gone->once, run_for_the_gone, gone));
}

static void wait_and_free(void *arg)
{
    struct gone *gone = arg;
    CHECK_OK(thr_once_run(gone->once, run_for_the_gone, gone));
    support_page_free(gone->once);
    support_count_add(&gone->freed);
}

static void freed_during_the_wake(void)
{
    struct gone gone = {.once = support_page_new()};
    struct support_thread *runner = support_thread_start(run_the_gone, &gone);
    support_count_wait(&gone.begun, 1);
    struct support_thread *waiter = support_thread_start(wait_and_free, &gone);
    support_wait_blocked(gone.once, 1);
    support_stop(SUPPORT_AFTER_WAKE, NULL, runner);
    support_count_add(&gone.go);
    support_count_wait(&gone.freed, 1);
    support_go(SUPPORT_AFTER_WAKE);
    support_thread_join(runner);
    support_thread_join(waiter);
    CHECK_EQUAL(support_count_get(&gone.begun), 1);
}

/* Many threads, many onces: what a function wrote, everybody sees, whichever way they come to it. */
enum { ONCES = 300 };

struct onces {
    thr_once onces[ONCES];
    int values[ONCES]; /* not atomic */
    uint32_t starts;
    uint32_t threads;
    bool stumble; /* also between the look at a once and what follows from that */
};

struct value {
    struct onces *onces;
    int index;
};

static void set_value(void *arg)
{
    const struct value *value = arg;
    value->onces->values[value->index] += value->index + 1;
}

static void run_all(void *arg)
{
    struct onces *onces = arg;
    (void)support_record();
    if (onces->stumble)
        support_stumble_start();
    (void)add_relaxed(&onces->starts, 1);
    while (load_relaxed(&onces->starts) != onces->threads) /* all at a time, as nearly as can be */
        continue;
    for (int i = 0; i < ONCES; i++) {
        struct value value = {onces, i};
        CHECK_OK(thr_once_run(&onces->onces[i], set_value, &value));
        CHECK_EQUAL(onces->values[i], i + 1);
    }
    if (onces->stumble)
        support_stumble_stop();
}

static void run_many(uint32_t threads, bool stumble)
{
    static struct onces onces;
    struct support_bunch bunch;
    memset(&onces, 0, sizeof onces);
    onces.threads = threads;
    onces.stumble = stumble;
    support_bunch_start(&bunch, threads, run_all, &onces);
    support_bunch_join(&bunch);
}

static void many(void)
{
    for (int i = 0; i < 5; i++)
        run_many(4, false);
}

static void many_stumbling(void)
{
    thr_time end = thr_after(0.1);
    do {
        run_many(2, true);
    } while (thr_now() < end);
}

#define BOTH_WAYS(name)                                                                                                \
    static void test_##name(void **state)                                                                              \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        support_both_ways(name);                                                                                       \
    }

BOTH_WAYS(runs_once)
BOTH_WAYS(others_wait)
BOTH_WAYS(no_wake_is_lost)
BOTH_WAYS(recursion)
BOTH_WAYS(recursion_beside_a_waiter)
BOTH_WAYS(nested)
BOTH_WAYS(not_done_if_it_does_not_return)
BOTH_WAYS(those_that_wait_take_over)
BOTH_WAYS(interrupted)
BOTH_WAYS(freed_during_the_wake)
BOTH_WAYS(many)
BOTH_WAYS(many_stumbling)

SUPPORT_MAIN(cmocka_unit_test(test_runs_once), cmocka_unit_test(test_others_wait),
             cmocka_unit_test(test_no_wake_is_lost), cmocka_unit_test(test_recursion),
             cmocka_unit_test(test_recursion_beside_a_waiter), cmocka_unit_test(test_nested),
             cmocka_unit_test(test_not_done_if_it_does_not_return), cmocka_unit_test(test_those_that_wait_take_over),
             cmocka_unit_test(test_interrupted), cmocka_unit_test(test_freed_during_the_wake),
             cmocka_unit_test(test_many), cmocka_unit_test(test_many_stumbling))
