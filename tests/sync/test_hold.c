/* test_hold.c - THR_HOLD: a lock held to the end of a block, however the block ends. */

#include "support/support.h"

#include "wait/wait.h"

static thr_lock lock = THR_LOCK_INIT;
static thr_rlock rlock = THR_RLOCK_INIT;

static void check_free(void)
{
    CHECK(!thr_lock_locked(&lock));
    CHECK(!thr_rlock_locked(&rlock));
}

/* CPython: BaseLockTests.test_with, BaseSemaphoreTests.test_with. */
static void test_end_of_the_block(void **state)
{
    (void)state;
    {
        THR_HOLD(&lock);
        CHECK(thr_lock_locked(&lock));
        {
            THR_HOLD(&rlock); /* one inside the other */
            CHECK(thr_rlock_is_owned(&rlock));
            CHECK(thr_lock_locked(&lock));
        }
        CHECK(!thr_rlock_locked(&rlock));
        CHECK(thr_lock_locked(&lock));
    }
    check_free();
}

static int leave_by_return(int how)
{
    THR_HOLD(&lock);
    THR_HOLD(&rlock); /* two in one block */
    CHECK(thr_lock_locked(&lock));
    CHECK(thr_rlock_is_owned(&rlock));
    if (how == 1)
        return 1;
    for (int i = 0; i < 3; i++) {
        THR_HOLD(&rlock);
        CHECK_EQUAL(thr_rlock_depth(&rlock), 2);
        if (how == 2)
            return 2;
    }
    CHECK_EQUAL(thr_rlock_depth(&rlock), 1);
    return 3;
}

static void test_return(void **state)
{
    (void)state;
    for (int how = 1; how <= 3; how++) {
        CHECK_EQUAL(leave_by_return(how), how);
        check_free();
    }
}

static void test_break_continue_goto(void **state)
{
    (void)state;
    int turns = 0;
    for (int i = 0; i < 10; i++) {
        THR_HOLD(&lock);
        turns++;
        if (i % 2)
            continue;
        if (i == 4)
            break;
    }
    CHECK_EQUAL(turns, 5);
    check_free();
    for (;;) {
        THR_HOLD(&rlock);
        THR_HOLD(&lock);
        goto out;
    }
out:
    check_free();
}

static void recurse(unsigned depth)
{
    THR_HOLD(&rlock);
    CHECK_EQUAL(thr_rlock_depth(&rlock), depth);
    if (depth < 5)
        recurse(depth + 1);
    CHECK_EQUAL(thr_rlock_depth(&rlock), depth);
}

static void test_recursion(void **state)
{
    (void)state;
    recurse(1);
    check_free();
}

/* The holder may wait on a condition. */
static void test_with_a_condition(void **state)
{
    (void)state;
    thr_condition condition = THR_CONDITION_INIT;
    {
        THR_HOLD(&lock);
        CHECK_RESULT(thr_condition_wait_until(&condition, &lock, thr_after(0.001)), THR_TIMEOUT);
        CHECK(thr_lock_locked(&lock));
    }
    check_free();
}

struct counter {
    int value; /* not atomic */
};

static void count(void *arg)
{
    struct counter *counter = arg;
    for (int i = 0; i < 2000; i++) {
        THR_HOLD(&lock);
        counter->value++;
    }
    for (int i = 0; i < 2000; i++) {
        THR_HOLD(&rlock);
        THR_HOLD(&lock);
        counter->value++;
    }
}

static void test_keeps_others_out(void **state)
{
    (void)state;
    struct counter counter = {0};
    struct support_bunch bunch;
    support_bunch_start(&bunch, 4, count, &counter);
    support_bunch_join(&bunch);
    CHECK_EQUAL(counter.value, 16000);
    check_free();
}

/* A thread that ends inside the block releases, since this is compiled with -fexceptions. */
static void end_inside(void *arg)
{
    THR_HOLD(&lock);
    THR_HOLD(&rlock);
    THR_HOLD(&rlock);
    support_count_add(arg);
    pthread_exit(NULL);
}

static void test_end_of_the_thread(void **state)
{
    (void)state;
    struct support_count ended = {0};
    struct support_thread *thread = support_thread_start(end_inside, &ended);
    support_thread_join(thread);
    CHECK_EQUAL(support_count_get(&ended), 1);
    check_free();
}

/* In a thread whose waits can be interrupted the block is entered with the lock, or not at all. */
struct interruptible {
    struct support_count interrupts;
    struct support_count inside;
    bool recursive;
};

static bool interrupt(void *arg)
{
    support_count_add(arg);
    return true;
}

static void hold_interruptibly(void *arg)
{
    struct interruptible *interruptible = arg;
    struct support_pester signals;
    support_pester_start(&signals, NULL, NULL);
    support_record()->interrupt = interrupt;
    support_record()->interrupt_arg = &interruptible->interrupts;
    if (interruptible->recursive) {
        THR_HOLD(&rlock);
        support_count_add(&interruptible->inside);
        CHECK(thr_rlock_is_owned(&rlock));
    } else {
        THR_HOLD(&lock);
        support_count_add(&interruptible->inside);
        CHECK(thr_lock_locked(&lock));
    }
    support_record()->interrupt = NULL;
    support_pester_stop(&signals);
}

static void test_interruptible_thread(void **state)
{
    (void)state;
    for (int recursive = 0; recursive < 2; recursive++) {
        struct interruptible interruptible = {.recursive = recursive};
        CHECK_OK(thr_lock_acquire(&lock));
        CHECK_OK(thr_rlock_acquire(&rlock));
        struct support_thread *thread = support_thread_start(hold_interruptibly, &interruptible);
        support_count_wait(&interruptible.interrupts, 5);
        CHECK_EQUAL(support_count_get(&interruptible.inside), 0);
        CHECK_OK(thr_lock_release(&lock));
        CHECK_OK(thr_rlock_release(&rlock));
        support_thread_join(thread);
        CHECK_EQUAL(support_count_get(&interruptible.inside), 1);
        check_free();
    }
}

/* Two on one line, as a macro has them. */
#define HOLD_BOTH(first, second)                                                                                       \
    THR_HOLD(first);                                                                                                   \
    THR_HOLD(second)

static void test_two_on_a_line(void **state)
{
    (void)state;
    thr_lock plain = THR_LOCK_INIT;
    thr_rlock again = THR_RLOCK_INIT;
    {
        HOLD_BOTH(&plain, &again);
        CHECK(thr_lock_locked(&plain));
        CHECK(thr_rlock_is_owned(&again));
    }
    CHECK(!thr_lock_locked(&plain));
    CHECK(!thr_rlock_locked(&again));
}

SUPPORT_MAIN(cmocka_unit_test(test_two_on_a_line), cmocka_unit_test(test_end_of_the_block),
             cmocka_unit_test(test_return), cmocka_unit_test(test_break_continue_goto),
             cmocka_unit_test(test_recursion), cmocka_unit_test(test_with_a_condition),
             cmocka_unit_test(test_keeps_others_out), cmocka_unit_test(test_end_of_the_thread),
             cmocka_unit_test(test_interruptible_thread))
