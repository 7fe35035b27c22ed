/* test_barrier_action.c - arrivals, aborts, resets and deadlines while the action of a barrier runs. */

#include "barriers.h"

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

SUPPORT_MAIN(cmocka_unit_test(test_nobody_leaves_during_the_action), cmocka_unit_test(test_arrivals_during_the_action),
             cmocka_unit_test(test_abort_during_the_action), cmocka_unit_test(test_reset_during_the_action),
             cmocka_unit_test(test_timeout_during_the_action),
             cmocka_unit_test(test_timeout_of_an_arrival_during_the_action),
             cmocka_unit_test(test_abort_beside_arrivals_during_the_action),
             cmocka_unit_test(test_reset_beside_arrivals_during_the_action),
             cmocka_unit_test(test_action_that_does_not_return),
             cmocka_unit_test(test_reset_before_the_action_does_not_return))
