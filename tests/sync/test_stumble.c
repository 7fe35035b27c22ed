/* test_stumble.c - two threads use an object on and on, and one of them stumbles: it pauses at any instruction, also in the
 * middle of what gives or takes, and the other one comes between. That one gets no signals: if it falls asleep beside what
 * it waits for, it sleeps on, until the test's limit. */

#include "support/support.h"

#include <string.h>

#include "wait/atomic.h"
#include "wait/hook.h"

enum { ROUNDS = 1 << 16 };

struct pair {
    union {
        thr_lock lock;
        thr_rlock rlock;
        thr_semaphore semaphore;
        thr_bounded_semaphore bounded;
        thr_rwlock rwlock;
        thr_barrier barrier;
        thr_condition condition;
    } of;
    thr_lock lock; /* of the condition */
    thr_rlock rlock;
    bool flag;
    unsigned inside; /* not atomic */
    uint32_t round;  /* where the one that waits is, for latches and onces */
    uint32_t given;  /* and the other */
    uint32_t stop;
    struct support_count done;
    struct support_count stumbled;
    void (*stumbles)(struct pair *pair, uint64_t *random);
    void (*waits)(struct pair *pair, uint64_t *random);
    void (*end)(struct pair *pair, uint64_t *random); /* lets the stumbling one go in the end; may be NULL */
};

static thr_latch latches[ROUNDS];
static thr_once onces[ROUNDS];

static void pause_for(uint64_t *random, uint32_t most)
{
    for (uint32_t turns = support_random_below(random, most); turns > 0; turns--)
        __asm__ volatile("");
}

static void run_waiter(void *arg)
{
    struct pair *pair = arg;
    uint64_t random = support_seed() + 1;
    while (!load_relaxed(&pair->stop) && load_relaxed(&pair->round) < ROUNDS) {
        pair->waits(pair, &random);
        pause_for(&random, 200);
    }
    support_count_add(&pair->done);
}

static void run_stumbling(void *arg)
{
    struct pair *pair = arg;
    uint64_t random = support_seed();
    support_stumble_start();
    while (support_count_get(&pair->done) == 0)
        pair->stumbles(pair, &random);
    support_stumble_stop();
    support_count_add(&pair->stumbled);
}

static void run_pair(struct pair *pair)
{
    for (int steered = 0; steered < 2; steered++) {
        struct pair fresh = *pair;
        uint64_t random = support_seed() + 2;
        memset(latches, 0xff, sizeof latches); /* see give_latch */
        memset(onces, 0, sizeof onces);
        support_way(NULL, steered);
        struct support_thread *stumbles = support_thread_start(run_stumbling, &fresh);
        struct support_thread *waits = support_thread_start(run_waiter, &fresh);
        thr_sleep(0.1); /* so long it goes on */
        store_relaxed(&fresh.stop, 1);
        support_thread_join(waits);
        while (fresh.end && support_count_get(&fresh.stumbled) == 0) {
            fresh.end(&fresh, &random);
            thr_sleep(100e-6);
        }
        support_thread_join(stumbles);
    }
    support_way(NULL, false);
}

/* For ever, or by a deadline that is far; or by one that may pass. */
static thr_time some_deadline(uint64_t *random)
{
    uint32_t how = support_random_below(random, 8);
    return how == 0 ? thr_now() + support_random_below(random, 20000) : how < 4 ? support_limit() : THR_FOREVER;
}

static bool passed(thr_result result)
{
    CHECK(result == THR_OK || result == THR_TIMEOUT);
    return result == THR_OK;
}

/* -- Locks --------------------------------------------------------------------------------------------------------- */

static void inside(struct pair *pair, uint64_t *random)
{
    CHECK_EQUAL(pair->inside++, 0);
    pause_for(random, 100);
    CHECK_EQUAL(--pair->inside, 0);
}

static void use_lock(struct pair *pair, uint64_t *random)
{
    if (!passed(thr_lock_acquire_until(&pair->of.lock, some_deadline(random))))
        return;
    inside(pair, random);
    CHECK_OK(thr_lock_release(&pair->of.lock));
}

static void test_lock(void **state)
{
    (void)state;
    run_pair(&(struct pair){.stumbles = use_lock, .waits = use_lock});
}

static void use_rlock(struct pair *pair, uint64_t *random)
{
    if (!passed(thr_rlock_acquire_until(&pair->of.rlock, some_deadline(random))))
        return;
    CHECK_OK(thr_rlock_acquire(&pair->of.rlock));
    inside(pair, random);
    CHECK_OK(thr_rlock_release(&pair->of.rlock));
    CHECK_OK(thr_rlock_release(&pair->of.rlock));
}

static void test_rlock(void **state)
{
    (void)state;
    run_pair(&(struct pair){.stumbles = use_rlock, .waits = use_rlock});
}

static void use_bounded(struct pair *pair, uint64_t *random)
{
    if (!passed(thr_bounded_semaphore_acquire_until(&pair->of.bounded, some_deadline(random))))
        return;
    inside(pair, random);
    CHECK_OK(thr_bounded_semaphore_release(&pair->of.bounded, 1));
}

static void test_bounded_semaphore(void **state)
{
    (void)state;
    run_pair(
        &(struct pair){.of.bounded = THR_BOUNDED_SEMAPHORE_INIT(1), .stumbles = use_bounded, .waits = use_bounded});
}

static void write_rwlock(struct pair *pair, uint64_t *random)
{
    if (!passed(thr_rwlock_acquire_write_until(&pair->of.rwlock, some_deadline(random))))
        return;
    inside(pair, random);
    CHECK_OK(thr_rwlock_release_write(&pair->of.rwlock));
}

static void read_rwlock(struct pair *pair, uint64_t *random)
{
    if (!passed(thr_rwlock_acquire_read_until(&pair->of.rwlock, some_deadline(random))))
        return;
    CHECK_EQUAL(pair->inside, 0);
    pause_for(random, 100);
    CHECK_OK(thr_rwlock_release_read(&pair->of.rwlock));
}

static void use_rwlock(struct pair *pair, uint64_t *random)
{
    if (support_random_below(random, 2) == 0)
        read_rwlock(pair, random);
    else
        write_rwlock(pair, random);
}

static void test_rwlock(void **state)
{
    (void)state;
    run_pair(&(struct pair){.stumbles = write_rwlock, .waits = write_rwlock});
    run_pair(&(struct pair){.stumbles = read_rwlock, .waits = write_rwlock});
    run_pair(&(struct pair){.stumbles = write_rwlock, .waits = read_rwlock});
    run_pair(&(struct pair){.stumbles = use_rwlock, .waits = use_rwlock});
}

/* -- One gives, the other takes ------------------------------------------------------------------------------------ */

static void give_semaphore(struct pair *pair, uint64_t *random)
{
    if (thr_semaphore_value(&pair->of.semaphore) < 2)
        CHECK_OK(thr_semaphore_release(&pair->of.semaphore, 1 + support_random_below(random, 2)));
}

static void take_semaphore(struct pair *pair, uint64_t *random)
{
    (void)passed(thr_semaphore_acquire_until(&pair->of.semaphore, some_deadline(random)));
}

static void test_semaphore(void **state)
{
    (void)state;
    run_pair(&(struct pair){.stumbles = give_semaphore, .waits = take_semaphore});
}

static void set_flag(struct pair *pair, uint64_t *random)
{
    bool with_lock = support_random_below(random, 2) == 0;
    CHECK_OK(thr_lock_acquire(&pair->lock));
    pair->flag = true;
    if (with_lock)
        (void)thr_condition_notify(&pair->of.condition, 1);
    CHECK_OK(thr_lock_release(&pair->lock));
    if (!with_lock)
        (void)thr_condition_notify_all(&pair->of.condition);
}

static void take_flag(struct pair *pair, uint64_t *random)
{
    CHECK_OK(thr_lock_acquire(&pair->lock));
    while (!pair->flag)
        (void)passed(thr_condition_wait_until(&pair->of.condition, &pair->lock, some_deadline(random)));
    pair->flag = false;
    CHECK_OK(thr_lock_release(&pair->lock));
}

static void test_condition(void **state)
{
    (void)state;
    run_pair(&(struct pair){.stumbles = set_flag, .waits = take_flag});
    run_pair(&(struct pair){.stumbles = take_flag, .waits = set_flag, .end = set_flag});
}

static void set_flag_rlock(struct pair *pair, uint64_t *random)
{
    CHECK_OK(thr_rlock_acquire(&pair->rlock));
    CHECK_OK(thr_rlock_acquire(&pair->rlock));
    pair->flag = true;
    (void)thr_condition_notify(&pair->of.condition, 1);
    CHECK_OK(thr_rlock_release(&pair->rlock));
    pause_for(random, 50);
    CHECK_OK(thr_rlock_release(&pair->rlock));
}

static void take_flag_rlock(struct pair *pair, uint64_t *random)
{
    CHECK_OK(thr_rlock_acquire(&pair->rlock));
    while (!pair->flag)
        (void)passed(thr_condition_wait_rlock_until(&pair->of.condition, &pair->rlock, some_deadline(random)));
    pair->flag = false;
    CHECK_OK(thr_rlock_release(&pair->rlock));
}

static void test_condition_rlock(void **state)
{
    (void)state;
    run_pair(&(struct pair){.stumbles = set_flag_rlock, .waits = take_flag_rlock});
}

/* The stumbling one may be alone at the end: it gives up, and breaks it. */
static void pass_barrier_or_break(struct pair *pair, uint64_t *random)
{
    (void)random;
    thr_result result = thr_barrier_wait_until(&pair->of.barrier, thr_after(0.02), NULL);
    if (result == THR_TIMEOUT)
        thr_barrier_reset(&pair->of.barrier);
    else
        CHECK(result == THR_OK || result == THR_BROKEN);
}

static void pass_barrier(struct pair *pair, uint64_t *random)
{
    (void)random;
    thr_result result = thr_barrier_wait(&pair->of.barrier, NULL);
    CHECK(result == THR_OK || result == THR_BROKEN);
}

static void test_barrier(void **state)
{
    (void)state;
    run_pair(&(struct pair){
        .of.barrier = THR_BARRIER_INIT(2, NULL, NULL), .stumbles = pass_barrier_or_break, .waits = pass_barrier});
}

/* -- Once each ----------------------------------------------------------------------------------------------------- */

/* Each latch as the waiter comes to it. A latch that nobody has come to yet is far from open. */
static void give_latch(struct pair *pair, uint64_t *random)
{
    uint32_t round = load_acquire(&pair->round);
    if (round >= ROUNDS || pair->given > round || thr_latch_count(&latches[round]) != 1)
        return;
    pause_for(random, 200);
    CHECK_OK(thr_latch_count_down(&latches[round], 1));
    pair->given = round + 1;
}

static void wait_latch(struct pair *pair, uint64_t *random)
{
    if (pair->round >= ROUNDS)
        return;
    thr_latch *latch = &latches[pair->round];
    __atomic_store_n(&latch->word_, ((thr_latch)THR_LATCH_INIT(1)).word_, __ATOMIC_RELEASE);
    pause_for(random, 100);
    while (!passed(thr_latch_wait_until(latch, some_deadline(random))))
        continue;
    store_release(&pair->round, pair->round + 1);
}

static void test_latch(void **state)
{
    (void)state;
    run_pair(&(struct pair){.stumbles = give_latch, .waits = wait_latch});
    run_pair(&(struct pair){.stumbles = wait_latch, .waits = give_latch, .end = give_latch});
}

static void nothing(void *arg)
{
    (void)arg;
}

static void run_once(struct pair *pair, uint64_t *random)
{
    uint32_t round = load_acquire(&pair->round);
    if (round < ROUNDS)
        CHECK_OK(thr_once_run(&onces[round], nothing, NULL));
    (void)random;
}

static void run_once_and_go_on(struct pair *pair, uint64_t *random)
{
    store_release(&pair->round, pair->round + 1);
    if (pair->round < ROUNDS) {
        pause_for(random, 100);
        CHECK_OK(thr_once_run(&onces[pair->round], nothing, NULL));
    }
}

static void test_once(void **state)
{
    (void)state;
    run_pair(&(struct pair){.stumbles = run_once, .waits = run_once_and_go_on});
}

SUPPORT_MAIN(cmocka_unit_test(test_lock), cmocka_unit_test(test_rlock), cmocka_unit_test(test_bounded_semaphore),
             cmocka_unit_test(test_rwlock), cmocka_unit_test(test_semaphore), cmocka_unit_test(test_condition),
             cmocka_unit_test(test_condition_rlock), cmocka_unit_test(test_barrier), cmocka_unit_test(test_latch),
             cmocka_unit_test(test_once))
