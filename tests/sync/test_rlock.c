/* test_rlock.c - what is the rlock's own. What it has in common with other locks is in test_locking.c, how it blocks in
 * test_blocking.c, and how a condition gives it up in test_condition.c. */

#include "support/support.h"

#include <string.h>

/* CPython: RLockTests.test_reacquire. */
static void test_reacquire(void **state)
{
    (void)state;
    thr_rlock lock = THR_RLOCK_INIT;
    CHECK_OK(thr_rlock_acquire(&lock));
    CHECK_OK(thr_rlock_acquire(&lock));
    CHECK_OK(thr_rlock_release(&lock));
    CHECK_OK(thr_rlock_acquire(&lock));
    CHECK(thr_rlock_try_acquire(&lock));
    CHECK_OK(thr_rlock_acquire_until(&lock, 0));
    for (int i = 0; i < 4; i++) {
        CHECK(thr_rlock_locked(&lock));
        CHECK_OK(thr_rlock_release(&lock));
    }
    CHECK(!thr_rlock_locked(&lock));
}

static void check_unacquired(thr_rlock *lock)
{
    const thr_rlock before = *lock;
    support_errno_set();
    CHECK_RESULT(thr_rlock_release(lock), THR_NOT_LOCKED);
    CHECK_ERRNO();
    CHECK(memcmp(&before, lock, sizeof before) == 0);
    CHECK_EQUAL(thr_rlock_depth(lock), 0);
    CHECK(!thr_rlock_locked(lock));
}

/* CPython: RLockTests.test_release_unacquired. */
static void test_release_of_a_free_lock(void **state)
{
    (void)state;
    thr_rlock lock = THR_RLOCK_INIT;
    check_unacquired(&lock);
    CHECK_OK(thr_rlock_acquire(&lock));
    CHECK_OK(thr_rlock_acquire(&lock));
    CHECK_OK(thr_rlock_release(&lock));
    CHECK_OK(thr_rlock_acquire(&lock));
    CHECK_OK(thr_rlock_release(&lock));
    CHECK_OK(thr_rlock_release(&lock));
    check_unacquired(&lock);
}

/* CPython: RLockTests.test_release_save_unacquired: only a condition gives up all levels, and not those of a free lock. */
static void test_wait_with_a_free_lock(void **state)
{
    (void)state;
    thr_rlock lock = THR_RLOCK_INIT;
    thr_condition condition = THR_CONDITION_INIT;
    for (int i = 0; i < 2; i++) {
        CHECK_RESULT(thr_condition_wait_rlock(&condition, &lock), THR_NOT_LOCKED);
        CHECK_RESULT(thr_condition_wait_rlock_until(&condition, &lock, 0), THR_NOT_LOCKED);
        check_unacquired(&lock);
        CHECK_OK(thr_rlock_acquire(&lock));
        CHECK_OK(thr_rlock_acquire(&lock));
        CHECK_OK(thr_rlock_release(&lock));
        CHECK_OK(thr_rlock_release(&lock));
    }
}

struct owner {
    thr_rlock lock;
    struct support_count owned;
    struct support_count go;
    uint32_t depth;
};

/* Owns the lock, `depth` times, until it is told to go. */
static void own(void *arg)
{
    struct owner *owner = arg;
    for (uint32_t i = 0; i < owner->depth; i++)
        CHECK_OK(thr_rlock_acquire(&owner->lock));
    support_count_add(&owner->owned);
    support_count_wait(&owner->go, 1);
    CHECK_EQUAL(thr_rlock_depth(&owner->lock), owner->depth);
    for (uint32_t i = 0; i < owner->depth; i++)
        CHECK_OK(thr_rlock_release(&owner->lock));
}

/* CPython: RLockTests.test_recursion_count. */
static void test_depth(void **state)
{
    (void)state;
    struct owner owner = {.depth = 2};
    thr_rlock *lock = &owner.lock;
    CHECK_EQUAL(thr_rlock_depth(lock), 0);
    CHECK_OK(thr_rlock_acquire(lock));
    CHECK_EQUAL(thr_rlock_depth(lock), 1);
    CHECK_OK(thr_rlock_acquire(lock));
    CHECK(thr_rlock_try_acquire(lock));
    CHECK_EQUAL(thr_rlock_depth(lock), 3);
    CHECK_OK(thr_rlock_release(lock));
    CHECK_EQUAL(thr_rlock_depth(lock), 2);
    CHECK_OK(thr_rlock_release(lock));
    CHECK_OK(thr_rlock_release(lock));
    CHECK_EQUAL(thr_rlock_depth(lock), 0);

    struct support_thread *thread = support_thread_start(own, &owner);
    support_count_wait(&owner.owned, 1);
    CHECK_EQUAL(thr_rlock_depth(lock), 0); /* of the caller */
    support_count_add(&owner.go);
    support_thread_join(thread);
    CHECK_EQUAL(thr_rlock_depth(lock), 0);
}

/* CPython: RLockTests.test_different_thread. */
static void test_release_by_another_thread(void **state)
{
    (void)state;
    for (uint32_t depth = 1; depth <= 3; depth++) {
        struct owner owner = {.depth = depth};
        struct support_thread *thread = support_thread_start(own, &owner);
        support_count_wait(&owner.owned, 1);
        support_errno_set();
        for (int i = 0; i < 3; i++)
            CHECK_RESULT(thr_rlock_release(&owner.lock), THR_NOT_OWNER);
        CHECK(!thr_rlock_try_acquire(&owner.lock));
        CHECK_RESULT(thr_rlock_acquire_until(&owner.lock, thr_after(0.005)), THR_TIMEOUT);
        CHECK_RESULT(thr_rlock_release(&owner.lock), THR_NOT_OWNER);
        CHECK_ERRNO();
        CHECK(thr_rlock_locked(&owner.lock));
        support_count_add(&owner.go);
        support_thread_join(thread); /* it still owned the lock to the same depth */
        CHECK_RESULT(thr_rlock_release(&owner.lock), THR_NOT_LOCKED);
    }
}

static void not_mine(void *lock)
{
    CHECK(!thr_rlock_is_owned(lock));
    CHECK(thr_rlock_locked(lock));
}

/* CPython: RLockTests.test__is_owned. */
static void test_is_owned(void **state)
{
    (void)state;
    thr_rlock lock = THR_RLOCK_INIT;
    CHECK(!thr_rlock_is_owned(&lock));
    CHECK_OK(thr_rlock_acquire(&lock));
    CHECK(thr_rlock_is_owned(&lock));
    CHECK_OK(thr_rlock_acquire(&lock));
    CHECK(thr_rlock_is_owned(&lock));
    struct support_thread *thread = support_thread_start(not_mine, &lock);
    support_thread_join(thread);
    CHECK_OK(thr_rlock_release(&lock));
    CHECK(thr_rlock_is_owned(&lock));
    CHECK_OK(thr_rlock_release(&lock));
    CHECK(!thr_rlock_is_owned(&lock));
}

static void acquire_release(void *lock)
{
    CHECK_OK(thr_rlock_acquire(lock));
    CHECK_EQUAL(thr_rlock_depth(lock), 1);
    CHECK_OK(thr_rlock_release(lock));
}

/* Only the outermost release lets others in. */
static void test_inner_release_lets_nobody_in(void **state)
{
    (void)state;
    thr_rlock lock = THR_RLOCK_INIT;
    for (int i = 0; i < 3; i++)
        CHECK_OK(thr_rlock_acquire(&lock));
    struct support_thread *thread = support_thread_start(acquire_release, &lock);
    support_wait_blocked(&lock, 1);
    for (uint32_t depth = 2; depth > 0; depth--) {
        CHECK_OK(thr_rlock_release(&lock));
        CHECK_EQUAL(thr_rlock_depth(&lock), depth);
        support_wait_blocked(&lock, 1);
    }
    CHECK_OK(thr_rlock_acquire(&lock)); /* also with a waiter there */
    CHECK_EQUAL(thr_rlock_depth(&lock), 2);
    CHECK_OK(thr_rlock_release(&lock));
    CHECK_OK(thr_rlock_release(&lock));
    support_thread_join(thread);
    CHECK(!thr_rlock_locked(&lock));
}

/* A counter that cannot be reached in a test: it is set. */
static void test_too_many(void **state)
{
    (void)state;
    thr_rlock lock = THR_RLOCK_INIT;
    CHECK_OK(thr_rlock_acquire(&lock));
    lock.depth_ = UINT32_MAX - 1;
    CHECK_OK(thr_rlock_acquire(&lock));
    CHECK_EQUAL(thr_rlock_depth(&lock), UINT32_MAX);
    for (int hooked = 0; hooked < 2; hooked++) {
        thr__hooked = hooked;
        CHECK_RESULT(thr_rlock_acquire(&lock), THR_TOO_MANY);
        CHECK_RESULT(thr_rlock_acquire_until(&lock, support_limit()), THR_TOO_MANY);
        CHECK(!thr_rlock_try_acquire(&lock));
        CHECK_EQUAL(thr_rlock_depth(&lock), UINT32_MAX);
    }
    thr__hooked = 0;
    CHECK_OK(thr_rlock_release(&lock));
    CHECK_EQUAL(thr_rlock_depth(&lock), UINT32_MAX - 1);
    lock.depth_ = 1;
    CHECK_OK(thr_rlock_release(&lock));
    CHECK(!thr_rlock_locked(&lock));
}

static void test_zeroed(void **state)
{
    (void)state;
    thr_rlock *lock = support_page_new();
    const thr_rlock made = THR_RLOCK_INIT;
    CHECK(memcmp(lock, &made, sizeof made) == 0);
    CHECK(thr_rlock_try_acquire(lock));
    CHECK_OK(thr_rlock_release(lock));
    support_page_free(lock);
}

/* The identity of a thread that has ended is that of a new one, perhaps: it owns nothing. */
static void test_a_new_thread_owns_nothing(void **state)
{
    (void)state;
    thr_rlock lock = THR_RLOCK_INIT;
    for (int i = 0; i < 20; i++) {
        struct support_thread *thread = support_thread_start(acquire_release, &lock);
        support_thread_join(thread);
    }
    CHECK(!thr_rlock_is_owned(&lock));
    CHECK(!thr_rlock_locked(&lock));
}

SUPPORT_MAIN(cmocka_unit_test(test_reacquire), cmocka_unit_test(test_release_of_a_free_lock),
             cmocka_unit_test(test_wait_with_a_free_lock), cmocka_unit_test(test_depth),
             cmocka_unit_test(test_release_by_another_thread), cmocka_unit_test(test_is_owned),
             cmocka_unit_test(test_inner_release_lets_nobody_in), cmocka_unit_test(test_too_many),
             cmocka_unit_test(test_zeroed), cmocka_unit_test(test_a_new_thread_owns_nothing))
