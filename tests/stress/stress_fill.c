/* stress_fill.c - an executor of 8 workers fills a bounded queue, and both are shut down in the middle, gently or at once,
 * in either order: each item that a put took is got or discarded, once, and no other; each task has ended, or was cancelled
 * and has never begun.
 *
 * 10,000 times; with a sanitizer 1,000 times; THR_STRESS_ROUNDS is another number.
 *
 * ctest: timeout=120
 * ctest: limit=110 */

#include "support/support.h"

#include <stdlib.h>

#include "threading.h"

enum { WORKERS = 8, TASKS = 16, EACH = 4, BOUND = 8, SHUTDOWN_AT = 20, ROUNDS = SUPPORT_SANITIZED ? 1000 : 10000 };

struct item {
    bool put; /* only its task writes this */
    unsigned seen;
};

struct round {
    thr_executor *executor;
    thr_queue *queue;
    struct task {
        struct round *round;
        thr_future *future;
        bool begun;
        bool ended;
        struct item items[EACH];
    } tasks[TASKS];
};

static void *fill(void *arg)
{
    struct task *task = arg;
    task->begun = true;
    for (int i = 0; i < EACH; i++) {
        thr_result result = thr_queue_put(task->round->queue, &task->items[i]);
        task->items[i].put = result == THR_OK;
        CHECK(result == THR_OK || result == THR_CLOSED);
    }
    task->ended = true;
    return task;
}

static unsigned take(struct round *round, thr_result (*from)(thr_queue *, void **), unsigned most)
{
    unsigned n = 0;
    void *item;
    for (; n < most && from(round->queue, &item) == THR_OK; n++)
        ((struct item *)item)->seen++;
    return n;
}

static void begin(struct round *round, unsigned number)
{
    CHECK_OK(thr_executor_new(&round->executor, .max_workers = WORKERS));
    if (number / 16 % 2 == 0)
        CHECK_OK(thr_lifo_queue_new(&round->queue, BOUND));
    else
        CHECK_OK(thr_queue_new(&round->queue, BOUND));
    for (int i = 0; i < TASKS; i++) {
        struct task *task = &round->tasks[i];
        *task = (struct task){.round = round};
        CHECK_OK(thr_executor_submit(round->executor, &task->future, fill, task));
    }
}

static void shut_down(struct round *round, unsigned number)
{
    bool immediate = (number & 1) != 0;
    if (number & 2)
        thr_queue_shutdown(round->queue, immediate);
    (void)thr_executor_shutdown(round->executor, false, immediate != ((number & 8) != 0));
    if (!(number & 2))
        thr_queue_shutdown(round->queue, immediate);
}

static void check_task(struct task *task)
{
    void *result;
    if (thr_future_result(task->future, &result) == THR_OK) {
        CHECK(result == task);
        CHECK(task->ended);
    } else {
        CHECK(thr_future_cancelled(task->future));
        CHECK(!task->begun);
    }
    for (int i = 0; i < EACH; i++)
        CHECK_EQUAL(task->items[i].seen, task->items[i].put);
    thr_future_unref(task->future);
}

static void end(struct round *round)
{
    (void)take(round, thr_queue_get, UINT32_MAX); /* until it is closed */
    CHECK_OK(thr_executor_shutdown(round->executor, true, false));
    (void)take(round, thr_queue_discarded, UINT32_MAX);
    for (int i = 0; i < TASKS; i++)
        check_task(&round->tasks[i]);
    thr_executor_free(round->executor);
    thr_queue_free(round->queue);
}

/* Every fourth round, from `first` on. */
static void play(unsigned first)
{
    static struct round round;
    const char *wished = getenv("THR_STRESS_ROUNDS");
    unsigned rounds = wished ? (unsigned)strtoul(wished, NULL, 10) : ROUNDS;
    for (unsigned number = first; number < rounds; number += 4) {
        begin(&round, number);
        CHECK_EQUAL(take(&round, thr_queue_get, SHUTDOWN_AT), SHUTDOWN_AT);
        shut_down(&round, number);
        end(&round);
    }
}

static void test_gently(void **state)
{
    (void)state;
    play(0);
}

static void test_at_once(void **state)
{
    (void)state;
    play(1);
}

static void test_gently_the_queue_first(void **state)
{
    (void)state;
    play(2);
}

static void test_at_once_the_queue_first(void **state)
{
    (void)state;
    play(3);
}

SUPPORT_MAIN(cmocka_unit_test(test_gently), cmocka_unit_test(test_at_once),
             cmocka_unit_test(test_gently_the_queue_first), cmocka_unit_test(test_at_once_the_queue_first))
