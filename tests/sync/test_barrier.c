/* test_barrier.c - rounds, and what breaks them. What may happen during an action is in test_barrier_action.c, at the end
 * of a round in test_barrier_round.c; how a barrier blocks is in test_blocking.c too. */

#include "barriers.h"

/* CPython: test_constructor. */
static void test_no_parties(void **state)
{
    (void)state;
    uint32_t index = UNTOUCHED;
    thr_barrier zeroed = {0};
    thr_barrier initialised = THR_BARRIER_INIT(0, NULL, NULL);
    thr_barrier *barriers[] = {&zeroed, &initialised};
    for (size_t i = 0; i < 2; i++) {
        const thr_barrier before = *barriers[i];
        CHECK_RESULT(thr_barrier_wait(barriers[i], &index), THR_INVALID);
        CHECK_RESULT(thr_barrier_wait_until(barriers[i], support_limit(), &index), THR_INVALID);
        CHECK_RESULT(thr_barrier_wait_until(barriers[i], 0, &index), THR_INVALID);
        CHECK(memcmp(&before, barriers[i], sizeof before) == 0);
        CHECK_EQUAL(index, UNTOUCHED);
        CHECK_EQUAL(thr_barrier_parties(barriers[i]), 0);
    }
    thr_barrier barrier;
    memset(&barrier, 0x5a, sizeof barrier);
    const thr_barrier before = barrier;
    CHECK_RESULT(thr_barrier_init(&barrier, 0, NULL, NULL), THR_INVALID);
    CHECK(memcmp(&before, &barrier, sizeof before) == 0);
    CHECK_OK(thr_barrier_init(&barrier, 2, NULL, NULL));
    check_round(&barrier);
}

/* Two steps a pass: all have come to the first when one leaves it. */
struct passes {
    thr_barrier barrier;
    int passes;
    uint32_t came;
    uint32_t left;
};

static void pass(void *arg)
{
    struct passes *passes = arg;
    for (uint32_t i = 0; i < (uint32_t)passes->passes; i++) {
        (void)add_relaxed(&passes->came, 1);
        CHECK_EQUAL(load_relaxed(&passes->left), i * N);
        CHECK_OK(thr_barrier_wait(&passes->barrier, NULL));
        (void)add_relaxed(&passes->left, 1);
        CHECK_EQUAL(load_relaxed(&passes->came), (i + 1) * N);
        CHECK_OK(thr_barrier_wait_until(&passes->barrier, support_limit(), NULL));
    }
    CHECK_EQUAL(thr_barrier_n_waiting(&passes->barrier), 0);
    CHECK(!thr_barrier_broken(&passes->barrier));
}

static void check_passes(int n)
{
    struct passes passes = {.barrier = THR_BARRIER_INIT(N, NULL, NULL), .passes = n};
    struct support_bunch bunch;
    support_bunch_start(&bunch, N, pass, &passes);
    support_bunch_join(&bunch);
}

/* CPython: test_barrier. */
static void test_lockstep(void **state)
{
    (void)state;
    check_passes(1);
}

/* CPython: test_barrier_10; and many. */
static void test_lockstep_again_and_again(void **state)
{
    (void)state;
    check_passes(10);
    check_passes(500);
}

/* CPython: test_wait_return. Each index once, in the order of arrival. */
static void test_index(void **state)
{
    (void)state;
    thr_barrier barrier = THR_BARRIER_INIT(N, NULL, NULL);
    for (int i = 0; i < 3; i++)
        check_round(&barrier);
}

/* The action runs once a round, on the thread that gets the last index, before anybody leaves. */
struct acting {
    thr_barrier barrier;
    uint32_t acted; /* not atomic: the barrier orders it */
    pthread_t actor;
    uint32_t left;
};

static void act(void *arg)
{
    struct acting *acting = arg;
    CHECK_EQUAL(load_relaxed(&acting->left), acting->acted * N);
    acting->acted++;
    acting->actor = pthread_self();
}

static void pass_with_action(void *arg)
{
    struct acting *acting = arg;
    for (uint32_t round = 1; round <= 40; round++) {
        uint32_t index;
        CHECK_OK(thr_barrier_wait(&acting->barrier, &index));
        CHECK_EQUAL(acting->acted, round);
        CHECK_EQUAL(index == N - 1, pthread_equal(acting->actor, pthread_self()) != 0);
        (void)add_relaxed(&acting->left, 1);
    }
}

/* CPython: test_action. */
static void test_action(void **state)
{
    (void)state;
    struct acting acting = {0};
    struct support_bunch bunch;
    CHECK_OK(thr_barrier_init(&acting.barrier, N, act, &acting));
    support_bunch_start(&bunch, N, pass_with_action, &acting);
    support_bunch_join(&bunch);
    CHECK_EQUAL(acting.acted, 40);
}

/* CPython: test_abort. */
static void test_abort(void **state)
{
    (void)state;
    thr_barrier barrier = THR_BARRIER_INIT(N, NULL, NULL);
    struct party parties[N - 1];
    uint32_t index = UNTOUCHED;
    check_round(&barrier);
    start_some(parties, N - 1, &barrier);
    thr_barrier_abort(&barrier);
    finish(parties, N - 1, THR_BROKEN);
    for (int i = 0; i < 3; i++) { /* it stays broken */
        CHECK(thr_barrier_broken(&barrier));
        CHECK_EQUAL(thr_barrier_n_waiting(&barrier), 0);
        CHECK_RESULT(thr_barrier_wait(&barrier, &index), THR_BROKEN);
        CHECK_RESULT(thr_barrier_wait_until(&barrier, support_limit(), &index), THR_BROKEN);
        CHECK_RESULT(thr_barrier_wait_until(&barrier, 0, &index), THR_BROKEN);
        CHECK_EQUAL(index, UNTOUCHED);
        thr_barrier_abort(&barrier);
    }
}

/* CPython: test_reset. The waiting are let go as broken, and the barrier works at once. */
static void test_reset(void **state)
{
    (void)state;
    thr_barrier barrier = THR_BARRIER_INIT(N, NULL, NULL);
    struct party parties[N - 1];
    for (unsigned waiting = 0; waiting < N; waiting++) {
        start_some(parties, waiting, &barrier);
        CHECK_EQUAL(thr_barrier_n_waiting(&barrier), waiting);
        thr_barrier_reset(&barrier);
        CHECK_EQUAL(thr_barrier_n_waiting(&barrier), 0);
        CHECK(!thr_barrier_broken(&barrier));
        check_round(&barrier);
        finish(parties, waiting, THR_BROKEN);
    }
}

/* CPython: test_abort_and_reset. */
static void test_abort_and_reset(void **state)
{
    (void)state;
    thr_barrier barrier = THR_BARRIER_INIT(N, NULL, NULL);
    struct party parties[N - 1];
    for (unsigned waiting = 0; waiting < N; waiting++) {
        start_some(parties, waiting, &barrier);
        thr_barrier_abort(&barrier);
        finish(parties, waiting, THR_BROKEN);
        CHECK(thr_barrier_broken(&barrier));
        thr_barrier_reset(&barrier);
        check_round(&barrier);
    }
}

/* CPython: test_timeout. One times out, and breaks it for all. */
static void test_timeout(void **state)
{
    (void)state;
    thr_barrier barrier = THR_BARRIER_INIT(N, NULL, NULL);
    for (unsigned place = 0; place < N - 1; place++) { /* of the one whose time is up, among those who wait */
        struct party parties[N - 1];
        support_clock_stop();
        for (unsigned i = 0; i < N - 1; i++) {
            start(&parties[i], &barrier, i == place ? thr_after(1.0) : i % 2 ? THR_FOREVER : thr_after(5.0));
            support_wait_blocked(&barrier, i + 1);
        }
        support_clock_advance(1.0);
        for (unsigned i = 0; i < N - 1; i++)
            finish(&parties[i], 1, i == place ? THR_TIMEOUT : THR_BROKEN);
        support_clock_go();
        CHECK(thr_barrier_broken(&barrier));
        CHECK_RESULT(thr_barrier_wait(&barrier, NULL), THR_BROKEN);
        thr_barrier_reset(&barrier);
        check_round(&barrier);
    }
}

/* CPython: test_default_timeout (there are none here: a deadline is always the call's own). */
static void test_timeout_alone(void **state)
{
    (void)state;
    thr_barrier barrier = THR_BARRIER_INIT(2, NULL, NULL);
    const double seconds[] = {0.02, 0.0, -1.0};
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) {
        thr_time deadline = thr_after(seconds[i]);
        uint32_t index = UNTOUCHED;
        CHECK_RESULT(thr_barrier_wait_until(&barrier, deadline, &index), THR_TIMEOUT);
        CHECK_PASSED(deadline);
        CHECK_EQUAL(index, UNTOUCHED);
        CHECK(thr_barrier_broken(&barrier));
        CHECK_RESULT(thr_barrier_wait(&barrier, NULL), THR_BROKEN);
        thr_barrier_reset(&barrier);
        check_round(&barrier);
    }
}

static void count(void *arg)
{
    ++*(int *)arg;
}

/* CPython: test_single_thread. */
static void test_one_party(void **state)
{
    (void)state;
    int actions = 0;
    thr_barrier barrier = THR_BARRIER_INIT(1, count, &actions);
    for (int i = 1; i <= 5; i++) {
        uint32_t index = UNTOUCHED;
        CHECK_OK(i % 2 ? thr_barrier_wait(&barrier, &index) : thr_barrier_wait_until(&barrier, 0, &index));
        CHECK_EQUAL(index, 0);
        CHECK_EQUAL(actions, i);
    }
}

/* CPython: test_repr. */
static void test_questions(void **state)
{
    (void)state;
    thr_barrier barrier = THR_BARRIER_INIT(3, NULL, NULL);
    struct party parties[2];
    CHECK_EQUAL(thr_barrier_parties(&barrier), 3);
    for (unsigned i = 0; i < 2; i++) {
        CHECK_EQUAL(thr_barrier_n_waiting(&barrier), i);
        CHECK(!thr_barrier_broken(&barrier));
        start_some(&parties[i], 1, &barrier);
    }
    CHECK_EQUAL(thr_barrier_n_waiting(&barrier), 2);
    CHECK_OK(thr_barrier_wait(&barrier, NULL));
    CHECK_EQUAL(thr_barrier_n_waiting(&barrier), 0);
    finish(parties, 2, THR_OK);
    thr_barrier_abort(&barrier);
    CHECK(thr_barrier_broken(&barrier));
    CHECK_EQUAL(thr_barrier_parties(&barrier), 3);
}

/* The last party does not block, so its deadline may have passed. */
static void test_the_last_party_may_be_late(void **state)
{
    (void)state;
    thr_barrier barrier = THR_BARRIER_INIT(2, NULL, NULL);
    struct party party;
    uint32_t index = UNTOUCHED;
    start_some(&party, 1, &barrier);
    CHECK_OK(thr_barrier_wait_until(&barrier, 0, &index));
    CHECK_EQUAL(index, 1);
    finish(&party, 1, THR_OK);
}

SUPPORT_MAIN(cmocka_unit_test(test_no_parties), cmocka_unit_test(test_lockstep),
             cmocka_unit_test(test_lockstep_again_and_again), cmocka_unit_test(test_index),
             cmocka_unit_test(test_action), cmocka_unit_test(test_abort), cmocka_unit_test(test_reset),
             cmocka_unit_test(test_abort_and_reset), cmocka_unit_test(test_timeout),
             cmocka_unit_test(test_timeout_alone), cmocka_unit_test(test_one_party), cmocka_unit_test(test_questions),
             cmocka_unit_test(test_the_last_party_may_be_late))
