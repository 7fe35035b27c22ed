/* stress_locks.c - locks, rlocks, rwlocks and conditions under random operations of four threads: with and without
 * deadlines, interrupted, stumbling. What must hold at any time is checked all the time, and what must come out, at the end.
 *
 * THR_STRESS_SECONDS is how long each runs (2): half of that with the inline paths and spins, half steered, without. */

#include "random.h"

/* -- lock ---------------------------------------------------------------------------------------------------------- */

struct locks {
    thr_lock lock;
    thr_rlock rlock;
    unsigned inside; /* not atomic */
    uint64_t turns;  /* not atomic */
    uint64_t counted;
};

static void enter(unsigned *inside)
{
    CHECK_EQUAL((*inside)++, 0);
}

static void leave(unsigned *inside)
{
    CHECK_EQUAL(--*inside, 0);
}

static bool take_lock(struct worker *worker, thr_lock *lock)
{
    thr_time deadline = some_deadline(worker);
    if (below(worker, 8) == 0)
        return thr_lock_try_acquire(lock);
    thr_result result = deadline == THR_FOREVER ? thr_lock_acquire(lock) : thr_lock_acquire_until(lock, deadline);
    return check_result(worker, deadline, result);
}

static void lock_worker(void *arg)
{
    struct locks *locks = arg;
    struct worker worker;
    uint64_t turns = 0;
    begin_worker(&worker, 1);
    while (going_on()) {
        if (!take_lock(&worker, &locks->lock))
            continue;
        enter(&locks->inside);
        locks->turns++;
        turns++;
        stay(&worker);
        leave(&locks->inside);
        CHECK_OK(thr_lock_release(&locks->lock));
    }
    (void)add_relaxed(&locks->counted, turns);
    end_worker(&worker);
}

static void stress_lock(void)
{
    struct locks locks = {.turns = 0};
    run_workers(lock_worker, &locks);
    CHECK_EQUAL(locks.turns, locks.counted);
    CHECK_EQUAL(locks.lock.word_, 0);
}

/* -- rlock --------------------------------------------------------------------------------------------------------- */

static bool take_rlock(struct worker *worker, thr_rlock *lock)
{
    thr_time deadline = some_deadline(worker);
    if (below(worker, 8) == 0)
        return thr_rlock_try_acquire(lock);
    thr_result result = deadline == THR_FOREVER ? thr_rlock_acquire(lock) : thr_rlock_acquire_until(lock, deadline);
    return check_result(worker, deadline, result);
}

static void rlock_worker(void *arg)
{
    struct locks *locks = arg;
    struct worker worker;
    uint64_t turns = 0;
    begin_worker(&worker, 2);
    while (going_on()) {
        if (!take_rlock(&worker, &locks->rlock)) {
            CHECK_EQUAL(thr_rlock_depth(&locks->rlock), 0);
            continue;
        }
        enter(&locks->inside);
        uint32_t deeper = below(&worker, 3);
        for (uint32_t depth = 1; depth <= deeper; depth++) {
            CHECK_EQUAL(thr_rlock_depth(&locks->rlock), depth);
            CHECK(take_rlock(&worker, &locks->rlock)); /* its own: whatever the deadline, and the signals */
        }
        locks->turns++;
        turns++;
        stay(&worker);
        leave(&locks->inside);
        for (uint32_t depth = deeper + 1; depth > 0; depth--) {
            CHECK_EQUAL(thr_rlock_depth(&locks->rlock), depth);
            CHECK_OK(thr_rlock_release(&locks->rlock));
        }
        if (below(&worker, 16) == 0) {
            thr_result result = thr_rlock_release(&locks->rlock);
            CHECK(result == THR_NOT_LOCKED || result == THR_NOT_OWNER);
        }
    }
    (void)add_relaxed(&locks->counted, turns);
    end_worker(&worker);
}

static void stress_rlock(void)
{
    struct locks locks = {.turns = 0};
    run_workers(rlock_worker, &locks);
    CHECK_EQUAL(locks.turns, locks.counted);
    CHECK(!thr_rlock_locked(&locks.rlock));
}

/* -- condition ----------------------------------------------------------------------------------------------------- */

/* Two conditions; two locks and an rlock, each used with both. */
struct conditions {
    thr_condition conditions[2];
    thr_lock locks[2];
    thr_rlock rlock;
    unsigned inside[3]; /* not atomic */
    uint64_t notified;
    uint64_t woken;
    struct support_count ended;
};

static void hold(struct conditions *all, uint32_t which, uint32_t depth)
{
    if (which < 2) {
        while (thr_lock_acquire(&all->locks[which]) == THR_INTERRUPTED)
            continue;
    } else {
        for (uint32_t i = 0; i < depth; i++)
            while (thr_rlock_acquire(&all->rlock) == THR_INTERRUPTED)
                continue;
    }
    enter(&all->inside[which]);
}

static void let_go(struct conditions *all, uint32_t which, uint32_t depth)
{
    leave(&all->inside[which]);
    if (which < 2) {
        CHECK_OK(thr_lock_release(&all->locks[which]));
    } else {
        CHECK_EQUAL(thr_rlock_depth(&all->rlock), depth);
        for (uint32_t i = 0; i < depth; i++)
            CHECK_OK(thr_rlock_release(&all->rlock));
    }
}

static uint64_t wait_once(struct worker *worker, struct conditions *all, thr_condition *condition, uint32_t which)
{
    uint32_t depth = 1 + below(worker, 3);
    thr_time deadline = some_deadline(worker);
    thr_result result;
    hold(all, which, depth);
    leave(&all->inside[which]);
    if (which < 2)
        result = deadline == THR_FOREVER ? thr_condition_wait(condition, &all->locks[which])
                                         : thr_condition_wait_until(condition, &all->locks[which], deadline);
    else
        result = deadline == THR_FOREVER ? thr_condition_wait_rlock(condition, &all->rlock)
                                         : thr_condition_wait_rlock_until(condition, &all->rlock, deadline);
    enter(&all->inside[which]);
    bool woken = check_result(worker, deadline, result);
    if (below(worker, 4) == 0)
        stay(worker);
    let_go(all, which, depth);
    return woken;
}

static uint64_t notify_some(struct worker *worker, struct conditions *all, thr_condition *condition, uint32_t which)
{
    bool with_lock = below(worker, 3) != 0;
    size_t n = below(worker, 4) == 0 ? SIZE_MAX : below(worker, 3);
    if (with_lock)
        hold(all, which, 1);
    uint64_t notified = thr_condition_notify(condition, n);
    CHECK(notified <= n);
    CHECK(notified < THREADS);
    if (with_lock && below(worker, 4) == 0)
        notified += thr_condition_notify_all(&all->conditions[0]);
    if (with_lock)
        let_go(all, which, 1);
    return notified;
}

static void condition_worker(void *arg)
{
    struct conditions *all = arg;
    struct worker worker;
    uint64_t notified = 0;
    uint64_t woken = 0;
    begin_worker(&worker, 3);
    while (going_on()) {
        thr_condition *condition = &all->conditions[below(&worker, 2)];
        uint32_t which = below(&worker, 3);
        if (below(&worker, 2) == 0)
            woken += wait_once(&worker, all, condition, which);
        else
            notified += notify_some(&worker, all, condition, which);
    }
    (void)add_relaxed(&all->notified, notified);
    (void)add_relaxed(&all->woken, woken);
    end_worker(&worker);
    support_count_add(&all->ended);
}

/* Notifies until all have ended, since some wait for ever. */
static void end_waits(void *arg)
{
    struct conditions *all = arg;
    uint64_t notified = 0;
    while (support_count_get(&all->ended) < THREADS) {
        thr_sleep(0.001);
        for (int i = 0; i < 2; i++)
            notified += thr_condition_notify_all(&all->conditions[i]);
    }
    (void)add_relaxed(&all->notified, notified);
}

static void stress_condition(void)
{
    struct conditions all = {.woken = 0};
    struct support_thread *ends = support_thread_start(end_waits, &all);
    run_workers(condition_worker, &all);
    support_thread_join(ends);
    CHECK_EQUAL(all.woken, all.notified); /* each notify that said so has woken one, and nothing else did */
    CHECK_EQUAL(all.locks[0].word_, 0);
    CHECK_EQUAL(all.locks[1].word_, 0);
    CHECK(!thr_rlock_locked(&all.rlock));
    for (int i = 0; i < 2; i++)
        CHECK_EQUAL(thr_condition_notify_all(&all.conditions[i]), 0);
}

/* -- rwlock -------------------------------------------------------------------------------------------------------- */

struct tables {
    thr_rwlock lock;
    uint64_t one; /* not atomic, as is the other */
    uint64_t two;
    uint32_t readers;
    uint64_t counted;
};

static bool take_side(struct worker *worker, thr_rwlock *lock, bool write)
{
    thr_time deadline = some_deadline(worker);
    if (below(worker, 8) == 0)
        return write ? thr_rwlock_try_acquire_write(lock) : thr_rwlock_try_acquire_read(lock);
    return check_result(worker, deadline,
                        write ? thr_rwlock_acquire_write_until(lock, deadline)
                              : thr_rwlock_acquire_read_until(lock, deadline));
}

static void rwlock_worker(void *arg)
{
    struct tables *tables = arg;
    struct worker worker;
    uint64_t turns = 0;
    begin_worker(&worker, 8);
    while (going_on()) {
        bool write = below(&worker, 3) == 0;
        if (!take_side(&worker, &tables->lock, write))
            continue;
        if (write) {
            CHECK_EQUAL(load_relaxed(&tables->readers), 0);
            tables->one++;
            stay(&worker);
            tables->two++;
            turns++;
            CHECK_OK(thr_rwlock_release_write(&tables->lock));
        } else {
            (void)add_relaxed(&tables->readers, 1);
            CHECK_EQUAL(tables->one, tables->two);
            stay(&worker);
            CHECK_EQUAL(tables->one, tables->two);
            (void)sub_relaxed(&tables->readers, 1);
            CHECK_OK(thr_rwlock_release_read(&tables->lock));
        }
    }
    (void)add_relaxed(&tables->counted, turns);
    end_worker(&worker);
}

static void stress_rwlock(void)
{
    struct tables tables = {.one = 0};
    const thr_rwlock zero = THR_RWLOCK_INIT;
    run_workers(rwlock_worker, &tables);
    CHECK_EQUAL(tables.one, tables.counted);
    CHECK_EQUAL(tables.two, tables.counted);
    CHECK(memcmp(&zero, &tables.lock, sizeof zero) == 0);
}

STRESS(lock)
STRESS(rlock)
STRESS(condition)
STRESS(rwlock)

SUPPORT_MAIN(cmocka_unit_test(test_lock), cmocka_unit_test(test_rlock), cmocka_unit_test(test_condition),
             cmocka_unit_test(test_rwlock))
