/* test_semaphore.c - what the semaphore and the bounded one have in common: one body for both. What is their own is in
 * test_semaphore_bound.c; how they block is in test_blocking.c too. */

#include "semaphores.h"

static void each_kind(void (*body)(const struct kind *kind))
{
    for (int steered = 0; steered < 2; steered++) {
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
            support_way(kinds[i].name, steered);
            body(&kinds[i]);
        }
    }
    support_way(NULL, false);
}

/* -- CPython: BaseSemaphoreTests ----------------------------------------------------------------------------------- */

/* CPython: test_acquire, test_acquire_destroy, test_repr. */
static void acquire_and_release(const struct kind *kind)
{
    for (uint32_t permits = 1; permits < 4; permits++) {
        union any_semaphore semaphore;
        kind->init(&semaphore, permits);
        CHECK_EQUAL(kind->value(&semaphore), permits);
        support_errno_set();
        for (uint32_t i = permits; i > 0; i--) {
            CHECK_OK(kind->acquire(&semaphore));
            CHECK_EQUAL(kind->value(&semaphore), i - 1);
        }
        for (uint32_t i = 1; i <= permits; i++) {
            CHECK_OK(kind->release(&semaphore, 1));
            CHECK_EQUAL(kind->value(&semaphore), i);
        }
        CHECK_OK(kind->acquire(&semaphore));
        CHECK_ERRNO();
    }
}

static void acquire_twice(void *arg)
{
    struct contended *contended = arg;
    for (int i = 0; i < 2; i++) {
        CHECK_OK(contended->kind->acquire(&contended->semaphore));
        support_count_add(&contended->acquired);
    }
}

/* Ten threads want two permits each; a number of permits lets just that many pass. Then all that are left are blocked. */
static void check_contended(const struct kind *kind, bool at_once)
{
    enum { PERMITS = 7, THREADS = 10 };
    struct contended contended = {.kind = kind};
    union any_semaphore *semaphore = &contended.semaphore;
    struct support_bunch bunch;
    const uint32_t releases[] = {PERMITS, PERMITS - 1};
    uint32_t acquired = PERMITS - 1;
    kind->init(semaphore, PERMITS);
    CHECK_OK(kind->acquire(semaphore));
    support_bunch_start(&bunch, THREADS, acquire_twice, &contended);
    support_count_wait(&contended.acquired, acquired);
    for (size_t i = 0; i < sizeof releases / sizeof *releases; i++) {
        /* However the permits so far were shared out, each thread that is not done is blocked; at least this many. */
        support_wait_blocked(semaphore, THREADS - acquired / 2);
        CHECK_EQUAL(support_count_get(&contended.acquired), acquired);
        if (at_once)
            CHECK_OK(kind->release(semaphore, releases[i]));
        else
            for (uint32_t n = 0; n < releases[i]; n++)
                CHECK_OK(kind->release(semaphore, 1));
        acquired += releases[i];
        support_count_wait(&contended.acquired, acquired);
    }
    support_wait_blocked(semaphore, 1); /* 20 are wanted, and there were 19 */
    CHECK_EQUAL(support_count_get(&contended.acquired), 2 * THREADS - 1);
    CHECK(!kind->try_acquire(semaphore));
    CHECK_OK(kind->release(semaphore, 1));
    support_bunch_join(&bunch);
    CHECK_EQUAL(support_count_get(&contended.acquired), 2 * THREADS);
    CHECK_EQUAL(kind->value(semaphore), 0);
}

/* CPython: test_acquire_contended. */
static void release_lets_one_go(const struct kind *kind)
{
    check_contended(kind, false);
}

/* CPython: test_multirelease. */
static void release_lets_n_go(const struct kind *kind)
{
    check_contended(kind, true);
}

static void try_twice(void *arg)
{
    struct contended *contended = arg;
    for (int i = 0; i < 2; i++)
        if (contended->kind->try_acquire(&contended->semaphore))
            support_count_add(&contended->acquired);
}

/* CPython: test_try_acquire_contended. Ten tries for three permits: three succeed. */
static void try_acquire_contended(const struct kind *kind)
{
    struct contended contended = {.kind = kind};
    struct support_bunch bunch;
    kind->init(&contended.semaphore, 4);
    CHECK_OK(kind->acquire(&contended.semaphore));
    support_bunch_start(&bunch, 5, try_twice, &contended);
    support_bunch_join(&bunch);
    CHECK_EQUAL(support_count_get(&contended.acquired), 3);
}

/* CPython: test_acquire_timeout. */
static void timeout(const struct kind *kind)
{
    union any_semaphore semaphore;
    kind->init(&semaphore, 2);
    CHECK_OK(kind->acquire_until(&semaphore, thr_after(0.005)));
    CHECK_OK(kind->acquire_until(&semaphore, 0));
    CHECK_RESULT(kind->acquire_until(&semaphore, thr_after(0.005)), THR_TIMEOUT);
    CHECK_OK(kind->release(&semaphore, 1));
    CHECK_OK(kind->acquire_until(&semaphore, thr_after(0.005)));
    thr_time deadline = thr_after(0.02);
    CHECK_RESULT(kind->acquire_until(&semaphore, deadline), THR_TIMEOUT);
    CHECK_PASSED(deadline);
    CHECK_EQUAL(kind->value(&semaphore), 0);
    CHECK_OK(kind->release(&semaphore, 2)); /* who timed out has left nothing behind */
    CHECK_EQUAL(kind->value(&semaphore), 2);
}

/* CPython: test_default_value, test_with: a semaphore of one is a lock. */
static void one_permit_is_a_lock(const struct kind *kind)
{
    enum { N = 4 };
    struct contended contended = {.kind = kind};
    struct support_bunch bunch;
    kind->init(&contended.semaphore, 1);
    CHECK_OK(kind->acquire(&contended.semaphore));
    support_bunch_start(&bunch, N, hold_one, &contended);
    support_wait_blocked(&contended.semaphore, N);
    CHECK_EQUAL(support_count_get(&contended.acquired), 0);
    CHECK_OK(kind->release(&contended.semaphore, 1));
    support_bunch_join(&bunch);
    CHECK_EQUAL(support_count_get(&contended.acquired), N);
    CHECK_EQUAL(kind->value(&contended.semaphore), 1);
}

/* -- Ours, for both ------------------------------------------------------------------------------------------------ */

static void release_of_none(const struct kind *kind)
{
    union any_semaphore semaphore;
    struct contended contended = {.kind = kind};
    kind->init(&semaphore, 3);
    CHECK_OK(kind->release(&semaphore, 0));
    CHECK_EQUAL(kind->value(&semaphore), 3);

    kind->init(&contended.semaphore, 1); /* also with somebody asleep */
    CHECK_OK(kind->acquire(&contended.semaphore));
    struct support_thread *thread = support_thread_start(hold_one, &contended);
    support_wait_blocked(&contended.semaphore, 1);
    CHECK_OK(kind->release(&contended.semaphore, 0));
    CHECK_EQUAL(kind->value(&contended.semaphore), 0);
    CHECK_EQUAL(support_count_get(&contended.acquired), 0);
    support_wait_blocked(&contended.semaphore, 1);
    CHECK_OK(kind->release(&contended.semaphore, 1));
    support_thread_join(thread);
    CHECK_EQUAL(kind->value(&contended.semaphore), 1);
}

/* More sleepers than permits, in all proportions: as many go as there are permits. */
static void permits_and_sleepers(const struct kind *kind)
{
    for (uint32_t sleepers = 1; sleepers <= 4; sleepers++) {
        for (uint32_t permits = 1; permits <= 4; permits++) {
            struct contended contended = {.kind = kind};
            struct support_thread *threads[4];
            kind->init(&contended.semaphore, 4);
            for (int i = 0; i < 4; i++)
                CHECK_OK(kind->acquire(&contended.semaphore));
            for (uint32_t i = 0; i < sleepers; i++)
                threads[i] = support_thread_start(try_twice, &contended);
            for (uint32_t i = 0; i < sleepers; i++)
                support_thread_join(threads[i]);
            CHECK_EQUAL(support_count_get(&contended.acquired), 0);
            for (uint32_t i = 0; i < sleepers; i++)
                threads[i] = support_thread_start(hold_one, &contended);
            support_wait_blocked(&contended.semaphore, sleepers);
            CHECK_OK(kind->release(&contended.semaphore, permits));
            for (uint32_t i = 0; i < sleepers; i++)
                support_thread_join(threads[i]);
            CHECK_EQUAL(kind->value(&contended.semaphore), permits);
        }
    }
}

struct one {
    struct contended *of;
    thr_time deadline;
    thr_result result;
    struct support_count done;
};

static void acquire_one(void *arg)
{
    struct one *one = arg;
    one->result = one->of->kind->acquire_until(&one->of->semaphore, one->deadline);
    support_count_add(&one->done);
}

/* Two sleep, and two releases come before the first of them has looked: the second release finds nobody marked as
 * asleep. Whoever of the two looks, both get a permit. */
static void wake_is_passed_on(const struct kind *kind)
{
    struct contended contended = {.kind = kind};
    struct one ones[2];
    struct support_thread *threads[2];
    kind->init(&contended.semaphore, 2);
    CHECK_OK(kind->acquire(&contended.semaphore));
    CHECK_OK(kind->acquire(&contended.semaphore));
    for (int i = 0; i < 2; i++) {
        ones[i] = (struct one){.of = &contended, .deadline = THR_FOREVER};
        threads[i] = support_thread_start(acquire_one, &ones[i]);
        support_wait_blocked(&contended.semaphore, (unsigned)i + 1);
    }
    support_stop(SUPPORT_AFTER_SLEEP, &contended.semaphore, NULL);
    CHECK_OK(kind->release(&contended.semaphore, 1));
    support_wait_stopped(SUPPORT_AFTER_SLEEP, 1);
    CHECK_OK(kind->release(&contended.semaphore, 1));
    support_go(SUPPORT_AFTER_SLEEP);
    for (int i = 0; i < 2; i++) {
        support_thread_join(threads[i]);
        CHECK_OK(ones[i].result);
    }
    CHECK_EQUAL(kind->value(&contended.semaphore), 0);
}

/* The one that was woken finds its permit taken by somebody faster, and sleeps again: the next release wakes it, or the
 * other sleeper; and the one after that, the other. */
static void woken_in_vain(const struct kind *kind)
{
    struct contended contended = {.kind = kind};
    struct one ones[2];
    struct support_thread *threads[2];
    kind->init(&contended.semaphore, 2);
    CHECK_OK(kind->acquire(&contended.semaphore));
    CHECK_OK(kind->acquire(&contended.semaphore));
    for (int i = 0; i < 2; i++) {
        ones[i] = (struct one){.of = &contended, .deadline = THR_FOREVER};
        threads[i] = support_thread_start(acquire_one, &ones[i]);
        support_wait_blocked(&contended.semaphore, (unsigned)i + 1);
    }
    support_stop(SUPPORT_AFTER_SLEEP, &contended.semaphore, NULL);
    CHECK_OK(kind->release(&contended.semaphore, 1));
    support_wait_stopped(SUPPORT_AFTER_SLEEP, 1);
    CHECK(kind->try_acquire(&contended.semaphore));
    support_go(SUPPORT_AFTER_SLEEP);
    support_wait_blocked(&contended.semaphore, 2);
    for (int i = 0; i < 2; i++)
        CHECK_EQUAL(support_count_get(&ones[i].done), 0);
    CHECK_OK(kind->release(&contended.semaphore, 1));
    CHECK_OK(kind->release(&contended.semaphore, 1));
    for (int i = 0; i < 2; i++) {
        support_thread_join(threads[i]);
        CHECK_OK(ones[i].result);
    }
}

/* One sleeper is woken and one times out, at the same moment, and the faster third takes a permit: nothing is lost. */
static void timeout_eats_no_permit(const struct kind *kind)
{
    struct contended contended = {.kind = kind};
    struct one late = {.of = &contended};
    struct one sleeper = {.of = &contended, .deadline = THR_FOREVER};
    kind->init(&contended.semaphore, 1);
    CHECK_OK(kind->acquire(&contended.semaphore));
    support_clock_stop();
    late.deadline = thr_after(1.0);
    struct support_thread *first = support_thread_start(acquire_one, &late);
    support_wait_blocked(&contended.semaphore, 1);
    support_stop(SUPPORT_AFTER_SLEEP, &contended.semaphore, NULL);
    support_clock_advance(1.0);
    support_wait_stopped(SUPPORT_AFTER_SLEEP, 1);
    support_clock_go();
    struct support_thread *second = support_thread_start(acquire_one, &sleeper);
    support_wait_blocked(&contended.semaphore, 1);
    CHECK_OK(kind->release(&contended.semaphore, 1));
    support_wait_stopped(SUPPORT_AFTER_SLEEP, 2); /* the wake reaches the one asleep, nobody else */
    support_go(SUPPORT_AFTER_SLEEP);
    support_thread_join(first);
    if (late.result == THR_OK)
        CHECK_OK(kind->release(&contended.semaphore, 1));
    else
        CHECK_RESULT(late.result, THR_TIMEOUT);
    support_thread_join(second);
    CHECK_OK(sleeper.result);
    CHECK_EQUAL(kind->value(&contended.semaphore), 0);
}

/* What was written before the release is read after the acquire. */
struct message {
    struct contended contended;
    int text;
};

static void read_message(void *arg)
{
    struct message *message = arg;
    CHECK_OK(message->contended.kind->acquire(&message->contended.semaphore));
    CHECK_EQUAL(message->text, 42);
}

static void release_publishes(const struct kind *kind)
{
    for (int i = 0; i < 20; i++) {
        struct message message = {.contended = {.kind = kind}};
        kind->init(&message.contended.semaphore, 1);
        CHECK_OK(kind->acquire(&message.contended.semaphore));
        struct support_thread *thread = support_thread_start(read_message, &message);
        if (i % 2)
            support_wait_blocked(&message.contended.semaphore, 1);
        message.text = 42;
        CHECK_OK(kind->release(&message.contended.semaphore, 1));
        support_thread_join(thread);
    }
}

/* -- Signal handlers ----------------------------------------------------------------------------------------------- */

#define EACH_KIND(name)                                                                                                \
    static void test_##name(void **state)                                                                              \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        each_kind(name);                                                                                               \
    }

EACH_KIND(acquire_and_release)
EACH_KIND(release_lets_one_go)
EACH_KIND(release_lets_n_go)
EACH_KIND(try_acquire)
EACH_KIND(try_acquire_contended)
EACH_KIND(timeout)
EACH_KIND(one_permit_is_a_lock)
EACH_KIND(release_of_none)
EACH_KIND(permits_and_sleepers)
EACH_KIND(wake_is_passed_on)
EACH_KIND(woken_in_vain)
EACH_KIND(timeout_eats_no_permit)
EACH_KIND(release_publishes)

SUPPORT_MAIN(cmocka_unit_test(test_acquire_and_release), cmocka_unit_test(test_release_lets_one_go),
             cmocka_unit_test(test_release_lets_n_go), cmocka_unit_test(test_try_acquire),
             cmocka_unit_test(test_try_acquire_contended), cmocka_unit_test(test_timeout),
             cmocka_unit_test(test_one_permit_is_a_lock), cmocka_unit_test(test_release_of_none),
             cmocka_unit_test(test_permits_and_sleepers), cmocka_unit_test(test_wake_is_passed_on),
             cmocka_unit_test(test_woken_in_vain), cmocka_unit_test(test_timeout_eats_no_permit),
             cmocka_unit_test(test_release_publishes))
