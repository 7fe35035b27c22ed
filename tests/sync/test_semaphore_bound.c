/* test_semaphore_bound.c - bounds and misuse of semaphores, and releases in signal handlers. */

#include "semaphores.h"

/* -- CPython: SemaphoreTests, BoundedSemaphoreTests; and misuse ---------------------------------------------------- */

/* CPython: SemaphoreTests.test_release_unacquired, test_repr. */
static void test_release_unacquired(void **state)
{
    (void)state;
    thr_semaphore semaphore = THR_SEMAPHORE_INIT(1);
    CHECK_OK(thr_semaphore_release(&semaphore, 1));
    CHECK_EQUAL(thr_semaphore_value(&semaphore), 2);
    CHECK_OK(thr_semaphore_acquire(&semaphore));
    CHECK_OK(thr_semaphore_acquire(&semaphore));
    CHECK_OK(thr_semaphore_release(&semaphore, 1));
    CHECK_EQUAL(thr_semaphore_value(&semaphore), 1);
}

static void check_refused(thr_bounded_semaphore *semaphore, uint32_t n)
{
    const thr_bounded_semaphore before = *semaphore;
    for (int hooked = 0; hooked < 2; hooked++) {
        thr__hooked = hooked;
        support_errno_set();
        CHECK_RESULT(thr_bounded_semaphore_release(semaphore, n), THR_TOO_MANY);
        CHECK_ERRNO();
        CHECK(memcmp(&before, semaphore, sizeof before) == 0);
    }
    thr__hooked = 0;
}

/* CPython: BoundedSemaphoreTests.test_release_unacquired. */
static void test_bounded_release_unacquired(void **state)
{
    (void)state;
    thr_bounded_semaphore semaphore = THR_BOUNDED_SEMAPHORE_INIT(3);
    check_refused(&semaphore, 1);
    CHECK_OK(thr_bounded_semaphore_acquire(&semaphore));
    check_refused(&semaphore, 2);
    check_refused(&semaphore, UINT32_MAX);
    check_refused(&semaphore, UINT32_MAX - 1);
    check_refused(&semaphore, 0x80000000u);
    CHECK_OK(thr_bounded_semaphore_release(&semaphore, 1));
    check_refused(&semaphore, 1);
    CHECK_EQUAL(thr_bounded_semaphore_value(&semaphore), 3);
    thr_bounded_semaphore none = THR_BOUNDED_SEMAPHORE_INIT(0);
    check_refused(&none, 1);
    CHECK(!thr_bounded_semaphore_try_acquire(&none));
}

/* Also with somebody asleep a release above the bound changes nothing, and wakes nobody. */
static void test_bounded_release_above_the_bound_beside_sleepers(void **state)
{
    (void)state;
    struct contended contended = {.kind = &kinds[1]};
    bounded_init(&contended.semaphore, 1);
    CHECK_OK(bounded_acquire(&contended.semaphore));
    struct support_thread *thread = support_thread_start(hold_one, &contended);
    support_wait_blocked(&contended.semaphore, 1);
    check_refused(&contended.semaphore.bounded, 2);
    support_wait_blocked(&contended.semaphore, 1);
    CHECK_EQUAL(support_count_get(&contended.acquired), 0);
    CHECK_OK(bounded_release(&contended.semaphore, 1));
    support_thread_join(thread);
    check_refused(&contended.semaphore.bounded, 1);
}

static void test_overflow(void **state)
{
    (void)state;
    thr_semaphore semaphore = THR_SEMAPHORE_INIT(THR_SEMAPHORE_MAX - 2);
    for (int hooked = 0; hooked < 2; hooked++) {
        thr__hooked = hooked;
        CHECK_RESULT(thr_semaphore_release(&semaphore, 3), THR_TOO_MANY);
        CHECK_RESULT(thr_semaphore_release(&semaphore, 0x80000000u), THR_TOO_MANY);
        CHECK_RESULT(thr_semaphore_release(&semaphore, UINT32_MAX), THR_TOO_MANY);
        CHECK_EQUAL(thr_semaphore_value(&semaphore), THR_SEMAPHORE_MAX - 2);
        CHECK_OK(thr_semaphore_release(&semaphore, 2));
        CHECK_RESULT(thr_semaphore_release(&semaphore, 1), THR_TOO_MANY);
        CHECK_EQUAL(thr_semaphore_value(&semaphore), THR_SEMAPHORE_MAX);
        CHECK_OK(thr_semaphore_release(&semaphore, 0));
        CHECK_OK(thr_semaphore_acquire(&semaphore));
        CHECK_OK(thr_semaphore_acquire(&semaphore));
        CHECK_EQUAL(thr_semaphore_value(&semaphore), THR_SEMAPHORE_MAX - 2);
    }
    thr__hooked = 0;
    thr_semaphore empty = THR_SEMAPHORE_INIT(0);
    CHECK_OK(thr_semaphore_release(&empty, THR_SEMAPHORE_MAX));
    CHECK_EQUAL(thr_semaphore_value(&empty), THR_SEMAPHORE_MAX);
}

static void test_zeroed(void **state)
{
    (void)state;
    thr_semaphore *semaphore = support_page_new();
    CHECK_EQUAL(thr_semaphore_value(semaphore), 0);
    CHECK(!thr_semaphore_try_acquire(semaphore));
    CHECK_OK(thr_semaphore_release(semaphore, 1));
    CHECK_OK(thr_semaphore_acquire(semaphore));
    support_page_free(semaphore);
}

/* -- Signal handlers ----------------------------------------------------------------------------------------------- */

static void release_in_handler(void *semaphore)
{
    int saved = errno;
    support_errno_set();
    CHECK_OK(thr_semaphore_release(semaphore, 1));
    CHECK_ERRNO();
    errno = saved;
}

/* The handler interrupts the very acquire that it lets through. Permits and signals are equal in number. */
static void test_release_in_a_handler_of_the_waiter(void **state)
{
    (void)state;
    enum { PERMITS = 200 };
    thr_semaphore semaphore = THR_SEMAPHORE_INIT(0);
    struct support_pester pester;
    support_pester_start(&pester, release_in_handler, &semaphore);
    for (uint32_t i = 0; i < PERMITS; i++) {
        support_errno_set();
        CHECK_OK(thr_semaphore_acquire_until(&semaphore, support_limit()));
        CHECK_ERRNO();
    }
    support_pester_stop(&pester);
    CHECK_EQUAL(thr_semaphore_value(&semaphore), support_count_get(&pester.handled) - PERMITS);
}

struct releaser {
    thr_semaphore semaphore;
    uint32_t stop;
    uint32_t released;
    uint32_t handled;
};

static void release_again_and_again(void *arg)
{
    struct releaser *releaser = arg;
    struct support_pester pester;
    support_pester_start(&pester, release_in_handler, &releaser->semaphore);
    while (!load_relaxed(&releaser->stop)) {
        CHECK_OK(thr_semaphore_release(&releaser->semaphore, 1));
        releaser->released++;
        if (thr_semaphore_try_acquire(&releaser->semaphore))
            releaser->released--;
    }
    support_pester_stop(&pester);
    releaser->handled = support_count_get(&pester.handled);
}

/* The handler interrupts a release and an acquire at any instruction. Nothing is lost or made up. */
static void test_release_in_a_handler_of_the_releaser(void **state)
{
    (void)state;
    enum { TURNS = 2000 };
    struct releaser releaser = {0};
    struct support_thread *thread = support_thread_start(release_again_and_again, &releaser);
    for (int i = 0; i < TURNS; i++)
        CHECK_OK(thr_semaphore_acquire_until(&releaser.semaphore, support_limit()));
    store_relaxed(&releaser.stop, 1);
    support_thread_join(thread);
    CHECK_EQUAL(thr_semaphore_value(&releaser.semaphore), releaser.released + releaser.handled - TURNS);
}

/* A count that is known only when the program runs. */
static void test_init(void **state)
{
    (void)state;
    thr_semaphore plain = THR_SEMAPHORE_INIT(7);
    CHECK_RESULT(thr_semaphore_init(&plain, THR_SEMAPHORE_MAX + 1), THR_INVALID);
    CHECK_EQUAL(thr_semaphore_value(&plain), 7);
    CHECK_OK(thr_semaphore_init(&plain, THR_SEMAPHORE_MAX));
    CHECK_EQUAL(thr_semaphore_value(&plain), THR_SEMAPHORE_MAX);
    CHECK_RESULT(thr_semaphore_release(&plain, 1), THR_TOO_MANY);

    thr_bounded_semaphore bounded = THR_BOUNDED_SEMAPHORE_INIT(7);
    CHECK_RESULT(thr_bounded_semaphore_init(&bounded, UINT32_MAX), THR_INVALID);
    CHECK_EQUAL(thr_bounded_semaphore_value(&bounded), 7);
    CHECK_OK(thr_bounded_semaphore_init(&bounded, 2));
    CHECK_RESULT(thr_bounded_semaphore_release(&bounded, 1), THR_TOO_MANY);
    CHECK_OK(thr_bounded_semaphore_acquire(&bounded));
    CHECK_OK(thr_bounded_semaphore_release(&bounded, 1));
}

SUPPORT_MAIN(cmocka_unit_test(test_init), cmocka_unit_test(test_release_unacquired),
             cmocka_unit_test(test_bounded_release_unacquired),
             cmocka_unit_test(test_bounded_release_above_the_bound_beside_sleepers), cmocka_unit_test(test_overflow),
             cmocka_unit_test(test_zeroed), cmocka_unit_test(test_release_in_a_handler_of_the_waiter),
             cmocka_unit_test(test_release_in_a_handler_of_the_releaser))
