/* test_blocking.c - everything that blocks: deadlines, signals and interrupts. Each test runs over every row of the table
 * in blocking.h, once with the inline paths and once steered, as under the laboratory. */

#include "blocking.h"

#define SHORT 0.010 /* seconds: a deadline that is expected to pass */

/* -- A waiter ------------------------------------------------------------------------------------------------------ */

/* The object still works: another waiter is let go. */
static void check_works(const struct row *row, struct any *any)
{
    struct waiter waiter = {.row = row, .any = any, .deadline = support_limit()};
    if (row->give == barrier_give)
        row->begin(any); /* was broken by the wait that ended before */
    struct support_thread *thread = support_thread_start(waiter_run, &waiter);
    support_wait_blocked(any, 1);
    row->give(any);
    support_thread_join(thread);
    CHECK_OK(waiter.result);
}

/* -- Deadlines ----------------------------------------------------------------------------------------------------- */

static void wait_past_deadlines(void *arg)
{
    struct waiter *waiter = arg;
    const thr_time past[] = {0, -1, INT64_MIN, 1, thr_now(), thr_after(-1.0)};
    for (size_t i = 0; i < sizeof past / sizeof *past; i++) {
        if (waiter->row->give == barrier_give)
            waiter->row->begin(waiter->any);
        support_errno_set();
        CHECK_RESULT(waiter->row->wait(waiter->any, past[i]), THR_TIMEOUT);
        CHECK_ERRNO();
    }
}

static void past_deadline_does_not_block(const struct row *row)
{
    struct any any = {0};
    struct waiter waiter = {.row = row, .any = &any};
    row->begin(&any);
    struct support_thread *thread = support_thread_start(wait_past_deadlines, &waiter);
    support_thread_join(thread);
    check_works(row, &any);
}

/* waiter_run checks that it was not too early. */
static void deadline_holds(const struct row *row)
{
    struct any any = {0};
    struct waiter waiter = {.row = row, .any = &any};
    row->begin(&any);
    waiter.deadline = thr_after(SHORT);
    struct support_thread *thread = support_thread_start(waiter_run, &waiter);
    support_thread_join(thread);
    CHECK_RESULT(waiter.result, THR_TIMEOUT);
    check_works(row, &any);
}

/* The same by a clock that is moved when it sleeps for certain. */
static void deadline_passes_asleep(const struct row *row)
{
    struct any any = {0};
    struct waiter waiter = {.row = row, .any = &any};
    row->begin(&any);
    support_clock_stop();
    waiter.deadline = thr_after(1.0);
    struct support_thread *thread = support_thread_start(waiter_run, &waiter);
    support_wait_blocked(&any, 1);
    support_clock_advance(0.999999);
    CHECK_EQUAL(support_count_get(&waiter.done), 0);
    support_clock_advance(0.000002);
    support_thread_join(thread);
    CHECK_RESULT(waiter.result, THR_TIMEOUT);
    support_clock_go();
    check_works(row, &any);
}

/* The furthest deadlines are as good as none. */
static void far_deadline_waits(const struct row *row)
{
    const thr_time far[] = {THR_FOREVER - 1, thr_after(1e9)};
    for (size_t i = 0; i < sizeof far / sizeof *far; i++) {
        struct any any = {0};
        struct waiter waiter = {.row = row, .any = &any, .deadline = far[i]};
        row->begin(&any);
        struct support_thread *thread = support_thread_start(waiter_run, &waiter);
        support_wait_blocked(&any, 1);
        row->give(&any);
        support_thread_join(thread);
        CHECK_OK(waiter.result);
    }
}

/* -- Signals ------------------------------------------------------------------------------------------------------- */

static void signals_do_not_shorten(const struct row *row)
{
    struct any any = {0};
    struct waiter waiter = {.row = row, .any = &any, .pester = true};
    row->begin(&any);
    waiter.deadline = thr_after(2 * SHORT);
    struct support_thread *thread = support_thread_start(waiter_run, &waiter);
    support_thread_join(thread);
    CHECK_RESULT(waiter.result, THR_TIMEOUT);
    CHECK(support_count_get(&waiter.signals.handled) > 0);
}

static void signals_do_not_end(const struct row *row)
{
    enum { SIGNALS = 100 };
    struct any any = {0};
    struct waiter waiter = {.row = row, .any = &any, .pester = true, .deadline = THR_FOREVER};
    row->begin(&any);
    struct support_thread *thread = support_thread_start(waiter_run, &waiter);
    support_wait_blocked(&any, 1);
    support_count_wait(&waiter.signals.handled, support_count_get(&waiter.signals.handled) + SIGNALS);
    CHECK_EQUAL(support_count_get(&waiter.done), 0);
    row->give(&any);
    support_thread_join(thread);
    CHECK_OK(waiter.result);
}

/* -- Interrupts ---------------------------------------------------------------------------------------------------- */

static bool go_on(void *arg)
{
    struct waiter *waiter = arg;
    support_count_add(&waiter->interrupts);
    return false;
}

static bool end_the_fifth_time(void *arg)
{
    struct waiter *waiter = arg;
    support_count_add(&waiter->interrupts);
    return support_count_get(&waiter->interrupts) == 5;
}

static void check_interrupted(const struct row *row, bool (*interrupt)(void *), uint32_t times)
{
    struct any any = {0};
    struct waiter waiter = {.row = row, .any = &any, .pester = true, .interrupt = interrupt};
    waiter.deadline = times > 1 ? support_limit() : THR_FOREVER;
    row->begin(&any);
    struct support_thread *thread = support_thread_start(waiter_run, &waiter);
    support_thread_join(thread);
    CHECK_RESULT(waiter.result, THR_INTERRUPTED);
    CHECK_EQUAL(support_count_get(&waiter.interrupts), times);

    check_works(row, &any);
}

static void interrupt_ends(const struct row *row)
{
    check_interrupted(row, end_the_wait, 1);
}

static void interrupt_ends_later(const struct row *row)
{
    check_interrupted(row, end_the_fifth_time, 5);
}

static void interrupt_goes_on(const struct row *row)
{
    struct any any = {0};
    struct waiter waiter = {.row = row, .any = &any, .pester = true, .interrupt = go_on, .deadline = THR_FOREVER};
    row->begin(&any);
    struct support_thread *thread = support_thread_start(waiter_run, &waiter);
    support_count_wait(&waiter.interrupts, 10);
    support_wait_blocked(&any, 1);
    CHECK_EQUAL(support_count_get(&waiter.done), 0);
    row->give(&any);
    support_thread_join(thread);
    CHECK_OK(waiter.result);

    /* The deadline holds as well. */
    row->begin(&any);
    if (row->give == event_give)
        thr_event_clear(&any.of.event);
    waiter.deadline = thr_after(SHORT);
    thread = support_thread_start(waiter_run, &waiter);
    support_thread_join(thread);
    CHECK_RESULT(waiter.result, THR_TIMEOUT);
}

EACH_ROW(past_deadline_does_not_block)
EACH_ROW(deadline_holds)
EACH_ROW(deadline_passes_asleep)
EACH_ROW(far_deadline_waits)
EACH_ROW(signals_do_not_shorten)
EACH_ROW(signals_do_not_end)
EACH_ROW(interrupt_ends)
EACH_ROW(interrupt_ends_later)
EACH_ROW(interrupt_goes_on)

SUPPORT_MAIN(cmocka_unit_test(test_past_deadline_does_not_block), cmocka_unit_test(test_deadline_holds),
             cmocka_unit_test(test_deadline_passes_asleep), cmocka_unit_test(test_far_deadline_waits),
             cmocka_unit_test(test_signals_do_not_shorten), cmocka_unit_test(test_signals_do_not_end),
             cmocka_unit_test(test_interrupt_ends), cmocka_unit_test(test_interrupt_ends_later),
             cmocka_unit_test(test_interrupt_goes_on))
