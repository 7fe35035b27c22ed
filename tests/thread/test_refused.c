/* test_refused.c - the system refuses threads, memory, or to register a handler for the end of the process. */

#include "support/support.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "threading.h"

/* -- The system, which refuses when it is told to ------------------------------------------------------------------------ */

static uint32_t refuse_threads;
static uint32_t refuse_handlers;
static uint32_t refuse_memory;
static uint32_t handlers;

/* The linker's names. NOLINTBEGIN(bugprone-reserved-identifier) */
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *), void *arg);
int __real_atexit(void (*function)(void));
int __wrap_atexit(void (*function)(void));
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *), void *arg)
{
    if (__atomic_load_n(&refuse_threads, __ATOMIC_RELAXED))
        return EAGAIN;
    return __real_pthread_create(thread, attributes, function, arg);
}

int __wrap_atexit(void (*function)(void))
{
    if (refuse_handlers)
        return 1;
    handlers++;
    return __real_atexit(function);
}

static bool no_memory(void)
{
    if (!__atomic_load_n(&refuse_memory, __ATOMIC_RELAXED))
        return false;
    errno = ENOMEM;
    return true;
}

void *__wrap_calloc(size_t n, size_t size)
{
    return no_memory() ? NULL : __real_calloc(n, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return no_memory() ? NULL : __real_aligned_alloc(alignment, size);
}

void *__wrap_malloc(size_t size)
{
    return no_memory() ? NULL : __real_malloc(size);
}
/* NOLINTEND(bugprone-reserved-identifier) */

static void set(uint32_t *refuse, uint32_t value)
{
    __atomic_store_n(refuse, value, __ATOMIC_RELAXED);
}

static void *return_arg(void *arg)
{
    return arg;
}

/* -- Tests -------------------------------------------------------------------------------------------------------------- */

/* First, since afterwards the handler is there. */
static void test_no_handler(void **state)
{
    (void)state;
    thr_thread *thread = NULL;
    uint32_t before = handlers;
    refuse_handlers = 1;
    support_errno_set();
    CHECK_RESULT(thr_spawn(&thread, return_arg, NULL), THR_NO_MEMORY);
    CHECK_ERRNO();
    CHECK(thread == NULL);
    CHECK_EQUAL(thr_active_count(), 1);
    CHECK_OK(thr_spawn(&thread, return_arg, NULL, .daemon = THR_DAEMON_YES)); /* nobody waits for daemons */
    CHECK_OK(thr_thread_join(thread, NULL));
    thr_thread_unref(thread);
    CHECK_EQUAL(handlers, before);
    refuse_handlers = 0;
    for (int i = 0; i < 2; i++) {
        CHECK_OK(thr_spawn(&thread, return_arg, NULL));
        CHECK_OK(thr_thread_join(thread, NULL));
        thr_thread_unref(thread);
    }
    CHECK_EQUAL(handlers, before + 1); /* at the first non-daemon thread, once */
}

/* CPython's issue 7481. */
static void test_no_thread(void **state)
{
    (void)state;
    thr_thread *thread = NULL;
    void *result;
    set(&refuse_threads, 1);
    support_errno_set();
    CHECK_RESULT(thr_spawn(&thread, return_arg, NULL), THR_NO_THREAD);
    CHECK_RESULT(thr_spawn(NULL, return_arg, NULL), THR_NO_THREAD);
    CHECK(thread == NULL);
    CHECK_OK(thr_thread_new(&thread, return_arg, &result));
    for (int i = 0; i < 3; i++) {
        CHECK_RESULT(thr_thread_start(thread), THR_NO_THREAD);
        CHECK_ERRNO();
        CHECK_EQUAL(thr_active_count(), 1);
        CHECK(!thr_thread_is_alive(thread));
        CHECK_EQUAL(thr_thread_ident(thread), 0);
        CHECK_EQUAL(thr_thread_native_id(thread), 0);
        CHECK_RESULT(thr_thread_join(thread, NULL), THR_NOT_STARTED);
        CHECK_OK(thr_thread_set_daemon(thread, i % 2 == 0)); /* it is as new */
    }
    thr_shutdown(); /* waits for nothing */
    set(&refuse_threads, 0);
    CHECK_OK(thr_thread_start(thread));
    CHECK_OK(thr_thread_join(thread, &result));
    CHECK(result == &result);
    thr_thread_unref(thread);
}

static void test_no_memory_for_names(void **state)
{
    (void)state;
    static const char text[] = "a name that is so long that it has to be allocated, and so cannot be had just now";
    char name[sizeof text];
    thr_thread *thread = NULL;
    set(&refuse_memory, 1);
    support_errno_set();
    CHECK_RESULT(thr_spawn(&thread, return_arg, NULL, .name = text), THR_NO_MEMORY);
    CHECK(thread == NULL);
    CHECK_OK(thr_thread_new(&thread, return_arg, NULL, .name = "short"));
    CHECK_RESULT(thr_thread_set_name(thread, text), THR_NO_MEMORY);
    CHECK_ERRNO();
    CHECK_EQUAL(thr_thread_name(thread, name, sizeof name), 5);
    set(&refuse_memory, 0);
    CHECK_OK(thr_thread_set_name(thread, text));
    CHECK_EQUAL(thr_thread_name(thread, name, sizeof name), sizeof text - 1);
    thr_thread_unref(thread);
}

/* The first threads need no memory; then a chunk of places has to be had. */
static void *ask(void *arg)
{
    CHECK(thr_current_thread() == NULL);
    CHECK_EQUAL(thr_active_count(), 1);
    set(&refuse_memory, 0);
    CHECK(thr_current_thread() != NULL); /* it may be asked again */
    CHECK_EQUAL(thr_active_count(), 2);
    return arg;
}

static void test_no_memory_for_places(void **state)
{
    (void)state;
    enum { MOST = 1000 };
    static thr_thread *threads[MOST];
    pthread_t foreign;
    int n = 0;
    thr_result result = THR_OK;
    set(&refuse_memory, 1);
    support_errno_set();
    while (n < MOST && (result = thr_thread_new(&threads[n], return_arg, NULL)) == THR_OK)
        n++;
    CHECK_ERRNO();
    CHECK(n >= 50);
    CHECK_RESULT(result, THR_NO_MEMORY);
    /* All places are taken: a foreign thread gets none. */
    CHECK_EQUAL(pthread_create(&foreign, NULL, ask, NULL), 0);
    CHECK_EQUAL(pthread_join(foreign, NULL), 0);
    CHECK_EQUAL(refuse_memory, 0);
    for (int i = 0; i < n; i++)
        thr_thread_unref(threads[i]);
    CHECK_EQUAL(thr_active_count(), 1);
}

struct asked {
    thr_thread *thread;
    struct support_count calls;
    uint32_t stop;
};

static void ask_for_number(void *arg)
{
    struct asked *asked = arg;
    while (!__atomic_load_n(&asked->stop, __ATOMIC_RELAXED)) {
        (void)thr_thread_native_id(asked->thread);
        support_count_add(&asked->calls);
    }
}

/* Who asks for the system's number of a thread waits while it is being started, and not when that has failed. */
static void test_asked_while_it_is_refused(void **state)
{
    (void)state;
    struct asked asked = {0};
    CHECK_OK(thr_thread_new(&asked.thread, return_arg, NULL));
    struct support_thread *thread = support_thread_start(ask_for_number, &asked);
    set(&refuse_threads, 1);
    for (int i = 0; i < 20000; i++) {
        for (int j = 0; j < 20; j++)
            CHECK_RESULT(thr_thread_start(asked.thread), THR_NO_THREAD);
        support_count_wait(&asked.calls, support_count_get(&asked.calls) + 2);
    }
    set(&refuse_threads, 0);
    set(&asked.stop, 1);
    support_thread_join(thread);
    thr_thread_unref(asked.thread);
}

SUPPORT_MAIN(cmocka_unit_test(test_no_handler), cmocka_unit_test(test_no_thread),
             cmocka_unit_test(test_no_memory_for_names), cmocka_unit_test(test_no_memory_for_places),
             cmocka_unit_test(test_asked_while_it_is_refused))
