/* test_latch.c - a count that goes down to zero once. How a latch blocks is in test_blocking.c too. */

#include "support/support.h"

#include <errno.h>
#include <string.h>

static void counts_down(void)
{
    thr_latch latch = THR_LATCH_INIT(5);
    const uint32_t steps[] = {1, 0, 2, 1};
    uint32_t left = 5;
    support_errno_set();
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        CHECK_RESULT(thr_latch_wait_until(&latch, 0), THR_TIMEOUT);
        CHECK_OK(thr_latch_count_down(&latch, steps[i]));
        left -= steps[i];
        CHECK_EQUAL(thr_latch_count(&latch), left);
    }
    CHECK_OK(thr_latch_count_down(&latch, 1));
    for (int i = 0; i < 3; i++) {
        CHECK_EQUAL(thr_latch_count(&latch), 0);
        CHECK_OK(thr_latch_wait(&latch));
        CHECK_OK(thr_latch_wait_until(&latch, 0));
        CHECK_OK(thr_latch_wait_until(&latch, THR_FOREVER));
    }
    CHECK_ERRNO();
}

static void open_from_the_start(void)
{
    thr_latch *zeroed = support_page_new();
    thr_latch made = THR_LATCH_INIT(0);
    thr_latch *latches[] = {zeroed, &made};
    for (size_t i = 0; i < 2; i++) {
        CHECK_EQUAL(thr_latch_count(latches[i]), 0);
        CHECK_OK(thr_latch_wait(latches[i]));
        CHECK_OK(thr_latch_wait_until(latches[i], 0));
        CHECK_OK(thr_latch_count_down(latches[i], 0));
    }
    support_page_free(zeroed);
}

static void check_refused(thr_latch *latch, uint32_t n)
{
    const thr_latch before = *latch;
    support_errno_set();
    CHECK_RESULT(thr_latch_count_down(latch, n), THR_TOO_MANY);
    CHECK_ERRNO();
    CHECK(memcmp(&before, latch, sizeof before) == 0);
}

static void too_many(void)
{
    const uint32_t counts[] = {0, 1, 2, 1000, THR_LATCH_MAX};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        thr_latch latch = THR_LATCH_INIT(counts[i]);
        check_refused(&latch, counts[i] + 1);
        check_refused(&latch, UINT32_MAX);
        check_refused(&latch, 0x80000000u);
        check_refused(&latch, 0x80000000u + counts[i]);
        CHECK_EQUAL(thr_latch_count(&latch), counts[i]);
        CHECK_OK(thr_latch_count_down(&latch, counts[i]));
        CHECK_OK(thr_latch_wait_until(&latch, 0));
        check_refused(&latch, 1);
    }
}

struct waiting {
    thr_latch latch;
    struct support_count done;
};

static void wait_for_it(void *arg)
{
    struct waiting *waiting = arg;
    CHECK_OK(support_index() % 2 ? thr_latch_wait(&waiting->latch)
                                 : thr_latch_wait_until(&waiting->latch, support_limit()));
    support_count_add(&waiting->done);
}

/* All that wait go at zero, and nobody before; neither a refused count_down nor one by 0 lets anybody go. */
static void all_go_at_zero(void)
{
    enum { N = 5 };
    struct waiting waiting = {.latch = THR_LATCH_INIT(3)};
    struct support_bunch bunch;
    support_bunch_start(&bunch, N, wait_for_it, &waiting);
    support_wait_blocked(&waiting.latch, N);
    for (uint32_t left = 3; left > 0; left--) {
        check_refused(&waiting.latch, left + 1);
        CHECK_OK(thr_latch_count_down(&waiting.latch, 0));
        CHECK_EQUAL(thr_latch_count(&waiting.latch), left);
        support_wait_blocked(&waiting.latch, N);
        CHECK_EQUAL(support_count_get(&waiting.done), 0);
        CHECK_OK(thr_latch_count_down(&waiting.latch, 1));
    }
    support_bunch_join(&bunch);
    CHECK_EQUAL(support_count_get(&waiting.done), N);
    CHECK_EQUAL(thr_latch_count(&waiting.latch), 0);
}

/* Those that come when the count is on its way wait for the rest of it only. */
static void late_waiters(void)
{
    struct waiting waiting = {.latch = THR_LATCH_INIT(3)};
    struct support_thread *threads[3];
    for (int i = 0; i < 3; i++) {
        threads[i] = support_thread_start(wait_for_it, &waiting);
        support_wait_blocked(&waiting.latch, (unsigned)i + 1);
        CHECK_EQUAL(support_count_get(&waiting.done), 0);
        CHECK_OK(thr_latch_count_down(&waiting.latch, 1));
    }
    for (int i = 0; i < 3; i++)
        support_thread_join(threads[i]);
}

/* One is stopped before its sleep while the count goes to zero. */
static void no_wake_is_lost(void)
{
    struct waiting waiting = {.latch = THR_LATCH_INIT(2)};
    for (uint32_t step = 1; step <= 2; step++) {
        waiting.latch = (thr_latch)THR_LATCH_INIT(2);
        support_stop(SUPPORT_BEFORE_SLEEP, &waiting.latch, NULL);
        struct support_thread *thread = support_thread_start(wait_for_it, &waiting);
        support_wait_stopped(SUPPORT_BEFORE_SLEEP, 1);
        for (uint32_t i = 0; i < 2; i += step)
            CHECK_OK(thr_latch_count_down(&waiting.latch, step));
        support_go(SUPPORT_BEFORE_SLEEP);
        support_thread_join(thread);
    }
}

/* Everything before each count_down is seen after the wait, not only what came before the last one. */
struct parts {
    thr_latch latch;
    int part[4]; /* not atomic */
};

static void do_part(void *arg)
{
    struct parts *parts = arg;
    parts->part[support_index()] = 42;
    CHECK_OK(thr_latch_count_down(&parts->latch, 1));
}

static void order(void)
{
    for (int i = 0; i < 50; i++) {
        struct parts parts = {.latch = THR_LATCH_INIT(4)};
        struct support_bunch bunch;
        support_bunch_start(&bunch, 4, do_part, &parts);
        if (i % 3 == 0)
            CHECK_OK(thr_latch_wait(&parts.latch));
        else if (i % 3 == 1)
            CHECK_OK(thr_latch_wait_until(&parts.latch, support_limit()));
        else
            while (thr_latch_count(&parts.latch) != 0)
                continue;
        for (int part = 0; part < 4; part++)
            CHECK_EQUAL(parts.part[part], 42);
        support_bunch_join(&bunch);
    }
}

/* Two count down at once, and stumble: each step is counted. */
struct steps {
    thr_latch latch;
    struct support_count ready;
    thr_time end;
    uint32_t taken[2];
};

static void count_down_steps(void *arg)
{
    struct steps *steps = arg;
    uint32_t taken = 0;
    support_count_add(&steps->ready);
    support_count_wait(&steps->ready, 2);
    support_stumble_start();
    while (thr_now() < steps->end) {
        for (int i = 0; i < 100; i++)
            CHECK_OK(thr_latch_count_down(&steps->latch, 1));
        taken += 100;
    }
    support_stumble_stop();
    steps->taken[support_index()] = taken;
}

static void counts_all(void)
{
    struct steps steps = {.latch = THR_LATCH_INIT(THR_LATCH_MAX), .end = thr_after(0.15)};
    struct support_bunch bunch;
    support_bunch_start(&bunch, 2, count_down_steps, &steps);
    support_bunch_join(&bunch);
    CHECK_EQUAL(thr_latch_count(&steps.latch), THR_LATCH_MAX - steps.taken[0] - steps.taken[1]);
}

static void count_down_in_handler(void *latch)
{
    int saved = errno;
    support_errno_set();
    thr_result result = thr_latch_count_down(latch, 1);
    CHECK(result == THR_OK || result == THR_TOO_MANY);
    CHECK_ERRNO();
    errno = saved;
}

/* The handler interrupts the very wait that it ends. */
static void count_down_in_a_handler(void)
{
    for (int i = 0; i < 20; i++) {
        thr_latch latch = THR_LATCH_INIT(5);
        struct support_pester pester;
        support_pester_start(&pester, count_down_in_handler, &latch);
        support_errno_set();
        CHECK_OK(thr_latch_wait_until(&latch, support_limit()));
        CHECK_ERRNO();
        support_pester_stop(&pester);
        CHECK_EQUAL(thr_latch_count(&latch), 0);
    }
}

#define BOTH_WAYS(name)                                                                                                \
    static void test_##name(void **state)                                                                              \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        support_both_ways(name);                                                                                       \
    }

BOTH_WAYS(counts_down)
BOTH_WAYS(open_from_the_start)
BOTH_WAYS(too_many)
BOTH_WAYS(all_go_at_zero)
BOTH_WAYS(late_waiters)
BOTH_WAYS(no_wake_is_lost)
BOTH_WAYS(order)
BOTH_WAYS(counts_all)
BOTH_WAYS(count_down_in_a_handler)

/* A count that is known only when the program runs. */
static void test_init(void **state)
{
    (void)state;
    thr_latch latch = THR_LATCH_INIT(3);
    CHECK_RESULT(thr_latch_init(&latch, THR_LATCH_MAX + 1), THR_INVALID);
    CHECK_EQUAL(thr_latch_count(&latch), 3);
    CHECK_OK(thr_latch_init(&latch, 1));
    CHECK_RESULT(thr_latch_wait_until(&latch, 0), THR_TIMEOUT);
    CHECK_OK(thr_latch_count_down(&latch, 1));
    CHECK_OK(thr_latch_wait(&latch));
}

SUPPORT_MAIN(cmocka_unit_test(test_init), cmocka_unit_test(test_counts_down),
             cmocka_unit_test(test_open_from_the_start), cmocka_unit_test(test_too_many),
             cmocka_unit_test(test_all_go_at_zero), cmocka_unit_test(test_late_waiters),
             cmocka_unit_test(test_no_wake_is_lost), cmocka_unit_test(test_order), cmocka_unit_test(test_counts_all),
             cmocka_unit_test(test_count_down_in_a_handler))
