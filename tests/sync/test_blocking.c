/* test_blocking.c - one body for everything that blocks: deadlines, signals, interrupts, races of a grant with the sleep,
 * and an object that is freed by its waiter. Each test runs over every row of the table below, once with the inline paths
 * and once steered, as under the laboratory. */

#include "support/support.h"

#include <stdio.h>

#include "wait/hook.h"
#include "wait/wait.h"

#define SHORT 0.010 /* seconds: a deadline that is expected to pass */

/* Any object, and what its row needs beside it. The object comes first. */
struct any {
    union {
        thr_lock lock;
        thr_rlock rlock;
        thr_condition condition;
        thr_semaphore semaphore;
        thr_bounded_semaphore bounded;
        thr_event event;
        thr_barrier barrier;
        thr_latch latch;
        thr_rwlock rwlock;
    } of;
    thr_lock lock; /* of a condition */
    thr_rlock rlock;
    bool flag; /* what a predicate looks at */
    bool stop; /* the giver of a condition is to be stopped at its last wake */
};

struct row {
    const char *name;
    void (*begin)(struct any *any); /* brings it where a wait blocks */
    thr_result (*wait)(struct any *any, thr_time deadline);
    void (*end)(struct any *any);  /* undoes a successful wait, on the thread that waited; may be NULL */
    void (*give)(struct any *any); /* lets a waiter go; called by who called begin */
    unsigned traits;
};

enum trait {
    PASSES_ON = 1, /* one give lets all waiters go, one after the other or at once */
    CHOOSES = 2,   /* a give lets somebody go that waits; it leaves nothing for later */
    LONE = 4,      /* takes one waiter only */
    LOCKED = 8,    /* a give holds any->lock or any->rlock */
};

/* -- lock, rlock --------------------------------------------------------------------------------------------------- */

static void lock_begin(struct any *any)
{
    CHECK_OK(thr_lock_acquire(&any->of.lock));
}

static thr_result lock_wait(struct any *any, thr_time deadline)
{
    return deadline == THR_FOREVER ? thr_lock_acquire(&any->of.lock) : thr_lock_acquire_until(&any->of.lock, deadline);
}

static void lock_give(struct any *any)
{
    CHECK_OK(thr_lock_release(&any->of.lock));
}

static void rlock_begin(struct any *any)
{
    CHECK_OK(thr_rlock_acquire(&any->of.rlock));
}

static thr_result rlock_wait(struct any *any, thr_time deadline)
{
    return deadline == THR_FOREVER ? thr_rlock_acquire(&any->of.rlock)
                                   : thr_rlock_acquire_until(&any->of.rlock, deadline);
}

static void rlock_give(struct any *any)
{
    CHECK_OK(thr_rlock_release(&any->of.rlock));
}

/* -- condition ----------------------------------------------------------------------------------------------------- */

static void nothing(struct any *any)
{
    (void)any;
}

static thr_result condition_wait(struct any *any, thr_time deadline)
{
    CHECK_OK(thr_lock_acquire(&any->lock));
    thr_result result = deadline == THR_FOREVER ? thr_condition_wait(&any->of.condition, &any->lock)
                                                : thr_condition_wait_until(&any->of.condition, &any->lock, deadline);
    CHECK_OK(thr_lock_release(&any->lock));
    return result;
}

/* While a giver holds the lock, nobody can free it: from here on somebody may. */
static void stop_from_now_on(const struct any *any)
{
    if (any->stop)
        support_stop(SUPPORT_AFTER_WAKE, NULL, support_self());
}

static void condition_give(struct any *any)
{
    CHECK_OK(thr_lock_acquire(&any->lock));
    (void)thr_condition_notify(&any->of.condition, 1);
    stop_from_now_on(any);
    CHECK_OK(thr_lock_release(&any->lock));
}

static void condition_give_without(struct any *any)
{
    (void)thr_condition_notify(&any->of.condition, 1);
}

static thr_result condition_wait_rlock(struct any *any, thr_time deadline)
{
    CHECK_OK(thr_rlock_acquire(&any->rlock));
    CHECK_OK(thr_rlock_acquire(&any->rlock));
    thr_result result = deadline == THR_FOREVER
                            ? thr_condition_wait_rlock(&any->of.condition, &any->rlock)
                            : thr_condition_wait_rlock_until(&any->of.condition, &any->rlock, deadline);
    CHECK_EQUAL(thr_rlock_depth(&any->rlock), 2);
    CHECK_OK(thr_rlock_release(&any->rlock));
    CHECK_OK(thr_rlock_release(&any->rlock));
    return result;
}

static void condition_give_rlock(struct any *any)
{
    CHECK_OK(thr_rlock_acquire(&any->rlock));
    (void)thr_condition_notify(&any->of.condition, 1);
    stop_from_now_on(any);
    CHECK_OK(thr_rlock_release(&any->rlock));
}

static bool take_flag(void *arg)
{
    struct any *any = arg;
    bool flag = any->flag;
    any->flag = false;
    return flag;
}

static thr_result condition_wait_for(struct any *any, thr_time deadline)
{
    CHECK_OK(thr_lock_acquire(&any->lock));
    thr_result result = deadline == THR_FOREVER
                            ? thr_condition_wait_for(&any->of.condition, &any->lock, take_flag, any)
                            : thr_condition_wait_for_until(&any->of.condition, &any->lock, take_flag, any, deadline);
    CHECK_OK(thr_lock_release(&any->lock));
    return result;
}

static void condition_give_flag(struct any *any)
{
    CHECK_OK(thr_lock_acquire(&any->lock));
    any->flag = true;
    (void)thr_condition_notify(&any->of.condition, 1);
    stop_from_now_on(any);
    CHECK_OK(thr_lock_release(&any->lock));
}

static thr_result condition_wait_for_rlock(struct any *any, thr_time deadline)
{
    CHECK_OK(thr_rlock_acquire(&any->rlock));
    thr_result result =
        deadline == THR_FOREVER
            ? thr_condition_wait_for_rlock(&any->of.condition, &any->rlock, take_flag, any)
            : thr_condition_wait_for_rlock_until(&any->of.condition, &any->rlock, take_flag, any, deadline);
    CHECK_OK(thr_rlock_release(&any->rlock));
    return result;
}

static void condition_give_flag_rlock(struct any *any)
{
    CHECK_OK(thr_rlock_acquire(&any->rlock));
    any->flag = true;
    (void)thr_condition_notify(&any->of.condition, 1);
    stop_from_now_on(any);
    CHECK_OK(thr_rlock_release(&any->rlock));
}

/* -- semaphore, event, latch, barrier ------------------------------------------------------------------------------ */

static thr_result semaphore_wait(struct any *any, thr_time deadline)
{
    return deadline == THR_FOREVER ? thr_semaphore_acquire(&any->of.semaphore)
                                   : thr_semaphore_acquire_until(&any->of.semaphore, deadline);
}

static void semaphore_give(struct any *any)
{
    CHECK_OK(thr_semaphore_release(&any->of.semaphore, 1));
}

static void bounded_begin(struct any *any)
{
    any->of.bounded = (thr_bounded_semaphore)THR_BOUNDED_SEMAPHORE_INIT(1);
    CHECK_OK(thr_bounded_semaphore_acquire(&any->of.bounded));
}

static thr_result bounded_wait(struct any *any, thr_time deadline)
{
    return deadline == THR_FOREVER ? thr_bounded_semaphore_acquire(&any->of.bounded)
                                   : thr_bounded_semaphore_acquire_until(&any->of.bounded, deadline);
}

static void bounded_give(struct any *any)
{
    CHECK_OK(thr_bounded_semaphore_release(&any->of.bounded, 1));
}

static thr_result event_wait(struct any *any, thr_time deadline)
{
    return deadline == THR_FOREVER ? thr_event_wait(&any->of.event) : thr_event_wait_until(&any->of.event, deadline);
}

static void event_give(struct any *any)
{
    thr_event_set(&any->of.event);
}

static void latch_begin(struct any *any)
{
    any->of.latch = (thr_latch)THR_LATCH_INIT(1);
}

static thr_result latch_wait(struct any *any, thr_time deadline)
{
    return deadline == THR_FOREVER ? thr_latch_wait(&any->of.latch) : thr_latch_wait_until(&any->of.latch, deadline);
}

static void latch_give(struct any *any)
{
    CHECK_OK(thr_latch_count_down(&any->of.latch, 1));
}

static void barrier_begin(struct any *any)
{
    thr_barrier_abort(&any->of.barrier); /* a barrier that a test before has broken begins anew */
    thr_barrier_reset(&any->of.barrier);
    if (thr_barrier_parties(&any->of.barrier) == 0)
        CHECK_OK(thr_barrier_init(&any->of.barrier, 2, NULL, NULL));
}

static thr_result barrier_wait(struct any *any, thr_time deadline)
{
    return deadline == THR_FOREVER ? thr_barrier_wait(&any->of.barrier, NULL)
                                   : thr_barrier_wait_until(&any->of.barrier, deadline, NULL);
}

static void barrier_give(struct any *any)
{
    CHECK_OK(thr_barrier_wait(&any->of.barrier, NULL));
}

/* -- rwlock -------------------------------------------------------------------------------------------------------- */

static void read_begin(struct any *any)
{
    CHECK_OK(thr_rwlock_acquire_write(&any->of.rwlock));
}

static thr_result read_wait(struct any *any, thr_time deadline)
{
    return deadline == THR_FOREVER ? thr_rwlock_acquire_read(&any->of.rwlock)
                                   : thr_rwlock_acquire_read_until(&any->of.rwlock, deadline);
}

static void read_end(struct any *any)
{
    CHECK_OK(thr_rwlock_release_read(&any->of.rwlock));
}

static void read_give(struct any *any)
{
    CHECK_OK(thr_rwlock_release_write(&any->of.rwlock));
}

static void write_begin(struct any *any)
{
    CHECK_OK(thr_rwlock_acquire_read(&any->of.rwlock));
}

static thr_result write_wait(struct any *any, thr_time deadline)
{
    return deadline == THR_FOREVER ? thr_rwlock_acquire_write(&any->of.rwlock)
                                   : thr_rwlock_acquire_write_until(&any->of.rwlock, deadline);
}

static void write_end(struct any *any)
{
    CHECK_OK(thr_rwlock_release_write(&any->of.rwlock));
}

static void write_give(struct any *any)
{
    CHECK_OK(thr_rwlock_release_read(&any->of.rwlock));
}

/* -- The table ----------------------------------------------------------------------------------------------------- */

static const struct row rows[] = {
    {"lock", lock_begin, lock_wait, lock_give, lock_give, PASSES_ON},
    {"rlock", rlock_begin, rlock_wait, rlock_give, rlock_give, PASSES_ON},
    {"condition", nothing, condition_wait, NULL, condition_give, CHOOSES | LOCKED},
    {"condition, notify without the lock", nothing, condition_wait, NULL, condition_give_without, CHOOSES},
    {"condition, rlock", nothing, condition_wait_rlock, NULL, condition_give_rlock, CHOOSES | LOCKED},
    {"condition, rlock, notify without it", nothing, condition_wait_rlock, NULL, condition_give_without, CHOOSES},
    {"condition, wait_for", nothing, condition_wait_for, NULL, condition_give_flag, LONE | LOCKED},
    {"condition, wait_for, rlock", nothing, condition_wait_for_rlock, NULL, condition_give_flag_rlock, LONE | LOCKED},
    {"semaphore", nothing, semaphore_wait, NULL, semaphore_give, 0},
    {"bounded semaphore", bounded_begin, bounded_wait, bounded_give, bounded_give, PASSES_ON},
    {"event", nothing, event_wait, NULL, event_give, PASSES_ON},
    {"latch", latch_begin, latch_wait, NULL, latch_give, PASSES_ON},
    {"barrier", barrier_begin, barrier_wait, NULL, barrier_give, CHOOSES | LONE},
    {"rwlock, read", read_begin, read_wait, read_end, read_give, PASSES_ON},
    {"rwlock, write", write_begin, write_wait, write_end, write_give, PASSES_ON},
};

static void each_row(void (*body)(const struct row *row))
{
    static char name[128];
    for (int hooked = 0; hooked < 2; hooked++) {
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            (void)snprintf(name, sizeof name, "(%s%s)", rows[i].name, hooked ? ", steered" : "");
            support_case(name);
            thr__hooked = hooked;
            body(&rows[i]);
            thr__hooked = 0;
        }
    }
    support_case(NULL);
}

/* -- A waiter ------------------------------------------------------------------------------------------------------ */

struct waiter {
    const struct row *row;
    struct any *any;
    thr_time deadline;
    bool pester;                         /* with signals, during the wait */
    bool (*interrupt)(void *arg);        /* of its record, with the waiter as arg */
    struct support_count interrupts;     /* calls of that */
    void (*then)(struct waiter *waiter); /* called after the wait; NULL: end() after a success */
    struct support_pester signals;
    thr_result result;
    struct support_count done;
};

static void waiter_run(void *arg)
{
    struct waiter *waiter = arg;
    if (waiter->interrupt) {
        support_record()->interrupt = waiter->interrupt;
        support_record()->interrupt_arg = waiter;
    }
    if (waiter->pester)
        support_pester_start(&waiter->signals, NULL, NULL);
    support_errno_set();
    waiter->result = waiter->row->wait(waiter->any, waiter->deadline);
    CHECK_ERRNO();
    if (waiter->result == THR_TIMEOUT)
        CHECK_PASSED(waiter->deadline);
    if (waiter->pester)
        support_pester_stop(&waiter->signals);
    if (waiter->interrupt)
        support_record()->interrupt = NULL;
    if (waiter->then)
        waiter->then(waiter);
    else if (waiter->result == THR_OK && waiter->row->end)
        waiter->row->end(waiter->any);
    support_count_add(&waiter->done);
}

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

static bool end_the_wait(void *arg)
{
    struct waiter *waiter = arg;
    support_count_add(&waiter->interrupts);
    return true;
}

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
        thr_time deadline = race->timed ? thr_now() + support_random_below(&random, 3000) : support_limit();
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

/* -- The tests ----------------------------------------------------------------------------------------------------- */

#define EACH_ROW(name)                                                                                                 \
    static void test_##name(void **state)                                                                              \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        each_row(name);                                                                                                \
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

SUPPORT_MAIN(cmocka_unit_test(test_past_deadline_does_not_block), cmocka_unit_test(test_deadline_holds),
             cmocka_unit_test(test_deadline_passes_asleep), cmocka_unit_test(test_far_deadline_waits),
             cmocka_unit_test(test_signals_do_not_shorten), cmocka_unit_test(test_signals_do_not_end),
             cmocka_unit_test(test_interrupt_ends), cmocka_unit_test(test_interrupt_ends_later),
             cmocka_unit_test(test_interrupt_goes_on), cmocka_unit_test(test_give_before_sleep),
             cmocka_unit_test(test_give_after_timeout), cmocka_unit_test(test_give_after_interrupt),
             cmocka_unit_test(test_give_after_timeout_of_one), cmocka_unit_test(test_give_after_interrupt_of_one),
             cmocka_unit_test(test_give_after_one_gave_up), cmocka_unit_test(test_crowd_goes),
             cmocka_unit_test(test_freed_during_wake), cmocka_unit_test(test_freed_at_random),
             cmocka_unit_test(test_wait_and_give_at_once))
