/* blocking.h - a table of everything that blocks, and a waiter for each. */

#ifndef SYNC_BLOCKING_H
#define SYNC_BLOCKING_H

#include "support/support.h"

#include "wait/hook.h"
#include "wait/wait.h"

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

static inline void lock_begin(struct any *any)
{
    CHECK_OK(thr_lock_acquire(&any->of.lock));
}

static inline thr_result lock_wait(struct any *any, thr_time deadline)
{
    return deadline == THR_FOREVER ? thr_lock_acquire(&any->of.lock) : thr_lock_acquire_until(&any->of.lock, deadline);
}

static inline void lock_give(struct any *any)
{
    CHECK_OK(thr_lock_release(&any->of.lock));
}

static inline void rlock_begin(struct any *any)
{
    CHECK_OK(thr_rlock_acquire(&any->of.rlock));
}

static inline thr_result rlock_wait(struct any *any, thr_time deadline)
{
    return deadline == THR_FOREVER ? thr_rlock_acquire(&any->of.rlock)
                                   : thr_rlock_acquire_until(&any->of.rlock, deadline);
}

static inline void rlock_give(struct any *any)
{
    CHECK_OK(thr_rlock_release(&any->of.rlock));
}

/* -- condition ----------------------------------------------------------------------------------------------------- */

static inline void nothing(struct any *any)
{
    (void)any;
}

static inline thr_result condition_wait(struct any *any, thr_time deadline)
{
    CHECK_OK(thr_lock_acquire(&any->lock));
    thr_result result = deadline == THR_FOREVER ? thr_condition_wait(&any->of.condition, &any->lock)
                                                : thr_condition_wait_until(&any->of.condition, &any->lock, deadline);
    CHECK_OK(thr_lock_release(&any->lock));
    return result;
}

/* While a giver holds the lock, nobody can free it: from here on somebody may. */
static inline void stop_from_now_on(const struct any *any)
{
    if (any->stop)
        support_stop(SUPPORT_AFTER_WAKE, NULL, support_self());
}

static inline void condition_give(struct any *any)
{
    CHECK_OK(thr_lock_acquire(&any->lock));
    (void)thr_condition_notify(&any->of.condition, 1);
    stop_from_now_on(any);
    CHECK_OK(thr_lock_release(&any->lock));
}

static inline void condition_give_without(struct any *any)
{
    (void)thr_condition_notify(&any->of.condition, 1);
}

static inline thr_result condition_wait_rlock(struct any *any, thr_time deadline)
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

static inline void condition_give_rlock(struct any *any)
{
    CHECK_OK(thr_rlock_acquire(&any->rlock));
    (void)thr_condition_notify(&any->of.condition, 1);
    stop_from_now_on(any);
    CHECK_OK(thr_rlock_release(&any->rlock));
}

static inline bool take_flag(void *arg)
{
    struct any *any = arg;
    bool flag = any->flag;
    any->flag = false;
    return flag;
}

static inline thr_result condition_wait_for(struct any *any, thr_time deadline)
{
    CHECK_OK(thr_lock_acquire(&any->lock));
    thr_result result = deadline == THR_FOREVER
                            ? thr_condition_wait_for(&any->of.condition, &any->lock, take_flag, any)
                            : thr_condition_wait_for_until(&any->of.condition, &any->lock, take_flag, any, deadline);
    CHECK_OK(thr_lock_release(&any->lock));
    return result;
}

static inline void condition_give_flag(struct any *any)
{
    CHECK_OK(thr_lock_acquire(&any->lock));
    any->flag = true;
    (void)thr_condition_notify(&any->of.condition, 1);
    stop_from_now_on(any);
    CHECK_OK(thr_lock_release(&any->lock));
}

static inline thr_result condition_wait_for_rlock(struct any *any, thr_time deadline)
{
    CHECK_OK(thr_rlock_acquire(&any->rlock));
    thr_result result =
        deadline == THR_FOREVER
            ? thr_condition_wait_for_rlock(&any->of.condition, &any->rlock, take_flag, any)
            : thr_condition_wait_for_rlock_until(&any->of.condition, &any->rlock, take_flag, any, deadline);
    CHECK_OK(thr_rlock_release(&any->rlock));
    return result;
}

static inline void condition_give_flag_rlock(struct any *any)
{
    CHECK_OK(thr_rlock_acquire(&any->rlock));
    any->flag = true;
    (void)thr_condition_notify(&any->of.condition, 1);
    stop_from_now_on(any);
    CHECK_OK(thr_rlock_release(&any->rlock));
}

/* -- semaphore, event, latch, barrier ------------------------------------------------------------------------------ */

static inline thr_result semaphore_wait(struct any *any, thr_time deadline)
{
    return deadline == THR_FOREVER ? thr_semaphore_acquire(&any->of.semaphore)
                                   : thr_semaphore_acquire_until(&any->of.semaphore, deadline);
}

static inline void semaphore_give(struct any *any)
{
    CHECK_OK(thr_semaphore_release(&any->of.semaphore, 1));
}

static inline void bounded_begin(struct any *any)
{
    any->of.bounded = (thr_bounded_semaphore)THR_BOUNDED_SEMAPHORE_INIT(1);
    CHECK_OK(thr_bounded_semaphore_acquire(&any->of.bounded));
}

static inline thr_result bounded_wait(struct any *any, thr_time deadline)
{
    return deadline == THR_FOREVER ? thr_bounded_semaphore_acquire(&any->of.bounded)
                                   : thr_bounded_semaphore_acquire_until(&any->of.bounded, deadline);
}

static inline void bounded_give(struct any *any)
{
    CHECK_OK(thr_bounded_semaphore_release(&any->of.bounded, 1));
}

static inline thr_result event_wait(struct any *any, thr_time deadline)
{
    return deadline == THR_FOREVER ? thr_event_wait(&any->of.event) : thr_event_wait_until(&any->of.event, deadline);
}

static inline void event_give(struct any *any)
{
    thr_event_set(&any->of.event);
}

static inline void latch_begin(struct any *any)
{
    any->of.latch = (thr_latch)THR_LATCH_INIT(1);
}

static inline thr_result latch_wait(struct any *any, thr_time deadline)
{
    return deadline == THR_FOREVER ? thr_latch_wait(&any->of.latch) : thr_latch_wait_until(&any->of.latch, deadline);
}

static inline void latch_give(struct any *any)
{
    CHECK_OK(thr_latch_count_down(&any->of.latch, 1));
}

static inline void barrier_begin(struct any *any)
{
    thr_barrier_abort(&any->of.barrier); /* a barrier that a test before has broken begins anew */
    thr_barrier_reset(&any->of.barrier);
    if (thr_barrier_parties(&any->of.barrier) == 0)
        CHECK_OK(thr_barrier_init(&any->of.barrier, 2, NULL, NULL));
}

static inline thr_result barrier_wait(struct any *any, thr_time deadline)
{
    return deadline == THR_FOREVER ? thr_barrier_wait(&any->of.barrier, NULL)
                                   : thr_barrier_wait_until(&any->of.barrier, deadline, NULL);
}

static inline void barrier_give(struct any *any)
{
    CHECK_OK(thr_barrier_wait(&any->of.barrier, NULL));
}

/* -- rwlock -------------------------------------------------------------------------------------------------------- */

static inline void read_begin(struct any *any)
{
    CHECK_OK(thr_rwlock_acquire_write(&any->of.rwlock));
}

static inline thr_result read_wait(struct any *any, thr_time deadline)
{
    return deadline == THR_FOREVER ? thr_rwlock_acquire_read(&any->of.rwlock)
                                   : thr_rwlock_acquire_read_until(&any->of.rwlock, deadline);
}

static inline void read_end(struct any *any)
{
    CHECK_OK(thr_rwlock_release_read(&any->of.rwlock));
}

static inline void read_give(struct any *any)
{
    CHECK_OK(thr_rwlock_release_write(&any->of.rwlock));
}

static inline void write_begin(struct any *any)
{
    CHECK_OK(thr_rwlock_acquire_read(&any->of.rwlock));
}

static inline thr_result write_wait(struct any *any, thr_time deadline)
{
    return deadline == THR_FOREVER ? thr_rwlock_acquire_write(&any->of.rwlock)
                                   : thr_rwlock_acquire_write_until(&any->of.rwlock, deadline);
}

static inline void write_end(struct any *any)
{
    CHECK_OK(thr_rwlock_release_write(&any->of.rwlock));
}

static inline void write_give(struct any *any)
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

static inline void each_row(void (*body)(const struct row *row))
{
    for (int steered = 0; steered < 2; steered++) {
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            support_way(rows[i].name, steered);
            body(&rows[i]);
        }
    }
    support_way(NULL, false);
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

static inline void waiter_run(void *arg)
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

static inline bool end_the_wait(void *arg)
{
    struct waiter *waiter = arg;
    support_count_add(&waiter->interrupts);
    return true;
}

#define EACH_ROW(name)                                                                                                 \
    static void test_##name(void **state)                                                                              \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        each_row(name);                                                                                                \
    }

#endif
