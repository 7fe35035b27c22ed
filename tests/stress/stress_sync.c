/* stress_sync.c - each object under random operations of four threads: with and without deadlines, interrupted, stumbling.
 * What must hold at any time is checked all the time, and what must come out, at the end.
 *
 * THR_STRESS_SECONDS is how long each runs (2): half of that with the inline paths and spins, half steered, without. */

#include "support/support.h"

#include <stdlib.h>
#include <string.h>

#include "wait/atomic.h"
#include "wait/wait.h"

enum { THREADS = 4, MICROSECOND = 1000 };

/* -- What all have in common --------------------------------------------------------------------------------------- */

struct worker {
    uint64_t random;
    size_t index;
    struct support_pester signals;
    bool pestered;
};

static thr_time end_of_stress;

static void begin_stress(void)
{
    const char *seconds = getenv("THR_STRESS_SECONDS");
    store_relaxed(&end_of_stress, thr_after(seconds ? atof(seconds) / 2 : 1.0));
}

static bool going_on(void)
{
    return thr_now() < load_relaxed(&end_of_stress);
}

static bool interrupt_sometimes(void *arg)
{
    struct worker *worker = arg;
    return support_random_below(&worker->random, 4) == 0;
}

/* One of the threads gets signals, and its waits may be interrupted; one stumbles. The others get no signals: one that is
 * lost to a wake that never comes sleeps on, until the test's limit. */
static void begin_worker(struct worker *worker, uint64_t salt)
{
    memset(worker, 0, sizeof *worker);
    worker->index = support_index();
    worker->random = support_seed() + salt * 1000 + worker->index;
    worker->pestered = worker->index == 0;
    if (worker->pestered) {
        support_pester_start(&worker->signals, NULL, NULL);
        __atomic_store_n(&worker->signals.pause, 100 * MICROSECOND, __ATOMIC_RELAXED);
        support_record()->interrupt = interrupt_sometimes;
        support_record()->interrupt_arg = worker;
    } else if (worker->index == 1) {
        support_stumble_start();
    }
}

static void end_worker(struct worker *worker)
{
    if (worker->pestered) {
        support_record()->interrupt = NULL;
        support_pester_stop(&worker->signals);
    } else if (worker->index == 1) {
        support_stumble_stop();
    }
}

static uint32_t below(struct worker *worker, uint32_t limit)
{
    return support_random_below(&worker->random, limit);
}

/* For ever; or a deadline that has passed, is near, or is far. */
static thr_time some_deadline(struct worker *worker)
{
    switch (below(worker, 8)) {
    case 0:
        return 0;
    case 1:
    case 2:
    case 3:
        return thr_now() + below(worker, 300 * MICROSECOND);
    case 4:
        return support_limit();
    default:
        return THR_FOREVER;
    }
}

/* A result that a wait with this deadline may have. */
static bool check_result(const struct worker *worker, thr_time deadline, thr_result result)
{
    if (result == THR_TIMEOUT)
        CHECK_PASSED(deadline);
    else if (result == THR_INTERRUPTED)
        CHECK(worker->pestered);
    else
        CHECK_OK(result);
    return result == THR_OK;
}

/* Stays for a moment: most often a short one; rarely long enough for the others to fall asleep, or to starve. */
static void stay(struct worker *worker)
{
    uint32_t how = below(worker, 1000);
    if (how < 2) {
        uint64_t until = (uint64_t)thr_now() + 1500 * MICROSECOND;
        while ((uint64_t)thr_now() < until)
            continue;
    } else if (how < 50) {
        struct wait_record *record = support_record();
        bool (*interrupt)(void *) = record->interrupt;
        record->interrupt = NULL;
        thr_sleep(1e-6);
        record->interrupt = interrupt;
    } else {
        for (uint32_t turns = below(worker, 200); turns > 0; turns--)
            __asm__ volatile("");
    }
}

static void run_workers(void (*function)(void *), void *arg)
{
    struct support_bunch bunch;
    (void)support_seed();
    begin_stress();
    support_bunch_start(&bunch, THREADS, function, arg);
    support_bunch_join(&bunch);
}

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

/* -- semaphore ----------------------------------------------------------------------------------------------------- */

enum { PERMITS = 3 };

struct semaphores {
    thr_semaphore semaphore;
    thr_bounded_semaphore bounded;
    uint32_t inside;
};

static void semaphore_worker(void *arg)
{
    struct semaphores *all = arg;
    struct worker worker;
    begin_worker(&worker, 4);
    while (going_on()) {
        thr_time deadline = some_deadline(&worker);
        bool acquired = below(&worker, 8) == 0
                            ? thr_semaphore_try_acquire(&all->semaphore)
                            : check_result(&worker, deadline, thr_semaphore_acquire_until(&all->semaphore, deadline));
        if (!acquired)
            continue;
        uint32_t mine = 1;
        CHECK(add_relaxed(&all->inside, 1) < PERMITS);
        while (below(&worker, 4) == 0 && thr_semaphore_try_acquire(&all->semaphore)) {
            CHECK(add_relaxed(&all->inside, 1) < PERMITS);
            mine++;
        }
        stay(&worker);
        (void)sub_relaxed(&all->inside, mine);
        CHECK_OK(thr_semaphore_release(&all->semaphore, mine));
    }
    end_worker(&worker);
}

static void stress_semaphore(void)
{
    struct semaphores all = {.semaphore = THR_SEMAPHORE_INIT(PERMITS)};
    run_workers(semaphore_worker, &all);
    CHECK_EQUAL(thr_semaphore_value(&all.semaphore), PERMITS);
    CHECK_EQUAL(all.inside, 0);
}

/* One permit for all, so that releases and sleepers meet all the time; and too many releases. */
static void bounded_worker(void *arg)
{
    struct semaphores *all = arg;
    struct worker worker;
    begin_worker(&worker, 5);
    while (going_on()) {
        thr_time deadline = some_deadline(&worker);
        if (check_result(&worker, deadline, thr_bounded_semaphore_acquire_until(&all->bounded, deadline))) {
            CHECK_EQUAL(add_relaxed(&all->inside, 1), 0);
            CHECK_RESULT(thr_bounded_semaphore_release(&all->bounded, 2), THR_TOO_MANY);
            stay(&worker);
            CHECK_EQUAL(sub_relaxed(&all->inside, 1), 1);
            CHECK_OK(thr_bounded_semaphore_release(&all->bounded, 1));
        }
    }
    end_worker(&worker);
}

static void stress_bounded_semaphore(void)
{
    struct semaphores all = {.bounded = THR_BOUNDED_SEMAPHORE_INIT(1)};
    run_workers(bounded_worker, &all);
    CHECK_EQUAL(thr_bounded_semaphore_value(&all.bounded), 1);
    CHECK_RESULT(thr_bounded_semaphore_release(&all.bounded, 1), THR_TOO_MANY);
}

/* -- event --------------------------------------------------------------------------------------------------------- */

/* Turns pass round the threads: each waits for its own event, clears it, and sets the next one's. Beside that, one event
 * goes up and down, and those who wait for it must come through. */
struct events {
    thr_event turn[THREADS];
    thr_event pulse;
    uint64_t turns; /* not atomic: the turns order it */
    uint64_t counted;
    uint32_t ending; /* from now on turns are passed only to let others go */
    struct support_count ended;
};

static void event_worker(void *arg)
{
    struct events *events = arg;
    struct worker worker;
    uint64_t turns = 0;
    begin_worker(&worker, 6);
    while (going_on()) {
        thr_time deadline = some_deadline(&worker);
        if (below(&worker, 16) == 0)
            (void)check_result(&worker, support_limit(), thr_event_wait(&events->pulse));
        if (!check_result(&worker, deadline, thr_event_wait_until(&events->turn[worker.index], deadline)))
            continue;
        thr_event_clear(&events->turn[worker.index]);
        if (load_relaxed(&events->ending))
            break;
        events->turns++;
        turns++;
        if (below(&worker, 64) == 0)
            stay(&worker);
        thr_event_set(&events->turn[(worker.index + 1) % THREADS]);
    }
    store_relaxed(&events->ending, 1);
    thr_event_set(&events->turn[(worker.index + 1) % THREADS]);
    (void)add_relaxed(&events->counted, turns);
    end_worker(&worker);
    support_count_add(&events->ended);
}

static void pulse(void *arg)
{
    struct events *events = arg;
    while (support_count_get(&events->ended) < THREADS) {
        thr_event_set(&events->pulse);
        thr_event_clear(&events->pulse);
        thr_sleep(20e-6);
    }
}

static void stress_event(void)
{
    struct events events = {.turns = 0};
    struct support_thread *thread = support_thread_start(pulse, &events);
    thr_event_set(&events.turn[0]);
    run_workers(event_worker, &events);
    support_thread_join(thread);
    CHECK(events.turns > 0);
    CHECK_EQUAL(events.turns, events.counted);
}

/* -- barrier ------------------------------------------------------------------------------------------------------- */

/* In each cycle every thread does something with the barrier, then all compare. */
struct barriers {
    thr_barrier barrier;
    pthread_barrier_t meeting;
    thr_result results[THREADS];
    uint32_t indices[THREADS];
    bool peaceful; /* nobody breaks anything in this cycle */
    bool last;
    uint32_t actions;
};

static void count_action(void *arg)
{
    struct barriers *all = arg;
    all->actions++;
}

static void compare(struct barriers *all)
{
    uint32_t ok = 0;
    uint32_t seen = 0;
    for (int i = 0; i < THREADS; i++) {
        if (all->results[i] != THR_OK)
            continue;
        ok++;
        seen |= 1u << all->indices[i];
    }
    CHECK(ok == 0 || ok == THREADS);
    CHECK_EQUAL(seen, ok == 0 ? 0 : (1u << THREADS) - 1);
    CHECK(ok == 0 ? all->actions <= 1 : all->actions == 1); /* a round can be broken during its action */
    if (all->peaceful)
        CHECK_EQUAL(ok, THREADS);
    CHECK_EQUAL(thr_barrier_n_waiting(&all->barrier), 0);
    if (thr_barrier_broken(&all->barrier)) {
        CHECK(!all->peaceful);
        thr_barrier_reset(&all->barrier);
    }
    all->actions = 0;
}

static void barrier_worker(void *arg)
{
    struct barriers *all = arg;
    struct worker worker;
    begin_worker(&worker, 7);
    for (;;) {
        if (worker.index == 0) {
            all->peaceful = below(&worker, 2) == 0;
            all->last = !going_on();
        }
        (void)pthread_barrier_wait(&all->meeting);
        if (all->last)
            break;
        struct wait_record *record = support_record();
        bool (*interrupt)(void *) = record->interrupt;
        thr_time deadline = support_limit();
        uint32_t how = below(&worker, 8);
        if (all->peaceful)
            record->interrupt = NULL;
        else
            deadline = thr_now() + below(&worker, 200 * MICROSECOND);
        all->results[worker.index] = THR_BROKEN;
        if (!all->peaceful && how == 0)
            thr_barrier_abort(&all->barrier);
        if (!all->peaceful && how == 1)
            thr_barrier_reset(&all->barrier);
        if (all->peaceful || how != 0)
            all->results[worker.index] = thr_barrier_wait_until(&all->barrier, deadline, &all->indices[worker.index]);
        record->interrupt = interrupt;
        (void)pthread_barrier_wait(&all->meeting);
        if (worker.index == 0)
            compare(all);
    }
    end_worker(&worker);
}

static void stress_barrier(void)
{
    struct barriers all = {.actions = 0};
    CHECK_OK(thr_barrier_init(&all.barrier, THREADS, count_action, &all));
    CHECK(pthread_barrier_init(&all.meeting, NULL, THREADS) == 0);
    run_workers(barrier_worker, &all);
    (void)pthread_barrier_destroy(&all.meeting);
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

/* -- latch, once --------------------------------------------------------------------------------------------------- */

/* In each cycle a new latch and a new once, on a page of their own that is gone when all have come through. */
struct fresh {
    thr_latch latch;
    thr_once once;
    int value; /* not atomic */
};

struct cycles {
    struct fresh *fresh;
    pthread_barrier_t meeting;
    bool last;
};

static void write_value(void *arg)
{
    struct fresh *fresh = arg;
    fresh->value++;
}

static void cycle_worker(void *arg)
{
    struct cycles *cycles = arg;
    struct worker worker;
    begin_worker(&worker, 9);
    for (;;) {
        if (worker.index == 0) {
            cycles->last = !going_on();
            cycles->fresh = support_page_new();
            cycles->fresh->latch = (thr_latch)THR_LATCH_INIT(2 * THREADS);
        }
        (void)pthread_barrier_wait(&cycles->meeting);
        struct fresh *fresh = cycles->fresh;
        bool last = cycles->last;
        while (thr_once_run(&fresh->once, write_value, fresh) == THR_INTERRUPTED)
            continue;
        CHECK_EQUAL(fresh->value, 1);
        CHECK_OK(thr_latch_count_down(&fresh->latch, 1));
        if (below(&worker, 2) == 0)
            stay(&worker);
        CHECK_OK(thr_latch_count_down(&fresh->latch, 1));
        for (;;) {
            thr_time deadline = some_deadline(&worker);
            if (check_result(&worker, deadline, thr_latch_wait_until(&fresh->latch, deadline)))
                break;
        }
        CHECK_EQUAL(thr_latch_count(&fresh->latch), 0);
        (void)pthread_barrier_wait(&cycles->meeting);
        if (worker.index == 0)
            support_page_free(fresh);
        if (last)
            break;
    }
    end_worker(&worker);
}

static void stress_latch_and_once(void)
{
    struct cycles cycles = {.fresh = NULL};
    CHECK(pthread_barrier_init(&cycles.meeting, NULL, THREADS) == 0);
    run_workers(cycle_worker, &cycles);
    (void)pthread_barrier_destroy(&cycles.meeting);
}

#define STRESS(name)                                                                                                   \
    static void test_##name(void **state)                                                                              \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        for (int hooked = 0; hooked < 2; hooked++) {                                                                   \
            support_case(hooked ? "(steered)" : "");                                                                   \
            thr__hooked = hooked;                                                                                      \
            stress_##name();                                                                                           \
            thr__hooked = 0;                                                                                           \
        }                                                                                                              \
    }

STRESS(lock)
STRESS(rlock)
STRESS(condition)
STRESS(semaphore)
STRESS(bounded_semaphore)
STRESS(event)
STRESS(barrier)
STRESS(rwlock)
STRESS(latch_and_once)

SUPPORT_MAIN(cmocka_unit_test(test_lock), cmocka_unit_test(test_rlock), cmocka_unit_test(test_condition),
             cmocka_unit_test(test_semaphore), cmocka_unit_test(test_bounded_semaphore), cmocka_unit_test(test_event),
             cmocka_unit_test(test_barrier), cmocka_unit_test(test_rwlock), cmocka_unit_test(test_latch_and_once))
