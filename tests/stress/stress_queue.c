/* stress_queue.c - each kind of queue under producers and consumers that put, get, give up, are interrupted, and that a
 * shutdown may surprise; every item must come out once.
 *
 * THR_STRESS_SECONDS is how long each kind runs (1). */

#include "../work/kinds.h"

#include <stdlib.h>
#include <string.h>

#include "wait/atomic.h"
#include "wait/wait.h"

enum { PRODUCERS = 4, CONSUMERS = 4, WATCHERS = 1, EACH = 400, MAX = PRODUCERS * EACH };

/* -- One game ----------------------------------------------------------------------------------------------------- */

struct game {
    thr_queue *queue;
    enum kind kind;
    bool bounded;
    bool immediate;
    bool shuts_down; /* in the middle */
    uint64_t seed;
    thr_barrier start;
    size_t written[MAX]; /* by who puts it, for who gets it: no atomics */
    uint32_t put[MAX];   /* how often each was */
    uint32_t got[MAX];
    uint32_t gotten; /* all together */
    uint32_t producing;
};

static thr_time some_deadline(uint64_t *random)
{
    switch (support_random_below(random, 4)) {
    case 0:
        return 0;
    case 1:
        return thr_after(support_random_below(random, 100) * 1e-6);
    default:
        return THR_FOREVER;
    }
}

static bool interrupt_sometimes(void *random)
{
    return support_random_below(random, 2) == 0;
}

static void produce(struct game *game, size_t index)
{
    uint64_t random = game->seed + index;
    for (size_t i = index * EACH; i < (index + 1) * EACH;) {
        game->written[i] = i + 1;
        thr_result result = thr_queue_put_until(game->queue, item_of(i), some_deadline(&random));
        if (result == THR_OK)
            game->put[i++]++;
        else if (result == THR_CLOSED)
            break;
        else
            CHECK(result == THR_FULL || result == THR_INTERRUPTED);
    }
    /* The last one ends it. */
    if (__atomic_sub_fetch(&game->producing, 1, __ATOMIC_ACQ_REL) == 0)
        thr_queue_shutdown(game->queue, false);
}

static void consume(struct game *game, size_t index)
{
    uint64_t random = game->seed + index;
    size_t last[PRODUCERS] = {0}; /* of each producer, from each consumer's sight */
    for (;;) {
        void *item = NULL;
        thr_result result = thr_queue_get_until(game->queue, &item, some_deadline(&random));
        if (result == THR_CLOSED)
            return;
        if (result != THR_OK) {
            CHECK(result == THR_EMPTY || result == THR_INTERRUPTED);
            continue;
        }
        size_t number = number_of(item);
        CHECK(number < MAX && game->written[number] == number + 1);
        (void)__atomic_add_fetch(&game->got[number], 1, __ATOMIC_RELAXED);
        if (game->kind <= SEGMENTS) {
            CHECK(number + 1 > last[number / EACH]);
            last[number / EACH] = number + 1;
        }
        uint32_t gotten = __atomic_add_fetch(&game->gotten, 1, __ATOMIC_RELAXED);
        if (game->shuts_down && gotten == MAX / 2)
            thr_queue_shutdown(game->queue, game->immediate);
        CHECK_OK(thr_queue_task_done(game->queue));
        CHECK(!game->bounded || thr_queue_size(game->queue) <= thr_queue_maxsize(game->queue));
    }
}

/* Waits by wait_any, and takes with try_get. */
static void watch(struct game *game)
{
    const thr_waitable any = thr_waitable_queue(game->queue);
    for (;;) {
        void *item = NULL;
        thr_result waited = thr_wait_any(&any, 1, THR_FOREVER, NULL);
        CHECK(waited == THR_OK || waited == THR_INTERRUPTED);
        thr_result result = thr_queue_try_get(game->queue, &item);
        if (result == THR_CLOSED)
            return;
        if (result == THR_EMPTY)
            continue;
        CHECK_OK(result);
        (void)__atomic_add_fetch(&game->got[number_of(item)], 1, __ATOMIC_RELAXED);
        CHECK_OK(thr_queue_task_done(game->queue));
    }
}

static void take_part(void *arg)
{
    struct game *game = arg;
    size_t index = support_index();
    uint64_t random = game->seed + 1000 + index;
    struct support_pester signals;
    bool pestered = index % 4 == 0;
    CHECK_OK(thr_barrier_wait(&game->start, NULL));
    if (pestered) {
        support_pester_start(&signals, NULL, NULL);
        __atomic_store_n(&signals.pause, 50000, __ATOMIC_RELAXED);
        support_record()->interrupt = interrupt_sometimes;
        support_record()->interrupt_arg = &random;
    } else if (index % 4 == 1) {
        support_stumble_start();
    }
    if (index < PRODUCERS)
        produce(game, index);
    else if (index < PRODUCERS + CONSUMERS)
        consume(game, index);
    else
        watch(game);
    if (pestered) {
        support_record()->interrupt = NULL;
        support_pester_stop(&signals);
    } else if (index % 4 == 1) {
        support_stumble_stop();
    }
}

/* What came out, and what was left, is what went in. */
static void account(struct game *game)
{
    void *item = NULL;
    uint32_t left = 0;
    while (thr_queue_discarded(game->queue, &item) == THR_OK) {
        game->got[number_of(item)]++;
        left++;
    }
    CHECK(left == 0 || (game->shuts_down && game->immediate));
    for (size_t i = 0; i < MAX; i++) {
        CHECK_EQUAL(game->put[i], game->got[i]);
        CHECK(game->shuts_down || game->put[i] == 1);
    }
    CHECK(thr_queue_empty(game->queue));
    CHECK_EQUAL(thr_queue_unfinished(game->queue), 0);
    CHECK_OK(thr_queue_join_until(game->queue, 0));
}

static void game(enum kind kind, uint64_t *random)
{
    static struct game game;
    memset(&game, 0, sizeof game);
    game.kind = kind;
    game.bounded = kind == RING || support_random_below(random, 2) == 0;
    game.queue = queue_of(kind, game.bounded ? 1 + support_random_below(random, 20) : 0);
    game.shuts_down = support_random_below(random, 3) > 0;
    game.immediate = support_random_below(random, 2) == 0;
    game.seed = support_random(random);
    game.producing = PRODUCERS;
    CHECK_OK(thr_barrier_init(&game.start, PRODUCERS + CONSUMERS + WATCHERS, NULL, NULL));
    struct support_bunch bunch;
    thr__hooked = support_random_below(random, 2) == 0; /* half of them steered: without spins */
    support_bunch_start(&bunch, PRODUCERS + CONSUMERS + WATCHERS, take_part, &game);
    support_bunch_join(&bunch);
    thr__hooked = 0;
    account(&game);
    thr_queue_free(game.queue);
}

static void games(enum kind kind)
{
    const char *seconds = getenv("THR_STRESS_SECONDS");
    thr_time end = thr_after(seconds ? atof(seconds) : 1.0);
    uint64_t random = support_seed() + kind;
    do
        game(kind, &random);
    while (thr_now() < end);
}

static void test_games(void **state)
{
    (void)state;
    for_each_kind(games);
}

/* -- The program of the issue ------------------------------------------------------------------------------------- */

enum { WRITERS = 8, TIMES = 10000, BOUND = 8, SHUTDOWN_AT = 20, EACH_AT_MOST = 8 };

struct counted {
    thr_queue *queue;
    uint32_t put;
    uint32_t got;
};

struct counter {
    struct counted *counted;
    thr_barrier *round;
};

static void write_some(struct counted *counted)
{
    for (uintptr_t i = 0; i < EACH_AT_MOST; i++) {
        if (thr_queue_put(counted->queue, item_of(i)) != THR_OK)
            return;
        (void)__atomic_add_fetch(&counted->put, 1, __ATOMIC_RELAXED);
    }
}

static void write_each_time(void *arg)
{
    struct counter *counter = arg;
    for (int time = 0; time < TIMES; time++) {
        CHECK_OK(thr_barrier_wait(counter->round, NULL));
        write_some(counter->counted);
        CHECK_OK(thr_barrier_wait(counter->round, NULL));
    }
}

/* A bounded queue is filled from 8 threads and shut down in the middle, 10,000 times: nothing is lost. */
static void test_shut_down_in_the_middle(void **state)
{
    (void)state;
    struct counted counted = {0};
    thr_barrier round;
    CHECK_OK(thr_barrier_init(&round, WRITERS + 1, NULL, NULL));
    struct counter counter = {&counted, &round};
    struct support_bunch bunch;
    support_bunch_start(&bunch, WRITERS, write_each_time, &counter);
    for (int time = 0; time < TIMES; time++) {
        void *item = NULL;
        bool immediate = time % 2 == 1;
        counted = (struct counted){.queue = queue_of(RING, BOUND)};
        CHECK_OK(thr_barrier_wait(&round, NULL));
        for (; counted.got < SHUTDOWN_AT; counted.got++)
            (void)get(counted.queue);
        thr_queue_shutdown(counted.queue, immediate);
        while (thr_queue_get(counted.queue, &item) == THR_OK)
            counted.got++;
        CHECK_OK(thr_barrier_wait(&round, NULL));
        while (thr_queue_discarded(counted.queue, &item) == THR_OK)
            counted.got++;
        CHECK_EQUAL(counted.got, counted.put);
        thr_queue_free(counted.queue);
    }
    support_bunch_join(&bunch);
}

SUPPORT_MAIN(cmocka_unit_test(test_games), cmocka_unit_test(test_shut_down_in_the_middle))
