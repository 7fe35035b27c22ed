/* test_condition.c - wait and notify, with a lock and with an rlock at several depths. How a condition blocks is in
 * test_blocking.c too. */

#include "support/support.h"

#include <stdio.h>
#include <string.h>

#include "wait/atomic.h"
#include "wait/wait.h"

struct shared {
    thr_condition condition;
    thr_lock lock;
    thr_rlock rlock;
    const struct kind *kind;
    int state;                       /* under the lock */
    unsigned inside;                 /* threads between acquire and release; under the lock, if that works */
    struct support_count predicates; /* how often one was called */
};

struct kind {
    const char *name;
    unsigned depth; /* of the rlock; 0: the lock */
};

static const struct kind kinds[] = {{"lock", 0}, {"rlock", 1}, {"rlock, 3 deep", 3}};

static void acquire(struct shared *shared)
{
    if (shared->kind->depth == 0)
        CHECK_OK(thr_lock_acquire(&shared->lock));
    for (unsigned i = 0; i < shared->kind->depth; i++)
        CHECK_OK(thr_rlock_acquire(&shared->rlock));
    CHECK_EQUAL(shared->inside++, 0);
}

static void release(struct shared *shared)
{
    CHECK_EQUAL(--shared->inside, 0);
    if (shared->kind->depth == 0)
        CHECK_OK(thr_lock_release(&shared->lock));
    for (unsigned i = 0; i < shared->kind->depth; i++)
        CHECK_OK(thr_rlock_release(&shared->rlock));
}

/* Whatever the wait's result, the lock is held again, to the same depth. */
static void check_held(struct shared *shared)
{
    CHECK_EQUAL(shared->inside++, 0);
    if (shared->kind->depth == 0)
        CHECK(thr_lock_locked(&shared->lock));
    else
        CHECK_EQUAL(thr_rlock_depth(&shared->rlock), shared->kind->depth);
}

static thr_result wait_until(struct shared *shared, thr_time deadline)
{
    thr_result result;
    shared->inside--;
    if (shared->kind->depth != 0)
        result = deadline == THR_FOREVER ? thr_condition_wait_rlock(&shared->condition, &shared->rlock)
                                         : thr_condition_wait_rlock_until(&shared->condition, &shared->rlock, deadline);
    else
        result = deadline == THR_FOREVER ? thr_condition_wait(&shared->condition, &shared->lock)
                                         : thr_condition_wait_until(&shared->condition, &shared->lock, deadline);
    check_held(shared);
    return result;
}

static bool state_is_4(void *arg)
{
    struct shared *shared = arg;
    support_count_add(&shared->predicates);
    if (shared->kind->depth == 0)
        CHECK(thr_lock_locked(&shared->lock));
    else
        CHECK(thr_rlock_is_owned(&shared->rlock));
    return shared->state == 4;
}

static thr_result wait_for_4(struct shared *shared, thr_time deadline)
{
    thr_result result;
    shared->inside--;
    if (shared->kind->depth != 0)
        result =
            deadline == THR_FOREVER
                ? thr_condition_wait_for_rlock(&shared->condition, &shared->rlock, state_is_4, shared)
                : thr_condition_wait_for_rlock_until(&shared->condition, &shared->rlock, state_is_4, shared, deadline);
    else
        result = deadline == THR_FOREVER
                     ? thr_condition_wait_for(&shared->condition, &shared->lock, state_is_4, shared)
                     : thr_condition_wait_for_until(&shared->condition, &shared->lock, state_is_4, shared, deadline);
    check_held(shared);
    return result;
}

static void each_kind(void (*body)(struct shared *shared))
{
    static char name[128];
    for (int hooked = 0; hooked < 2; hooked++) {
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
            struct shared shared = {.kind = &kinds[i]};
            (void)snprintf(name, sizeof name, "(%s%s)", kinds[i].name, hooked ? ", steered" : "");
            support_case(name);
            thr__hooked = hooked;
            body(&shared);
            thr__hooked = 0;
            CHECK_EQUAL(thr_condition_notify_all(&shared.condition), 0);
            CHECK(!thr_lock_locked(&shared.lock));
            CHECK(!thr_rlock_locked(&shared.rlock));
        }
    }
    support_case(NULL);
}

/* A thread that waits once. */
struct waiter {
    struct shared *shared;
    thr_time deadline;
    thr_result result;
    struct support_count go; /* it waits for this first */
    struct support_count done;
    struct support_thread *thread;
};

static void waiter_run(void *arg)
{
    struct waiter *waiter = arg;
    support_count_wait(&waiter->go, 1);
    acquire(waiter->shared);
    waiter->result = wait_until(waiter->shared, waiter->deadline);
    release(waiter->shared);
    support_count_add(&waiter->done);
}

/* Starts waiters, each when the one before is blocked. */
static void start(struct waiter *waiters, unsigned n, struct shared *shared)
{
    for (unsigned i = 0; i < n; i++) {
        waiters[i] = (struct waiter){.shared = shared, .deadline = THR_FOREVER, .go = {1}};
        waiters[i].thread = support_thread_start(waiter_run, &waiters[i]);
        support_wait_thread_blocked(waiters[i].thread, &shared->condition);
    }
}

static void finish(struct waiter *waiters, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        support_thread_join(waiters[i].thread);
        CHECK_OK(waiters[i].result);
    }
}

static void check_none_done(struct waiter *waiters, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        CHECK_EQUAL(support_count_get(&waiters[i].done), 0);
}

static size_t notify(struct shared *shared, size_t n, bool with_lock)
{
    if (with_lock)
        acquire(shared);
    size_t woken = thr_condition_notify(&shared->condition, n);
    if (with_lock)
        release(shared);
    return woken;
}

/* -- CPython: ConditionTests --------------------------------------------------------------------------------------- */

/* CPython: test_acquire. The lock is the caller's own affair; the condition takes it for the wait only. */
static void lock_is_apart(struct shared *shared)
{
    acquire(shared);
    CHECK_EQUAL(thr_condition_notify_all(&shared->condition), 0);
    CHECK_RESULT(wait_until(shared, 0), THR_TIMEOUT);
    release(shared);
    acquire(shared);
    release(shared);
}

/* CPython: test_unacquired_wait. */
static void wait_without_the_lock(struct shared *shared)
{
    const struct shared before = *shared;
    shared->state = 4;
    for (int i = 0; i < 2; i++) {
        support_errno_set();
        CHECK_RESULT(thr_condition_wait(&shared->condition, &shared->lock), THR_NOT_LOCKED);
        CHECK_RESULT(thr_condition_wait_until(&shared->condition, &shared->lock, support_limit()), THR_NOT_LOCKED);
        CHECK_RESULT(thr_condition_wait_until(&shared->condition, &shared->lock, 0), THR_NOT_LOCKED);
        CHECK_RESULT(thr_condition_wait_for(&shared->condition, &shared->lock, state_is_4, shared), THR_NOT_LOCKED);
        CHECK_RESULT(thr_condition_wait_for_until(&shared->condition, &shared->lock, state_is_4, shared, 0),
                     THR_NOT_LOCKED);
        CHECK_RESULT(thr_condition_wait_rlock(&shared->condition, &shared->rlock), THR_NOT_LOCKED);
        CHECK_RESULT(thr_condition_wait_rlock_until(&shared->condition, &shared->rlock, support_limit()),
                     THR_NOT_LOCKED);
        CHECK_RESULT(thr_condition_wait_rlock_until(&shared->condition, &shared->rlock, 0), THR_NOT_LOCKED);
        CHECK_RESULT(thr_condition_wait_for_rlock(&shared->condition, &shared->rlock, state_is_4, shared),
                     THR_NOT_LOCKED);
        CHECK_RESULT(thr_condition_wait_for_rlock_until(&shared->condition, &shared->rlock, state_is_4, shared, 0),
                     THR_NOT_LOCKED);
        CHECK_ERRNO();
    }
    shared->state = 0;
    CHECK(memcmp(&before, shared, sizeof before) == 0); /* no predicate was called, either */
}

static void wait_with_a_strangers_rlock(void *arg)
{
    struct shared *shared = arg;
    support_errno_set();
    CHECK_RESULT(thr_condition_wait_rlock(&shared->condition, &shared->rlock), THR_NOT_OWNER);
    CHECK_RESULT(thr_condition_wait_rlock_until(&shared->condition, &shared->rlock, 0), THR_NOT_OWNER);
    CHECK_RESULT(thr_condition_wait_for_rlock(&shared->condition, &shared->rlock, state_is_4, shared), THR_NOT_OWNER);
    CHECK_RESULT(thr_condition_wait_for_rlock_until(&shared->condition, &shared->rlock, state_is_4, shared, 0),
                 THR_NOT_OWNER);
    CHECK_ERRNO();
}

static void test_wait_with_a_strangers_rlock(void **state)
{
    (void)state;
    struct shared shared = {.kind = &kinds[2]};
    acquire(&shared);
    const struct shared before = shared;
    struct support_thread *thread = support_thread_start(wait_with_a_strangers_rlock, &shared);
    support_thread_join(thread);
    CHECK(memcmp(&before, &shared, sizeof before) == 0);
    CHECK_EQUAL(thr_rlock_depth(&shared.rlock), 3);
    release(&shared);
}

/* CPython: test_unacquired_notify raises; here a notify needs no lock. */
static void notify_without_the_lock(struct shared *shared)
{
    struct waiter waiters[3];
    CHECK_EQUAL(notify(shared, 1, false), 0);
    CHECK_EQUAL(thr_condition_notify_all(&shared->condition), 0);
    start(waiters, 3, shared);
    CHECK_EQUAL(notify(shared, 1, false), 1);
    finish(waiters, 1);
    check_none_done(waiters + 1, 2);
    CHECK_EQUAL(thr_condition_notify_all(&shared->condition), 2);
    finish(waiters + 1, 2);
}

/* CPython: test_notify. Five threads wait twice: 3 are notified, then 5 more, in whichever wait they are, then all. */
struct phases {
    struct shared *shared;
    int phase;
    int first[3];  /* how many came out of their first wait in this phase */
    int second[3]; /* and of their second */
    struct support_count waits;
    struct support_count out;
};

static void wait_twice(void *arg)
{
    struct phases *phases = arg;
    for (int i = 0; i < 2; i++) {
        acquire(phases->shared);
        CHECK_OK(wait_until(phases->shared, THR_FOREVER));
        (i == 0 ? phases->first : phases->second)[phases->phase]++;
        support_count_add(&phases->out);
        release(phases->shared);
    }
}

static void notify_phase(struct phases *phases, int phase, size_t n, size_t expected)
{
    acquire(phases->shared);
    CHECK_EQUAL(thr_condition_notify(&phases->shared->condition, n), expected);
    phases->phase = phase;
    release(phases->shared);
}

static void check_phases(struct shared *shared)
{
    enum { N = 5, SOME = 3 };
    struct phases phases = {.shared = shared};
    struct support_bunch bunch;
    support_bunch_start(&bunch, N, wait_twice, &phases);
    support_wait_blocked(&shared->condition, N);
    notify_phase(&phases, 0, SOME, SOME);
    support_count_wait(&phases.out, SOME);
    /* Those three wait for the second time when all five are blocked again, behind the other two. */
    support_wait_blocked(&shared->condition, N);
    acquire(shared);
    CHECK_EQUAL(phases.first[0], SOME);
    CHECK_EQUAL(phases.second[0], 0);
    release(shared);
    notify_phase(&phases, 1, N, N);
    support_count_wait(&phases.out, SOME + N);
    support_wait_blocked(&shared->condition, N - SOME);
    acquire(shared);
    CHECK_EQUAL(phases.first[1], N - SOME);
    CHECK_EQUAL(phases.second[1], SOME);
    release(shared);
    notify_phase(&phases, 2, SIZE_MAX, N - SOME);
    support_bunch_join(&bunch);
    CHECK_EQUAL(phases.first[2], 0);
    CHECK_EQUAL(phases.second[2], N - SOME);
}

static void notify_in_phases(struct shared *shared)
{
    check_phases(shared);
    check_phases(shared); /* once more: the condition is as it was */
}

static void time_out(void *arg)
{
    struct shared *shared = arg;
    acquire(shared);
    thr_time deadline = thr_after(0.02);
    CHECK_RESULT(wait_until(shared, deadline), THR_TIMEOUT);
    CHECK_PASSED(deadline);
    release(shared);
}

/* CPython: test_timeout. */
static void timeout(struct shared *shared)
{
    enum { N = 5 };
    struct support_bunch bunch;
    support_bunch_start(&bunch, N, time_out, shared);
    support_bunch_join(&bunch);
    struct waiter waiters[2];
    start(waiters, 2, shared);
    CHECK_EQUAL(notify(shared, 5, true), 2);
    finish(waiters, 2);
}

static void wait_for_state(void *arg)
{
    struct shared *shared = arg;
    acquire(shared);
    CHECK_OK(wait_for_4(shared, THR_FOREVER));
    CHECK_EQUAL(shared->state, 4);
    release(shared);
}

/* CPython: test_waitfor. */
static void wait_for_predicate(struct shared *shared)
{
    struct support_thread *thread = support_thread_start(wait_for_state, shared);
    for (uint32_t i = 1; i <= 4; i++) {
        support_count_wait(&shared->predicates, i);
        support_wait_blocked(&shared->condition, 1); /* it has looked, and waits */
        CHECK_EQUAL(support_count_get(&shared->predicates), i);
        acquire(shared);
        shared->state++;
        CHECK_EQUAL(thr_condition_notify(&shared->condition, 1), 1);
        release(shared);
    }
    support_thread_join(thread);
    CHECK_EQUAL(support_count_get(&shared->predicates), 5);
}

static void wait_for_in_vain(void *arg)
{
    struct shared *shared = arg;
    acquire(shared);
    thr_time deadline = thr_after(0.05);
    CHECK_RESULT(wait_for_4(shared, deadline), THR_TIMEOUT);
    CHECK_PASSED(deadline);
    release(shared);
}

/* CPython: test_waitfor_timeout. Notifies do not prolong the wait, nor shorten it. */
static void wait_for_timeout(struct shared *shared)
{
    struct support_thread *thread = support_thread_start(wait_for_in_vain, shared);
    for (int i = 0; i < 3; i++) {
        acquire(shared);
        shared->state = i;
        (void)thr_condition_notify(&shared->condition, 1);
        release(shared);
    }
    support_thread_join(thread);
    CHECK(support_count_get(&shared->predicates) >= 2); /* before the wait, and after it */
}

/* -- wait_for, ours ------------------------------------------------------------------------------------------------ */

static void wait_for_what_is_true(struct shared *shared)
{
    const thr_time deadlines[] = {THR_FOREVER, support_limit(), 0, -1};
    shared->state = 4;
    for (uint32_t i = 0; i < sizeof deadlines / sizeof *deadlines; i++) {
        acquire(shared);
        CHECK_OK(wait_for_4(shared, deadlines[i]));
        CHECK_EQUAL(support_count_get(&shared->predicates), i + 1);
        release(shared);
    }
}

static void wait_for_with_a_past_deadline(struct shared *shared)
{
    acquire(shared);
    CHECK_RESULT(wait_for_4(shared, 0), THR_TIMEOUT);
    CHECK_RESULT(wait_for_4(shared, thr_now()), THR_TIMEOUT);
    release(shared);
}

static void wait_for_late_state(void *arg)
{
    struct shared *shared = arg;
    acquire(shared);
    CHECK_OK(wait_for_4(shared, thr_after(1.0)));
    release(shared);
}

/* The predicate is asked once more after the deadline: it has become true, though nobody notified. */
static void wait_for_looks_after_the_deadline(struct shared *shared)
{
    support_clock_stop();
    struct support_thread *thread = support_thread_start(wait_for_late_state, shared);
    support_wait_blocked(&shared->condition, 1);
    acquire(shared);
    shared->state = 4;
    release(shared);
    support_clock_advance(1.0);
    support_thread_join(thread);
    support_clock_go();
}

/* -- Whom a notify wakes ------------------------------------------------------------------------------------------- */

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

/* -- The lock ------------------------------------------------------------------------------------------------------ */

/* A wait gives all levels up, and has all back however it ends. (acquire, release and wait_until check that.) */
static void wait_gives_the_lock_up(struct shared *shared)
{
    struct waiter waiter;
    start(&waiter, 1, shared);
    acquire(shared);
    check_none_done(&waiter, 1);
    CHECK_EQUAL(thr_condition_notify(&shared->condition, 1), 1);
    support_wait_blocked(&shared->condition, 1); /* it waits for the lock now */
    check_none_done(&waiter, 1);
    release(shared);
    finish(&waiter, 1);
}

/* A notify came in time, the lock came late: that is no timeout. */
static void notified_in_time(struct shared *shared)
{
    struct waiter waiter = {.shared = shared, .go = {1}};
    support_clock_stop();
    waiter.deadline = thr_after(1.0);
    waiter.thread = support_thread_start(waiter_run, &waiter);
    support_wait_blocked(&shared->condition, 1);
    acquire(shared);
    CHECK_EQUAL(thr_condition_notify(&shared->condition, 1), 1);
    support_stop(SUPPORT_AFTER_SLEEP, &shared->condition, waiter.thread);
    support_clock_advance(1.0);
    support_wait_stopped(SUPPORT_AFTER_SLEEP, 1); /* its time is up, or it was woken */
    support_go(SUPPORT_AFTER_SLEEP);
    check_none_done(&waiter, 1);
    release(shared);
    finish(&waiter, 1);
    support_clock_go();
}

/* The time is up while another thread holds the lock: the wait returns with the lock, so later. */
static void timed_out_waits_for_the_lock(struct shared *shared)
{
    const void *lock = shared->kind->depth == 0 ? (const void *)&shared->lock : &shared->rlock;
    struct waiter waiter = {.shared = shared, .go = {1}};
    support_clock_stop();
    waiter.deadline = thr_after(1.0);
    waiter.thread = support_thread_start(waiter_run, &waiter);
    support_wait_blocked(&shared->condition, 1);
    acquire(shared);
    support_clock_advance(1.0);
    support_wait_blocked(lock, 1);
    check_none_done(&waiter, 1);
    CHECK_EQUAL(thr_condition_notify(&shared->condition, 1), 0); /* it waits no more */
    release(shared);
    support_thread_join(waiter.thread);
    CHECK_RESULT(waiter.result, THR_TIMEOUT);
    support_clock_go();
}

/* The same for one that was interrupted; nothing interrupts its way to the lock. */
static bool interrupt(void *arg)
{
    support_count_add(arg);
    return true;
}

struct interrupted {
    struct shared *shared;
    struct support_pester signals;
    struct support_count interrupts;
};

static void wait_interrupted(void *arg)
{
    struct interrupted *interrupted = arg;
    support_pester_start(&interrupted->signals, NULL, NULL);
    acquire(interrupted->shared);
    support_record()->interrupt = interrupt;
    support_record()->interrupt_arg = &interrupted->interrupts;
    CHECK_RESULT(wait_until(interrupted->shared, THR_FOREVER), THR_INTERRUPTED);
    support_record()->interrupt = NULL;
    release(interrupted->shared);
    support_pester_stop(&interrupted->signals);
}

static void interrupted_waits_for_the_lock(struct shared *shared)
{
    const void *lock = shared->kind->depth == 0 ? (const void *)&shared->lock : &shared->rlock;
    struct interrupted interrupted = {.shared = shared};
    acquire(shared);
    struct support_thread *thread = support_thread_start(wait_interrupted, &interrupted);
    support_wait_blocked(lock, 1); /* first it waits for the lock */
    support_stop(SUPPORT_BEFORE_SLEEP, &shared->condition, thread);
    release(shared);
    support_wait_stopped(SUPPORT_BEFORE_SLEEP, 1); /* then for the condition */
    acquire(shared);
    support_go(SUPPORT_BEFORE_SLEEP);
    support_count_wait(&interrupted.interrupts, 1);
    support_wait_blocked(lock, 1); /* then for the lock again, whatever signals come */
    support_count_wait(&interrupted.signals.handled, support_count_get(&interrupted.signals.handled) + 20);
    CHECK_EQUAL(support_count_get(&interrupted.interrupts), 1);
    CHECK_EQUAL(thr_condition_notify(&shared->condition, 1), 0);
    release(shared);
    support_thread_join(thread);
}

/* Notified waiters and threads that want the lock anyway, all at once: the lock comes to each in the end. */
static void take_lock(void *arg)
{
    struct waiter *waiter = arg;
    acquire(waiter->shared);
    release(waiter->shared);
    support_count_add(&waiter->done);
}

static void waiters_and_lockers(struct shared *shared)
{
    enum { WAIT = 4, LOCK = 3 };
    const void *lock = shared->kind->depth == 0 ? (const void *)&shared->lock : &shared->rlock;
    for (unsigned n = 1; n <= WAIT; n++) {
        struct waiter waiters[WAIT];
        struct waiter lockers[LOCK];
        start(waiters, WAIT, shared);
        acquire(shared);
        for (unsigned i = 0; i < LOCK; i++) {
            lockers[i] = (struct waiter){.shared = shared};
            lockers[i].thread = support_thread_start(take_lock, &lockers[i]);
            if (i == 0)
                support_wait_blocked(lock, 1);
        }
        CHECK_EQUAL(thr_condition_notify(&shared->condition, n), n);
        support_wait_blocked(lock, LOCK);
        check_none_done(lockers, LOCK);
        check_none_done(waiters, WAIT);
        release(shared);
        finish(lockers, LOCK);
        finish(waiters, n);
        check_none_done(waiters + n, WAIT - n);
        CHECK_EQUAL(notify(shared, SIZE_MAX, true), WAIT - n);
        finish(waiters + n, WAIT - n);
    }
}

/* The first that was let go is slow on its way to the lock; others take and release it meanwhile; then all get it. */
static void slow_on_the_way_to_the_lock(struct shared *shared)
{
    enum { WAIT = 3 };
    struct waiter waiters[WAIT];
    struct waiter locker = {.shared = shared};
    start(waiters, WAIT, shared);
    acquire(shared);
    locker.thread = support_thread_start(take_lock, &locker);
    support_wait_blocked(shared->kind->depth == 0 ? (const void *)&shared->lock : &shared->rlock, 1);
    support_stop(SUPPORT_AFTER_SLEEP, &shared->condition, NULL);
    CHECK_EQUAL(thr_condition_notify_all(&shared->condition), WAIT);
    release(shared);
    support_wait_stopped(SUPPORT_AFTER_SLEEP, 1);
    for (int i = 0; i < 3; i++) {
        acquire(shared);
        release(shared);
    }
    support_go(SUPPORT_AFTER_SLEEP);
    finish(waiters, WAIT);
    finish(&locker, 1);
}

/* What was written before the notify is read after the wait, also when nobody holds the lock around the notify. */
struct message {
    struct shared *shared;
    int text;
};

static void read_message(void *arg)
{
    struct message *message = arg;
    acquire(message->shared);
    CHECK_OK(wait_until(message->shared, THR_FOREVER));
    CHECK_EQUAL(message->text, 42);
    release(message->shared);
}

static void notify_publishes(struct shared *shared)
{
    for (int i = 0; i < 20; i++) {
        struct message message = {.shared = shared};
        struct support_thread *thread = support_thread_start(read_message, &message);
        support_wait_blocked(&shared->condition, 1);
        message.text = 42;
        CHECK_EQUAL(notify(shared, 1, i % 2), 1);
        support_thread_join(thread);
    }
}

/* -- Several locks, several conditions ----------------------------------------------------------------------------- */

struct apart {
    thr_condition *condition;
    thr_lock *lock;
    struct support_count *done;
    unsigned *inside;
};

static void wait_apart(void *arg)
{
    struct apart *apart = arg;
    CHECK_OK(thr_lock_acquire(apart->lock));
    CHECK_OK(thr_condition_wait(apart->condition, apart->lock));
    CHECK_EQUAL((*apart->inside)++, 0);
    CHECK(thr_lock_locked(apart->lock));
    --*apart->inside;
    CHECK_OK(thr_lock_release(apart->lock));
    support_count_add(apart->done);
}

/* One notify for waiters with three locks: `held` of them (a set) are held by the notifier. */
static void check_several_locks(unsigned held, bool release_backwards)
{
    enum { LOCKS = 3, N = 7 };
    thr_condition condition = THR_CONDITION_INIT;
    thr_lock locks[LOCKS] = {THR_LOCK_INIT, THR_LOCK_INIT, THR_LOCK_INIT};
    unsigned inside[LOCKS] = {0};
    struct apart aparts[N];
    struct support_thread *threads[N];
    struct support_count done = {0};
    for (unsigned i = 0; i < N; i++) {
        unsigned k = i * 5 % LOCKS;
        aparts[i] = (struct apart){&condition, &locks[k], &done, &inside[k]};
        threads[i] = support_thread_start(wait_apart, &aparts[i]);
        support_wait_blocked(&condition, i + 1);
    }
    for (unsigned k = 0; k < LOCKS; k++)
        if (held >> k & 1)
            CHECK_OK(thr_lock_acquire(&locks[k]));
    CHECK_EQUAL(thr_condition_notify_all(&condition), N);
    for (unsigned k = 0; k < LOCKS; k++) {
        unsigned which = release_backwards ? LOCKS - 1 - k : k;
        if (held >> which & 1)
            CHECK_OK(thr_lock_release(&locks[which]));
    }
    for (unsigned i = 0; i < N; i++)
        support_thread_join(threads[i]);
    CHECK_EQUAL(support_count_get(&done), N);
}

static void test_several_locks(void **state)
{
    (void)state;
    for (unsigned held = 0; held < 8; held++) {
        check_several_locks(held, false);
        check_several_locks(held, true);
    }
}

/* Two conditions with one lock: the notifies of both pile up while it is held. */
static void test_several_conditions(void **state)
{
    (void)state;
    enum { N = 8 };
    for (int order = 0; order < 4; order++) {
        thr_condition conditions[2] = {THR_CONDITION_INIT, THR_CONDITION_INIT};
        thr_lock lock = THR_LOCK_INIT;
        unsigned inside = 0;
        struct apart aparts[N];
        struct support_thread *threads[N];
        struct support_count done = {0};
        for (unsigned i = 0; i < N; i++) {
            aparts[i] = (struct apart){&conditions[i % 2], &lock, &done, &inside};
            threads[i] = support_thread_start(wait_apart, &aparts[i]);
            support_wait_blocked(&conditions[i % 2], i / 2 + 1);
        }
        CHECK_OK(thr_lock_acquire(&lock));
        CHECK_EQUAL(thr_condition_notify(&conditions[order & 1], 2), 2);
        CHECK_EQUAL(thr_condition_notify(&conditions[!(order & 1)], order & 2 ? 1 : 2), order & 2 ? 1 : 2);
        CHECK_EQUAL(support_count_get(&done), 0);
        CHECK_OK(thr_lock_release(&lock));
        uint32_t woken = order & 2 ? 3 : 4;
        support_count_wait(&done, woken);
        support_wait_blocked(&conditions[order & 1], 2);
        CHECK_EQUAL(support_count_get(&done), woken);
        CHECK_EQUAL(thr_condition_notify_all(&conditions[0]) + thr_condition_notify_all(&conditions[1]), N - woken);
        for (unsigned i = 0; i < N; i++)
            support_thread_join(threads[i]);
    }
}

/* A plain lock has no owner: another thread may release it after the notify, and it may be taken for the waiter's own. */
static void release_lock(void *lock)
{
    CHECK_OK(thr_lock_release(lock));
}

static void test_another_thread_releases_the_lock(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) {
        struct shared shared = {.kind = &kinds[0]};
        struct waiter waiters[3];
        start(waiters, 3, &shared);
        CHECK_OK(thr_lock_acquire(&shared.lock));
        CHECK_EQUAL(thr_condition_notify(&shared.condition, 2), 2);
        struct support_thread *thread = support_thread_start(release_lock, &shared.lock);
        support_thread_join(thread);
        finish(waiters, 2);
        check_none_done(waiters + 2, 1);
        CHECK_EQUAL(notify(&shared, 1, i % 2), 1);
        finish(waiters + 2, 1);
        CHECK(!thr_lock_locked(&shared.lock));
    }
}

static void wait_with_their_lock(void *arg)
{
    struct shared *shared = arg;
    CHECK_OK(thr_condition_wait(&shared->condition, &shared->lock));
    CHECK(thr_lock_locked(&shared->lock));
    CHECK_OK(thr_lock_release(&shared->lock));
}

static void test_wait_with_a_lock_taken_by_another(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct shared shared = {.kind = &kinds[0]};
        CHECK_OK(thr_lock_acquire(&shared.lock));
        struct support_thread *thread = support_thread_start(wait_with_their_lock, &shared);
        support_wait_blocked(&shared.condition, 1);
        CHECK(!thr_lock_locked(&shared.lock));
        CHECK_EQUAL(notify(&shared, 1, i % 2), 1);
        support_thread_join(thread);
        CHECK(!thr_lock_locked(&shared.lock));
    }
}

/* Notified at a depth of 3 by a thread that holds the same rlock at a depth of 2: only its outermost release lets go. */
static void test_notify_at_a_depth(void **state)
{
    (void)state;
    struct shared shared = {.kind = &kinds[2]};
    struct waiter waiters[2];
    start(waiters, 2, &shared);
    CHECK_OK(thr_rlock_acquire(&shared.rlock));
    CHECK_OK(thr_rlock_acquire(&shared.rlock));
    CHECK_EQUAL(thr_condition_notify_all(&shared.condition), 2);
    CHECK_OK(thr_rlock_release(&shared.rlock));
    CHECK_EQUAL(thr_rlock_depth(&shared.rlock), 1);
    check_none_done(waiters, 2);
    support_wait_blocked(&shared.condition, 2);
    CHECK_OK(thr_rlock_release(&shared.rlock));
    finish(waiters, 2);
}

static void test_zeroed(void **state)
{
    (void)state;
    struct shared *shared = support_page_new();
    struct waiter waiters[2];
    shared->kind = &kinds[0];
    start(waiters, 2, shared);
    CHECK_EQUAL(notify(shared, 2, true), 2);
    finish(waiters, 2);
    support_page_free(shared);
}

#define EACH_KIND(name)                                                                                                \
    static void test_##name(void **state)                                                                              \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        each_kind(name);                                                                                               \
    }

EACH_KIND(lock_is_apart)
EACH_KIND(wait_without_the_lock)
EACH_KIND(notify_without_the_lock)
EACH_KIND(notify_in_phases)
EACH_KIND(timeout)
EACH_KIND(wait_for_predicate)
EACH_KIND(wait_for_timeout)
EACH_KIND(wait_for_what_is_true)
EACH_KIND(wait_for_with_a_past_deadline)
EACH_KIND(wait_for_looks_after_the_deadline)
EACH_KIND(notify_wakes_the_oldest)
EACH_KIND(notify_by_notify)
EACH_KIND(notifies_add_up)
EACH_KIND(late_comer_steals_nothing)
EACH_KIND(timed_out_waiter_eats_nothing)
EACH_KIND(giving_up_keeps_the_order)
EACH_KIND(wait_gives_the_lock_up)
EACH_KIND(notified_in_time)
EACH_KIND(timed_out_waits_for_the_lock)
EACH_KIND(interrupted_waits_for_the_lock)
EACH_KIND(waiters_and_lockers)
EACH_KIND(slow_on_the_way_to_the_lock)
EACH_KIND(notify_publishes)

SUPPORT_MAIN(cmocka_unit_test(test_lock_is_apart), cmocka_unit_test(test_wait_without_the_lock),
             cmocka_unit_test(test_wait_with_a_strangers_rlock), cmocka_unit_test(test_notify_without_the_lock),
             cmocka_unit_test(test_notify_in_phases), cmocka_unit_test(test_timeout),
             cmocka_unit_test(test_wait_for_predicate), cmocka_unit_test(test_wait_for_timeout),
             cmocka_unit_test(test_wait_for_what_is_true), cmocka_unit_test(test_wait_for_with_a_past_deadline),
             cmocka_unit_test(test_wait_for_looks_after_the_deadline), cmocka_unit_test(test_notify_wakes_the_oldest),
             cmocka_unit_test(test_notify_by_notify), cmocka_unit_test(test_notifies_add_up),
             cmocka_unit_test(test_late_comer_steals_nothing), cmocka_unit_test(test_timed_out_waiter_eats_nothing),
             cmocka_unit_test(test_giving_up_keeps_the_order), cmocka_unit_test(test_wait_gives_the_lock_up),
             cmocka_unit_test(test_notified_in_time), cmocka_unit_test(test_timed_out_waits_for_the_lock),
             cmocka_unit_test(test_interrupted_waits_for_the_lock), cmocka_unit_test(test_waiters_and_lockers),
             cmocka_unit_test(test_slow_on_the_way_to_the_lock), cmocka_unit_test(test_notify_publishes),
             cmocka_unit_test(test_several_locks), cmocka_unit_test(test_several_conditions),
             cmocka_unit_test(test_another_thread_releases_the_lock),
             cmocka_unit_test(test_wait_with_a_lock_taken_by_another), cmocka_unit_test(test_notify_at_a_depth),
             cmocka_unit_test(test_zeroed))
