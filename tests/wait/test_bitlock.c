/* test_bitlock.c - the lock inside a word: it keeps others out, keeps the data, sleeps and wakes. */

#include "support/support.h"

#include "wait/bitlock.h"

/* Who sleeps for the bit, and who is about to wake such a one, counted and stopped. */
static struct support_count sleeps;
static struct support_count wakes;
static struct support_count *hold_wakes; /* a wake for the bit waits for this, once it has woken */
static const struct wait_system *below;

static enum os_wait_end watched_wait(const uint32_t *word, uint32_t expected, uint32_t mask, thr_time deadline)
{
    if (mask == BITLOCK_MASK) {
        CHECK_EQUAL(deadline, THR_FOREVER);
        support_count_add(&sleeps);
    }
    return below->wait(word, expected, mask, deadline);
}

static void watched_wake(const uint32_t *word, uint32_t count, uint32_t mask)
{
    below->wake(word, count, mask);
    if (mask == BITLOCK_MASK) {
        CHECK_EQUAL(count, 1);
        support_count_add(&wakes);
        if (hold_wakes)
            support_count_wait(hold_wakes, 1);
    }
}

static void watch(struct wait_system *watched)
{
    below = wait_system;
    *watched = *wait_system;
    watched->wait = watched_wait;
    watched->wake = watched_wake;
    wait_system = watched;
    sleeps.value = 0;
    wakes.value = 0;
    hold_wakes = NULL;
}

static void unwatch(void)
{
    wait_system = below;
}

static void test_alone(void **state)
{
    (void)state;
    const uint64_t data[] = {0, 4, 8, UINT64_MAX & ~BITLOCK_BITS, (uint64_t)1 << 63, (uint64_t)1 << 32};
    struct wait_system watched;
    uint64_t word = 0;
    uint64_t last = 0;
    watch(&watched);
    for (size_t i = 0; i < sizeof data / sizeof *data; i++) {
        CHECK(bitlock_acquire(&word) == last);
        CHECK(word == (last | BITLOCK_LOCKED));
        last = data[i];
        bitlock_release(&word, last);
        CHECK(word == last);
    }
    CHECK_EQUAL(support_count_get(&sleeps), 0);
    CHECK_EQUAL(support_count_get(&wakes), 0);
    unwatch();
}

struct shared {
    uint64_t word;
    uint64_t value; /* not atomic */
    struct support_count done;
};

static void count_up(void *arg)
{
    struct shared *shared = arg;
    uint64_t data = bitlock_acquire(&shared->word);
    CHECK(data == shared->value << 2);
    shared->value++;
    bitlock_release(&shared->word, data + 4);
    support_count_add(&shared->done);
}

/* All sleep; a release wakes one, who wakes the next. */
static void test_sleepers_go_one_after_the_other(void **state)
{
    (void)state;
    enum { N = 5 };
    struct wait_system watched;
    for (int i = 0; i < 20; i++) {
        struct shared shared = {0};
        struct support_bunch bunch;
        watch(&watched);
        uint64_t data = bitlock_acquire(&shared.word);
        support_bunch_start(&bunch, N, count_up, &shared);
        support_count_wait(&sleeps, N);
        CHECK_EQUAL(support_count_get(&shared.done), 0);
        CHECK(load_relaxed(&shared.word) == (BITLOCK_LOCKED | BITLOCK_SLEEPING));
        bitlock_release(&shared.word, data);
        support_bunch_join(&bunch);
        unwatch();
        CHECK_EQUAL(shared.value, N);
        CHECK(shared.word == (uint64_t)N << 2);
    }
}

static void count_many(void *arg)
{
    struct shared *shared = arg;
    uint64_t random = support_seed() + support_index();
    for (int i = 0; i < 20000; i++) {
        uint64_t data = bitlock_acquire(&shared->word);
        CHECK(data == shared->value << 2);
        shared->value++;
        if (support_random_below(&random, 64) == 0) /* now and then long enough for others to fall asleep */
            for (int turns = 0; turns < 3000; turns++)
                __asm__ volatile("");
        bitlock_release(&shared->word, data + 4);
    }
}

/* In a build in which `data` fits, what is stored is what the next one gets, and nobody is in there together. */
static void test_contention(void **state)
{
    (void)state;
    struct shared shared = {0};
    struct support_bunch bunch;
    support_bunch_start(&bunch, 4, count_many, &shared);
    support_bunch_join(&bunch);
    CHECK_EQUAL(shared.value, 80000);
    CHECK(shared.word == (uint64_t)80000 << 2);
}

/* The word is gone as soon as the next one has had it; the releaser is still in its wake. */
struct gone {
    uint64_t *word;
    struct support_count acquired;
    struct support_count go;
    struct support_count freed;
};

static void hold_and_release(void *arg)
{
    struct gone *gone = arg;
    uint64_t data = bitlock_acquire(gone->word);
    support_count_add(&gone->acquired);
    support_count_wait(&gone->go, 1);
    bitlock_release(gone->word, data);
}

static void acquire_and_free(void *arg)
{
    struct gone *gone = arg;
    bitlock_release(gone->word, bitlock_acquire(gone->word));
    support_page_free(gone->word);
    support_count_add(&gone->freed);
}

static void test_freed_during_the_wake(void **state)
{
    (void)state;
    struct wait_system watched;
    struct support_count freed_twice = {0};
    struct gone gone = {.word = support_page_new()};
    watch(&watched);
    struct support_thread *first = support_thread_start(hold_and_release, &gone);
    support_count_wait(&gone.acquired, 1);
    struct support_thread *second = support_thread_start(acquire_and_free, &gone);
    support_count_wait(&sleeps, 1);
    hold_wakes = &freed_twice;
    support_count_add(&gone.go);
    support_count_wait(&wakes, 1); /* the first is in its wake, or the second, which saw the bit again, in its own */
    support_count_add(&freed_twice);
    support_count_wait(&gone.freed, 1);
    support_thread_join(first);
    support_thread_join(second);
    unwatch();
}

/* Who sleeps for the owner's data, on the same word, is left alone. */
struct data_sleeper {
    uint64_t word;
    struct support_count woken;
};

static void sleep_for_data(void *arg)
{
    struct data_sleeper *sleeper = arg;
    enum { MASK = 1 };
    struct wait wait;
    uint64_t word;
    wait_begin(&wait, WAIT_BARRIER, sleeper, THR_FOREVER);
    while ((word = load_acquire(&sleeper->word)) >> 2 == 0)
        (void)wait_block(&wait, wait_low_half(&sleeper->word), (uint32_t)word, MASK);
    wait_end(&wait);
    support_count_add(&sleeper->woken);
}

static void acquire_release(void *arg)
{
    struct data_sleeper *sleeper = arg;
    bitlock_release(&sleeper->word, bitlock_acquire(&sleeper->word));
}

static void test_wakes_the_right_sleeper(void **state)
{
    (void)state;
    struct wait_system watched;
    struct data_sleeper sleeper = {0};
    watch(&watched);
    struct support_thread *waits = support_thread_start(sleep_for_data, &sleeper);
    support_wait_blocked(&sleeper, 1);
    for (int i = 0; i < 10; i++) { /* each time one sleeps for the bit behind the one for the data */
        sleeps.value = 0;
        uint64_t data = bitlock_acquire(&sleeper.word);
        CHECK_EQUAL(data, 0);
        struct support_thread *thread = support_thread_start(acquire_release, &sleeper);
        support_count_wait(&sleeps, 1);
        bitlock_release(&sleeper.word, data);
        support_thread_join(thread);
        CHECK_EQUAL(support_count_get(&sleeper.woken), 0);
    }
    (void)bitlock_acquire(&sleeper.word);
    bitlock_release(&sleeper.word, 4);
    wait_wake(wait_low_half(&sleeper.word), UINT32_MAX, 1);
    support_thread_join(waits);
    unwatch();
}

SUPPORT_MAIN(cmocka_unit_test(test_alone), cmocka_unit_test(test_sleepers_go_one_after_the_other),
             cmocka_unit_test(test_contention), cmocka_unit_test(test_freed_during_the_wake),
             cmocka_unit_test(test_wakes_the_right_sleeper))
