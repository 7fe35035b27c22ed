/* test_condition.c - wait and notify: what CPython asserts, and the wait for a predicate. Whom a notify wakes is in
 * test_condition_notify.c, what becomes of the lock in test_condition_lock.c; how a condition blocks is in test_blocking.c
 * too. */

#include "conditions.h"

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

SUPPORT_MAIN(cmocka_unit_test(test_lock_is_apart), cmocka_unit_test(test_wait_without_the_lock),
             cmocka_unit_test(test_wait_with_a_strangers_rlock), cmocka_unit_test(test_notify_without_the_lock),
             cmocka_unit_test(test_notify_in_phases), cmocka_unit_test(test_timeout),
             cmocka_unit_test(test_wait_for_predicate), cmocka_unit_test(test_wait_for_timeout),
             cmocka_unit_test(test_wait_for_what_is_true), cmocka_unit_test(test_wait_for_with_a_past_deadline),
             cmocka_unit_test(test_wait_for_looks_after_the_deadline))
