/* test_wait_any.c - waiting for one of several objects, and consuming nothing. */

#include "kinds.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wait/atomic.h"
#include "wait/wait.h"
#include "wait/watch.h"

/* -- One of each -------------------------------------------------------------------------------------------------- */

enum { EVENT, SEMAPHORE, BOUNDED, THREAD, FUTURE, QUEUE, ALL };

struct objects {
    thr_event event;
    thr_semaphore semaphore;
    thr_bounded_semaphore bounded;
    thr_thread *thread;
    thr_future *future;
    thr_queue *queue;
    thr_event may_end; /* the thread */
    thr_waitable any[ALL];
};

static void *wait_for(void *arg)
{
    (void)thr_event_wait(arg);
    return NULL;
}

static void objects_init(struct objects *objects, enum kind kind)
{
    *objects = (struct objects){.bounded = THR_BOUNDED_SEMAPHORE_INIT(1)};
    CHECK_OK(thr_bounded_semaphore_acquire(&objects->bounded));
    CHECK_OK(thr_spawn(&objects->thread, wait_for, &objects->may_end));
    CHECK_OK(thr_future_new(&objects->future));
    objects->queue = queue_of(kind, kind == RING ? 10 : 0);
    objects->any[EVENT] = thr_waitable_event(&objects->event);
    objects->any[SEMAPHORE] = thr_waitable_semaphore(&objects->semaphore);
    objects->any[BOUNDED] = thr_waitable_bounded_semaphore(&objects->bounded);
    objects->any[THREAD] = thr_waitable_thread(objects->thread);
    objects->any[FUTURE] = thr_waitable_future(objects->future);
    objects->any[QUEUE] = thr_waitable_queue(objects->queue);
}

static void objects_end(struct objects *objects)
{
    thr_event_set(&objects->may_end);
    CHECK_OK(thr_thread_join(objects->thread, NULL));
    thr_thread_unref(objects->thread);
    thr_future_unref(objects->future);
    thr_queue_free(objects->queue);
}

static void make_ready(struct objects *objects, size_t which)
{
    switch (which) {
    case EVENT:
        thr_event_set(&objects->event);
        break;
    case SEMAPHORE:
        CHECK_OK(thr_semaphore_release(&objects->semaphore, 1));
        break;
    case BOUNDED:
        CHECK_OK(thr_bounded_semaphore_release(&objects->bounded, 1));
        break;
    case THREAD:
        thr_event_set(&objects->may_end);
        break;
    case FUTURE:
        CHECK_OK(thr_future_set_result(objects->future, objects));
        break;
    default:
        put(objects->queue, 1);
        break;
    }
}

/* That it is still there. */
static void check_not_consumed(struct objects *objects, size_t which)
{
    switch (which) {
    case EVENT:
        CHECK(thr_event_is_set(&objects->event));
        break;
    case SEMAPHORE:
        CHECK_EQUAL(thr_semaphore_value(&objects->semaphore), 1);
        CHECK(thr_semaphore_try_acquire(&objects->semaphore));
        break;
    case BOUNDED:
        CHECK(thr_bounded_semaphore_try_acquire(&objects->bounded));
        break;
    case THREAD:
        CHECK(!thr_thread_is_alive(objects->thread));
        break;
    case FUTURE:
        CHECK(thr_future_done(objects->future));
        break;
    default:
        CHECK_EQUAL(get(objects->queue), 1);
        break;
    }
}

struct call {
    const thr_waitable *any;
    size_t n;
    thr_time deadline;
    size_t which;
    thr_result result;
};

static void wait_any(void *arg)
{
    struct call *call = arg;
    store_release(&call->result, thr_wait_any(call->any, call->n, call->deadline, &call->which));
}

static struct support_thread *waits(struct call *call)
{
    call->result = THR_INVALID;
    call->which = 1000;
    struct support_thread *thread = support_thread_start(wait_any, call);
    support_wait_thread_blocked(thread, call->any);
    return thread;
}

/* -- What it says ------------------------------------------------------------------------------------------------- */

static void each_alone(enum kind kind)
{
    for (size_t i = 0; i < ALL; i++) {
        for (int waiting = 0; waiting < 2; waiting++) {
            struct objects objects;
            objects_init(&objects, kind);
            struct call call = {objects.any, ALL, THR_FOREVER, 0, THR_INVALID};
            CHECK_RESULT(thr_wait_any(objects.any, ALL, 0, &call.which), THR_TIMEOUT);
            struct support_thread *thread = waiting ? waits(&call) : NULL;
            make_ready(&objects, i);
            if (waiting)
                support_thread_join(thread);
            else
                wait_any(&call);
            CHECK_OK(call.result);
            CHECK_EQUAL(call.which, i);
            CHECK_OK(thr_wait_any(objects.any, ALL, 0, NULL)); /* still */
            check_not_consumed(&objects, i);
            objects_end(&objects);
        }
    }
}

static void test_each_alone(void **state)
{
    (void)state;
    for_each_kind(each_alone);
}

static void test_the_first_of_several(void **state)
{
    (void)state;
    struct objects objects;
    size_t which = 1000;
    objects_init(&objects, RING);
    for (size_t i = ALL; i-- > 0;) {
        make_ready(&objects, i);
        if (i == THREAD)
            CHECK_OK(thr_thread_join(objects.thread, NULL));
        CHECK_OK(thr_wait_any(objects.any, ALL, THR_FOREVER, &which));
        CHECK_EQUAL(which, i);
    }
    objects_end(&objects);
}

static void test_errors(void **state)
{
    (void)state;
    thr_event set = THR_EVENT_INIT;
    thr_event_set(&set);
    thr_thread *thread = NULL;
    size_t which = 1000;
    CHECK_OK(thr_thread_new(&thread, wait_for, &set));
    const thr_waitable none = {0};
    CHECK_RESULT(thr_wait_any(&none, 0, THR_FOREVER, &which), THR_INVALID);
    CHECK_RESULT(thr_wait_any(&none, 1, THR_FOREVER, &which), THR_INVALID);
    const thr_waitable null[] = {thr_waitable_event(&set), thr_waitable_event(NULL)};
    CHECK_RESULT(thr_wait_any(null, 2, THR_FOREVER, &which), THR_INVALID);
    const thr_waitable unstarted[] = {thr_waitable_event(&set), thr_waitable_thread(thread)};
    CHECK_RESULT(thr_wait_any(unstarted, 2, THR_FOREVER, &which), THR_NOT_STARTED);
    const thr_waitable self[] = {thr_waitable_event(&set), thr_waitable_thread(thr_current_thread())};
    CHECK_RESULT(thr_wait_any(self, 2, THR_FOREVER, &which), THR_DEADLOCK);
    CHECK_EQUAL(which, 1000);
    thr_thread_unref(thread);
}

static void test_deadline(void **state)
{
    (void)state;
    struct objects objects;
    objects_init(&objects, RING);
    support_errno_set();
    thr_time deadline = thr_after(0.002);
    CHECK_RESULT(thr_wait_any(objects.any, ALL, deadline, NULL), THR_TIMEOUT);
    CHECK_PASSED(deadline);
    CHECK_RESULT(thr_wait_any(objects.any, ALL, -1, NULL), THR_TIMEOUT);
    CHECK_ERRNO();
    support_clock_stop();
    struct call call = {objects.any, ALL, thr_after(10), 0, THR_INVALID};
    struct support_thread *thread = waits(&call);
    support_clock_advance(9.99);
    CHECK_EQUAL(support_blocked(objects.any), 1);
    support_clock_advance(0.02);
    support_thread_join(thread);
    CHECK_RESULT(call.result, THR_TIMEOUT);
    CHECK_EQUAL(call.which, 1000);
    support_clock_go();
    objects_end(&objects);
}

/* More than fit on its stack. */
static void test_many(void **state)
{
    (void)state;
    enum { N = 1000 };
    static thr_event events[N];
    static thr_waitable any[N];
    for (int i = 0; i < N; i++)
        any[i] = thr_waitable_event(&events[i]);
    for (size_t i = 0; i < N; i += 333) {
        struct call call = {any, N, THR_FOREVER, 0, THR_INVALID};
        struct support_thread *thread = waits(&call);
        thr_event_set(&events[i]);
        support_thread_join(thread);
        CHECK_OK(call.result);
        CHECK_EQUAL(call.which, i);
        thr_event_clear(&events[i]);
    }
}

static void wait_interruptibly(void *arg)
{
    support_interruptible();
    wait_any(arg);
}

static void test_interrupted(void **state)
{
    (void)state;
    thr_event event = THR_EVENT_INIT;
    const thr_waitable any = thr_waitable_event(&event);
    struct call call = {&any, 1, THR_FOREVER, 0, THR_INVALID};
    struct support_thread *thread = support_thread_start(wait_interruptibly, &call);
    support_wait_thread_blocked(thread, &any);
    support_interrupt(thread, &call.result);
    support_thread_join(thread);
    CHECK_RESULT(call.result, THR_INTERRUPTED);
}

/* -- Nothing is missed -------------------------------------------------------------------------------------------- */

/* Set and cleared while it waits, or is about to, or is just woken: it was set. */
static void test_set_and_cleared(void **state)
{
    (void)state;
    for (int place = -1; place < SUPPORT_AFTER_WAKE; place++) {
        struct objects objects;
        objects_init(&objects, RING);
        struct call call = {objects.any, ALL, THR_FOREVER, 0, THR_INVALID};
        struct support_thread *thread = NULL;
        if (place == SUPPORT_BEFORE_SLEEP) {
            support_stop(SUPPORT_BEFORE_SLEEP, objects.any, NULL);
            thread = support_thread_start(wait_any, &call);
            support_wait_stopped(SUPPORT_BEFORE_SLEEP, 1);
        } else {
            thread = waits(&call);
        }
        if (place == SUPPORT_AFTER_SLEEP)
            support_stop(SUPPORT_AFTER_SLEEP, objects.any, NULL);
        thr_event_set(&objects.event);
        if (place == SUPPORT_AFTER_SLEEP)
            support_wait_stopped(SUPPORT_AFTER_SLEEP, 1);
        thr_event_clear(&objects.event);
        if (place >= 0)
            support_go((enum support_place)place);
        support_thread_join(thread);
        CHECK_OK(call.result);
        CHECK_EQUAL(call.which, EVENT);
        objects_end(&objects);
    }
}

/* Each becomes ready when the watcher is registered, and not yet asleep. */
static void about_to_sleep(enum kind kind)
{
    for (size_t i = 0; i < ALL; i++) {
        struct objects objects;
        objects_init(&objects, kind);
        struct call call = {objects.any, ALL, THR_FOREVER, 0, THR_INVALID};
        support_stop(SUPPORT_BEFORE_SLEEP, objects.any, NULL);
        struct support_thread *thread = support_thread_start(wait_any, &call);
        support_wait_stopped(SUPPORT_BEFORE_SLEEP, 1);
        make_ready(&objects, i);
        support_go(SUPPORT_BEFORE_SLEEP);
        support_thread_join(thread);
        CHECK_OK(call.result);
        CHECK_EQUAL(call.which, i);
        check_not_consumed(&objects, i);
        objects_end(&objects);
    }
}

static void test_about_to_sleep(void **state)
{
    (void)state;
    for_each_kind(about_to_sleep);
}

/* Another thread takes what it was woken for: it waits on, and the next one wakes it again. */
static void robbed(enum kind kind)
{
    const size_t takeable[] = {SEMAPHORE, BOUNDED, QUEUE};
    struct objects objects;
    objects_init(&objects, kind);
    for (size_t i = 0; i < sizeof takeable / sizeof *takeable; i++) {
        struct call call = {objects.any, ALL, THR_FOREVER, 0, THR_INVALID};
        struct support_thread *thread = waits(&call);
        for (int again = 0; again < 3; again++) {
            support_stop(SUPPORT_AFTER_SLEEP, objects.any, NULL);
            make_ready(&objects, takeable[i]);
            support_wait_stopped(SUPPORT_AFTER_SLEEP, 1);
            check_not_consumed(&objects, takeable[i]); /* takes it */
            support_go(SUPPORT_AFTER_SLEEP);
            support_wait_thread_blocked(thread, objects.any);
        }
        make_ready(&objects, takeable[i]);
        support_thread_join(thread);
        CHECK_OK(call.result);
        CHECK_EQUAL(call.which, takeable[i]);
        check_not_consumed(&objects, takeable[i]);
    }
    objects_end(&objects);
}

static void test_robbed(void **state)
{
    (void)state;
    for_each_kind(robbed);
}

/* -- Together with those who consume ------------------------------------------------------------------------------ */

static void watch_one(void *any)
{
    struct call call = {any, 1, THR_FOREVER, 1000, THR_INVALID};
    wait_any(&call);
    CHECK_OK(call.result);
    CHECK_EQUAL(call.which, 0);
}

static void acquire_one(void *arg)
{
    CHECK_OK(thr_semaphore_acquire(arg));
}

static void get_one(void *arg)
{
    (void)get(arg);
}

/* A wake that is meant for one who acquires or gets is not spent on a watcher: each one is enough for each of them. */
static void beside_consumers(enum kind kind)
{
    enum { N = 4 };
    struct objects objects;
    objects_init(&objects, kind);
    for (int i = 0; i < 2; i++) {
        struct support_bunch takers;
        struct support_bunch watchers;
        void *object = i == 0 ? (void *)&objects.semaphore : (void *)objects.queue;
        thr_waitable *any = &objects.any[i == 0 ? SEMAPHORE : QUEUE];
        support_bunch_start(&watchers, N, watch_one, any);
        support_wait_blocked(any, N);
        support_bunch_start(&takers, N, i == 0 ? acquire_one : get_one, object);
        support_wait_blocked(object, N);
        for (int k = 0; k < N; k++)
            make_ready(&objects, i == 0 ? SEMAPHORE : QUEUE);
        support_bunch_join(&takers);
        make_ready(&objects, i == 0 ? SEMAPHORE : QUEUE); /* for all the watchers that were too late */
        support_bunch_join(&watchers);
        check_not_consumed(&objects, i == 0 ? SEMAPHORE : QUEUE);
    }
    objects_end(&objects);
}

static void test_beside_consumers(void **state)
{
    (void)state;
    for_each_kind(beside_consumers);
}

static void *join_it(void *arg)
{
    CHECK_OK(thr_thread_join(arg, NULL));
    return NULL;
}

/* Somebody joins the thread, by the system or by its word, while it is watched. */
static void test_beside_joiners(void **state)
{
    (void)state;
    struct objects objects;
    objects_init(&objects, RING);
    thr_thread *joiner = NULL;
    CHECK_OK(thr_spawn(&joiner, join_it, objects.thread));
    support_wait_blocked(objects.thread, 1);
    struct call call = {objects.any, ALL, THR_FOREVER, 0, THR_INVALID};
    struct support_thread *thread = waits(&call);
    thr_event_set(&objects.may_end);
    support_thread_join(thread);
    CHECK_OK(call.result);
    CHECK_EQUAL(call.which, THREAD);
    CHECK_OK(thr_thread_join(joiner, NULL));
    thr_thread_unref(joiner);
    objects_end(&objects);
}

static void test_shutdown(void **state)
{
    (void)state;
    for (int immediate = 0; immediate < 2; immediate++) {
        struct objects objects;
        objects_init(&objects, RING);
        struct call call = {objects.any, ALL, THR_FOREVER, 0, THR_INVALID};
        struct support_thread *thread = waits(&call);
        thr_queue_shutdown(objects.queue, immediate);
        support_thread_join(thread);
        CHECK_OK(call.result);
        CHECK_EQUAL(call.which, QUEUE);
        objects_end(&objects);
    }
}

/* -- In a signal handler ------------------------------------------------------------------------------------------ */

static thr_event handled_event = THR_EVENT_INIT;
static thr_semaphore handled_semaphore = THR_SEMAPHORE_INIT(0);
static uint32_t handler_turn;

static void set_one(int signal)
{
    (void)signal;
    if (handler_turn++ % 2 == 0)
        thr_event_set(&handled_event);
    else
        (void)thr_semaphore_release(&handled_semaphore, 1);
}

static void test_set_in_a_handler(void **state)
{
    (void)state;
    struct sigaction action = {.sa_handler = set_one};
    (void)sigaction(SIGUSR2, &action, NULL);
    const thr_waitable any[] = {thr_waitable_event(&handled_event), thr_waitable_semaphore(&handled_semaphore)};
    for (int i = 0; i < 100; i++) {
        struct call call = {any, 2, THR_FOREVER, 0, THR_INVALID};
        struct support_thread *thread = waits(&call);
        (void)raise(SIGUSR2);
        support_thread_join(thread);
        CHECK_OK(call.result);
        CHECK_EQUAL(call.which, i % 2);
        thr_event_clear(&handled_event);
        CHECK_EQUAL(thr_semaphore_try_acquire(&handled_semaphore), i % 2 == 1);
    }
}

/* The watcher itself is interrupted by a handler that makes one ready, over and over. */
static void set_event(void *event)
{
    thr_event_set(event);
}

static void test_own_handler(void **state)
{
    (void)state;
    static thr_event event = THR_EVENT_INIT;
    const thr_waitable any = thr_waitable_event(&event);
    struct support_pester pester;
    support_pester_start(&pester, set_event, &event);
    for (int i = 0; i < 1000; i++) {
        thr_event_clear(&event);
        CHECK_OK(thr_wait_any(&any, 1, support_limit(), NULL));
    }
    support_pester_stop(&pester);
}

/* -- Who does not watch pays nothing ------------------------------------------------------------------------------ */

static void test_leaves_no_count(void **state)
{
    (void)state;
    struct objects objects;
    objects_init(&objects, RING);
    CHECK_RESULT(thr_wait_any(objects.any, ALL, 0, NULL), THR_TIMEOUT);
    CHECK_EQUAL(objects.event.word_, 0); /* a mere look leaves no bit */
    CHECK_EQUAL(objects.semaphore.word_, 0);
    CHECK_RESULT(thr_wait_any(objects.any, ALL, thr_after(0.001), NULL), THR_TIMEOUT);
    for (int i = 0; i < WATCH_CLASSES; i++)
        CHECK_EQUAL(load_relaxed(&watch_counts[i]), 0);
    objects_end(&objects);
}

/* -- Random ------------------------------------------------------------------------------------------------------- */

enum { PLAYERS = 3, OBJECTS = 6, ROUNDS = 20000 };

struct game {
    thr_semaphore semaphores[OBJECTS];
    thr_waitable any[OBJECTS];
    uint32_t given[OBJECTS];
    uint32_t taken[OBJECTS];
    thr_event over;
};

/* Takes what is ready, until it is over and nothing is left. */
static void play(void *arg)
{
    struct game *game = arg;
    thr_waitable any[OBJECTS + 1];
    for (size_t i = 0; i < OBJECTS; i++)
        any[i] = game->any[i];
    any[OBJECTS] = thr_waitable_event(&game->over);
    for (;;) {
        size_t which = 1000;
        CHECK_OK(thr_wait_any(any, OBJECTS + 1, THR_FOREVER, &which));
        if (which == OBJECTS)
            return; /* comes last: nothing else was ready */
        if (thr_semaphore_try_acquire(&game->semaphores[which]))
            (void)__atomic_add_fetch(&game->taken[which], 1, __ATOMIC_RELAXED);
    }
}

static void test_game(void **state)
{
    (void)state;
    static struct game game;
    uint64_t random = support_seed();
    struct support_bunch players;
    for (size_t i = 0; i < OBJECTS; i++)
        game.any[i] = thr_waitable_semaphore(&game.semaphores[i]);
    support_bunch_start(&players, PLAYERS, play, &game);
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t i = support_random_below(&random, OBJECTS);
        CHECK_OK(thr_semaphore_release(&game.semaphores[i], 1));
        game.given[i]++;
        while (round % 100 == 0 && thr_semaphore_value(&game.semaphores[i]) != 0)
            (void)sched_yield(); /* they go to sleep now and then */
    }
    thr_event_set(&game.over);
    support_bunch_join(&players);
    for (size_t i = 0; i < OBJECTS; i++)
        CHECK_EQUAL(game.given[i], game.taken[i]);
}

SUPPORT_MAIN(cmocka_unit_test(test_each_alone), cmocka_unit_test(test_the_first_of_several),
             cmocka_unit_test(test_errors), cmocka_unit_test(test_deadline), cmocka_unit_test(test_many),
             cmocka_unit_test(test_interrupted), cmocka_unit_test(test_set_and_cleared),
             cmocka_unit_test(test_about_to_sleep), cmocka_unit_test(test_robbed),
             cmocka_unit_test(test_beside_consumers), cmocka_unit_test(test_beside_joiners),
             cmocka_unit_test(test_shutdown), cmocka_unit_test(test_set_in_a_handler),
             cmocka_unit_test(test_own_handler), cmocka_unit_test(test_leaves_no_count), cmocka_unit_test(test_game))
