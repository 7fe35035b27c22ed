/* test_explore.c - thr_explore finds each kind of failure, says what it was, and accuses nobody else.
 *
 * ctest: timeout=180
 * ctest: limit=90 */

#include "support/crossed.h"
#include "support/support.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* -- Bodies ------------------------------------------------------------------------------------------------------- */

static thr_condition condition = THR_CONDITION_INIT;
static thr_event event = THR_EVENT_INIT;
static int number;
static bool ready;

static thr_thread *started(thr_target *target, void *arg)
{
    thr_thread *thread;
    if (thr_spawn(&thread, target, arg) != THR_OK)
        abort();
    return thread;
}

static void joined(thr_thread *thread)
{
    (void)thr_thread_join(thread, NULL);
    thr_thread_unref(thread);
}

static void both(thr_target *one, thr_target *two)
{
    thr_thread *first = started(one, NULL);
    thr_thread *second = started(two, NULL);
    joined(first);
    joined(second);
}

static void abba(void *arg)
{
    (void)arg;
    both(left_right, right_left);
}

static void ordered(void *arg)
{
    (void)arg;
    both(left_right, left_right);
}

static void *add_in_two_steps(void *arg)
{
    thr_lock_acquire(&left);
    int seen = number;
    thr_lock_release(&left);
    thr_lock_acquire(&left);
    number = seen + 1;
    thr_lock_release(&left);
    return arg;
}

static void lost_update(void *arg)
{
    (void)arg;
    both(add_in_two_steps, add_in_two_steps);
    if (number != 2)
        thr_lab_fail("the number is %d", number);
}

static void lost_update_exits(void *arg)
{
    (void)arg;
    both(add_in_two_steps, add_in_two_steps);
    if (number != 2)
        _exit(3);
}

static void lost_update_crashes(void *arg)
{
    (void)arg;
    both(add_in_two_steps, add_in_two_steps);
    if (number != 2)
        (void)raise(SIGSEGV);
}

static void lost_update_aborts(void *arg)
{
    (void)arg;
    both(add_in_two_steps, add_in_two_steps);
    if (number != 2)
        abort();
}

static void *wait_once(void *arg)
{
    thr_lock_acquire(&left);
    thr_condition_wait(&condition, &left); /* without looking whether it was notified already */
    thr_lock_release(&left);
    return arg;
}

static void *notify_once(void *arg)
{
    thr_lock_acquire(&left);
    (void)thr_condition_notify(&condition, 1);
    thr_lock_release(&left);
    return arg;
}

static void notify_before_wait(void *arg)
{
    (void)arg;
    both(wait_once, notify_once);
}

static void *wait_ready(void *arg)
{
    thr_lock_acquire(&left);
    while (!ready)
        thr_condition_wait(&condition, &left);
    thr_lock_release(&left);
    return arg;
}

static void *notify_ready(void *arg)
{
    thr_lock_acquire(&left);
    ready = true;
    (void)thr_condition_notify_all(&condition);
    thr_lock_release(&left);
    return arg;
}

static void notify_with_flag(void *arg)
{
    (void)arg;
    both(wait_ready, notify_ready);
}

static void *tick(void *arg)
{
    for (;;) {
        thr_sleep(1.0);
        thr_lock_acquire(&left);
        thr_lock_release(&left);
    }
    return arg;
}

static void deadlock_beside_a_daemon(void *arg)
{
    (void)arg;
    (void)!thr_spawn(NULL, tick, NULL, .daemon = THR_DAEMON_YES);
    thr_event_wait(&event);
}

static void *wait_event(void *arg)
{
    thr_event_wait(&event);
    return arg;
}

static void nobody_sets(void *arg)
{
    (void)arg;
    (void)!thr_spawn(NULL, wait_event, NULL, .name = "forgotten");
}

static void *release_free(void *arg)
{
    if (thr_lock_try_acquire(&left))
        thr_lock_release(&left);
    else
        thr_lock_release(&right);
    return arg;
}

static void misuse(void *arg)
{
    (void)arg;
    both(release_free, left_right);
}

static void *fail_if_late(void *arg)
{
    if (thr_event_is_set(&event))
        thr_fail(7, "too late");
    return arg;
}

static void *set_event(void *arg)
{
    thr_event_set(&event);
    return arg;
}

static void unjoined(void *arg)
{
    (void)arg;
    thr_set_excepthook(NULL);
    (void)!thr_spawn(NULL, fail_if_late, NULL, .name = "late");
    (void)!thr_spawn(NULL, set_event, NULL);
}

static void failed_and_joined(void *arg)
{
    (void)arg;
    thr_thread *late = started(fail_if_late, NULL);
    joined(started(set_event, NULL));
    joined(late);
}

static void *turn_away(void *arg)
{
    thr_lock *first = arg;
    thr_lock *second = first == &left ? &right : &left;
    for (;;) { /* takes one, cannot have the other, gives up, comes again: if both do so for ever, nobody gets on */
        thr_lock_acquire(first);
        thr_event_wait(&event);
        bool got = thr_lock_try_acquire(second);
        if (got)
            thr_lock_release(second);
        thr_lock_release(first);
        if (number == 0 && !got)
            continue;
        if (number != 0 && got)
            return NULL;
    }
}

static void livelock(void *arg)
{
    (void)arg;
    thr_event_set(&event);
    thr_thread *one = started(turn_away, &left);
    joined(one);
}

static void *run_for_ever(void *arg)
{
    for (volatile unsigned i = 0;; i++)
        continue;
    return arg;
}

static void hang(void *arg)
{
    (void)arg;
    joined(started(run_for_ever, NULL));
}

static void *sleep_and_write(void *arg)
{
    thr_sleep(1.0);
    thr_lock_acquire(&left);
    number = 1;
    thr_lock_release(&left);
    return arg;
}

static void sleeps_are_no_order(void *arg)
{
    (void)arg;
    thr_thread *thread = started(sleep_and_write, NULL);
    thr_sleep(2.0);
    thr_lock_acquire(&left);
    if (number != 1)
        thr_lab_fail("two seconds were less than one");
    thr_lock_release(&left);
    joined(thread);
}

/* -- Those who are right ------------------------------------------------------------------------------------------ */

static void *poll_set(void *arg)
{
    while (!thr_event_is_set(&event))
        continue;
    return arg;
}

static void *poll_yielding(void *arg)
{
    while (!thr_event_is_set(&event))
        thr_sleep(0);
    return arg;
}

static void *poll_lock(void *arg)
{
    for (bool seen = false; !seen;) {
        thr_lock_acquire(&left);
        seen = ready;
        thr_lock_release(&left);
    }
    return arg;
}

static void *poll_clock(void *arg)
{
    thr_time end = thr_after(5.0);
    while (thr_now() < end)
        continue;
    return arg;
}

static void *poll_trying(void *arg)
{
    while (thr_event_wait_until(&event, thr_after(10.0)) != THR_OK)
        continue;
    return arg;
}

static void *set_after_an_hour(void *arg)
{
    thr_sleep(3600.0);
    thr_lock_acquire(&left);
    ready = true;
    thr_lock_release(&left);
    thr_event_set(&event);
    return arg;
}

static void politeness(void *arg)
{
    thr_target *poll;
    memcpy(&poll, arg, sizeof poll);
    both(poll, set_after_an_hour);
}

static void count_up(void *arg)
{
    (void)arg;
    thr_lock_acquire(&left);
    number++;
    thr_lock_release(&left);
}

static void timers(void *arg)
{
    thr_timer *one;
    thr_timer *two;
    (void)arg;
    (void)!thr_timer_new(&one, 1.0, count_up, NULL);
    (void)!thr_timer_new(&two, 2.0, count_up, NULL);
    (void)!thr_timer_start(one);
    (void)!thr_timer_start(two);
    bool cancelled = thr_timer_cancel(two) == THR_OK;
    (void)thr_timer_join(one);
    (void)thr_timer_join(two);
    thr_lock_acquire(&left);
    if (number != (cancelled ? 1 : 2))
        thr_lab_fail("%d callbacks", number);
    thr_lock_release(&left);
    thr_timer_unref(one);
    thr_timer_unref(two);
}

static thr_barrier barrier = THR_BARRIER_INIT(3, NULL, NULL);
static thr_semaphore semaphore = THR_SEMAPHORE_INIT(2);
static thr_rwlock rwlock = THR_RWLOCK_INIT;
static thr_once once = THR_ONCE_INIT;
static uint32_t inside;

static void enter_semaphore(void)
{
    thr_semaphore_acquire(&semaphore);
    if (__atomic_add_fetch(&inside, 1, __ATOMIC_RELAXED) > 2)
        thr_lab_fail("three threads inside");
    thr_yield_point();
    (void)__atomic_sub_fetch(&inside, 1, __ATOMIC_RELAXED);
    (void)thr_semaphore_release(&semaphore, 1);
}

static void *a_bit_of_all(void *arg)
{
    uint32_t index;
    if (thr_barrier_wait(&barrier, &index) != THR_OK)
        thr_lab_fail("the barrier is broken");
    enter_semaphore();
    (void)thr_once_run(&once, count_up, NULL);
    (void)thr_rwlock_acquire_read(&rwlock);
    if (number != 1)
        thr_lab_fail("run %d times", number);
    (void)thr_rwlock_release_read(&rwlock);
    if (index == 0 && thr_rwlock_try_acquire_write(&rwlock))
        (void)thr_rwlock_release_write(&rwlock);
    return arg;
}

static void all_objects(void *arg)
{
    thr_thread *threads[3];
    (void)arg;
    for (int i = 0; i < 3; i++)
        threads[i] = started(a_bit_of_all, NULL);
    for (int i = 0; i < 3; i++)
        joined(threads[i]);
}

/* Main waits for what a daemon does in the end. */
static void *works_long(void *arg)
{
    for (int i = 0; i < 3000; i++) {
        thr_lock_acquire(&left);
        thr_lock_release(&left);
    }
    thr_event_set(&event);
    return arg;
}

static void daemon_works_long(void *arg)
{
    thr_thread *worker;
    (void)arg;
    if (thr_spawn(&worker, works_long, NULL, .daemon = THR_DAEMON_YES) != THR_OK)
        abort();
    thr_event_wait(&event);
    thr_thread_unref(worker);
}

/* -- Tests -------------------------------------------------------------------------------------------------------- */

/* Schedules. A fork takes ten times as long with a sanitizer in the process. */
enum { MANY = SUPPORT_SANITIZED ? 200 : 1000 };

static thr_verdict verdict;

static void found(void (*body)(void *), thr_finding finding, const char *says)
{
    CHECK_RESULT(thr_explore(&verdict, body, NULL, .schedules = 2000, .seed = support_seed(), .hang = 25), THR_FAILED);
    if (verdict.finding != finding || !strstr(verdict.message, says))
        support_fail(__FILE__, __LINE__, "found %d: %s", (int)verdict.finding, verdict.message);
    CHECK(!verdict.unsteady);
    CHECK(verdict.failed >= 1);
    CHECK(verdict.first >= 1);
    CHECK(!verdict.complete);
}

static void nothing(void (*body)(void *), void *arg, uint64_t schedules)
{
    thr_result result =
        thr_explore(&verdict, body, arg, .schedules = schedules, .seed = support_seed(), .hang = 25, .report = true);
    if (result != THR_OK)
        support_fail(__FILE__, __LINE__, "found %d: %s", (int)verdict.finding, verdict.message);
    CHECK_EQUAL(verdict.finding, THR_FOUND_NOTHING);
    CHECK_EQUAL(verdict.failed, 0);
}

static void test_deadlocks(void **state)
{
    (void)state;
    found(abba, THR_FOUND_DEADLOCK, "waits for a lock held by");
    CHECK_EQUAL(verdict.preemptions, 1);
    found(notify_before_wait, THR_FOUND_DEADLOCK, "waits for a condition");
    found(deadlock_beside_a_daemon, THR_FOUND_DEADLOCK, "only daemons");
    found(nobody_sets, THR_FOUND_DEADLOCK, "forgotten waits for an event");
    CHECK(strstr(verdict.message, "end of the process"));
}

static void test_ends(void **state)
{
    (void)state;
    found(lost_update, THR_FOUND_FAIL, "the number is 1");
    CHECK_EQUAL(verdict.preemptions, 1);
    found(lost_update_exits, THR_FOUND_EXIT, "status 3");
    found(lost_update_crashes, THR_FOUND_CRASH, "Segmentation fault");
    found(lost_update_aborts, THR_FOUND_CRASH, "Aborted");
    found(unjoined, THR_FOUND_UNJOINED, "late failed, and nobody joined it: too late (code 7)");
}

static void test_misuse(void **state)
{
    (void)state;
    found(misuse, THR_FOUND_MISUSE, "a lock that is not held");
    CHECK_RESULT(thr_explore(&verdict, misuse, NULL, .schedules = 500, .allow_misuse = true), THR_OK);
}

static void test_no_end(void **state)
{
    (void)state;
    thr_result result = thr_explore(&verdict, hang, NULL, .schedules = 2, .hang = 0.2);
    CHECK_RESULT(result, THR_FAILED);
    CHECK_EQUAL(verdict.finding, THR_FOUND_HANG);
    CHECK(strstr(verdict.message, "without an operation of the library"));
    result = thr_explore(&verdict, livelock, NULL, .schedules = 2, .hang = 1);
    CHECK_RESULT(result, THR_FAILED);
    CHECK_EQUAL(verdict.finding, THR_FOUND_LIVELOCK);
}

static void test_early(void **state)
{
    (void)state;
    found(sleeps_are_no_order, THR_FOUND_FAIL, "two seconds were less than one");
    CHECK(verdict.early_timeout);
    CHECK_RESULT(thr_explore(&verdict, sleeps_are_no_order, NULL, .schedules = 500, .no_early_timeout = true), THR_OK);
}

static void test_nobody_is_accused(void **state)
{
    (void)state;
    static thr_target *const polls[] = {poll_set, poll_yielding, poll_lock, poll_clock, poll_trying};
    nothing(ordered, NULL, MANY);
    nothing(notify_with_flag, NULL, MANY);
    nothing(failed_and_joined, NULL, MANY);
    nothing(timers, NULL, MANY / 2);
    nothing(all_objects, NULL, MANY);
    nothing(daemon_works_long, NULL, 20);
    for (size_t i = 0; i < sizeof polls / sizeof *polls; i++) {
        thr_target *poll = polls[i];
        nothing(politeness, &poll, 60);
    }
}

/* Two threads of one step each: few orders, all of which are tried. */
static void test_complete(void **state)
{
    (void)state;
    nothing(ordered, NULL, 100000);
    CHECK(verdict.complete);
    CHECK(verdict.schedules < 100000);
    CHECK_RESULT(thr_explore(&verdict, ordered, NULL, .strategy = "exhaustive", .preemptions = 20), THR_OK);
    CHECK(verdict.complete);
    CHECK_RESULT(thr_explore(&verdict, abba, NULL, .strategy = "exhaustive", .preemptions = 1), THR_FAILED);
}

static void test_each_strategy(void **state)
{
    (void)state;
    static const char *const strategies[] = {"random", "pct", "pos", "surw", "exhaustive"};
    for (size_t i = 0; i < sizeof strategies / sizeof *strategies; i++) {
        support_case(strategies[i]);
        CHECK_RESULT(thr_explore(&verdict, lost_update, NULL, .schedules = 2000, .strategy = strategies[i]),
                     THR_FAILED);
        CHECK_EQUAL(verdict.finding, THR_FOUND_FAIL);
        CHECK_EQUAL(verdict.preemptions, 1);
    }
    support_case(NULL);
}

/* The same seed finds the same failure in the same run. */
static void test_same_seed(void **state)
{
    (void)state;
    thr_explore_options options = {.schedules = 1000, .seed = support_seed()};
    thr_verdict again;
    CHECK_RESULT(thr_explore_with(&verdict, lost_update, &options), THR_FAILED);
    CHECK_RESULT(thr_explore_with(&again, lost_update, &options), THR_FAILED);
    CHECK_EQUAL(verdict.first, again.first);
}

static void explore_inside(void *arg)
{
    thr_verdict inner;
    (void)arg;
    CHECK_RESULT(thr_explore(&inner, ordered, NULL, .schedules = 1), THR_DEADLOCK);
}

static void test_bad_options(void **state)
{
    (void)state;
    CHECK_RESULT(thr_explore(&verdict, ordered, NULL, .strategy = "luck"), THR_INVALID);
    CHECK_RESULT(thr_explore(&verdict, ordered, NULL, .seconds = -1), THR_INVALID);
    CHECK_RESULT(thr_explore(&verdict, ordered, NULL, .hang = -1), THR_INVALID);
    CHECK_RESULT(thr_explore(&verdict, NULL, NULL), THR_INVALID);
    nothing(explore_inside, NULL, 1);
}

/* However short the time, one schedule is run: else nothing was looked at, and nothing found is no news. */
static void test_seconds(void **state)
{
    (void)state;
    CHECK_OK(thr_explore(&verdict, ordered, NULL, .seconds = 1e-9));
    CHECK_EQUAL(verdict.schedules, 1);
    CHECK_OK(thr_explore(&verdict, ordered, NULL, .seconds = INFINITY, .schedules = 5));
    CHECK(verdict.schedules == 5 || verdict.complete);
    CHECK_RESULT(thr_explore(&verdict, ordered, NULL, .seconds = NAN), THR_INVALID);
    CHECK_RESULT(thr_explore(&verdict, ordered, NULL, .hang = NAN), THR_INVALID);
}

SUPPORT_MAIN(cmocka_unit_test(test_deadlocks), cmocka_unit_test(test_ends), cmocka_unit_test(test_misuse),
             cmocka_unit_test(test_no_end), cmocka_unit_test(test_early), cmocka_unit_test(test_nobody_is_accused),
             cmocka_unit_test(test_complete), cmocka_unit_test(test_each_strategy), cmocka_unit_test(test_same_seed),
             cmocka_unit_test(test_bad_options), cmocka_unit_test(test_seconds))
