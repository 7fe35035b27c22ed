/* The hook that is told of each lock that was taken: once for each, with the deadline and the place of the call; and not
 * where none was taken. */

#include "support/support.h"

#include <string.h>

#include "wait/hook.h"
#include "wait/wait.h"

static __thread struct {
    unsigned times;
    enum hook_operation operation;
    const void *object;
    thr_time deadline;
    const void *site;
} seen;

static void note(enum hook_operation operation, const void *object, thr_time deadline, const void *site)
{
    seen.times++;
    seen.operation = operation;
    seen.object = object;
    seen.deadline = deadline;
    seen.site = site;
}

static void expect(enum hook_operation operation, const void *object, thr_time deadline)
{
    assert_int_equal(seen.times, 1);
    assert_int_equal(seen.operation, operation);
    assert_ptr_equal(seen.object, object);
    assert_int_equal(seen.deadline, deadline);
    seen.times = 0;
}

static void expect_nothing(void)
{
    assert_int_equal(seen.times, 0);
}

static void locks(void)
{
    thr_lock lock = THR_LOCK_INIT;
    assert_int_equal(thr_lock_acquire(&lock), THR_OK);
    expect(HOOK_LOCK_ACQUIRE, &lock, THR_FOREVER);
    assert_false(thr_lock_try_acquire(&lock));
    assert_int_equal(thr_lock_acquire_until(&lock, 1), THR_TIMEOUT);
    (void)thr_lock_release(&lock);
    expect_nothing();
    assert_true(thr_lock_try_acquire(&lock));
    expect(HOOK_LOCK_ACQUIRE, &lock, 0);
    (void)thr_lock_release(&lock);
    assert_int_equal(thr_lock_acquire_until(&lock, 5), THR_OK);
    expect(HOOK_LOCK_ACQUIRE, &lock, 5);
}

static void rlocks(void)
{
    thr_rlock lock = THR_RLOCK_INIT;
    assert_int_equal(thr_rlock_acquire(&lock), THR_OK);
    expect(HOOK_RLOCK_ACQUIRE, &lock, THR_FOREVER);
    assert_true(thr_rlock_try_acquire(&lock)); /* once more: each level counts */
    expect(HOOK_RLOCK_ACQUIRE, &lock, 0);
    assert_int_equal(thr_rlock_acquire_until(&lock, 5), THR_OK);
    expect(HOOK_RLOCK_ACQUIRE, &lock, 5);
    lock.depth_ = UINT32_MAX;
    assert_int_equal(thr_rlock_acquire(&lock), THR_TOO_MANY);
    expect_nothing();
}

static void rwlocks(void)
{
    thr_rwlock lock = THR_RWLOCK_INIT;
    assert_int_equal(thr_rwlock_acquire_read(&lock), THR_OK);
    expect(HOOK_READ_ACQUIRE, &lock, THR_FOREVER);
    assert_true(thr_rwlock_try_acquire_read(&lock));
    expect(HOOK_READ_ACQUIRE, &lock, 0);
    assert_false(thr_rwlock_try_acquire_write(&lock));
    assert_int_equal(thr_rwlock_acquire_write_until(&lock, 1), THR_TIMEOUT);
    expect_nothing();
    (void)thr_rwlock_release_read(&lock);
    (void)thr_rwlock_release_read(&lock);
    assert_int_equal(thr_rwlock_acquire_write(&lock), THR_OK);
    expect(HOOK_WRITE_ACQUIRE, &lock, THR_FOREVER);
    assert_int_equal(thr_rwlock_acquire_write(&lock), THR_DEADLOCK);
    assert_false(thr_rwlock_try_acquire_read(&lock));
    expect_nothing();
    (void)thr_rwlock_release_write(&lock);
    assert_true(thr_rwlock_try_acquire_write(&lock));
    expect(HOOK_WRITE_ACQUIRE, &lock, 0);
}

static void conditions(void)
{
    thr_lock lock = THR_LOCK_INIT;
    thr_condition condition = THR_CONDITION_INIT;
    assert_int_equal(thr_condition_wait_until(&condition, &lock, 0), THR_NOT_LOCKED);
    expect_nothing();
    assert_int_equal(thr_lock_acquire(&lock), THR_OK);
    seen.times = 0;
    assert_int_equal(thr_condition_wait_until(&condition, &lock, 0), THR_TIMEOUT);
    expect(HOOK_CONDITION_WAIT, &lock, THR_FOREVER);
    assert_int_equal(thr_condition_wait_until(&condition, &lock, thr_after(0.001)), THR_TIMEOUT);
    expect(HOOK_CONDITION_WAIT, &lock, THR_FOREVER);
}

__attribute__((noinline)) static void take_here(thr_lock *lock)
{
    (void)thr_lock_acquire(lock);
    assert_true(seen.times == 1); /* it is not the last call of this function */
}

__attribute__((noinline)) static void after_take_here(void)
{
    seen.times = 0;
}

static uintptr_t distance(const void *from, void (*function)(void))
{
    return (uintptr_t)from > (uintptr_t)function ? (uintptr_t)from - (uintptr_t)function
                                                 : (uintptr_t)function - (uintptr_t)from;
}

/* The place is in the program, not in the library: near this file's functions. */
static void places(void)
{
    thr_lock lock = THR_LOCK_INIT;
    take_here(&lock);
    assert_true(distance(seen.site, after_take_here) < 16384);
    after_take_here();
}

static void hooked(void (*test)(void))
{
    struct wait_system system = *wait_system;
    const struct wait_system *before = wait_system;
    system.taken = note;
    wait_system = &system;
    hook_set(HOOK_WATCHED);
    memset(&seen, 0, sizeof seen);
    test();
    thr__hooked = HOOK_NOBODY;
    wait_system = before;
}

#define HOOKED(name)                                                                                                   \
    static void test_##name(void **state)                                                                              \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        hooked(name);                                                                                                  \
    }

HOOKED(locks)
HOOKED(rlocks)
HOOKED(rwlocks)
HOOKED(conditions)
HOOKED(places)

SUPPORT_MAIN(cmocka_unit_test(test_locks), cmocka_unit_test(test_rlocks), cmocka_unit_test(test_rwlocks),
             cmocka_unit_test(test_conditions), cmocka_unit_test(test_places))
