/* test_sizes.c - how small the objects are, and that a zeroed one is what its initialiser makes. */

#include "support/support.h"

#include <string.h>

static void test_sizes(void **state)
{
    (void)state;
    CHECK_EQUAL(sizeof(thr_lock), 4);
    CHECK_EQUAL(sizeof(thr_event), 4);
    CHECK(sizeof(thr_condition) <= 8);
    CHECK(sizeof(thr_semaphore) <= 8);
    CHECK_EQUAL(sizeof(thr_bounded_semaphore), 12);
    CHECK_EQUAL(sizeof(thr_rlock), 16);
    CHECK_EQUAL(sizeof(thr_barrier), 40);
    CHECK_EQUAL(sizeof(thr_latch), 4);
    CHECK(sizeof(thr_once) <= 8);
    CHECK(sizeof(thr_rwlock) <= 32);
    CHECK_EQUAL(sizeof(thr_time), 8);
}

#define CHECK_ZERO(type, ...)                                                                                          \
    do {                                                                                                               \
        const type made = __VA_ARGS__;                                                                                 \
        unsigned char zero[sizeof made];                                                                               \
        memset(zero, 0, sizeof zero);                                                                                  \
        CHECK(memcmp(&made, zero, sizeof zero) == 0);                                                                  \
    } while (0)

static void test_initialisers_are_zero(void **state)
{
    (void)state;
    CHECK_ZERO(thr_lock, THR_LOCK_INIT);
    CHECK_ZERO(thr_rlock, THR_RLOCK_INIT);
    CHECK_ZERO(thr_condition, THR_CONDITION_INIT);
    CHECK_ZERO(thr_event, THR_EVENT_INIT);
    CHECK_ZERO(thr_once, THR_ONCE_INIT);
    CHECK_ZERO(thr_rwlock, THR_RWLOCK_INIT);
    CHECK_ZERO(thr_semaphore, THR_SEMAPHORE_INIT(0));
    CHECK_ZERO(thr_latch, THR_LATCH_INIT(0));
    CHECK_ZERO(thr_barrier, THR_BARRIER_INIT(0, NULL, NULL));
}

/* All of them can stand at file scope: the initialisers are constant expressions. */
static thr_lock lock = THR_LOCK_INIT;
static thr_rlock rlock = THR_RLOCK_INIT;
static thr_condition condition = THR_CONDITION_INIT;
static thr_semaphore semaphore = THR_SEMAPHORE_INIT(THR_SEMAPHORE_MAX);
static thr_bounded_semaphore bounded = THR_BOUNDED_SEMAPHORE_INIT(THR_SEMAPHORE_MAX);
static thr_event event = THR_EVENT_INIT;
static thr_barrier barrier = THR_BARRIER_INIT(1, NULL, NULL);
static thr_latch latch = THR_LATCH_INIT(THR_LATCH_MAX);
static thr_once once = THR_ONCE_INIT;
static thr_rwlock rwlock = THR_RWLOCK_INIT;

static void nothing(void *arg)
{
    (void)arg;
}

static void test_static_objects(void **state)
{
    (void)state;
    CHECK(thr_lock_try_acquire(&lock));
    CHECK(thr_rlock_try_acquire(&rlock));
    CHECK_RESULT(thr_condition_wait_until(&condition, &lock, 0), THR_TIMEOUT);
    CHECK_EQUAL(thr_semaphore_value(&semaphore), THR_SEMAPHORE_MAX);
    CHECK_EQUAL(thr_bounded_semaphore_value(&bounded), THR_SEMAPHORE_MAX);
    CHECK(!thr_event_is_set(&event));
    CHECK_OK(thr_barrier_wait(&barrier, NULL));
    CHECK_EQUAL(thr_latch_count(&latch), THR_LATCH_MAX);
    CHECK_OK(thr_once_run(&once, nothing, NULL));
    CHECK(thr_rwlock_try_acquire_write(&rwlock));
}

SUPPORT_MAIN(cmocka_unit_test(test_sizes), cmocka_unit_test(test_initialisers_are_zero),
             cmocka_unit_test(test_static_objects))
