/* stress_timer.c - random operations on timers from several threads, and from their callbacks.
 *
 * Each thread has timers of its own, of which it knows what they should do; and there are some that all use, of which
 * nothing is known but that no callback runs twice at a time. */

#include "support/support.h"

#include "thread/service.h"
#include "wait/atomic.h"

enum { THREADS = 4, OWN = 16, SHARED = 8, SECONDS = 2 };

struct probe {
    thr_timer *timer;
    uint32_t inside;
    uint32_t runs;
    thr_time not_before;
    uint64_t random; /* shared ones: of the callback */
};

static struct probe shared[SHARED];
static uint32_t stop;

static void enter(struct probe *probe)
{
    CHECK_EQUAL(add_acq_rel(&probe->inside, 1), 0);
    CHECK_PASSED(load_relaxed(&probe->not_before));
    (void)add_release(&probe->runs, 1);
}

static void leave(struct probe *probe)
{
    CHECK_EQUAL(sub_acq_rel(&probe->inside, 1), 1);
}

/* Mostly short; some never come in the time of the test. */
static double random_delay(uint64_t *random)
{
    switch (support_random_below(random, 8)) {
    case 0:
        return 0;
    case 1:
        return 1000;
    case 2:
        return support_random_below(random, 20000) * 1e-6;
    default:
        return support_random_below(random, 1000) * 1e-6;
    }
}

/* -- Own timers --------------------------------------------------------------------------------------------------- */

static void run_own(void *arg)
{
    enter(arg);
    leave(arg);
}

/* From idle to idle. */
static void use_once(struct probe *probe, uint64_t *random)
{
    uint32_t runs = load_acquire(&probe->runs);
    double delay = random_delay(random);
    store_relaxed(&probe->not_before, thr_now() + (thr_time)(delay * 1e9));
    CHECK_OK(thr_timer_reset(probe->timer, delay));
    thr_result result = THR_TOO_LATE;
    if (delay > 1 || support_random_below(random, 2) == 0)
        result = thr_timer_cancel(probe->timer);
    CHECK(result == THR_OK || result == THR_TOO_LATE);
    CHECK_OK(thr_timer_join(probe->timer));
    CHECK_EQUAL(load_acquire(&probe->runs), runs + (result != THR_OK));
}

static void use_armed(struct probe *probe, uint64_t *random)
{
    uint32_t runs = load_acquire(&probe->runs);
    uint32_t arms = 1 + support_random_below(random, 5);
    store_relaxed(&probe->not_before, 0);
    for (uint32_t i = 0; i < arms; i++)
        CHECK_OK(thr_timer_reset(probe->timer, random_delay(random)));
    thr_result result = thr_timer_cancel(probe->timer);
    uint32_t after = load_acquire(&probe->runs);
    CHECK_OK(thr_timer_join(probe->timer));
    uint32_t end = load_acquire(&probe->runs);
    CHECK(end - runs <= arms);
    if (result == THR_OK)
        CHECK_EQUAL(after, end);
}

static void use_repeating(uint64_t *random)
{
    struct probe probe = {0};
    uint32_t wanted = support_random_below(random, 3);
    CHECK_OK(thr_timer_new(&probe.timer, 0.00001, run_own, &probe, .repeat = true));
    CHECK_OK(thr_timer_start(probe.timer));
    for (thr_time end = thr_after(0.01); load_acquire(&probe.runs) < wanted && thr_now() < end;)
        CHECK_OK(thr_timer_reset(probe.timer, 0.00001));
    thr_result result = thr_timer_cancel(probe.timer);
    CHECK(result == THR_OK || result == THR_TOO_LATE);
    CHECK_OK(thr_timer_join(probe.timer));
    uint32_t runs = load_acquire(&probe.runs);
    CHECK_OK(thr_timer_cancel(probe.timer));
    CHECK_EQUAL(load_acquire(&probe.runs), runs);
    thr_timer_unref(probe.timer);
}

/* -- Shared timers ------------------------------------------------------------------------------------------------ */

static void use_shared(uint64_t *random)
{
    struct probe *probe = &shared[support_random_below(random, SHARED)];
    thr_timer *timer = thr_timer_ref(probe->timer);
    switch (support_random_below(random, 6)) {
    case 0:
        (void)thr_timer_cancel(timer);
        break;
    case 1:
        CHECK_RESULT(thr_timer_start(timer), THR_STARTED);
        break;
    case 2: {
        thr_result result = thr_timer_join_until(timer, thr_after(random_delay(random) / 1e6));
        CHECK(result == THR_OK || result == THR_TIMEOUT || result == THR_DEADLOCK);
        break;
    }
    default: {
        double delay = random_delay(random);
        CHECK_OK(thr_timer_reset(timer, delay > 0 ? delay : 1e-9));
        break;
    }
    }
    thr_timer_unref(timer);
}

static void run_shared(void *arg)
{
    struct probe *probe = arg;
    enter(probe);
    if (!load_relaxed(&stop)) {
        if (support_random_below(&probe->random, 2) == 0)
            use_shared(&probe->random);
        if (support_random_below(&probe->random, 50) == 0)
            thr_sleep(0.002);
    }
    leave(probe);
}

/* -- The test ----------------------------------------------------------------------------------------------------- */

static void work(void *arg)
{
    (void)arg;
    struct probe own[OWN] = {0};
    uint64_t random = support_seed() + support_index();
    for (size_t i = 0; i < OWN; i++) {
        CHECK_OK(thr_timer_new(&own[i].timer, 1000, run_own, &own[i]));
        CHECK_OK(thr_timer_start(own[i].timer));
        CHECK_OK(thr_timer_cancel(own[i].timer));
    }
    while (!load_relaxed(&stop)) {
        struct probe *probe = &own[support_random_below(&random, OWN)];
        switch (support_random_below(&random, 8)) {
        case 0:
            use_repeating(&random);
            break;
        case 1:
            use_once(probe, &random);
            break;
        case 2:
            use_armed(probe, &random);
            break;
        default:
            use_shared(&random);
            break;
        }
    }
    for (size_t i = 0; i < OWN; i++)
        thr_timer_unref(own[i].timer);
}

static void test_random(void **state)
{
    (void)state;
    struct support_bunch bunch;
    uint64_t random = support_seed();
    for (size_t i = 0; i < SHARED; i++) {
        shared[i].random = support_random(&random);
        CHECK_OK(thr_timer_new(&shared[i].timer, 1000, run_shared, &shared[i], .repeat = i % 2 == 0));
        CHECK_OK(thr_timer_start(shared[i].timer));
    }
    support_bunch_start(&bunch, THREADS, work, NULL);
    thr_sleep(SECONDS);
    store_relaxed(&stop, 1);
    support_bunch_join(&bunch);
    for (size_t i = 0; i < SHARED; i++) {
        (void)thr_timer_cancel(shared[i].timer);
        CHECK_OK(thr_timer_join(shared[i].timer));
    }
    /* A callback that was still running may have armed another. */
    for (size_t i = 0; i < SHARED; i++) {
        (void)thr_timer_cancel(shared[i].timer);
        CHECK_OK(thr_timer_join(shared[i].timer));
        CHECK_EQUAL(shared[i].inside, 0);
        thr_timer_unref(shared[i].timer);
    }
    CHECK_EQUAL(service.wheel.count, 0);
}

SUPPORT_MAIN(cmocka_unit_test(test_random))
