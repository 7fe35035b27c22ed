/* random.h - what stress_locks.c and stress_sync.c share: threads that do what chance says. */

#ifndef STRESS_RANDOM_H
#define STRESS_RANDOM_H

#include "support/support.h"

#include <stdlib.h>
#include <string.h>

#include "wait/atomic.h"
#include "wait/wait.h"

enum { THREADS = 4, MICROSECOND = 1000 };

struct worker {
    uint64_t random;
    size_t index;
    struct support_pester signals;
    bool pestered;
};

static thr_time end_of_stress;

static inline void begin_stress(void)
{
    const char *seconds = getenv("THR_STRESS_SECONDS");
    store_relaxed(&end_of_stress, thr_after(seconds ? atof(seconds) / 2 : 1.0));
}

static inline bool going_on(void)
{
    return thr_now() < load_relaxed(&end_of_stress);
}

static inline bool interrupt_sometimes(void *arg)
{
    struct worker *worker = arg;
    return support_random_below(&worker->random, 4) == 0;
}

/* One of the threads gets signals, and its waits may be interrupted; one stumbles. The others get no signals: one that is
 * lost to a wake that never comes sleeps on, until the test's limit. */
static inline void begin_worker(struct worker *worker, uint64_t salt)
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

static inline void end_worker(struct worker *worker)
{
    if (worker->pestered) {
        support_record()->interrupt = NULL;
        support_pester_stop(&worker->signals);
    } else if (worker->index == 1) {
        support_stumble_stop();
    }
}

static inline uint32_t below(struct worker *worker, uint32_t limit)
{
    return support_random_below(&worker->random, limit);
}

/* For ever; or a deadline that has passed, is near, or is far. */
static inline thr_time some_deadline(struct worker *worker)
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
static inline bool check_result(const struct worker *worker, thr_time deadline, thr_result result)
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
static inline void stay(struct worker *worker)
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

static inline void run_workers(void (*function)(void *), void *arg)
{
    struct support_bunch bunch;
    (void)support_seed();
    begin_stress();
    support_bunch_start(&bunch, THREADS, function, arg);
    support_bunch_join(&bunch);
}

#define STRESS(name)                                                                                                   \
    static void test_##name(void **state)                                                                              \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        support_both_ways(stress_##name);                                                                              \
    }

#endif
