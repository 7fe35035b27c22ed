/* test_blocking_race.c - everything that blocks: a grant, and a waiter that is about to sleep or to give up; an object that
 * is freed by its waiter. Over the same rows as test_blocking.c. */

#include "blocking.h"

#include <sched.h>

/* -- A grant races with the sleep ---------------------------------------------------------------------------------- */

/* The waiter is registered and not yet asleep: no wake by the system can reach it. */
static void give_before_sleep(const struct row *row)
{
    struct any any = {0};
    struct waiter waiter = {.row = row, .any = &any, .deadline = THR_FOREVER};
    row->begin(&any);
    support_stop(SUPPORT_BEFORE_SLEEP, &any, NULL);
    struct support_thread *thread = support_thread_start(waiter_run, &waiter);
    support_wait_stopped(SUPPORT_BEFORE_SLEEP, 1);
    row->give(&any);
    support_go(SUPPORT_BEFORE_SLEEP);
    support_thread_join(thread);
    CHECK_OK(waiter.result);
}

/* Starts a waiter and stops it when its sleep has ended, by its deadline or an interrupt, and nothing else knows yet. */
static struct support_thread *start_late(struct waiter *waiter)
{
    support_clock_stop();
    waiter->deadline = waiter->interrupt ? THR_FOREVER : thr_after(1.0);
    support_stop(SUPPORT_AFTER_SLEEP, waiter->any, NULL);
    struct support_thread *thread = support_thread_start(waiter_run, waiter);
    if (!waiter->interrupt) {
        support_wait_blocked(waiter->any, 1);
        support_clock_advance(1.0);
    }
    support_wait_stopped(SUPPORT_AFTER_SLEEP, 1);
    support_clock_go();
    return thread;
}

static struct waiter late_by_timeout(const struct row *row, struct any *any)
{
    return (struct waiter){.row = row, .any = any};
}

static struct waiter late_by_interrupt(const struct row *row, struct any *any)
{
    return (struct waiter){.row = row, .any = any, .pester = true, .interrupt = end_the_wait};
}

static void check_late_result(const struct waiter *waiter)
{
    CHECK(waiter->result == THR_OK || waiter->result == (waiter->interrupt ? THR_INTERRUPTED : THR_TIMEOUT));
}

/* The object gives. Either the late one has it then, or it is still there. */
static void check_late(const struct row *row, struct waiter (*late)(const struct row *, struct any *))
{
    struct any any = {0};
    struct waiter waiter = late(row, &any);
    row->begin(&any);
    struct support_thread *thread = start_late(&waiter);
    row->give(&any);
    support_go(SUPPORT_AFTER_SLEEP);
    support_thread_join(thread);
    check_late_result(&waiter);
    if (row->traits & CHOOSES) {
        CHECK_OK(waiter.result); /* the give has chosen it */
    } else if (waiter.result != THR_OK) {
        CHECK_OK(row->wait(&any, 0));
        if (row->end)
            row->end(&any);
    } else if (row->give == semaphore_give) {
        CHECK_RESULT(row->wait(&any, 0), THR_TIMEOUT); /* not there a second time */
    }
}

static void give_after_timeout(const struct row *row)
{
    check_late(row, late_by_timeout);
}

static void give_after_interrupt(const struct row *row)
{
    check_late(row, late_by_interrupt);
}

/* A late one, which is the oldest, and one asleep: the give is not lost between them. */
static void check_late_and_asleep(const struct row *row, struct waiter (*late)(const struct row *, struct any *))
{
    if (row->traits & LONE)
        return;
    struct any any = {0};
    struct waiter waiter = late(row, &any);
    struct waiter asleep = {.row = row, .any = &any, .deadline = THR_FOREVER};
    row->begin(&any);
    struct support_thread *first = start_late(&waiter);
    struct support_thread *second = support_thread_start(waiter_run, &asleep);
    support_wait_blocked(&any, 1);
    row->give(&any);
    support_go(SUPPORT_AFTER_SLEEP);
    support_thread_join(first);
    check_late_result(&waiter);
    if (waiter.result == THR_OK && !(row->traits & PASSES_ON))
        row->give(&any);
    support_thread_join(second);
    CHECK_OK(asleep.result);
}

static void give_after_timeout_of_one(const struct row *row)
{
    check_late_and_asleep(row, late_by_timeout);
}

static void give_after_interrupt_of_one(const struct row *row)
{
    check_late_and_asleep(row, late_by_interrupt);
}

/* The late one gives up first, then the object gives: to the one asleep. */
static void check_late_then_give(const struct row *row, struct waiter (*late)(const struct row *, struct any *))
{
    if (row->traits & LONE)
        return;
    struct any any = {0};
    struct waiter waiter = late(row, &any);
    struct waiter asleep = {.row = row, .any = &any, .deadline = THR_FOREVER};
    row->begin(&any);
    struct support_thread *first = start_late(&waiter);
    struct support_thread *second = support_thread_start(waiter_run, &asleep);
    support_wait_blocked(&any, 1);
    support_go(SUPPORT_AFTER_SLEEP);
    support_thread_join(first);
    CHECK_RESULT(waiter.result, waiter.interrupt ? THR_INTERRUPTED : THR_TIMEOUT);
    support_wait_blocked(&any, 1);
    row->give(&any);
    support_thread_join(second);
    CHECK_OK(asleep.result);
}

static void give_after_one_gave_up(const struct row *row)
{
    check_late_then_give(row, late_by_timeout);
    check_late_then_give(row, late_by_interrupt);
}

/* -- Several ------------------------------------------------------------------------------------------------------- */

static void crowd_goes(const struct row *row)
{
    enum { CROWD = 5 };
    if (row->traits & LONE)
        return;
    struct any any = {0};
    struct waiter waiters[CROWD];
    struct support_thread *threads[CROWD];
    row->begin(&any);
    for (int i = 0; i < CROWD; i++) {
        waiters[i] = (struct waiter){.row = row, .any = &any, .deadline = i % 2 ? THR_FOREVER : support_limit()};
        threads[i] = support_thread_start(waiter_run, &waiters[i]);
    }
    support_wait_blocked(&any, CROWD);
    for (int i = 0; i < CROWD; i++)
        CHECK_EQUAL(support_count_get(&waiters[i].done), 0);
    for (int i = 0; i < (row->traits & PASSES_ON ? 1 : CROWD); i++)
        row->give(&any);
    for (int i = 0; i < CROWD; i++) {
        support_thread_join(threads[i]);
        CHECK_OK(waiters[i].result);
    }
}

/* -- The object is freed by its waiter ----------------------------------------------------------------------------- */

struct giver {
    const struct row *row;
    struct any *any;
    struct support_count begun;
    struct support_count go;
};

static void giver_run(void *arg)
{
    struct giver *giver = arg;
    giver->row->begin(giver->any);
    support_count_add(&giver->begun);
    support_count_wait(&giver->go, 1);
    giver->row->give(giver->any);
}

static void free_it(struct waiter *waiter)
{
    CHECK_OK(waiter->result);
    support_page_free(waiter->any);
}

/* The giver is held at the end of its last wake until the page of the object is gone. */
static void freed_during_wake(const struct row *row)
{
    struct any *any = support_page_new();
    struct giver giver = {.row = row, .any = any};
    struct waiter waiter = {.row = row, .any = any, .deadline = THR_FOREVER, .then = free_it};
    struct support_thread *gives = support_thread_start(giver_run, &giver);
    support_count_wait(&giver.begun, 1);
    struct support_thread *waits = support_thread_start(waiter_run, &waiter);
    support_wait_blocked(any, 1);
    any->stop = true;
    if (!(row->traits & LOCKED))
        support_stop(SUPPORT_AFTER_WAKE, NULL, gives);
    support_count_add(&giver.go);
    support_count_wait(&waiter.done, 1);
    support_go(SUPPORT_AFTER_WAKE);
    support_thread_join(gives);
    support_thread_join(waits);
}

/* The same at random moments, without the system's wake. */
struct turns {
    const struct row *row;
    struct any *any;
    struct support_count begun;
    struct support_count freed;
};

enum { TURNS = 150 };

static void give_in_turns(void *arg)
{
    struct turns *turns = arg;
    uint64_t random = support_seed();
    for (uint32_t turn = 1; turn <= TURNS; turn++) {
        struct any *any = support_page_new();
        turns->row->begin(any);
        turns->any = any;
        support_count_add(&turns->begun);
        for (uint32_t pause = support_random_below(&random, 4000); pause > 0; pause--)
            __asm__ volatile("");
        turns->row->give(any);
        support_count_wait(&turns->freed, turn);
    }
}

static void wait_in_turns(void *arg)
{
    struct turns *turns = arg;
    for (uint32_t turn = 1; turn <= TURNS; turn++) {
        support_count_wait(&turns->begun, turn);
        CHECK_OK(turns->row->wait(turns->any, THR_FOREVER));
        support_page_free(turns->any);
        support_count_add(&turns->freed);
    }
}

static void freed_at_random(const struct row *row)
{
    if (row->traits & CHOOSES)
        return; /* who comes first finds nobody to let go, or waits itself */
    struct turns turns = {.row = row};
    struct support_thread *gives = support_thread_start(give_in_turns, &turns);
    struct support_thread *waits = support_thread_start(wait_in_turns, &turns);
    support_thread_join(gives);
    support_thread_join(waits);
}

/* -- At the same moment -------------------------------------------------------------------------------------------- */

/* A waiter and a giver begin at the same time, as nearly as can be, again and again, and both stumble: the give falls
 * anywhere between the waiter's first look and its sleep, and the wait anywhere into the give. Every other wait has a
 * deadline that passes there as well. */
struct race {
    const struct row *row;
    struct any any;
    uint32_t start; /* rounds begun */
    struct support_count ready;
    struct support_count waited;
    thr_result result;
    bool timed;
    bool last;
};

/* Most often the other is nearly there. */
static void await(struct support_count *count, uint32_t n)
{
    for (int turns = 0; turns < 2000; turns++)
        if (support_count_get(count) >= n)
            return;
    support_count_wait(count, n);
}

static void pause_for(uint32_t turns)
{
    for (; turns > 0; turns--)
        __asm__ volatile("");
}

static void race_to_wait(void *arg)
{
    struct race *race = arg;
    uint64_t random = support_seed() + 1;
    (void)support_record();
    support_stumble_start();
    support_stumble_once(1);
    for (uint32_t round = 1;; round++) {
        support_count_add(&race->ready);
        for (int turns = 0; __atomic_load_n(&race->start, __ATOMIC_ACQUIRE) != round; turns++)
            if (turns > 100000)
                thr_sleep(0.0);
        if (race->last)
            break;
        thr_time deadline = race->timed ? thr_now() + support_random_below(&random, 3000) : THR_FOREVER;
        if (round % 4 < 2) /* the others sleep for ever if their wake is lost */
            support_stumble_once(4000);
        pause_for(support_random_below(&random, 100));
        race->result = race->row->wait(&race->any, deadline);
        if (race->result == THR_OK && race->row->end)
            race->row->end(&race->any);
        support_count_add(&race->waited);
    }
    support_stumble_stop();
}

static void check_race(struct race *race)
{
    const struct row *row = race->row;
    CHECK(race->result == THR_OK || (race->timed && race->result == THR_TIMEOUT));
    if (row->traits & CHOOSES) /* the give may have come too soon for anybody */
        return;
    if (race->result == THR_OK && row->give == semaphore_give)
        CHECK_RESULT(row->wait(&race->any, 0), THR_TIMEOUT);
    if (race->result == THR_TIMEOUT) { /* then it is still there */
        CHECK_OK(row->wait(&race->any, 0));
        if (row->end)
            row->end(&race->any);
    }
}

static void wait_and_give_at_once(const struct row *row)
{
    if (row->give == barrier_give)
        return; /* there both wait */
    struct race race = {.row = row};
    uint64_t random = support_seed();
    thr_time end = thr_after(0.03);
    struct support_thread *waits = support_thread_start(race_to_wait, &race);
    support_stumble_start();
    for (uint32_t round = 1; !race.last; round++) {
        await(&race.ready, round);
        race.last = thr_now() > end;
        race.any = (struct any){0};
        race.timed = round % 2;
        if (!race.last)
            row->begin(&race.any);
        __atomic_store_n(&race.start, round, __ATOMIC_RELEASE);
        if (race.last)
            break;
        pause_for(support_random_below(&random, 500));
        row->give(&race.any);
        /* What a notify leaves behind is nothing: once more, when somebody waits, or has given up. */
        while ((row->traits & CHOOSES) && support_count_get(&race.waited) < round) {
            row->give(&race.any);
            thr_sleep(10e-6);
        }
        await(&race.waited, round);
        check_race(&race);
    }
    support_stumble_stop();
    support_thread_join(waits);
}

/* -- At each instruction ------------------------------------------------------------------------------------------- */

/* A waiter comes before any one of the instructions of a give, and sleeps, or is through, before the next. */
struct between {
    struct waiter waiter;
    struct support_count go;
    bool given;
    bool came_late; /* after that */
};

static void wait_when_told(void *arg)
{
    struct between *between = arg;
    support_count_wait(&between->go, 1);
    waiter_run(&between->waiter);
}

static void let_it_wait(void *arg)
{
    struct between *between = arg;
    between->came_late = between->given;
    support_count_add(&between->go);
    while (support_count_get(&between->waiter.done) == 0 && support_blocked(between->waiter.any) == 0)
        (void)sched_yield();
    if (support_count_get(&between->waiter.done) == 0)
        support_wait_blocked(between->waiter.any, 1);
}

static void give_it(void *arg)
{
    struct between *between = arg;
    between->waiter.row->give(between->waiter.any);
    between->given = true;
}

static void wait_in_the_middle_of_a_give(const struct row *row)
{
    if (row->traits & (CHOOSES | LOCKED))
        return; /* it may come too late, or wait for the lock */
    if (!hook_steers())
        return; /* what is inline is one instruction, and the rest the same */
    bool came_before = true;
    for (unsigned n = 1; came_before; n++) {
        struct any any = {0};
        struct between between = {.waiter = {.row = row, .any = &any, .deadline = THR_FOREVER}};
        row->begin(&any);
        struct support_thread *thread = support_thread_start(wait_when_told, &between);
        came_before = support_step(n, give_it, let_it_wait, &between);
        if (!came_before)
            support_count_add(&between.go);
        support_thread_join(thread);
        CHECK_OK(between.waiter.result);
        came_before = came_before && !between.came_late;
    }
}

EACH_ROW(give_before_sleep)
EACH_ROW(give_after_timeout)
EACH_ROW(give_after_interrupt)
EACH_ROW(give_after_timeout_of_one)
EACH_ROW(give_after_interrupt_of_one)
EACH_ROW(give_after_one_gave_up)
EACH_ROW(crowd_goes)
EACH_ROW(freed_during_wake)
EACH_ROW(freed_at_random)
EACH_ROW(wait_and_give_at_once)
EACH_ROW(wait_in_the_middle_of_a_give)

SUPPORT_MAIN(cmocka_unit_test(test_give_before_sleep), cmocka_unit_test(test_give_after_timeout),
             cmocka_unit_test(test_give_after_interrupt), cmocka_unit_test(test_give_after_timeout_of_one),
             cmocka_unit_test(test_give_after_interrupt_of_one), cmocka_unit_test(test_give_after_one_gave_up),
             cmocka_unit_test(test_crowd_goes), cmocka_unit_test(test_freed_during_wake),
             cmocka_unit_test(test_freed_at_random), cmocka_unit_test(test_wait_and_give_at_once),
             cmocka_unit_test(test_wait_in_the_middle_of_a_give))
