/* stress_sync.c - semaphores, events, barriers, latches and onces under random operations of four threads: with and without
 * deadlines, interrupted, stumbling. What must hold at any time is checked all the time, and what must come out, at the end.
 *
 * THR_STRESS_SECONDS is how long each runs (2): half of that with the inline paths and spins, half steered, without. */

#include "random.h"

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

STRESS(semaphore)
STRESS(bounded_semaphore)
STRESS(event)
STRESS(barrier)
STRESS(latch_and_once)

SUPPORT_MAIN(cmocka_unit_test(test_semaphore), cmocka_unit_test(test_bounded_semaphore), cmocka_unit_test(test_event),
             cmocka_unit_test(test_barrier), cmocka_unit_test(test_latch_and_once))
