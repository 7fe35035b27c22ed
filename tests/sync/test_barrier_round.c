/* test_barrier_round.c - the end of a round: slow parties, a deadline at the same moment, what is seen after it. */

#include "barriers.h"

/* -- Slow parties of old rounds ------------------------------------------------------------------------------------ */

static void complete(thr_barrier *barrier)
{
    CHECK_OK(thr_barrier_wait(barrier, NULL));
}

/* How a round ends, and how the slow party of that round learns that. */
static const struct ending {
    const char *name;
    void (*end)(thr_barrier *barrier);
    thr_result result;
    bool broken;
} endings[] = {
    {"complete", complete, THR_OK, false},
    {"abort", thr_barrier_abort, THR_BROKEN, true},
    {"reset", thr_barrier_reset, THR_BROKEN, false},
};

enum { ENDINGS = 3 };

/* A party is stopped at its sleep while its round ends, the next one ends, and a third one begins. */
static void check_slow_party(enum support_place place, const struct ending *own, const struct ending *next)
{
    thr_barrier barrier = THR_BARRIER_INIT(3, NULL, NULL);
    struct party slow = {.barrier = &barrier, .deadline = THR_FOREVER};
    struct party others[2];
    slow.thread = support_thread_start(party_run, &slow);
    support_stop(place, &barrier, slow.thread);
    support_count_add(&slow.go);
    if (place == SUPPORT_BEFORE_SLEEP)
        support_wait_stopped(place, 1);
    else
        support_wait_blocked(&barrier, 1);
    start_some(others, 1, &barrier);
    own->end(&barrier);
    finish(others, 1, own->result);
    support_wait_stopped(place, 1);
    CHECK_EQUAL(thr_barrier_broken(&barrier), own->broken);
    if (own->broken)
        thr_barrier_reset(&barrier);

    start_some(others, 2, &barrier);
    next->end(&barrier);
    finish(others, 2, next->result);
    CHECK_EQUAL(thr_barrier_broken(&barrier), next->broken);
    if (next->broken)
        thr_barrier_reset(&barrier);

    start_some(others, 2, &barrier);
    CHECK_EQUAL(thr_barrier_n_waiting(&barrier), 2);
    check_none_done(&slow, 1);
    support_go(place);
    finish(&slow, 1, own->result);
    if (own->result == THR_OK)
        CHECK_EQUAL(slow.index, 0);
    CHECK_EQUAL(thr_barrier_n_waiting(&barrier), 2);
    check_none_done(others, 2);
    CHECK_OK(thr_barrier_wait(&barrier, NULL));
    finish(others, 2, THR_OK);
}

static void test_slow_party_learns_how_its_own_round_ended(void **state)
{
    (void)state;
    static char name[64];
    for (int own = 0; own < ENDINGS; own++) {
        for (int next = 0; next < ENDINGS; next++) {
            (void)snprintf(name, sizeof name, "(%s, then %s)", endings[own].name, endings[next].name);
            support_case(name);
            check_slow_party(SUPPORT_BEFORE_SLEEP, &endings[own], &endings[next]);
            check_slow_party(SUPPORT_AFTER_SLEEP, &endings[own], &endings[next]);
        }
    }
}

/* One's time was up, but it does not know that the round has ended meanwhile: it is told how. */
static void test_timed_out_after_the_end(void **state)
{
    (void)state;
    static char name[64];
    for (int own = 0; own < ENDINGS; own++) {
        thr_barrier barrier = THR_BARRIER_INIT(3, NULL, NULL);
        struct party slow;
        struct party others[2];
        (void)snprintf(name, sizeof name, "(%s)", endings[own].name);
        support_case(name);
        support_clock_stop();
        start(&slow, &barrier, thr_after(1.0));
        support_wait_blocked(&barrier, 1);
        start_some(others, 1, &barrier);
        support_stop(SUPPORT_AFTER_SLEEP, &barrier, slow.thread);
        support_clock_advance(1.0);
        support_wait_stopped(SUPPORT_AFTER_SLEEP, 1);
        endings[own].end(&barrier);
        finish(others, 1, endings[own].result);
        if (endings[own].broken)
            thr_barrier_reset(&barrier);
        start_some(others, 2, &barrier);
        support_go(SUPPORT_AFTER_SLEEP);
        finish(&slow, 1, endings[own].result);
        CHECK(!thr_barrier_broken(&barrier)); /* it has broken nothing of the next round */
        CHECK_EQUAL(thr_barrier_n_waiting(&barrier), 2);
        CHECK_OK(thr_barrier_wait(&barrier, NULL));
        finish(others, 2, THR_OK);
        support_clock_go();
    }
}

/* -- At the same moment -------------------------------------------------------------------------------------------- */

/* One comes with a deadline that has passed, the other at any moment about then. Either both have passed, or one has timed
 * out and the other found the barrier broken. */
struct race {
    thr_barrier barrier;
    uint32_t start; /* rounds begun */
    struct support_count ready;
    struct support_count waited;
    thr_result result;
    bool last;
};

static void race_to_time_out(void *arg)
{
    struct race *race = arg;
    (void)support_record();
    for (uint32_t round = 1;; round++) {
        support_count_add(&race->ready);
        for (int turns = 0; __atomic_load_n(&race->start, __ATOMIC_ACQUIRE) != round; turns++)
            if (turns > 100000)
                thr_sleep(0.0);
        if (race->last)
            return;
        race->result = thr_barrier_wait_until(&race->barrier, 0, NULL);
        support_count_add(&race->waited);
    }
}

static void test_timeout_beside_the_last_party(void **state)
{
    (void)state;
    struct race race = {.barrier = THR_BARRIER_INIT(2, NULL, NULL)};
    uint64_t random = support_seed();
    thr_time end = thr_after(0.3);
    struct support_thread *thread = support_thread_start(race_to_time_out, &race);
    for (uint32_t round = 1;; round++) {
        support_count_wait(&race.ready, round);
        race.last = thr_now() > end;
        __atomic_store_n(&race.start, round, __ATOMIC_RELEASE);
        if (race.last)
            break;
        for (uint32_t pause = support_random_below(&random, 3000); pause > 0; pause--)
            __asm__ volatile("");
        thr_result result = thr_barrier_wait(&race.barrier, NULL);
        support_count_wait(&race.waited, round);
        CHECK_RESULT(result, race.result == THR_OK ? THR_OK : THR_BROKEN);
        CHECK_EQUAL(thr_barrier_broken(&race.barrier), race.result != THR_OK);
        CHECK_EQUAL(thr_barrier_n_waiting(&race.barrier), 0);
        thr_barrier_reset(&race.barrier);
    }
    support_thread_join(thread);
}

/* -- Order, interrupts --------------------------------------------------------------------------------------------- */

/* What a party wrote before its wait, the action sees; what the action wrote, each party sees after its wait. */
struct sums {
    thr_barrier barrier;
    int before[N];
    int sum;
};

static void add_up(void *arg)
{
    struct sums *sums = arg;
    sums->sum = 0;
    for (int i = 0; i < N; i++)
        sums->sum += sums->before[i];
}

static void write_and_read(void *arg)
{
    struct sums *sums = arg;
    for (int round = 0; round < 50; round++) {
        sums->before[support_index()] = round;
        CHECK_OK(thr_barrier_wait(&sums->barrier, NULL));
        CHECK_EQUAL(sums->sum, N * round);
        CHECK_EQUAL(sums->before[(support_index() + 1) % N], round);
        CHECK_OK(thr_barrier_wait(&sums->barrier, NULL));
    }
}

static void test_order(void **state)
{
    (void)state;
    struct sums sums = {.sum = -1};
    struct support_bunch bunch;
    CHECK_OK(thr_barrier_init(&sums.barrier, N, add_up, &sums));
    support_bunch_start(&bunch, N, write_and_read, &sums);
    support_bunch_join(&bunch);
}

/* One whose wait is interrupted breaks the barrier for the others, as in Python. */
static bool interrupt(void *arg)
{
    (void)arg;
    return true;
}

static void wait_interrupted(void *arg)
{
    struct party *party = arg;
    struct support_pester signals;
    support_pester_start(&signals, NULL, NULL);
    support_record()->interrupt = interrupt;
    party->result = thr_barrier_wait(party->barrier, NULL);
    support_record()->interrupt = NULL;
    support_pester_stop(&signals);
}

static void test_interrupted_party(void **state)
{
    (void)state;
    thr_barrier barrier = THR_BARRIER_INIT(3, NULL, NULL);
    struct party other;
    struct party interrupted = {.barrier = &barrier};
    start_some(&other, 1, &barrier);
    interrupted.thread = support_thread_start(wait_interrupted, &interrupted);
    finish(&interrupted, 1, THR_INTERRUPTED);
    finish(&other, 1, THR_BROKEN);
    CHECK(thr_barrier_broken(&barrier));
    thr_barrier_reset(&barrier);
    check_round(&barrier);
}

SUPPORT_MAIN(cmocka_unit_test(test_slow_party_learns_how_its_own_round_ended),
             cmocka_unit_test(test_timed_out_after_the_end), cmocka_unit_test(test_timeout_beside_the_last_party),
             cmocka_unit_test(test_order), cmocka_unit_test(test_interrupted_party))
