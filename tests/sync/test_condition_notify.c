/* test_condition_notify.c - whom a notify wakes. */

#include "conditions.h"

/* Exactly min(n, waiting), and the oldest; with the lock and without. */
static void notify_wakes_the_oldest(struct shared *shared)
{
    const size_t ns[] = {0, 1, 2, 3, 5, 6, SIZE_MAX};
    enum { N = 5 };
    for (int with_lock = 0; with_lock < 2; with_lock++) {
        for (size_t i = 0; i < sizeof ns / sizeof *ns; i++) {
            struct waiter waiters[N];
            unsigned woken = ns[i] < N ? (unsigned)ns[i] : N;
            start(waiters, N, shared);
            CHECK_EQUAL(notify(shared, ns[i], with_lock), woken);
            finish(waiters, woken);
            support_wait_blocked(&shared->condition, N - woken);
            check_none_done(waiters + woken, N - woken);
            CHECK_EQUAL(thr_condition_notify_all(&shared->condition), N - woken);
            finish(waiters + woken, N - woken);
        }
    }
}

/* One at a time they come in the order in which they began to wait. */
static void notify_by_notify(struct shared *shared)
{
    enum { N = 6 };
    struct waiter waiters[N];
    start(waiters, N, shared);
    for (unsigned i = 0; i < N; i++) {
        CHECK_EQUAL(notify(shared, 1, i % 2), 1);
        finish(waiters + i, 1);
        check_none_done(waiters + i + 1, N - i - 1);
    }
}

/* Several notifies before any of those woken can run: each wakes others. */
static void notifies_add_up(struct shared *shared)
{
    enum { N = 6 };
    struct waiter waiters[N];
    start(waiters, N, shared);
    acquire(shared);
    CHECK_EQUAL(thr_condition_notify(&shared->condition, 1), 1);
    CHECK_EQUAL(thr_condition_notify(&shared->condition, 2), 2);
    CHECK_EQUAL(thr_condition_notify(&shared->condition, 1), 1);
    release(shared);
    finish(waiters, 4);
    check_none_done(waiters + 4, 2);
    acquire(shared);
    CHECK_EQUAL(thr_condition_notify(&shared->condition, 1), 1);
    CHECK_EQUAL(thr_condition_notify_all(&shared->condition), 1);
    CHECK_EQUAL(thr_condition_notify_all(&shared->condition), 0);
    release(shared);
    finish(waiters + 4, 2);
}

/* A thread that is notified and slow, and one that comes to wait before that one has got away: it steals nothing. */
static void check_late_comer(struct shared *shared, enum support_place place, bool with_lock)
{
    struct waiter old = {.shared = shared, .deadline = THR_FOREVER};
    struct waiter late;
    old.thread = support_thread_start(waiter_run, &old);
    support_stop(place, &shared->condition, old.thread);
    support_count_add(&old.go);
    if (place == SUPPORT_BEFORE_SLEEP)
        support_wait_stopped(place, 1);
    else
        support_wait_blocked(&shared->condition, 1);
    CHECK_EQUAL(notify(shared, 1, with_lock), 1);
    if (place == SUPPORT_AFTER_SLEEP)
        support_wait_stopped(place, 1);
    late = (struct waiter){.shared = shared, .deadline = THR_FOREVER, .go = {1}};
    late.thread = support_thread_start(waiter_run, &late);
    support_wait_blocked(&shared->condition, place == SUPPORT_BEFORE_SLEEP ? 2 : 1);
    support_go(place);
    finish(&old, 1);
    support_wait_blocked(&shared->condition, 1);
    check_none_done(&late, 1);
    CHECK_EQUAL(notify(shared, 1, with_lock), 1);
    finish(&late, 1);
}

static void late_comer_steals_nothing(struct shared *shared)
{
    for (int with_lock = 0; with_lock < 2; with_lock++) {
        check_late_comer(shared, SUPPORT_BEFORE_SLEEP, with_lock);
        check_late_comer(shared, SUPPORT_AFTER_SLEEP, with_lock);
    }
}

/* The time of the oldest is up, but it does not know when the notify comes. Whoever of the two gets the wake-up, it is
 * one; and as many as notify says return THR_OK. */
static void check_timed_out(struct shared *shared, bool with_lock, size_t n)
{
    struct waiter old = {.shared = shared, .go = {1}};
    struct waiter other;
    support_clock_stop();
    old.deadline = thr_after(1.0);
    old.thread = support_thread_start(waiter_run, &old);
    support_wait_blocked(&shared->condition, 1);
    support_stop(SUPPORT_AFTER_SLEEP, &shared->condition, old.thread);
    support_clock_advance(1.0);
    support_wait_stopped(SUPPORT_AFTER_SLEEP, 1);
    support_clock_go();
    start(&other, 1, shared);
    size_t woken = notify(shared, n, with_lock);
    CHECK(woken == n || woken == 1); /* 1 if a waiter that has timed out is one no more */
    support_go(SUPPORT_AFTER_SLEEP);
    support_thread_join(old.thread);
    if (old.result == THR_OK && woken == 1) {
        check_none_done(&other, 1);
        CHECK_EQUAL(notify(shared, 1, with_lock), 1);
    } else if (old.result != THR_OK) {
        CHECK_RESULT(old.result, THR_TIMEOUT);
        CHECK_EQUAL(woken, 1);
    }
    finish(&other, 1);
}

static void timed_out_waiter_eats_nothing(struct shared *shared)
{
    for (int with_lock = 0; with_lock < 2; with_lock++) {
        check_timed_out(shared, with_lock, 1);
        check_timed_out(shared, with_lock, 2);
    }
}

/* Those who give up leave the queue wherever they stand, and the others keep their order. */
static void check_giving_up(struct shared *shared, unsigned gone)
{
    enum { N = 4 };
    struct waiter waiters[N];
    support_clock_stop();
    for (unsigned i = 0; i < N; i++) {
        thr_time deadline = gone >> i & 1 ? thr_after(1.0) : THR_FOREVER;
        waiters[i] = (struct waiter){.shared = shared, .deadline = deadline, .go = {1}};
        waiters[i].thread = support_thread_start(waiter_run, &waiters[i]);
        support_wait_blocked(&shared->condition, i + 1);
    }
    support_clock_advance(1.0);
    for (unsigned i = 0; i < N; i++) {
        if (gone >> i & 1) {
            support_thread_join(waiters[i].thread);
            CHECK_RESULT(waiters[i].result, THR_TIMEOUT);
        }
    }
    support_clock_go();
    for (unsigned i = 0; i < N; i++) {
        if (!(gone >> i & 1)) {
            check_none_done(&waiters[i], 1);
            CHECK_EQUAL(notify(shared, 1, i % 2), 1);
            finish(&waiters[i], 1);
        }
    }
    CHECK_EQUAL(notify(shared, 1, true), 0);
}

static void giving_up_keeps_the_order(struct shared *shared)
{
    for (unsigned gone = 0; gone < 16; gone++)
        check_giving_up(shared, gone);
}

EACH_KIND(notify_wakes_the_oldest)
EACH_KIND(notify_by_notify)
EACH_KIND(notifies_add_up)
EACH_KIND(late_comer_steals_nothing)
EACH_KIND(timed_out_waiter_eats_nothing)
EACH_KIND(giving_up_keeps_the_order)

SUPPORT_MAIN(cmocka_unit_test(test_notify_wakes_the_oldest), cmocka_unit_test(test_notify_by_notify),
             cmocka_unit_test(test_notifies_add_up), cmocka_unit_test(test_late_comer_steals_nothing),
             cmocka_unit_test(test_timed_out_waiter_eats_nothing), cmocka_unit_test(test_giving_up_keeps_the_order))
