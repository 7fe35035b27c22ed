/* test_work_refused.c - executors where no memory, or no thread, is to be had: at each point in turn. */

#include "support/support.h"

#include <errno.h>
#include <string.h>

#include "threading.h"
#include "wait/atomic.h"

/* -- What can fail ------------------------------------------------------------------------------------------------ */

/* Which call fails, counted down; 1 is the next; 0: none. With `on` all that follow fail as well. */
static uint32_t memory_at;
static uint32_t memory_on;
static uint32_t memory_refused;
static uint32_t threads_refused; /* while this is set, all fail */
static uint32_t threads_tried;

static bool no_memory(void)
{
    if (load_relaxed(&memory_on) && load_relaxed(&memory_at) == 0) {
        errno = ENOMEM;
        return true;
    }
    uint32_t n = load_relaxed(&memory_at);
    if (n == 0 || !cas_strong(&memory_at, &n, n - 1) || n != 1)
        return false;
    store_relaxed(&memory_refused, 1);
    errno = ENOMEM;
    return true;
}

/* The linker's names for the wrapped functions. */
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *), void *arg);

void *__wrap_malloc(size_t size)
{
    return no_memory() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return no_memory() ? NULL : __real_calloc(n, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return no_memory() ? NULL : __real_aligned_alloc(alignment, size);
}

char *__wrap_strdup(const char *text)
{
    return no_memory() ? NULL : __real_strdup(text);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *), void *arg)
{
    (void)add_relaxed(&threads_tried, 1);
    if (load_relaxed(&threads_refused))
        return EAGAIN;
    return __real_pthread_create(thread, attributes, function, arg);
}

/* -- Memory, at each point ---------------------------------------------------------------------------------------- */

static void *give_arg(void *arg)
{
    return arg;
}

static void *count_up(void *count)
{
    support_count_add(count);
    return count;
}

static void called(thr_future *future, void *count)
{
    CHECK(thr_future_done(future));
    support_count_add(count);
}

static void touch(size_t first, size_t last, void *count)
{
    for (size_t i = first; i < last; i++)
        support_count_add(count);
}

static thr_executor *executor;

/* Each part is either done, or is THR_NO_MEMORY and has changed nothing. Returns whether all was done. */
static bool submits(void)
{
    int value;
    void *result = NULL;
    thr_future *untouched = (thr_future *)(void *)&value;
    thr_future *future = untouched;
    struct support_count count = {0};
    thr_result submitted = thr_executor_submit(executor, &future, give_arg, &value);
    if (submitted != THR_OK) {
        CHECK_RESULT(submitted, THR_NO_MEMORY);
        CHECK(future == untouched);
        return false;
    }
    thr_result added = thr_future_add_done_callback(future, called, &count);
    CHECK_OK(thr_future_result(future, &result));
    CHECK(result == &value);
    if (added == THR_OK)
        support_count_wait(&count, 1);
    else
        CHECK_RESULT(added, THR_NO_MEMORY);
    thr_future_unref(future);
    return added == THR_OK;
}

static bool orders(void)
{
    thr_future *futures[20];
    thr_as_completed *order;
    thr_future *next;
    bool done = true;
    for (int i = 0; i < 20; i++) {
        thr_result made = thr_future_new(&futures[i]);
        if (made != THR_OK) {
            CHECK_RESULT(made, THR_NO_MEMORY);
            while (i-- > 0)
                thr_future_unref(futures[i]);
            return false;
        }
    }
    thr_result waited = thr_future_wait(futures, 20, THR_FIRST_COMPLETED, thr_after(1e-5));
    done = waited == THR_TIMEOUT;
    CHECK(done || waited == THR_NO_MEMORY);
    for (int i = 0; i < 20; i++)
        CHECK_OK(thr_future_set_result(futures[i], NULL));
    thr_result made = thr_as_completed_new(&order, futures, 20);
    if (made == THR_OK) {
        for (int i = 0; i < 20; i++)
            CHECK_OK(thr_as_completed_next(order, &next));
        CHECK_RESULT(thr_as_completed_next(order, &next), THR_EMPTY);
        thr_as_completed_free(order);
    } else {
        CHECK_RESULT(made, THR_NO_MEMORY);
        done = false;
    }
    for (int i = 0; i < 20; i++)
        thr_future_unref(futures[i]);
    return done;
}

static bool groups(void)
{
    struct support_count count = {0};
    thr_group group = THR_GROUP_INIT(executor);
    thr_task task;
    thr_result with = thr_group_spawn(&group, &task, count_up, &count);
    thr_result without = thr_group_spawn(&group, NULL, count_up, &count);
    CHECK(with == THR_OK || with == THR_NO_MEMORY);
    CHECK(without == THR_OK || without == THR_NO_MEMORY);
    CHECK_OK(thr_group_wait(&group));
    CHECK_EQUAL(support_count_get(&count), (with == THR_OK) + (without == THR_OK));
    return with == THR_OK && without == THR_OK;
}

static bool loops(void)
{
    struct support_count count = {0};
    thr_result looped = thr_parallel_for(executor, 0, 100, 1, touch, &count);
    CHECK(looped == THR_OK || looped == THR_NO_MEMORY);
    CHECK_EQUAL(support_count_get(&count), looped == THR_OK ? 100 : 0);
    return looped == THR_OK;
}

/* One that is given no name makes one. */
static bool names(void)
{
    thr_executor *made = NULL;
    thr_result result = thr_executor_new_with(&made, NULL);
    CHECK_RESULT(result, load_relaxed(&memory_refused) ? THR_NO_MEMORY : THR_OK);
    thr_executor_free(made);
    return result == THR_OK;
}

static bool maps(void)
{
    struct support_count count = {0};
    void *args[10];
    void *results[10];
    for (int i = 0; i < 10; i++) {
        args[i] = &count;
        results[i] = args;
    }
    thr_result mapped = thr_executor_map(executor, count_up, args, 10, results);
    CHECK(mapped == THR_OK || mapped == THR_NO_MEMORY);
    CHECK_EQUAL(support_count_get(&count), mapped == THR_OK ? 10 : 0);
    for (int i = 0; i < 10; i++)
        CHECK(results[i] == (mapped == THR_OK ? (void *)&count : (void *)args));
    return mapped == THR_OK;
}

/* Makes an executor, and does this part with it. */
static bool does(bool (*part)(void))
{
    thr_executor *made = NULL;
    thr_executor_options options = {.max_workers = 2, .thread_name_prefix = "pool"};
    thr_result result = thr_executor_new_with(&made, &options);
    if (result != THR_OK) {
        CHECK_RESULT(result, THR_NO_MEMORY);
        CHECK(made == NULL);
        return false;
    }
    executor = made;
    bool done = part();
    CHECK_OK(thr_executor_shutdown(executor, true, false));
    CHECK_EQUAL(thr_active_count(), 1);
    thr_executor_free(executor);
    return done;
}

/* How many points there are; each part alone, since how many those of a loop are is left to chance. */
static uint32_t points_of(bool (*part)(void))
{
    enum { MOST = 500 };
    for (uint32_t at = 1; at < MOST; at++) {
        store_relaxed(&memory_refused, 0);
        store_relaxed(&memory_at, at);
        (void)does(part);
        store_relaxed(&memory_at, 0);
        if (!load_relaxed(&memory_refused)) /* it was not reached: there are no more */
            return at - 1;
    }
    support_fail(__FILE__, __LINE__, "there is no end");
}

static void test_memory_at_each_point(void **state)
{
    (void)state;
    static bool (*const parts[])(void) = {submits, groups, loops, maps, names, orders};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        CHECK(points_of(parts[i]) > 3);
}

static void *fail_task(void *arg)
{
    store_relaxed(&memory_on, 1);
    (void)arg;
    thr_fail(-3, "no memory for this message");
}

/* Without memory a failure keeps its code. */
static void test_no_memory_for_failures(void **state)
{
    (void)state;
    char message[8] = "before";
    thr_future *future;
    thr_group group;
    CHECK_OK(thr_executor_new(&executor, .max_workers = 1));
    CHECK_OK(thr_executor_submit(executor, &future, fail_task, NULL));
    CHECK_RESULT(thr_future_result(future, NULL), THR_FAILED);
    store_relaxed(&memory_on, 0);
    CHECK_EQUAL(thr_future_failure(future, message, sizeof message), -3);
    CHECK(strcmp(message, "") == 0);
    thr_future_unref(future);
    group = (thr_group)THR_GROUP_INIT(executor);
    CHECK_OK(thr_group_spawn(&group, NULL, fail_task, NULL));
    CHECK_RESULT(thr_group_wait(&group), THR_FAILED);
    store_relaxed(&memory_on, 0);
    CHECK_EQUAL(thr_group_failure(&group, message, sizeof message), -3);
    CHECK(strcmp(message, "") == 0);
    CHECK_OK(thr_executor_shutdown(executor, true, false));
    thr_executor_free(executor);
}

/* In a task, with the caller's storage, spawning and waiting needs no memory at all, however many there are. */
static void *spawn_without_memory(void *arg)
{
    enum { N = 3000 };
    static thr_task tasks[N];
    thr_group group = THR_GROUP_INIT(executor);
    store_relaxed(&memory_on, 1);
    for (int i = 0; i < N; i++)
        CHECK_OK(thr_group_spawn(&group, &tasks[i], count_up, arg));
    CHECK_OK(thr_group_wait(&group));
    CHECK_OK(thr_parallel_for(executor, 0, N, 1, touch, arg)); /* nothing can be given away: done by one */
    store_relaxed(&memory_on, 0);
    CHECK_EQUAL(support_count_get(arg), 2 * N);
    return NULL;
}

static void test_groups_need_no_memory(void **state)
{
    (void)state;
    struct support_count count = {0};
    thr_future *future;
    CHECK_OK(thr_executor_new(&executor, .max_workers = 2));
    CHECK_OK(thr_executor_submit(executor, &future, spawn_without_memory, &count));
    CHECK_OK(thr_future_result(future, NULL));
    thr_future_unref(future);
    CHECK_OK(thr_executor_shutdown(executor, true, false));
    thr_executor_free(executor);
}

/* -- No thread ---------------------------------------------------------------------------------------------------- */

static void test_no_thread(void **state)
{
    (void)state;
    int value;
    thr_future *untouched = (thr_future *)(void *)&value;
    thr_future *future = untouched;
    struct support_count count = {0};
    thr_task task;
    void *args[] = {&count};
    CHECK_OK(thr_executor_new(&executor, .max_workers = 4));
    thr_group group = THR_GROUP_INIT(executor);
    store_relaxed(&threads_refused, 1);
    support_errno_set();
    CHECK_RESULT(thr_executor_submit(executor, &future, give_arg, NULL), THR_NO_THREAD);
    CHECK_ERRNO();
    CHECK(future == untouched);
    CHECK_RESULT(thr_executor_submit(executor, NULL, give_arg, NULL), THR_NO_THREAD);
    CHECK_RESULT(thr_group_spawn(&group, &task, count_up, &count), THR_NO_THREAD);
    CHECK_RESULT(thr_group_spawn(&group, NULL, count_up, &count), THR_NO_THREAD);
    CHECK_OK(thr_group_wait(&group));
    CHECK_RESULT(thr_parallel_for(executor, 0, 10, 1, touch, &count), THR_NO_THREAD);
    CHECK_RESULT(thr_executor_map(executor, count_up, args, 1, NULL), THR_NO_THREAD);
    CHECK_EQUAL(support_count_get(&count), 0);
    CHECK_EQUAL(thr_active_count(), 1);
    store_relaxed(&threads_refused, 0);
    CHECK_OK(thr_executor_submit(executor, &future, count_up, &count)); /* it can be tried again */
    CHECK_OK(thr_future_result(future, NULL));
    thr_future_unref(future);
    CHECK_OK(thr_executor_shutdown(executor, true, false));
    thr_executor_free(executor);
}

static void initialize(void *count)
{
    support_count_add(count);
}

/* With an initializer, too; and workers that are called for later find what they are called for. */
static void test_no_thread_at_first(void **state)
{
    (void)state;
    struct support_count count = {0};
    thr_future *future;
    CHECK_OK(thr_executor_new(&executor, .max_workers = 2, .initializer = initialize, .initarg = &count));
    store_relaxed(&threads_refused, 1);
    CHECK_RESULT(thr_executor_submit(executor, &future, give_arg, NULL), THR_NO_THREAD);
    store_relaxed(&threads_refused, 0);
    for (int i = 0; i < 3; i++) {
        CHECK_OK(thr_executor_submit(executor, &future, give_arg, NULL));
        CHECK_OK(thr_future_result(future, NULL));
        thr_future_unref(future);
        support_wait_blocked(executor, 1);
    }
    CHECK(support_count_get(&count) >= 1);
    CHECK_OK(thr_executor_shutdown(executor, true, false));
    thr_executor_free(executor);
}

/* One worker, and no more to be had: all is done by it. */
static void test_no_second_thread(void **state)
{
    (void)state;
    enum { N = 500 };
    struct support_count count = {0};
    thr_future *futures[N];
    CHECK_OK(thr_executor_new(&executor, .max_workers = 4));
    CHECK_OK(thr_executor_submit(executor, NULL, count_up, &count));
    store_relaxed(&threads_refused, 1);
    for (int i = 0; i < N; i++)
        CHECK_OK(thr_executor_submit(executor, &futures[i], count_up, &count));
    CHECK_OK(thr_parallel_for(executor, 0, N, 1, touch, &count));
    for (int i = 0; i < N; i++) {
        CHECK_OK(thr_future_result(futures[i], NULL));
        thr_future_unref(futures[i]);
    }
    CHECK_EQUAL(support_count_get(&count), 1 + 2 * N);
    store_relaxed(&threads_refused, 0);
    CHECK_OK(thr_executor_shutdown(executor, true, false));
    thr_executor_free(executor);
}

static void *set_it(void *future)
{
    CHECK_OK(thr_future_set_result(future, NULL));
    return NULL;
}

static struct support_count refusing;

static void *wait_for_set(void *future)
{
    store_relaxed(&threads_refused, 1);
    CHECK_OK(thr_executor_submit(executor, NULL, set_it, future));
    store_relaxed(&threads_tried, 0);
    support_count_add(&refusing);
    CHECK_OK(thr_future_result(future, NULL)); /* nobody takes the place, until a thread can be had */
    return NULL;
}

static void test_nobody_takes_the_place_at_first(void **state)
{
    (void)state;
    thr_future *set;
    thr_future *waits;
    CHECK_OK(thr_executor_new(&executor, .max_workers = 1));
    CHECK_OK(thr_future_new(&set));
    CHECK_OK(thr_executor_submit(executor, &waits, wait_for_set, set));
    support_count_wait(&refusing, 1);
    thr_time limit = support_limit();
    while (load_relaxed(&threads_tried) < 3) /* it tries again and again */
        CHECK(thr_now() < limit);
    CHECK(!thr_future_done(set));
    store_relaxed(&threads_refused, 0);
    CHECK_OK(thr_future_result(waits, NULL));
    thr_future_unref(waits);
    thr_future_unref(set);
    CHECK_OK(thr_executor_shutdown(executor, true, false));
    CHECK_EQUAL(thr_active_count(), 1);
    thr_executor_free(executor);
}

SUPPORT_MAIN(cmocka_unit_test(test_memory_at_each_point), cmocka_unit_test(test_no_memory_for_failures),
             cmocka_unit_test(test_groups_need_no_memory), cmocka_unit_test(test_no_thread),
             cmocka_unit_test(test_no_thread_at_first), cmocka_unit_test(test_no_second_thread),
             cmocka_unit_test(test_nobody_takes_the_place_at_first))
