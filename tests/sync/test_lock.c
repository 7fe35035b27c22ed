/* test_lock.c - what is the plain lock's own. What it has in common with other locks is in test_locking.c, how it blocks
 * in test_blocking.c. */

#include "support/support.h"

#include <string.h>

/* -- CPython: LockTests -------------------------------------------------------------------------------------------- */

struct phase {
    thr_lock lock;
    struct support_count reached;
};

static void acquire_twice(void *arg)
{
    struct phase *phase = arg;
    CHECK_OK(thr_lock_acquire(&phase->lock));
    support_count_add(&phase->reached);
    CHECK_OK(thr_lock_acquire(&phase->lock));
    support_count_add(&phase->reached);
}

/* CPython: test_reacquire. The second acquire of the same thread waits for a release by another. */
static void test_reacquire(void **state)
{
    (void)state;
    struct phase phase = {0};
    struct support_thread *thread = support_thread_start(acquire_twice, &phase);
    support_wait_blocked(&phase.lock, 1);
    CHECK_EQUAL(support_count_get(&phase.reached), 1);
    CHECK_OK(thr_lock_release(&phase.lock));
    support_count_wait(&phase.reached, 2);
    support_thread_join(thread);
    CHECK(thr_lock_locked(&phase.lock));
    CHECK(!thr_lock_try_acquire(&phase.lock));
    CHECK_RESULT(thr_lock_acquire_until(&phase.lock, thr_after(0.005)), THR_TIMEOUT);
}

static void release(void *arg)
{
    CHECK_OK(thr_lock_release(arg));
}

/* CPython: test_different_thread. */
static void test_release_by_another_thread(void **state)
{
    (void)state;
    thr_lock lock = THR_LOCK_INIT;
    for (int i = 0; i < 4; i++) { /* threads with a number in the word, and without */
        CHECK_OK(thr_lock_acquire(&lock));
        struct support_thread *thread = support_thread_start(release, &lock);
        support_thread_join(thread);
        CHECK(!thr_lock_locked(&lock));
    }
    CHECK(thr_lock_try_acquire(&lock));
    CHECK_OK(thr_lock_release(&lock));
}

/* CPython: test_state_after_timeout (bpo-11618). */
static void test_state_after_timeout(void **state)
{
    (void)state;
    thr_lock lock = THR_LOCK_INIT;
    CHECK_OK(thr_lock_acquire(&lock));
    CHECK_RESULT(thr_lock_acquire_until(&lock, thr_after(0.01)), THR_TIMEOUT);
    CHECK_OK(thr_lock_release(&lock));
    CHECK(!thr_lock_locked(&lock));
    CHECK(thr_lock_try_acquire(&lock));
}

/* -- Misuse -------------------------------------------------------------------------------------------------------- */

static void test_release_of_a_free_lock(void **state)
{
    (void)state;
    thr_lock lock = THR_LOCK_INIT;
    for (int i = 0; i < 3; i++) {
        const thr_lock before = lock;
        support_errno_set();
        CHECK_RESULT(thr_lock_release(&lock), THR_NOT_LOCKED);
        CHECK_ERRNO();
        CHECK(memcmp(&before, &lock, sizeof lock) == 0);
        CHECK(!thr_lock_locked(&lock));
        CHECK_OK(thr_lock_acquire(&lock));
        CHECK_OK(thr_lock_release(&lock));
    }
}

/* A thread that has no number yet takes its first lock out of line, and so does one that is steered. */
static void test_out_of_line(void **state)
{
    (void)state;
    thr_lock lock = THR_LOCK_INIT;
    thr__me |= THR__ASK;
    CHECK(thr_lock_try_acquire(&lock));
    CHECK(!thr__asks(thr__me)); /* nobody steers: inline from now on */
    thr__me |= THR__ASK;
    CHECK(!thr_lock_try_acquire(&lock));
    CHECK_OK(thr_lock_release(&lock));
    CHECK_RESULT(thr_lock_release(&lock), THR_NOT_LOCKED);
    thr__me |= THR__ASK;
    CHECK_OK(thr_lock_acquire_until(&lock, 0)); /* it is free, so the deadline does not matter */
    CHECK_OK(thr_lock_release(&lock));
}

static void test_zeroed(void **state)
{
    (void)state;
    thr_lock *lock = support_page_new();
    const thr_lock made = THR_LOCK_INIT;
    CHECK(memcmp(lock, &made, sizeof made) == 0);
    CHECK(thr_lock_try_acquire(lock));
    CHECK_OK(thr_lock_release(lock));
    support_page_free(lock);
}

/* -- Nobody starves ------------------------------------------------------------------------------------------------ */

struct waiter {
    thr_lock *lock;
    thr_time deadline;
    thr_result result;
    struct support_count done;
};

static void wait_and_release(void *arg)
{
    struct waiter *waiter = arg;
    waiter->result = thr_lock_acquire_until(waiter->lock, waiter->deadline);
    if (waiter->result == THR_OK)
        CHECK_OK(thr_lock_release(waiter->lock));
    support_count_add(&waiter->done);
}

/* Starts a waiter on a lock that is held, and lets it lose against the caller after more than a millisecond. When this
 * returns the caller holds the lock, and the waiter, which knows that it starves, is stopped before its sleep. */
static struct support_thread *starve(struct waiter *waiter)
{
    struct support_thread *thread = support_thread_start(wait_and_release, waiter);
    support_wait_blocked(waiter->lock, 1);
    support_clock_advance(0.003);
    support_stop(SUPPORT_AFTER_SLEEP, waiter->lock, thread);
    CHECK_OK(thr_lock_release(waiter->lock));
    support_wait_stopped(SUPPORT_AFTER_SLEEP, 1); /* it has been woken, and is late: */
    CHECK(thr_lock_try_acquire(waiter->lock));    /* a free lock goes to whoever comes first */
    support_stop(SUPPORT_BEFORE_SLEEP, waiter->lock, thread);
    support_go(SUPPORT_AFTER_SLEEP);
    support_wait_stopped(SUPPORT_BEFORE_SLEEP, 1);
    return thread;
}

static void check_taken_and_left(thr_lock *lock)
{
    CHECK(thr_lock_try_acquire(lock));
    CHECK_OK(thr_lock_release(lock));
}

/* Who has waited for a millisecond is handed the lock: nobody overtakes it any more, however fast. */
static void test_starved_is_handed_the_lock(void **state)
{
    (void)state;
    thr_lock lock = THR_LOCK_INIT;
    struct waiter starved = {.lock = &lock, .deadline = THR_FOREVER};
    struct waiter later = {.lock = &lock, .deadline = THR_FOREVER};
    CHECK_OK(thr_lock_acquire(&lock));
    support_clock_stop();
    struct support_thread *first = starve(&starved);
    support_stop(SUPPORT_AFTER_SLEEP, &lock, first);
    CHECK_OK(thr_lock_release(&lock));
    for (int i = 0; i < 3; i++) {
        CHECK(!thr_lock_try_acquire(&lock));
        CHECK_RESULT(thr_lock_acquire_until(&lock, 0), THR_TIMEOUT);
        CHECK_RESULT(thr_lock_release(&lock), THR_NOT_LOCKED);
    }
    struct support_thread *second = support_thread_start(wait_and_release, &later);
    support_wait_blocked(&lock, 2);
    support_go(SUPPORT_BEFORE_SLEEP);
    support_wait_stopped(SUPPORT_AFTER_SLEEP, 1);
    CHECK(!thr_lock_try_acquire(&lock));
    CHECK_EQUAL(support_count_get(&later.done), 0);
    support_go(SUPPORT_AFTER_SLEEP);
    support_thread_join(first);
    support_thread_join(second);
    CHECK_OK(starved.result);
    CHECK_OK(later.result);
    check_taken_and_left(&lock);
}

/* Beside one that has slept for longer, without a chance to find out that it starves: the hand-over wakes the right one. */
static void test_hand_over_beside_an_older_sleeper(void **state)
{
    (void)state;
    thr_lock lock = THR_LOCK_INIT;
    struct waiter starved = {.lock = &lock, .deadline = THR_FOREVER};
    struct waiter older = {.lock = &lock, .deadline = THR_FOREVER};
    CHECK_OK(thr_lock_acquire(&lock));
    support_clock_stop();
    struct support_thread *first = starve(&starved);
    struct support_thread *second = support_thread_start(wait_and_release, &older);
    support_wait_blocked(&lock, 2); /* it sleeps, the first is still on its way to its second sleep */
    support_go(SUPPORT_BEFORE_SLEEP);
    support_wait_blocked(&lock, 2);
    CHECK_OK(thr_lock_release(&lock));
    support_thread_join(first);
    support_thread_join(second);
    CHECK_OK(starved.result);
    CHECK_OK(older.result);
    check_taken_and_left(&lock);
}

/* One that starves and gives up while the lock is held leaves no trace: who sleeps beside it gets the lock. */
static void test_starved_times_out(void **state)
{
    (void)state;
    thr_lock lock = THR_LOCK_INIT;
    struct waiter starved = {.lock = &lock};
    struct waiter other = {.lock = &lock, .deadline = THR_FOREVER};
    CHECK_OK(thr_lock_acquire(&lock));
    support_clock_stop();
    starved.deadline = thr_after(1.0);
    struct support_thread *first = starve(&starved);
    struct support_thread *second = support_thread_start(wait_and_release, &other);
    support_wait_blocked(&lock, 2);
    support_go(SUPPORT_BEFORE_SLEEP);
    support_clock_advance(1.0);
    support_thread_join(first);
    CHECK_RESULT(starved.result, THR_TIMEOUT);
    CHECK_OK(thr_lock_release(&lock));
    support_thread_join(second);
    CHECK_OK(other.result);
    check_taken_and_left(&lock);
}

/* One whose time is up just when it is handed the lock takes it, or leaves it to others; another one is asleep. */
static void test_starved_times_out_at_the_hand_over(void **state)
{
    (void)state;
    for (int others = 0; others < 2; others++) {
        thr_lock lock = THR_LOCK_INIT;
        struct waiter starved = {.lock = &lock};
        struct waiter other = {.lock = &lock, .deadline = THR_FOREVER};
        struct support_thread *second = NULL;
        CHECK_OK(thr_lock_acquire(&lock));
        support_clock_stop();
        starved.deadline = thr_after(1.0);
        struct support_thread *first = starve(&starved);
        support_stop(SUPPORT_AFTER_SLEEP, &lock, first);
        support_clock_advance(1.0);
        support_go(SUPPORT_BEFORE_SLEEP);
        support_wait_stopped(SUPPORT_AFTER_SLEEP, 1);
        if (others) {
            second = support_thread_start(wait_and_release, &other);
            support_wait_blocked(&lock, 1);
        }
        CHECK_OK(thr_lock_release(&lock));
        support_go(SUPPORT_AFTER_SLEEP);
        support_thread_join(first);
        CHECK(starved.result == THR_OK || starved.result == THR_TIMEOUT);
        if (second)
            support_thread_join(second);
        CHECK_OK(other.result);
        check_taken_and_left(&lock);
    }
}

/* Two that starve share one bit of the word. */
static void test_two_starved(void **state)
{
    (void)state;
    thr_lock lock = THR_LOCK_INIT;
    struct waiter waiters[2] = {{.lock = &lock, .deadline = THR_FOREVER}, {.lock = &lock, .deadline = THR_FOREVER}};
    CHECK_OK(thr_lock_acquire(&lock));
    support_clock_stop();
    struct support_thread *first = starve(&waiters[0]);
    support_go(SUPPORT_BEFORE_SLEEP);
    support_wait_blocked(&lock, 1);
    struct support_thread *second = support_thread_start(wait_and_release, &waiters[1]);
    support_wait_blocked(&lock, 2);
    support_clock_advance(0.003);
    support_stop(SUPPORT_AFTER_SLEEP, &lock, first);
    CHECK_OK(thr_lock_release(&lock));
    support_wait_stopped(SUPPORT_AFTER_SLEEP, 1);
    CHECK(!thr_lock_try_acquire(&lock));
    support_go(SUPPORT_AFTER_SLEEP);
    support_thread_join(first);
    support_thread_join(second);
    CHECK_OK(waiters[0].result);
    CHECK_OK(waiters[1].result);
    check_taken_and_left(&lock);
}

/* Two threads that want it all the time, for a few instructions: where there are two processors, they meet in every place
 * of the code, spinning included. */
struct counter {
    thr_lock lock;
    uint64_t turns; /* not atomic: the lock guards it */
    struct support_count here;
};

enum { BLOWS = 1000000 };

static void hammer(void *arg)
{
    struct counter *counter = arg;
    (void)support_stay_on((unsigned)support_index() % support_processors());
    support_count_add(&counter->here);
    support_count_wait(&counter->here, 2);
    for (int i = 0; i < BLOWS; i++) {
        CHECK_OK(thr_lock_acquire(&counter->lock));
        counter->turns++;
        CHECK_OK(thr_lock_release(&counter->lock));
    }
}

static void test_two_hammer(void **state)
{
    (void)state;
    struct counter counter = {0};
    struct support_bunch bunch;
    support_bunch_start(&bunch, 2, hammer, &counter);
    support_bunch_join(&bunch);
    CHECK_EQUAL(counter.turns, 2 * BLOWS);
    check_taken_and_left(&counter.lock);
}

/* A thread that takes the lock again and again, holding it nearly all the time, does not keep another one out. */
struct barging {
    thr_lock lock;
    uint32_t stop;
    struct support_count turns;
};

static void barge(void *arg)
{
    struct barging *barging = arg;
    while (!__atomic_load_n(&barging->stop, __ATOMIC_RELAXED)) {
        CHECK_OK(thr_lock_acquire(&barging->lock));
        for (int i = 0; i < 20000; i++)
            __asm__ volatile("");
        CHECK_OK(thr_lock_release(&barging->lock));
        support_count_add(&barging->turns);
    }
}

static void test_barging_starves_nobody(void **state)
{
    (void)state;
    struct barging barging = {0};
    struct support_bunch bunch;
    support_bunch_start(&bunch, 2, barge, &barging);
    support_count_wait(&barging.turns, 10);
    for (int i = 0; i < 20; i++) {
        CHECK_OK(thr_lock_acquire_until(&barging.lock, support_limit()));
        CHECK_OK(thr_lock_release(&barging.lock));
    }
    __atomic_store_n(&barging.stop, 1, __ATOMIC_RELAXED);
    support_bunch_join(&bunch);
}

SUPPORT_MAIN(cmocka_unit_test(test_reacquire), cmocka_unit_test(test_release_by_another_thread),
             cmocka_unit_test(test_state_after_timeout), cmocka_unit_test(test_release_of_a_free_lock),
             cmocka_unit_test(test_out_of_line), cmocka_unit_test(test_zeroed),
             cmocka_unit_test(test_starved_is_handed_the_lock), cmocka_unit_test(test_two_hammer),
             cmocka_unit_test(test_hand_over_beside_an_older_sleeper), cmocka_unit_test(test_starved_times_out),
             cmocka_unit_test(test_starved_times_out_at_the_hand_over), cmocka_unit_test(test_two_starved),
             cmocka_unit_test(test_barging_starves_nobody))
