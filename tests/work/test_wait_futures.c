/* test_wait_futures.c - thr_wait_any for futures: every way in which one is done, in tasks, and among other objects. What all
 * kinds of objects have in common is in test_wait_any.c. */

#include "support/support.h"

#include "threading.h"

static thr_future *future_new(void)
{
    thr_future *future;
    CHECK_OK(thr_future_new(&future));
    return future;
}

static void watch(void *any)
{
    size_t which = 1000;
    CHECK_OK(thr_wait_any(any, 1, THR_FOREVER, &which));
    CHECK_EQUAL(which, 0);
}

/* -- Done in every way --------------------------------------------------------------------------------------------- */

static void set_result(thr_future *future)
{
    CHECK_OK(thr_future_set_result(future, NULL));
}

static void set_failure(thr_future *future)
{
    CHECK_OK(thr_future_set_failure(future, 1, "why not"));
}

static void cancel(thr_future *future)
{
    CHECK_OK(thr_future_cancel(future));
}

static void run_and_set(thr_future *future)
{
    CHECK_OK(thr_future_set_running(future)); /* is not done yet */
    CHECK_RESULT(thr_wait_any((thr_waitable[]){thr_waitable_future(future)}, 1, 0, NULL), THR_TIMEOUT);
    CHECK_OK(thr_future_set_result(future, NULL));
}

static void test_every_end(void **state)
{
    static void (*const ends[])(thr_future * future) = {set_result, set_failure, cancel, run_and_set};
    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        for (int waiting = 0; waiting < 2; waiting++) {
            thr_future *future = future_new();
            thr_waitable any = thr_waitable_future(future);
            struct support_thread *thread = waiting ? support_thread_start(watch, &any) : NULL;
            if (waiting)
                support_wait_blocked(&any, 1);
            ends[i](future);
            if (waiting)
                support_thread_join(thread);
            else
                watch(&any);
            CHECK(thr_future_done(future));
            thr_future_unref(future);
        }
    }
}

/* One that sleeps in the future itself, one that waits for several, a callback, and two watchers: all are told. */
static void wait_for_result(void *future)
{
    CHECK_OK(thr_future_result(future, NULL));
}

static void wait_for_first(void *future)
{
    thr_future *one = future;
    CHECK_OK(thr_future_wait(&one, 1, THR_FIRST_COMPLETED, THR_FOREVER));
}

static void count_call(thr_future *future, void *count)
{
    (void)future;
    support_count_add(count);
}

static void test_beside_others(void **state)
{
    (void)state;
    struct support_count count = {0};
    thr_future *future = future_new();
    thr_waitable any = thr_waitable_future(future);
    struct support_bunch watchers;
    CHECK_OK(thr_future_add_done_callback(future, count_call, &count));
    support_bunch_start(&watchers, 2, watch, &any);
    support_wait_blocked(&any, 2);
    struct support_thread *sleeper = support_thread_start(wait_for_result, future);
    support_wait_blocked(future, 1);
    struct support_thread *first = support_thread_start(wait_for_first, future);
    CHECK_OK(thr_future_set_result(future, NULL));
    support_bunch_join(&watchers);
    support_thread_join(sleeper);
    support_thread_join(first);
    CHECK_EQUAL(support_count_get(&count), 1);
    thr_future_unref(future);
}

static void initializer(void *may_fail)
{
    thr_event_wait(may_fail);
    thr_fail(1, "it does not begin");
}

static void *give_arg(void *arg)
{
    return arg;
}

static void quiet(thr_thread *thread, int code, const char *message)
{
    (void)thread;
    (void)code;
    (void)message;
}

static void test_broken(void **state)
{
    (void)state;
    thr_executor *executor;
    thr_future *future;
    thr_event may_fail = THR_EVENT_INIT;
    thr_set_excepthook(quiet);
    CHECK_OK(thr_executor_new(&executor, .max_workers = 1, .initializer = initializer, .initarg = &may_fail));
    CHECK_OK(thr_executor_submit(executor, &future, give_arg, NULL));
    thr_waitable any = thr_waitable_future(future);
    struct support_thread *thread = support_thread_start(watch, &any);
    support_wait_blocked(&any, 1);
    thr_event_set(&may_fail);
    support_thread_join(thread);
    CHECK_RESULT(thr_future_result(future, NULL), THR_BROKEN);
    thr_future_unref(future);
    (void)thr_executor_shutdown(executor, true, false);
    thr_executor_free(executor);
    thr_set_excepthook(NULL);
}

/* -- In tasks ------------------------------------------------------------------------------------------------------ */

struct nest {
    thr_executor *executor;
    unsigned depth;
};

/* Each waits for the one below it, by wait_any, so that none of them runs on the stack of another: with one worker they are
 * only done because others take its place. */
static void *wait_below(void *arg)
{
    struct nest *nest = arg;
    struct nest below = {nest->executor, nest->depth - 1};
    thr_event never = THR_EVENT_INIT;
    thr_future *future;
    size_t which;
    if (nest->depth == 0)
        return arg;
    CHECK_OK(thr_executor_submit(nest->executor, &future, wait_below, &below));
    const thr_waitable any[] = {thr_waitable_event(&never), thr_waitable_future(future)};
    CHECK_OK(thr_wait_any(any, 2, THR_FOREVER, &which));
    CHECK_EQUAL(which, 1);
    CHECK(thr_future_done(future));
    thr_future_unref(future);
    return arg;
}

static void test_in_tasks(void **state)
{
    (void)state;
    struct nest nest = {NULL, 20};
    thr_future *future;
    CHECK_OK(thr_executor_new(&nest.executor, .max_workers = 1));
    CHECK_OK(thr_executor_submit(nest.executor, &future, wait_below, &nest));
    CHECK_OK(thr_future_result(future, NULL));
    thr_future_unref(future);
    CHECK_OK(thr_executor_shutdown(nest.executor, true, false));
    thr_executor_free(nest.executor);
}

struct self {
    thr_executor *executor;
    thr_future *future;
    thr_future *inner;
};

static void *wait_for_self(void *arg)
{
    struct self *self = arg;
    thr_event set = THR_EVENT_INIT;
    size_t which = 1000;
    thr_event_set(&set);
    const thr_waitable any[] = {thr_waitable_event(&set), thr_waitable_future(self->future)};
    CHECK_RESULT(thr_wait_any(any, 2, THR_FOREVER, &which), THR_DEADLOCK);
    CHECK_RESULT(thr_wait_any(any, 2, 0, &which), THR_DEADLOCK);
    CHECK_EQUAL(which, 1000);
    return arg;
}

/* It is run on this stack, and would wait for who waits for it. */
static void *run_inside(void *arg)
{
    struct self *self = arg;
    CHECK_OK(thr_executor_submit(self->executor, &self->inner, wait_for_self, arg));
    CHECK_OK(thr_future_result(self->inner, NULL));
    return wait_for_self(arg);
}

static void test_deadlock(void **state)
{
    (void)state;
    struct self self = {0};
    CHECK_OK(thr_executor_new(&self.executor, .max_workers = 1));
    CHECK_OK(thr_executor_submit(self.executor, &self.future, run_inside, &self));
    CHECK_OK(thr_future_result(self.future, NULL));
    thr_future_unref(self.future);
    thr_future_unref(self.inner);
    CHECK_OK(thr_executor_shutdown(self.executor, true, false));
    thr_executor_free(self.executor);
}

/* -- Random: none is missed, and each may be freed at once ------------------------------------------------------- */

enum { OUTSTANDING = 5, ENDERS = 2, WATCHERS = 2, ROUNDS = 5000 };

struct game {
    thr_queue *todo;  /* futures to end; NULL: no more */
    thr_queue *words; /* that the watchers get in between */
};

static void end_some(void *arg)
{
    struct game *game = arg;
    uint64_t random = support_seed() + support_index();
    void *future;
    while (CHECK_OK(thr_queue_get(game->todo, &future)), future) {
        void (*const ends[])(thr_future *) = {set_result, set_failure, cancel};
        if (support_random_below(&random, 4) == 0)
            (void)sched_yield();
        ends[support_random_below(&random, 3)](future);
        thr_future_unref(future);
        if (support_random_below(&random, 8) == 0)
            CHECK_OK(thr_queue_put(game->words, NULL));
    }
}

static void replace(struct game *game, thr_waitable *any)
{
    thr_future *future = future_new();
    *any = thr_waitable_future(future);
    CHECK_OK(thr_queue_put(game->todo, thr_future_ref(future)));
}

static void watch_all(void *arg)
{
    struct game *game = arg;
    thr_waitable any[OUTSTANDING + 1];
    uint64_t random = support_seed() + 100 + support_index();
    int left = OUTSTANDING;
    void *word;
    any[OUTSTANDING] = thr_waitable_queue(game->words);
    for (int i = 0; i < OUTSTANDING; i++)
        replace(game, &any[i]);
    for (int round = 0; left > 0;) {
        size_t which = 1000;
        bool impatient = support_random_below(&random, 4) == 0;
        thr_result result = thr_wait_any(any, OUTSTANDING + 1, impatient ? thr_after(1e-6) : support_limit(), &which);
        if (impatient && result == THR_TIMEOUT)
            continue;
        CHECK_OK(result);
        if (which == OUTSTANDING) {
            result = thr_queue_try_get(game->words, &word);
            CHECK(result == THR_OK || result == THR_EMPTY); /* the other watcher was faster */
            continue;
        }
        thr_future *future = any[which].object_;
        CHECK(thr_future_done(future));
        thr_future_unref(future);
        if (++round < ROUNDS) {
            replace(game, &any[which]);
        } else {
            static thr_semaphore none = THR_SEMAPHORE_INIT(0);
            any[which] = thr_waitable_semaphore(&none);
            left--;
        }
    }
}

static void test_game(void **state)
{
    (void)state;
    struct game game = {0};
    struct support_bunch enders;
    struct support_bunch watchers;
    CHECK_OK(thr_queue_new(&game.todo, 0));
    CHECK_OK(thr_queue_new(&game.words, 0));
    support_bunch_start(&enders, ENDERS, end_some, &game);
    support_bunch_start(&watchers, WATCHERS, watch_all, &game);
    support_bunch_join(&watchers);
    for (int i = 0; i < ENDERS; i++)
        CHECK_OK(thr_queue_put(game.todo, NULL));
    support_bunch_join(&enders);
    thr_queue_free(game.todo);
    thr_queue_free(game.words);
}

SUPPORT_MAIN(cmocka_unit_test(test_every_end), cmocka_unit_test(test_beside_others), cmocka_unit_test(test_broken),
             cmocka_unit_test(test_in_tasks), cmocka_unit_test(test_deadlock), cmocka_unit_test(test_game))
