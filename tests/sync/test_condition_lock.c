/* test_condition_lock.c - a wait, and the lock that it gives up and takes again; several of both. */

#include "conditions.h"

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

EACH_KIND(wait_gives_the_lock_up)
EACH_KIND(notified_in_time)
EACH_KIND(timed_out_waits_for_the_lock)
EACH_KIND(interrupted_waits_for_the_lock)
EACH_KIND(waiters_and_lockers)
EACH_KIND(slow_on_the_way_to_the_lock)
EACH_KIND(notify_publishes)

SUPPORT_MAIN(cmocka_unit_test(test_wait_gives_the_lock_up), cmocka_unit_test(test_notified_in_time),
             cmocka_unit_test(test_timed_out_waits_for_the_lock), cmocka_unit_test(test_interrupted_waits_for_the_lock),
             cmocka_unit_test(test_waiters_and_lockers), cmocka_unit_test(test_slow_on_the_way_to_the_lock),
             cmocka_unit_test(test_notify_publishes), cmocka_unit_test(test_several_locks),
             cmocka_unit_test(test_several_conditions), cmocka_unit_test(test_another_thread_releases_the_lock),
             cmocka_unit_test(test_wait_with_a_lock_taken_by_another), cmocka_unit_test(test_notify_at_a_depth),
             cmocka_unit_test(test_zeroed))
