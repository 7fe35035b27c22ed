/* test_thread.c - threads: what CPython's test_threading asserts of Thread, and what C adds. Names, daemons and lists of
 * threads are in test_thread_names.c. */

#include "known.h"

/* -- Start and result ---------------------------------------------------------------------------------------------- */

static void test_result(void **state)
{
    (void)state;
    int value;
    void *result = NULL;
    thr_thread *thread;
    CHECK_OK(thr_spawn(&thread, return_arg, &value));
    CHECK_OK(thr_thread_join(thread, &result));
    CHECK(result == &value);
    result = NULL;
    CHECK_OK(thr_thread_join(thread, &result)); /* any number of times */
    CHECK(result == &value);
    CHECK_OK(thr_thread_join_until(thread, 0, NULL));
    thr_thread_unref(thread);
}

/* Python: a thread without a target does nothing. */
static void test_no_target(void **state)
{
    (void)state;
    void *result = &result;
    thr_thread *thread;
    CHECK_OK(thr_spawn(&thread, NULL, NULL));
    CHECK_OK(thr_thread_join(thread, &result));
    CHECK(result == NULL);
    thr_thread_unref(thread);
}

static void test_not_started(void **state)
{
    (void)state;
    thr_thread *thread;
    size_t before = thr_active_count();
    CHECK_OK(thr_thread_new(&thread, return_arg, NULL));
    CHECK(!thr_thread_is_alive(thread));
    CHECK_EQUAL(thr_thread_ident(thread), 0);
    CHECK_EQUAL(thr_thread_native_id(thread), 0);
    CHECK_EQUAL(thr_thread_native_handle(thread), 0);
    CHECK_EQUAL(thr_active_count(), before);
    CHECK_RESULT(thr_thread_join(thread, NULL), THR_NOT_STARTED);
    CHECK_RESULT(thr_thread_join_until(thread, 0, NULL), THR_NOT_STARTED);
    CHECK_OK(thr_thread_start(thread));
    end(thread);
    CHECK_OK(thr_thread_new(&thread, return_arg, NULL));
    thr_thread_unref(thread); /* never started */
    thr_thread_unref(NULL);
    CHECK_RESULT(thr_thread_new(NULL, return_arg, NULL), THR_INVALID);
}

static void test_start_again(void **state)
{
    (void)state;
    thr_thread *thread;
    thr_event go = THR_EVENT_INIT;
    CHECK_OK(thr_thread_new(&thread, wait_for_event, &go));
    CHECK_OK(thr_thread_start(thread));
    CHECK_RESULT(thr_thread_start(thread), THR_STARTED);
    thr_event_set(&go);
    CHECK_OK(thr_thread_join(thread, NULL));
    CHECK_RESULT(thr_thread_start(thread), THR_STARTED);
    thr_thread_unref(thread);
    CHECK_RESULT(thr_thread_start(thr_main_thread()), THR_STARTED);
}

static thr_thread *own_handle;

static void *check_own_handle(void *arg)
{
    CHECK(own_handle == thr_current_thread());
    CHECK(thr_current_thread() != thr_main_thread());
    CHECK(thr_thread_is_alive(thr_current_thread()));
    CHECK_EQUAL(thr_thread_ident(thr_current_thread()), thr_get_ident());
    CHECK_EQUAL(thr_thread_ident(thr_current_thread()), (uintptr_t)pthread_self());
    CHECK_EQUAL(thr_thread_native_handle(thr_current_thread()), (uintptr_t)pthread_self());
    CHECK_EQUAL(thr_thread_native_id(thr_current_thread()), thr_get_native_id());
    return arg;
}

/* The handle is there before the thread's first step. */
static void test_current_thread(void **state)
{
    (void)state;
    CHECK(thr_current_thread() == thr_main_thread());
    CHECK_EQUAL(thr_thread_ident(thr_main_thread()), thr_get_ident());
    CHECK_EQUAL(thr_thread_native_id(thr_main_thread()), thr_get_native_id());
    CHECK(thr_thread_is_alive(thr_main_thread()));
    check_name(thr_main_thread(), "MainThread");
    CHECK_OK(thr_spawn(&own_handle, check_own_handle, NULL));
    end(own_handle);
}

static void test_errno_is_kept(void **state)
{
    (void)state;
    char name[NAME_SIZE];
    thr_thread *thread;
    thr_thread *all[8];
    support_errno_set();
    CHECK_OK(thr_spawn(&thread, return_arg, NULL, .stack_size = 1 << 20,
                       .name = "a name of more than sixty-three "
                               "bytes, which is kept elsewhere"));
    CHECK_ERRNO();
    (void)thr_thread_native_id(thread);
    CHECK_OK(thr_thread_set_name(thread, "short"));
    (void)thr_thread_name(thread, name, sizeof name);
    CHECK_OK(thr_thread_join(thread, NULL));
    thr_thread_unref(thread);
    CHECK_ERRNO();
    CHECK_RESULT(thr_spawn(&thread, return_arg, NULL, .stack_size = (size_t)1 << 60), THR_NO_THREAD);
    CHECK_ERRNO();
    for (size_t n = thr_enumerate(all, 8); n > 0; n--)
        thr_thread_unref(all[n - 1]);
    CHECK_OK(thr_stack_size(0));
    thr_shutdown();
    CHECK_ERRNO();
}

/* -- Various ------------------------------------------------------------------------------------------------------- */

struct various {
    thr_bounded_semaphore semaphore;
    thr_rlock lock;
    int running;
    int most;
};

static void *various_task(void *arg)
{
    struct various *various = arg;
    CHECK_OK(thr_bounded_semaphore_acquire(&various->semaphore));
    CHECK_OK(thr_rlock_acquire(&various->lock));
    various->running++;
    if (various->running > various->most)
        various->most = various->running;
    CHECK_OK(thr_rlock_release(&various->lock));
    CHECK_OK(thr_rlock_acquire(&various->lock));
    various->running--;
    CHECK_OK(thr_rlock_release(&various->lock));
    CHECK_OK(thr_bounded_semaphore_release(&various->semaphore, 1));
    return NULL;
}

static void various_ops(void)
{
    enum { TASKS = 10, AT_ONCE = 3 };
    struct various various = {.semaphore = THR_BOUNDED_SEMAPHORE_INIT(AT_ONCE)};
    thr_thread *threads[TASKS];
    uint64_t ids[TASKS + 1] = {thr_get_native_id()};
    for (int i = 0; i < TASKS; i++) {
        CHECK_OK(thr_thread_new(&threads[i], various_task, &various));
        CHECK_EQUAL(thr_thread_ident(threads[i]), 0);
        CHECK_OK(thr_thread_start(threads[i]));
        CHECK(thr_thread_ident(threads[i]) != 0);
        ids[i + 1] = thr_thread_native_id(threads[i]);
    }
    for (int i = 0; i <= TASKS; i++) {
        CHECK(ids[i] != 0);
        for (int j = 0; j < i; j++)
            CHECK(ids[i] != ids[j]);
    }
    for (int i = 0; i < TASKS; i++) {
        CHECK_OK(thr_thread_join(threads[i], NULL));
        CHECK(!thr_thread_is_alive(threads[i]));
        CHECK(thr_thread_ident(threads[i]) != 0);
        CHECK_EQUAL(thr_thread_native_id(threads[i]), ids[i + 1]);
        thr_thread_unref(threads[i]);
    }
    CHECK_EQUAL(various.running, 0);
    CHECK(various.most <= AT_ONCE);
}

static void test_various_ops(void **state)
{
    (void)state;
    various_ops();
    CHECK_OK(thr_stack_size(256 * 1024));
    CHECK_EQUAL(thr_get_stack_size(), 256 * 1024);
    various_ops();
    CHECK_OK(thr_stack_size(1 << 20));
    various_ops();
    CHECK_OK(thr_stack_size(0));
    CHECK_EQUAL(thr_get_stack_size(), 0);
}

static void *own_stack_size(void *arg)
{
    pthread_attr_t attributes;
    void *stack;
    CHECK_EQUAL(pthread_getattr_np(pthread_self(), &attributes), 0);
    CHECK_EQUAL(pthread_attr_getstack(&attributes, &stack, arg), 0);
    (void)pthread_attr_destroy(&attributes);
    return NULL;
}

static size_t stack_of(size_t option)
{
    thr_thread *thread;
    size_t size = 0;
    CHECK_OK(thr_spawn(&thread, own_stack_size, &size, .stack_size = option));
    end(thread);
    return size;
}

static void test_stack_size(void **state)
{
    (void)state;
    enum { SMALL = 512 * 1024, HUGE = 12 << 20, SLACK = 64 * 1024 };
    thr_thread *none = NULL;
    CHECK_RESULT(thr_stack_size(1), THR_INVALID);
    CHECK_RESULT(thr_stack_size(4095), THR_INVALID);
    CHECK_RESULT(thr_spawn(&none, return_arg, NULL, .stack_size = 100), THR_INVALID);
    CHECK_RESULT(thr_thread_new(&none, return_arg, NULL, .stack_size = 100), THR_INVALID);
    CHECK(none == NULL);
    CHECK(stack_of(SMALL) >= SMALL - SLACK); /* a larger one may be used again */
    CHECK(stack_of(HUGE) >= HUGE - SLACK);
    CHECK_OK(thr_stack_size(2 * HUGE));
    CHECK(stack_of(0) >= 2 * HUGE - SLACK);
    CHECK_OK(thr_stack_size(0));
}

static void *raise_count(void *arg)
{
    support_count_add(arg);
    return NULL;
}

static void test_without_handle(void **state)
{
    (void)state;
    enum { N = 50 };
    struct support_count count = {0};
    for (int i = 0; i < N; i++) {
        thr_thread *thread;
        CHECK_OK(thr_spawn(NULL, raise_count, &count));
        CHECK_OK(thr_spawn(&thread, raise_count, &count));
        thr_thread_unref(thread); /* perhaps while it runs */
    }
    support_count_wait(&count, 2 * N);
    thr_shutdown();
    CHECK_EQUAL(thr_active_count(), 1);
}

/* -- Hooks --------------------------------------------------------------------------------------------------------- */

struct steps {
    uint32_t started;
    uint32_t ran;
    uint32_t ended;
    uint32_t turn;
    thr_thread *thread;
};

static struct steps steps;

static void on_start(thr_thread *thread)
{
    CHECK(thread == thr_current_thread());
    steps.started = ++steps.turn;
    steps.thread = thread;
}

static void on_exit_of_thread(thr_thread *thread)
{
    CHECK(thread == steps.thread && thread == thr_current_thread());
    CHECK(thr_thread_is_alive(thread));
    steps.ended = ++steps.turn;
}

static void *hooked(void *arg)
{
    steps.ran = ++steps.turn;
    if (arg)
        pthread_exit(NULL);
    return NULL;
}

static void test_thread_hooks(void **state)
{
    (void)state;
    thr_thread *thread;
    for (uintptr_t by_exit = 0; by_exit < 2; by_exit++) {
        memset(&steps, 0, sizeof steps);
        thr_set_thread_hooks(on_start, on_exit_of_thread);
        CHECK_OK(thr_spawn(&thread, hooked, (void *)by_exit));
        CHECK_OK(thr_thread_join(thread, NULL));
        CHECK(steps.thread == thread);
        CHECK_EQUAL(steps.started, 1);
        CHECK_EQUAL(steps.ran, 2);
        CHECK_EQUAL(steps.ended, 3);
        thr_thread_unref(thread);
    }
    thr_set_thread_hooks(NULL, NULL);
    CHECK_OK(thr_spawn(&thread, hooked, NULL));
    end(thread);
    CHECK_EQUAL(steps.turn, 4);
}

static void fail_in_hook(thr_thread *thread)
{
    (void)thread;
    thr_fail(3, "in a hook");
}

static void ignore_failure(thr_thread *thread, int code, const char *message)
{
    (void)thread;
    (void)code;
    (void)message;
}

/* The first test: its threads have places that no other had, of which ThreadSanitizer has kept nothing. */
static void test_hooks_that_fail(void **state)
{
    (void)state;
    thr_thread *thread;
    thr_set_excepthook(ignore_failure);
    memset(&steps, 0, sizeof steps);
    for (int at_end = 0; at_end < 2; at_end++) {
        thr_set_thread_hooks(at_end ? NULL : fail_in_hook, at_end ? fail_in_hook : NULL);
        CHECK_OK(thr_spawn(&thread, hooked, NULL));
        CHECK_RESULT(thr_thread_join(thread, NULL), THR_FAILED);
        CHECK_EQUAL(thr_thread_failure(thread, NULL, 0), 3);
        CHECK_EQUAL(steps.turn, at_end);
        thr_thread_unref(thread);
    }
    thr_set_thread_hooks(NULL, NULL);
    thr_set_excepthook(NULL);
}

SUPPORT_MAIN(cmocka_unit_test(test_hooks_that_fail), cmocka_unit_test(test_result), cmocka_unit_test(test_no_target),
             cmocka_unit_test(test_not_started), cmocka_unit_test(test_start_again),
             cmocka_unit_test(test_current_thread), cmocka_unit_test(test_errno_is_kept),
             cmocka_unit_test(test_various_ops), cmocka_unit_test(test_stack_size),
             cmocka_unit_test(test_without_handle), cmocka_unit_test(test_thread_hooks))
