/* test_spin.c - the spin learns when it pays. */

#include "support/support.h"

#include <sched.h>
#include <time.h>

#include "wait/spin.h"
#include "wait/wait.h"

/* How many of so many spins are allowed. */
static unsigned allowed(const void *object, unsigned of)
{
    unsigned n = 0;
    for (unsigned i = 0; i < of; i++) {
        struct spin spin;
        spin_begin(&spin, object);
        n += spin.allowed;
    }
    return n;
}

/* An object of which nobody knows anything bad yet. (Objects share places in the table, which of them depends on their
 * addresses.) */
static const void *fresh(void)
{
    static char objects[4096];
    static size_t used;
    while (allowed(&objects[used], 8) != 8)
        used++;
    return &objects[used++];
}

static void failure(const void *object)
{
    struct spin spin;
    spin_begin(&spin, object);
    while (spin_turn(&spin))
        continue;
    spin_end(&spin, false);
}

static void success(const void *object)
{
    struct spin spin;
    spin_begin(&spin, object);
    (void)spin_turn(&spin);
    spin_end(&spin, true);
}

/* Failures put an end to it, all but a probe now and then; successes bring it back. */
static void test_learns(void **state)
{
    (void)state;
    const void *object = fresh();
    CHECK_EQUAL(allowed(object, 64), 64);
    for (int i = 0; i < 100; i++)
        failure(object);
    unsigned probes = allowed(object, 640);
    CHECK(probes > 0 && probes < 640 / 4);
    for (int i = 0; i < 2000; i++)
        success(object); /* most of these are not allowed to try */
    CHECK_EQUAL(allowed(object, 64), 64);
}

static void pin_to(size_t processor)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(processor, &one);
    CHECK(sched_setaffinity(0, sizeof one, &one) == 0);
}

/* If the one that lets go runs on our processor, spinning cannot help. */
static void test_waker_on_this_processor(void **state)
{
    (void)state;
    const void *object = fresh();
    cpu_set_t before;
    size_t processors[2];
    int n = 0;
    CHECK(sched_getaffinity(0, sizeof before, &before) == 0);
    for (size_t i = 0; i < CPU_SETSIZE && n < 2; i++)
        if (CPU_ISSET(i, &before))
            processors[n++] = i;
    pin_to(processors[0]);
    CHECK_EQUAL(allowed(object, 8), 8); /* nobody has let go yet */
    spin_waker(object);
    CHECK_EQUAL(allowed(object, 8), 0);
    if (n == 2) {
        pin_to(processors[1]);
        CHECK_EQUAL(allowed(object, 8), 8);
        spin_waker(object);
        CHECK_EQUAL(allowed(object, 8), 0);
        pin_to(processors[0]);
        CHECK_EQUAL(allowed(object, 8), 8);
    }
    CHECK(sched_setaffinity(0, sizeof before, &before) == 0);
}

/* However much it is trusted, it ends; what it may take is some tens of microseconds of processor time. */
static void test_ends(void **state)
{
    (void)state;
    const void *object = fresh();
    for (int i = 0; i < 100; i++)
        success(object);
    struct timespec before;
    struct timespec after;
    CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before) == 0);
    for (int i = 0; i < 3; i++) {
        uint32_t word = 5;
        CHECK(!wait_spin(&word, UINT32_MAX, 5, object));
    }
    CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after) == 0);
    CHECK((after.tv_sec - before.tv_sec) * 1000000000L + after.tv_nsec - before.tv_nsec < 100000000L);
}

static void test_sees_the_change(void **state)
{
    (void)state;
    const void *object = fresh();
    uint32_t word = 0x15;
    CHECK(wait_spin(&word, UINT32_MAX, 0x16, object));
    CHECK(wait_spin(&word, 0xf0, 0x20, object));
    CHECK(!wait_spin(&word, 0xf0, 0x10, object)); /* the other bits do not matter */
}

/* Under the laboratory nobody spins: the others stand still meanwhile. */
static void test_steered(void **state)
{
    (void)state;
    const void *object = fresh();
    thr__hooked = 1;
    CHECK_EQUAL(allowed(object, 64), 0);
    thr__hooked = 0;
    CHECK_EQUAL(allowed(object, 64), 64);
}

SUPPORT_MAIN(cmocka_unit_test(test_learns), cmocka_unit_test(test_waker_on_this_processor), cmocka_unit_test(test_ends),
             cmocka_unit_test(test_sees_the_change), cmocka_unit_test(test_steered))
