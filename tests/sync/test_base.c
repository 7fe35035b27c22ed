/* test_base.c - time, results, version. */

#include "support/support.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* -- Time ---------------------------------------------------------------------------------------------------------- */

static thr_time system_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (thr_time)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void test_now(void **state)
{
    (void)state;
    thr_time last = 0;
    support_errno_set();
    for (int i = 0; i < 1000; i++) {
        thr_time before = system_now();
        thr_time now = thr_now();
        thr_time after = system_now();
        CHECK(before <= now && now <= after); /* the monotonic clock, in nanoseconds */
        CHECK(last <= now);
        last = now;
    }
    CHECK_ERRNO();
}

static void check_after(double seconds, thr_time nanoseconds)
{
    thr_time before = thr_now();
    support_errno_set();
    thr_time deadline = thr_after(seconds);
    CHECK_ERRNO();
    thr_time after = thr_now();
    if (deadline < before + nanoseconds || deadline > after + nanoseconds)
        support_fail(__FILE__, __LINE__, "thr_after(%g) is %lld from now, not %lld", seconds,
                     (long long)(deadline - before), (long long)nanoseconds);
}

static void test_after(void **state)
{
    (void)state;
    check_after(1.0, 1000000000);
    check_after(0.5, 500000000);
    check_after(0.25, 250000000);
    check_after(1024.0, 1024000000000);
    check_after(86400.0 * 365, 31536000000000000);
    check_after(1e9, 1000000000000000000);
}

/* Of these nothing remains: the time is now, or before. */
static void test_after_nothing(void **state)
{
    (void)state;
    const double seconds[] = {0.0, -0.0, -1.0, -1e-9, -1e300, -INFINITY, NAN, -NAN, 5e-324, 1e-300, 1e-10};
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) {
        support_errno_set();
        thr_time deadline = thr_after(seconds[i]);
        CHECK_ERRNO();
        if (deadline > thr_now())
            support_fail(__FILE__, __LINE__, "thr_after(%g) has not passed", seconds[i]);
        thr_event event = THR_EVENT_INIT;
        CHECK_RESULT(thr_event_wait_until(&event, deadline), THR_TIMEOUT);
    }
}

/* Of these the clock holds no such time: for ever. Below that, a deadline. */
static void test_after_saturates(void **state)
{
    (void)state;
    const double longest = 9223372036.8547758; /* 2^63 nanoseconds */
    const double seconds[] = {INFINITY, 1e300, 1.7976931348623157e308, 1e10, longest, longest * 1.0000001};
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) {
        if (thr_after(seconds[i]) != THR_FOREVER)
            support_fail(__FILE__, __LINE__, "thr_after(%g) is not for ever", seconds[i]);
    }
    /* Where exactly it begins depends on the clock; there is no gap, and never an overflow. */
    for (double s = 9.1e9; s < 9.3e9; s += 1e5) {
        thr_time deadline = thr_after(s);
        CHECK(deadline > 0);
        CHECK(deadline > 9100000000000000000);
        CHECK(deadline == THR_FOREVER || deadline - thr_now() <= (thr_time)(s * 1e9));
    }
    CHECK_EQUAL(THR_FOREVER, INT64_MAX);
}

/* -- Sleep --------------------------------------------------------------------------------------------------------- */

static void test_sleep(void **state)
{
    (void)state;
    const double seconds[] = {0.02, 0.001, 1e-6, 1e-9};
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) {
        thr_time earliest = thr_after(seconds[i]);
        support_errno_set();
        thr_sleep(seconds[i]);
        CHECK_ERRNO();
        CHECK_PASSED(earliest);
    }
    thr_time deadline = thr_after(0.01);
    support_errno_set();
    thr_sleep_until(deadline);
    CHECK_ERRNO();
    CHECK_PASSED(deadline);
}

static void test_sleep_for_nothing(void **state)
{
    (void)state;
    const double seconds[] = {0.0, -0.0, -1.0, -1e300, -INFINITY, NAN};
    support_errno_set();
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++)
        thr_sleep(seconds[i]);
    const thr_time past[] = {0, 1, -1, INT64_MIN, thr_now()};
    for (size_t i = 0; i < sizeof past / sizeof *past; i++)
        thr_sleep_until(past[i]);
    CHECK_ERRNO();
}

/* Signals do not shorten it. */
static void test_sleep_under_signals(void **state)
{
    (void)state;
    struct support_pester pester;
    support_pester_start(&pester, NULL, NULL);
    for (int i = 0; i < 5; i++) {
        thr_time deadline = thr_after(0.01);
        support_errno_set();
        if (i % 2)
            thr_sleep(0.01);
        else
            thr_sleep_until(deadline);
        CHECK_ERRNO();
        CHECK_PASSED(deadline);
    }
    support_pester_stop(&pester);
}

/* -- Results, version ---------------------------------------------------------------------------------------------- */

static void test_strerror(void **state)
{
    (void)state;
    CHECK_EQUAL(THR_OK, 0);
    for (int i = 0; i <= THR_NO_THREAD; i++) {
        support_errno_set();
        const char *sentence = thr_strerror((thr_result)i);
        CHECK_ERRNO();
        CHECK(sentence != NULL);
        CHECK(strlen(sentence) > 3);
        CHECK(sentence == thr_strerror((thr_result)i));
        for (int other = 0; other < i; other++)
            CHECK(strcmp(sentence, thr_strerror((thr_result)other)) != 0);
    }
}

static void test_strerror_of_no_result(void **state)
{
    (void)state;
    const int values[] = {-1, THR_NO_THREAD + 1, 1000, INT_MAX, INT_MIN};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        thr_result result;
        memcpy(&result, &values[i], sizeof result); /* as a caller in another language could */
        const char *sentence = thr_strerror(result);
        CHECK(sentence != NULL);
        CHECK(strlen(sentence) > 3);
        for (int known = 0; known <= THR_NO_THREAD; known++)
            CHECK(strcmp(sentence, thr_strerror((thr_result)known)) != 0);
    }
}

static void test_version(void **state)
{
    (void)state;
    char expected[64];
    (void)snprintf(expected, sizeof expected, "%d.%d.%d", THR_VERSION_MAJOR, THR_VERSION_MINOR, THR_VERSION_PATCH);
    CHECK(strcmp(thr_version(), expected) == 0);
}

SUPPORT_MAIN(cmocka_unit_test(test_now), cmocka_unit_test(test_after), cmocka_unit_test(test_after_nothing),
             cmocka_unit_test(test_after_saturates), cmocka_unit_test(test_sleep),
             cmocka_unit_test(test_sleep_for_nothing), cmocka_unit_test(test_sleep_under_signals),
             cmocka_unit_test(test_strerror), cmocka_unit_test(test_strerror_of_no_result),
             cmocka_unit_test(test_version))
