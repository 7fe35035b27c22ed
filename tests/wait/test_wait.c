/* test_wait.c - deadlines, ends of a sleep, and the record of what a thread waits for. */

#include "support/support.h"

#include <string.h>

#include "wait/wait.h"

static void test_expired(void **state)
{
    (void)state;
    support_clock_stop();
    CHECK(!wait_expired(THR_FOREVER));
    CHECK(!wait_expired(THR_FOREVER - 1));
    CHECK(!wait_expired(thr_now() + 1));
    CHECK(wait_expired(thr_now()));
    CHECK(wait_expired(thr_now() - 1));
    CHECK(wait_expired(0));
    CHECK(wait_expired(-1));
    CHECK(wait_expired(INT64_MIN));
}

static void test_low_half(void **state)
{
    (void)state;
    uint64_t word = 0x1111111122222222u;
    CHECK_EQUAL(*wait_low_half(&word), 0x22222222u);
}

/* A word that is different to begin with, and deadlines that have passed. */
static void test_block_that_does_not(void **state)
{
    (void)state;
    const thr_time deadlines[] = {THR_FOREVER, 0, -1, INT64_MIN, thr_now(), support_limit()};
    uint32_t word = 5;
    for (size_t i = 0; i < sizeof deadlines / sizeof *deadlines; i++) {
        struct wait wait;
        support_errno_set();
        wait_begin(&wait, WAIT_EVENT, &word, deadlines[i]);
        CHECK_OK(wait_block(&wait, &word, 6, OS_ANY));
        if (wait_expired(deadlines[i]))
            CHECK_RESULT(wait_block(&wait, &word, 5, OS_ANY), THR_TIMEOUT);
        wait_end(&wait);
        CHECK_ERRNO();
    }
}

static void check_record(const struct wait_record *record, enum wait_kind kind, const void *object, thr_time deadline)
{
    struct wait_record copy;
    memset(&copy, 0x5a, sizeof copy);
    CHECK(wait_look(record, &copy));
    CHECK_EQUAL(copy.kind, kind);
    CHECK(copy.object == object);
    CHECK_EQUAL(copy.number, record->number);
    if (kind != WAIT_NOTHING)
        CHECK_EQUAL(copy.deadline, deadline);
}

/* One wait inside another, as in an interrupt: each end puts back what was there. */
static void test_record(void **state)
{
    (void)state;
    struct wait_record *record = support_record();
    struct wait outer;
    struct wait inner;
    int a;
    int b;
    CHECK(record != NULL);
    CHECK(record == wait_self);
    CHECK_EQUAL(wait_me(), record->number << WAIT_NUMBER_SHIFT | 1);
    check_record(record, WAIT_NOTHING, NULL, 0);
    wait_begin(&outer, WAIT_LOCK, &a, 123);
    check_record(record, WAIT_LOCK, &a, 123);
    CHECK(outer.record == record);
    CHECK(!outer.interruptible);
    wait_begin(&inner, WAIT_EVENT, &b, THR_FOREVER);
    check_record(record, WAIT_EVENT, &b, THR_FOREVER);
    CHECK(outer.since <= inner.since);
    wait_end(&inner);
    check_record(record, WAIT_LOCK, &a, 123);
    wait_end(&outer);
    check_record(record, WAIT_NOTHING, NULL, 0);
}

/* The same read by another thread at any moment: always one of the two waits, or none, and never half of it. */
struct looking {
    struct wait_record *record;
    struct support_count ready;
    struct support_count looked;
    int a;
    int b;
};

static void wait_all_the_time(void *arg)
{
    struct looking *looking = arg;
    looking->record = support_record();
    support_count_add(&looking->ready);
    while (support_count_get(&looking->looked) == 0) {
        struct wait wait;
        wait_begin(&wait, WAIT_LOCK, &looking->a, WAIT_LOCK);
        wait_end(&wait);
        wait_begin(&wait, WAIT_BARRIER, &looking->b, WAIT_BARRIER);
        wait_end(&wait);
    }
}

static void test_look(void **state)
{
    (void)state;
    struct looking looking = {.record = NULL};
    unsigned seen[3] = {0};
    struct support_thread *thread = support_thread_start(wait_all_the_time, &looking);
    support_count_wait(&looking.ready, 1);
    for (int i = 0; i < 20000; i++) {
        struct wait_record copy;
        if (!wait_look(looking.record, &copy))
            continue;
        if (copy.kind == WAIT_NOTHING) {
            CHECK(copy.object == NULL);
            seen[0]++;
        } else {
            CHECK_EQUAL(copy.deadline, copy.kind);
            CHECK(copy.object == (copy.kind == WAIT_LOCK ? &looking.a : &looking.b));
            seen[copy.kind == WAIT_LOCK ? 1 : 2]++;
        }
    }
    support_count_add(&looking.looked);
    support_thread_join(thread);
    CHECK(seen[0] + seen[1] + seen[2] > 0);
}

/* -- Interrupts ---------------------------------------------------------------------------------------------------- */

static bool count_and_go_on(void *arg)
{
    support_count_add(arg);
    return false;
}

static bool end_it(void *arg)
{
    support_count_add(arg);
    return true;
}

/* Only a thread that asked is interrupted, and only in a wait that allows it. */
static void test_interrupts(void **state)
{
    (void)state;
    uint32_t word = 0;
    struct support_count calls = {0};
    struct support_pester signals;
    struct wait wait;
    struct wait_record *record = support_record();
    support_pester_start(&signals, NULL, NULL);

    wait_begin(&wait, WAIT_EVENT, &word, thr_after(0.005));
    thr_result result = THR_OK;
    while (result == THR_OK)
        result = wait_block(&wait, &word, 0, OS_ANY);
    CHECK_RESULT(result, THR_TIMEOUT);
    wait_end(&wait);

    record->interrupt_arg = &calls;
    record->interrupt = count_and_go_on;
    wait_begin(&wait, WAIT_EVENT, &word, THR_FOREVER);
    while (support_count_get(&calls) < 5)
        CHECK_OK(wait_block(&wait, &word, 0, OS_ANY));
    wait_end(&wait);

    record->interrupt = end_it;
    wait_begin(&wait, WAIT_EVENT, &word, THR_FOREVER);
    do {
        result = wait_block(&wait, &word, 0, OS_ANY);
    } while (result == THR_OK);
    CHECK_RESULT(result, THR_INTERRUPTED);
    CHECK_EQUAL(support_count_get(&calls), 6);
    wait_end(&wait);

    wait_begin(&wait, WAIT_EVENT, &word, thr_after(0.005));
    wait.interruptible = false;
    do {
        result = wait_block(&wait, &word, 0, OS_ANY);
    } while (result == THR_OK);
    CHECK_RESULT(result, THR_TIMEOUT);
    CHECK_EQUAL(support_count_get(&calls), 6);
    wait_end(&wait);

    record->interrupt = NULL;
    support_pester_stop(&signals);
}

/* A handler that ran just before the sleep wakes nobody: an interruptible wait asks once all the same, and not again. */
static void test_asks_unasked(void **state)
{
    (void)state;
    uint32_t word = 0;
    struct support_count calls = {0};
    struct wait wait;
    struct wait_record *record = support_record();
    record->interrupt_arg = &calls;

    record->interrupt = count_and_go_on;
    thr_time deadline = thr_after(0.05);
    wait_begin(&wait, WAIT_EVENT, &word, deadline);
    thr_result result = THR_OK;
    while (result == THR_OK)
        result = wait_block(&wait, &word, 0, OS_ANY);
    wait_end(&wait);
    CHECK_RESULT(result, THR_TIMEOUT);
    CHECK(thr_now() >= deadline);
    CHECK_EQUAL(support_count_get(&calls), 1);

    record->interrupt = end_it;
    wait_begin(&wait, WAIT_EVENT, &word, THR_FOREVER);
    do {
        result = wait_block(&wait, &word, 0, OS_ANY);
    } while (result == THR_OK);
    wait_end(&wait);
    CHECK_RESULT(result, THR_INTERRUPTED);
    CHECK_EQUAL(support_count_get(&calls), 2);
    record->interrupt = NULL;
}

/* Each thread has its own record and number. */
struct numbers {
    uint32_t number[8];
    struct support_count there;
    struct support_count go;
};

static void take_number(void *arg)
{
    struct numbers *numbers = arg;
    const struct wait_record *record = support_record();
    CHECK_EQUAL(wait_me(), record->number << WAIT_NUMBER_SHIFT | 1);
    numbers->number[support_index()] = record->number;
    support_count_add(&numbers->there);
    support_count_wait(&numbers->go, 1);
    CHECK(support_record() == record);
}

static void test_numbers(void **state)
{
    (void)state;
    struct numbers numbers = {.there = {0}};
    struct support_bunch bunch;
    support_bunch_start(&bunch, 8, take_number, &numbers);
    support_count_wait(&numbers.there, 8);
    for (int i = 0; i < 8; i++) {
        CHECK(numbers.number[i] != 0);
        CHECK(wait_find(numbers.number[i])->number == numbers.number[i]);
        for (int j = 0; j < i; j++)
            CHECK(numbers.number[i] != numbers.number[j]);
    }
    CHECK(wait_find(0) == NULL);
    CHECK(wait_find(0x1fffffff) == NULL);
    support_count_add(&numbers.go);
    support_bunch_join(&bunch);
}

SUPPORT_MAIN(cmocka_unit_test(test_expired), cmocka_unit_test(test_low_half),
             cmocka_unit_test(test_block_that_does_not), cmocka_unit_test(test_record), cmocka_unit_test(test_look),
             cmocka_unit_test(test_interrupts), cmocka_unit_test(test_asks_unasked), cmocka_unit_test(test_numbers))
