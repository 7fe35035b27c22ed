/* test_barrier.c - rounds, actions, and what breaks them. How a barrier blocks is in test_blocking.c too. */

#include "support/support.h"

#include <stdio.h>
#include <string.h>

#include "wait/atomic.h"
#include "wait/wait.h"

enum { N = 5 };

/* One party. */
struct party {
    thr_barrier *barrier;
    thr_time deadline;
    thr_result result;
    uint32_t index;
    struct support_thread *thread;
    struct support_count go; /* it waits for this first */
    struct support_count done;
};

enum { UNTOUCHED = 12345 };

static void party_run(void *arg)
{
    struct party *party = arg;
    party->index = UNTOUCHED;
    support_count_wait(&party->go, 1);
    support_errno_set();
    party->result = thr_barrier_wait_until(party->barrier, party->deadline, &party->index);
    CHECK_ERRNO();
    if (party->result != THR_OK)
        CHECK_EQUAL(party->index, UNTOUCHED); /* a failed call changes nothing */
    support_count_add(&party->done);
}

static void start(struct party *party, thr_barrier *barrier, thr_time deadline)
{
    *party = (struct party){.barrier = barrier, .deadline = deadline, .go = {1}};
    party->thread = support_thread_start(party_run, party);
}

/* Starts parties that wait for ever, each when those before are blocked. */
static void start_some(struct party *parties, unsigned n, thr_barrier *barrier)
{
    for (unsigned i = 0; i < n; i++) {
        start(&parties[i], barrier, THR_FOREVER);
        support_wait_thread_blocked(parties[i].thread, barrier);
    }
}

static void finish(struct party *parties, unsigned n, thr_result expected)
{
    for (unsigned i = 0; i < n; i++) {
        support_thread_join(parties[i].thread);
        CHECK_RESULT(parties[i].result, expected);
    }
}

static void check_none_done(struct party *parties, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        CHECK_EQUAL(support_count_get(&parties[i].done), 0);
}

/* A whole round works: the barrier is good. */
static void check_round(thr_barrier *barrier)
{
    struct party parties[N];
    uint32_t n = thr_barrier_parties(barrier);
    uint32_t index = UNTOUCHED;
    CHECK(!thr_barrier_broken(barrier));
    CHECK_EQUAL(thr_barrier_n_waiting(barrier), 0);
    start_some(parties, n - 1, barrier);
    CHECK_EQUAL(thr_barrier_n_waiting(barrier), n - 1);
    CHECK_OK(thr_barrier_wait(barrier, &index));
    CHECK_EQUAL(index, n - 1);
    finish(parties, n - 1, THR_OK);
    for (uint32_t i = 0; i < n - 1; i++)
        CHECK_EQUAL(parties[i].index, i);
    CHECK_EQUAL(thr_barrier_n_waiting(barrier), 0);
    CHECK(!thr_barrier_broken(barrier));
}

/* -- CPython: BarrierTests ----------------------------------------------------------------------------------------- */

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

/* -- During the action --------------------------------------------------------------------------------------------- */

/* An action that takes as long as the test wants, in its first round. */
struct slow_action {
    thr_barrier barrier;
    struct support_count begun;
    struct support_count go;
    struct support_count ended;
};

static void act_slowly(void *arg)
{
    struct slow_action *action = arg;
    support_count_add(&action->begun);
    if (support_count_get(&action->begun) == 1)
        support_count_wait(&action->go, 1);
    support_count_add(&action->ended);
}

/* Brings a barrier of `n` parties into the action of its first round; the last party is the actor. */
static void begin_action(struct slow_action *action, struct party *parties, uint32_t n)
{
    *action = (struct slow_action){.go = {0}};
    CHECK_OK(thr_barrier_init(&action->barrier, n, act_slowly, action));
    start_some(parties, n - 1, &action->barrier);
    start(&parties[n - 1], &action->barrier, THR_FOREVER);
    support_count_wait(&action->begun, 1);
}

static void end_action(struct slow_action *action)
{
    support_count_add(&action->go);
}

/* Nobody leaves before the action's end. */
static void test_nobody_leaves_during_the_action(void **state)
{
    (void)state;
    struct slow_action action;
    struct party parties[3];
    begin_action(&action, parties, 3);
    support_wait_blocked(&action.barrier, 2);
    check_none_done(parties, 3);
    CHECK(!thr_barrier_broken(&action.barrier));
    end_action(&action);
    finish(parties, 3, THR_OK);
    for (uint32_t i = 0; i < 3; i++)
        CHECK_EQUAL(parties[i].index, i);
    CHECK_EQUAL(support_count_get(&action.ended), 1);
    check_round(&action.barrier);
    CHECK_EQUAL(support_count_get(&action.ended), 2);
}

/* Who comes during the action belongs to the next round, in barriers of any size and in any number. */
static void check_arrivals(uint32_t n, uint32_t arrivals)
{
    struct slow_action action;
    struct party parties[3];
    struct party later[6];
    begin_action(&action, parties, n);
    for (uint32_t i = 0; i < arrivals; i++) {
        start(&later[i], &action.barrier, THR_FOREVER);
        support_wait_blocked(&action.barrier, n - 1 + i + 1);
    }
    check_none_done(parties, n);
    check_none_done(later, arrivals);
    CHECK_EQUAL(support_count_get(&action.begun), 1);
    end_action(&action);
    finish(parties, n, THR_OK);
    uint32_t missing = (n - arrivals % n) % n;
    for (uint32_t i = 0; i < missing; i++) /* the round that has begun is filled up */
        start(&later[arrivals + i], &action.barrier, THR_FOREVER);
    finish(later, arrivals + missing, THR_OK);
    uint32_t sum = 0;
    for (uint32_t i = 0; i < arrivals + missing; i++)
        sum += later[i].index;
    CHECK_EQUAL(sum, n * (n - 1) / 2 * ((arrivals + missing) / n));
    CHECK_EQUAL(support_count_get(&action.ended), 1 + (arrivals + missing) / n);
    check_round(&action.barrier);
}

static void test_arrivals_during_the_action(void **state)
{
    (void)state;
    static char name[64];
    for (uint32_t n = 1; n <= 3; n++) {
        for (uint32_t arrivals = 1; arrivals <= 4; arrivals++) {
            (void)snprintf(name, sizeof name, "(%u parties, %u arrivals)", n, arrivals);
            support_case(name);
            check_arrivals(n, arrivals);
        }
    }
}

/* An abort during the action breaks the round for all, at once; the actor learns it at the action's end. */
static void test_abort_during_the_action(void **state)
{
    (void)state;
    for (uint32_t n = 1; n <= 3; n++) {
        struct slow_action action;
        struct party parties[3];
        begin_action(&action, parties, n);
        thr_barrier_abort(&action.barrier);
        finish(parties, n - 1, THR_BROKEN);
        CHECK(thr_barrier_broken(&action.barrier));
        CHECK_RESULT(thr_barrier_wait(&action.barrier, NULL), THR_BROKEN);
        check_none_done(&parties[n - 1], 1);
        end_action(&action);
        finish(&parties[n - 1], 1, THR_BROKEN);
        CHECK(thr_barrier_broken(&action.barrier));
        thr_barrier_reset(&action.barrier);
        check_round(&action.barrier);
    }
}

/* A reset during the action breaks that round; the next one can begin and end while the old action still runs. */
static void test_reset_during_the_action(void **state)
{
    (void)state;
    for (uint32_t n = 1; n <= 3; n++) {
        for (int next = 0; next < 3; next++) { /* the next round has not begun, has begun, has ended */
            struct slow_action action;
            struct party parties[3];
            struct party others[2];
            uint32_t waiting = next == 1 ? n - 1 : 0;
            begin_action(&action, parties, n);
            thr_barrier_reset(&action.barrier);
            finish(parties, n - 1, THR_BROKEN);
            CHECK(!thr_barrier_broken(&action.barrier));
            CHECK_EQUAL(thr_barrier_n_waiting(&action.barrier), 0);
            start_some(others, waiting, &action.barrier);
            if (next == 2)
                check_round(&action.barrier);
            check_none_done(&parties[n - 1], 1);
            end_action(&action);
            finish(&parties[n - 1], 1, THR_BROKEN);
            CHECK(!thr_barrier_broken(&action.barrier));
            CHECK_EQUAL(thr_barrier_n_waiting(&action.barrier), waiting);
            if (waiting > 0)
                CHECK_OK(thr_barrier_wait(&action.barrier, NULL));
            finish(others, waiting, THR_OK);
            check_round(&action.barrier);
        }
    }
}

/* A party whose time is up during the action breaks the round. */
static void test_timeout_during_the_action(void **state)
{
    (void)state;
    struct slow_action action = {.go = {0}};
    struct party parties[3];
    CHECK_OK(thr_barrier_init(&action.barrier, 3, act_slowly, &action));
    support_clock_stop();
    start(&parties[0], &action.barrier, thr_after(1.0));
    support_wait_blocked(&action.barrier, 1);
    start_some(&parties[1], 1, &action.barrier);
    start(&parties[2], &action.barrier, THR_FOREVER);
    support_count_wait(&action.begun, 1);
    support_clock_advance(1.0);
    finish(&parties[0], 1, THR_TIMEOUT);
    finish(&parties[1], 1, THR_BROKEN);
    CHECK(thr_barrier_broken(&action.barrier));
    end_action(&action);
    finish(&parties[2], 1, THR_BROKEN);
    CHECK(thr_barrier_broken(&action.barrier));
    support_clock_go();
    thr_barrier_reset(&action.barrier);
    check_round(&action.barrier);
}

/* One that comes during the action and gives up before its end breaks the round that it came for, not the one that the
 * action is of. */
static void check_timeout_outside(uint32_t n, bool at_once, bool another)
{
    struct slow_action action;
    struct party parties[2];
    struct party late;
    struct party other;
    support_clock_stop();
    begin_action(&action, parties, n);
    if (another) {
        start(&other, &action.barrier, THR_FOREVER);
        support_wait_blocked(&action.barrier, n);
    }
    start(&late, &action.barrier, at_once ? 0 : thr_after(1.0));
    if (!at_once) {
        support_wait_blocked(&action.barrier, n + another);
        support_clock_advance(1.0);
    }
    finish(&late, 1, THR_TIMEOUT);
    check_none_done(parties, n);
    end_action(&action);
    finish(parties, n, THR_OK);
    if (another)
        finish(&other, 1, THR_BROKEN);
    support_clock_go();
    CHECK(thr_barrier_broken(&action.barrier));
    CHECK_RESULT(thr_barrier_wait(&action.barrier, NULL), THR_BROKEN);
    thr_barrier_reset(&action.barrier);
    check_round(&action.barrier);
}

static void test_timeout_of_an_arrival_during_the_action(void **state)
{
    (void)state;
    for (uint32_t n = 1; n <= 2; n++) {
        for (int i = 0; i < 4; i++)
            check_timeout_outside(n, i & 1, i & 2);
    }
}

/* An abort while others wait for the end of the action: they are let go as well. */
static void test_abort_beside_arrivals_during_the_action(void **state)
{
    (void)state;
    for (uint32_t n = 1; n <= 2; n++) {
        struct slow_action action;
        struct party parties[2];
        struct party late[2];
        begin_action(&action, parties, n);
        for (uint32_t i = 0; i < 2; i++) {
            start(&late[i], &action.barrier, THR_FOREVER);
            support_wait_blocked(&action.barrier, n - 1 + i + 1);
        }
        thr_barrier_abort(&action.barrier);
        finish(parties, n - 1, THR_BROKEN);
        finish(late, 2, THR_BROKEN);
        check_none_done(&parties[n - 1], 1);
        end_action(&action);
        finish(&parties[n - 1], 1, THR_BROKEN);
    }
}

/* After a reset such a one is let go as broken, or belongs to the new round: it does not sleep on. */
static void test_reset_beside_arrivals_during_the_action(void **state)
{
    (void)state;
    for (uint32_t n = 2; n <= 3; n++) {
        struct slow_action action;
        struct party parties[3];
        struct party late;
        struct party others[2];
        begin_action(&action, parties, n);
        start(&late, &action.barrier, THR_FOREVER);
        support_wait_blocked(&action.barrier, n);
        thr_barrier_reset(&action.barrier);
        finish(parties, n - 1, THR_BROKEN);
        for (uint32_t i = 0; i < n - 1; i++)
            start(&others[i], &action.barrier, THR_FOREVER);
        support_thread_join(late.thread);
        CHECK(late.result == THR_OK || late.result == THR_BROKEN);
        if (late.result == THR_BROKEN)
            CHECK_OK(thr_barrier_wait(&action.barrier, NULL));
        finish(others, n - 1, THR_OK);
        end_action(&action);
        finish(&parties[n - 1], 1, THR_BROKEN);
        check_round(&action.barrier);
    }
}

/* An action that ends its thread breaks the barrier. */
static void act_and_exit(void *arg)
{
    support_count_add(arg);
    pthread_exit(NULL);
}

static void test_action_that_does_not_return(void **state)
{
    (void)state;
    for (uint32_t n = 1; n <= 3; n++) {
        struct support_count acted = {0};
        thr_barrier barrier = THR_BARRIER_INIT(n, act_and_exit, &acted);
        struct party parties[3];
        start_some(parties, n - 1, &barrier);
        start(&parties[n - 1], &barrier, THR_FOREVER);
        finish(parties, n - 1, THR_BROKEN);
        support_thread_join(parties[n - 1].thread);
        CHECK_EQUAL(support_count_get(&acted), 1);
        CHECK_EQUAL(support_count_get(&parties[n - 1].done), 0);
        CHECK(thr_barrier_broken(&barrier));
        CHECK_EQUAL(thr_barrier_n_waiting(&barrier), 0);
        CHECK_RESULT(thr_barrier_wait(&barrier, NULL), THR_BROKEN);
    }
}

/* The same after a reset during the action: the round that has begun since is none of its business. */
static void act_slowly_and_exit(void *arg)
{
    struct slow_action *action = arg;
    support_count_add(&action->begun);
    if (support_count_get(&action->begun) > 1)
        return;
    support_count_wait(&action->go, 1);
    pthread_exit(NULL);
}

static void test_reset_before_the_action_does_not_return(void **state)
{
    (void)state;
    for (uint32_t n = 1; n <= 3; n++) {
        struct slow_action action = {.go = {0}};
        struct party parties[3];
        struct party others[2];
        CHECK_OK(thr_barrier_init(&action.barrier, n, act_slowly_and_exit, &action));
        start_some(parties, n - 1, &action.barrier);
        start(&parties[n - 1], &action.barrier, THR_FOREVER);
        support_count_wait(&action.begun, 1);
        thr_barrier_reset(&action.barrier);
        finish(parties, n - 1, THR_BROKEN);
        start_some(others, n - 1, &action.barrier);
        end_action(&action);
        support_thread_join(parties[n - 1].thread);
        CHECK(!thr_barrier_broken(&action.barrier));
        CHECK_EQUAL(thr_barrier_n_waiting(&action.barrier), n - 1);
        CHECK_OK(thr_barrier_wait(&action.barrier, NULL));
        finish(others, n - 1, THR_OK);
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

SUPPORT_MAIN(cmocka_unit_test(test_no_parties), cmocka_unit_test(test_lockstep),
             cmocka_unit_test(test_lockstep_again_and_again), cmocka_unit_test(test_index),
             cmocka_unit_test(test_action), cmocka_unit_test(test_abort), cmocka_unit_test(test_reset),
             cmocka_unit_test(test_abort_and_reset), cmocka_unit_test(test_timeout),
             cmocka_unit_test(test_timeout_alone), cmocka_unit_test(test_one_party), cmocka_unit_test(test_questions),
             cmocka_unit_test(test_the_last_party_may_be_late),
             cmocka_unit_test(test_slow_party_learns_how_its_own_round_ended),
             cmocka_unit_test(test_timed_out_after_the_end), cmocka_unit_test(test_nobody_leaves_during_the_action),
             cmocka_unit_test(test_arrivals_during_the_action), cmocka_unit_test(test_abort_during_the_action),
             cmocka_unit_test(test_reset_during_the_action), cmocka_unit_test(test_timeout_during_the_action),
             cmocka_unit_test(test_timeout_of_an_arrival_during_the_action),
             cmocka_unit_test(test_abort_beside_arrivals_during_the_action),
             cmocka_unit_test(test_reset_beside_arrivals_during_the_action),
             cmocka_unit_test(test_action_that_does_not_return),
             cmocka_unit_test(test_reset_before_the_action_does_not_return),
             cmocka_unit_test(test_timeout_beside_the_last_party), cmocka_unit_test(test_order),
             cmocka_unit_test(test_interrupted_party))
