/* test_spin.c - the spin learns when it pays.
 *
 * What is learnt depends on how long things take, so the clock and the yields are our own here. */

#include "support/support.h"

#include <threading.h>

#include "wait/spin.h"
#include "wait/wait.h"

enum { LOOK = 100, YIELD = 500, LONG_YIELD = 4000000 }; /* nanoseconds */

static thr_time clock_shows = 1;
static thr_time yield_takes = YIELD;
static unsigned others;           /* have a turn at a lock, one after the other, before a yield returns */
static __thread unsigned yielded; /* how often this thread did */

/* The linker's names for the wrapped functions. */
thr_time __wrap_os_now(void);
void __wrap_os_yield(void);

thr_time __wrap_os_now(void)
{
    return clock_shows += LOOK;
}

/* Wants a lock again and again, until it yields or has done so for this long. */
static bool contend(thr_time longest)
{
    unsigned before = yielded;
    for (thr_time busy = 0; yielded == before && busy < longest; busy += 1000) {
        bool timed;
        (void)spin_visit(&timed);
        clock_shows += 1000;
    }
    return yielded > before;
}

static void *other(void *arg)
{
    (void)arg;
    CHECK(contend(1000000));
    return NULL;
}

/* Of others, the first comes, and yields to the next, and so on: so they all are away at the same time. */
void __wrap_os_yield(void)
{
    yielded++;
    if (others > 0) {
        others--;
        pthread_t thread;
        CHECK_EQUAL(pthread_create(&thread, NULL, other, NULL), 0);
        CHECK_EQUAL(pthread_join(thread, NULL), 0);
    } else {
        clock_shows += yield_takes;
    }
}

/* How many of so many spins begin in that way. */
static unsigned begin_as(enum spin_way way, const void *object, unsigned of)
{
    unsigned n = 0;
    for (unsigned i = 0; i < of; i++) {
        struct spin spin;
        spin_begin(&spin, object);
        n += spin.way == way;
    }
    return n;
}

static bool is_fresh_on(unsigned processor, const void *object)
{
    if (processor >= support_processors())
        return true;
    (void)support_stay_on(processor);
    return begin_as(SPIN_PAUSE, object, 8) == 8;
}

/* An object of which nobody knows anything bad yet. (Objects share places in the table, which of them depends on their
 * addresses.) The caller stays on processor 0. */
static const void *fresh(void)
{
    static char objects[65536];
    static size_t used;
    while (!is_fresh_on(1, &objects[used]) || !is_fresh_on(0, &objects[used]))
        used += 16;
    used += 16;
    return &objects[used - 16];
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

/* Lets somebody on this processor be the one who has woken us. */
static void woken_from_here(const void *object)
{
    spin_waker(object);
    spin_woken(object, 0); /* after a long sleep: nothing else is learnt */
}

/* Failures put an end to it, all but a probe now and then; successes bring it back. */
static void test_learns(void **state)
{
    (void)state;
    const void *object = fresh();
    CHECK_EQUAL(begin_as(SPIN_PAUSE, object, 64), 64);
    for (int i = 0; i < 100; i++)
        failure(object);
    unsigned probes = begin_as(SPIN_PAUSE, object, 640);
    CHECK(probes > 0 && probes < 640 / 4);
    for (int i = 0; i < 4000; i++)
        success(object); /* most of these do not try to pause */
    CHECK_EQUAL(begin_as(SPIN_PAUSE, object, 64), 64);
}

/* What happens on one processor says nothing of another. */
static void test_learns_for_each_processor(void **state)
{
    (void)state;
    const void *object = fresh();
    for (int i = 0; i < 100; i++)
        failure(object);
    CHECK(begin_as(SPIN_PAUSE, object, 64) < 64);
    if (support_processors() < 2)
        skip();
    (void)support_stay_on(1);
    CHECK_EQUAL(begin_as(SPIN_PAUSE, object, 64), 64);
    support_stay_anywhere();
}

/* So do sleeps that were so short that a pause would have done. */
static void test_learns_from_short_sleeps(void **state)
{
    (void)state;
    if (support_processors() < 2)
        skip();
    const void *object = fresh();
    spin_waker(object);
    (void)support_stay_on(1);
    for (int i = 0; i < 100; i++)
        failure(object);
    CHECK(begin_as(SPIN_PAUSE, object, 64) < 64);
    for (int i = 0; i < 64; i++)
        spin_woken(object, thr_now());
    CHECK_EQUAL(begin_as(SPIN_PAUSE, object, 64), 64);
    support_stay_anywhere();
}

/* If the one that lets us go runs on our processor, pausing cannot help: we yield. */
static void test_waker_on_this_processor(void **state)
{
    (void)state;
    const void *object = fresh();
    CHECK_EQUAL(begin_as(SPIN_PAUSE, object, 8), 8); /* nobody has let us go yet */
    spin_waker(object);
    CHECK_EQUAL(begin_as(SPIN_PAUSE, object, 8), 8); /* whom we have woken is no partner of ours */
    woken_from_here(object);
    CHECK_EQUAL(begin_as(SPIN_YIELD, object, 8), 8);
    if (support_processors() > 1) {
        (void)support_stay_on(1);
        CHECK_EQUAL(begin_as(SPIN_PAUSE, object, 8), 8);
        woken_from_here(object);
        CHECK_EQUAL(begin_as(SPIN_YIELD, object, 8), 8);
        (void)support_stay_on(0);
        CHECK_EQUAL(begin_as(SPIN_PAUSE, object, 8), 8);
    }
    support_stay_anywhere();
}

static void test_yields_are_learnt_too(void **state)
{
    (void)state;
    const void *object = fresh();
    woken_from_here(object);
    for (int i = 0; i < 20; i++)
        failure(object);
    CHECK(begin_as(SPIN_YIELD, object, 640) < 640 / 4);
    CHECK_EQUAL(begin_as(SPIN_PAUSE, object, 640), 0);
    for (int i = 0; i < 64; i++)
        spin_woken(object, thr_now()); /* short sleeps: a yield would have done */
    CHECK_EQUAL(begin_as(SPIN_YIELD, object, 64), 64);
    struct spin pausing;
    spin_begin_rare(&pausing, object);
    CHECK_EQUAL(pausing.way, SPIN_NOT);
    support_stay_anywhere();
}

/* Where others have long use for the processor, a yield costs their whole turn: soon nobody yields any more, though each
 * brought what was waited for. Until it has been paid for. */
static void test_long_yields(void **state)
{
    (void)state;
    const void *object = fresh();
    woken_from_here(object);
    yield_takes = LONG_YIELD;
    unsigned yields = 0;
    while (begin_as(SPIN_NOT, object, 1) == 0) {
        CHECK(yields++ < 10);
        success(object);
    }
    yield_takes = YIELD;
    CHECK(yields > 1); /* one may be chance */
    CHECK_EQUAL(begin_as(SPIN_NOT, object, 64), 64);
    clock_shows += (thr_time)1000 * LONG_YIELD;
    CHECK_EQUAL(begin_as(SPIN_YIELD, object, 64), 64);
    support_stay_anywhere();
}

/* However much it is trusted, it ends, after some tens of microseconds. */
static void test_ends(void **state)
{
    (void)state;
    const void *object = fresh();
    for (int i = 0; i < 100; i++)
        success(object);
    for (int i = 0; i < 3; i++) {
        thr_time before = clock_shows;
        uint32_t word = 5;
        CHECK(!wait_spin(&word, UINT32_MAX, 5, object));
        CHECK(clock_shows - before > 10 * LOOK && clock_shows - before < 100000);
    }
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

enum { VISITS = 64, SOON = 40, LATE = 400 };

/* How many of so many visits to a lock begin with looks; the timed ones find that the line took so long. */
static unsigned visits_with_looks(unsigned of, thr_time took)
{
    unsigned n = 0;
    for (unsigned i = 0; i < of; i++) {
        bool timed;
        n += spin_visit(&timed) > 0;
        if (timed)
            spin_look_took(took);
    }
    return n;
}

static uint32_t pauses_before_a_look(const void *lock)
{
    struct spin spin;
    spin_begin_rare(&spin, lock);
    return spin.pauses;
}

/* A lock is looked at at once, unless the last that was timed found that this takes long; some are timed all the same. */
static void test_looks_where_lines_are_near(void **state)
{
    (void)state;
    const void *lock = fresh();
    (void)visits_with_looks(VISITS, SOON);
    CHECK_EQUAL(visits_with_looks(VISITS, SOON), VISITS);
    CHECK_EQUAL(pauses_before_a_look(lock), 1);
    (void)visits_with_looks(VISITS, LATE);
    CHECK(pauses_before_a_look(lock) > 1);
    unsigned far = visits_with_looks(VISITS, LATE);
    CHECK(far > 0 && far <= VISITS / 4);
    (void)visits_with_looks(VISITS, SOON);
    CHECK_EQUAL(visits_with_looks(VISITS, SOON), VISITS);
}

/* Who wants a lock again and again yields four times in a millisecond, and no more. */
static void test_takes_turns(void **state)
{
    (void)state;
    unsigned turns = 0;
    for (thr_time end = clock_shows + 4000000; clock_shows < end;)
        turns += contend(1000000);
    CHECK(turns >= 12 && turns <= 16);
}

/* It may be away for long, as long as others have their turns then. */
static void test_turns_of_many(void **state)
{
    (void)state;
    (void)support_stay_on(0);
    for (int i = 0; i < 8; i++) {
        others = 30;
        thr_time before = clock_shows;
        CHECK(contend(1000000));
        CHECK(clock_shows - before > 30 * 200000);
    }
    support_stay_anywhere();
}

/* Somebody who takes no turns had the processor once. That is one loss, however many were waiting. */
static void test_a_loss_counts_once(void **state)
{
    (void)state;
    (void)support_stay_on(0);
    yield_takes = LONG_YIELD;
    others = 30;
    CHECK(contend(1000000));
    yield_takes = YIELD;
    CHECK(contend(1000000));
    support_stay_anywhere();
}

/* If that goes on, nobody on this processor takes turns any more. Until it has been paid for. */
static void test_turns_beside_a_stranger(void **state)
{
    (void)state;
    (void)support_stay_on(0);
    yield_takes = LONG_YIELD;
    unsigned turns = 0;
    while (contend(1000000))
        CHECK(turns++ < 10);
    CHECK(turns > 1); /* one may be chance */
    if (support_processors() > 1) {
        (void)support_stay_on(1);
        CHECK(contend(1000000));
        (void)support_stay_on(0);
        CHECK(!contend(1000000));
    }
    yield_takes = YIELD;
    clock_shows += (thr_time)100 * LONG_YIELD;
    for (int i = 0; i < 100; i++)
        CHECK(contend(1000000));
    support_stay_anywhere();
}

/* A process that was stopped for an hour goes on as if it had been for a moment. */
static void test_turns_after_a_stop(void **state)
{
    (void)state;
    (void)support_stay_on(0);
    for (int i = 0; i < 2; i++) {
        yield_takes = (thr_time)3600 * 1000000000;
        CHECK(contend(1000000));
        yield_takes = YIELD;
        clock_shows += 2000000000;
    }
    CHECK(contend(1000000));
    support_stay_anywhere();
}

/* Under the laboratory nobody spins: the others stand still meanwhile. */
static void test_steered(void **state)
{
    (void)state;
    const void *object = fresh();
    hook_set(HOOK_STEERED);
    CHECK_EQUAL(begin_as(SPIN_NOT, object, 64), 64);
    CHECK_EQUAL(visits_with_looks(VISITS, SOON), 0);
    hook_set(HOOK_NOBODY);
    CHECK_EQUAL(begin_as(SPIN_PAUSE, object, 64), 64);
}

SUPPORT_MAIN(cmocka_unit_test(test_learns), cmocka_unit_test(test_learns_for_each_processor),
             cmocka_unit_test(test_learns_from_short_sleeps), cmocka_unit_test(test_waker_on_this_processor),
             cmocka_unit_test(test_yields_are_learnt_too), cmocka_unit_test(test_long_yields),
             cmocka_unit_test(test_ends), cmocka_unit_test(test_sees_the_change),
             cmocka_unit_test(test_looks_where_lines_are_near), cmocka_unit_test(test_takes_turns),
             cmocka_unit_test(test_turns_of_many), cmocka_unit_test(test_a_loss_counts_once),
             cmocka_unit_test(test_turns_beside_a_stranger), cmocka_unit_test(test_turns_after_a_stop),
             cmocka_unit_test(test_steered))
