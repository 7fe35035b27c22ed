/* test_failure.c - threads that fail. */

#include "support/support.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "threading.h"

enum { MESSAGE = 512, LEAST_KEPT = 255 };

/* -- What the hook is told -------------------------------------------------------------------------------------------- */

struct told {
    uint32_t times;
    thr_thread *thread;
    thr_thread *on;
    int code;
    char message[MESSAGE];
    uint32_t turn;
    uint32_t cleaned;
};

static struct told told;

static void tell(thr_thread *thread, int code, const char *message)
{
    told.times++;
    told.turn++;
    CHECK_EQUAL(told.cleaned, 0); /* before the stack is unwound */
    told.thread = thread;
    told.on = thr_current_thread();
    told.code = code;
    (void)snprintf(told.message, sizeof told.message, "%s", message);
}

static void clean(int *turn)
{
    told.cleaned = ++told.turn;
    *turn = (int)told.cleaned;
}

static void deeper(int depth)
{
    int cleanup __attribute__((cleanup(clean))) = depth;
    thr_fail(depth, "why %s %d", "not", cleanup);
}

static void *fail_deep(void *arg)
{
    deeper(*(int *)arg);
    support_fail(__FILE__, __LINE__, "thr_fail has returned");
}

static void check_failure(const thr_thread *thread, int code, const char *expected)
{
    char message[MESSAGE];
    CHECK_EQUAL(thr_thread_failure(thread, message, sizeof message), code);
    if (strcmp(message, expected) != 0)
        support_fail(__FILE__, __LINE__, "the message is %s, not %s", message, expected);
    CHECK_EQUAL(thr_thread_failure(thread, NULL, 0), code);
    char cut[4] = "###";
    CHECK_EQUAL(thr_thread_failure(thread, cut, 3), code);
    CHECK_EQUAL(strlen(cut), strlen(expected) < 2 ? strlen(expected) : 2);
}

static thr_thread *run(thr_target *target, void *arg, thr_result expected)
{
    thr_thread *thread;
    void *result = &thread;
    CHECK_OK(thr_spawn(&thread, target, arg, .name = "worker"));
    CHECK_RESULT(thr_thread_join(thread, &result), expected);
    CHECK(result == NULL);
    CHECK_RESULT(thr_thread_join_until(thread, 0, NULL), expected);
    CHECK(!thr_thread_is_alive(thread));
    return thread;
}

static void test_fails(void **state)
{
    (void)state;
    int code = 42;
    memset(&told, 0, sizeof told);
    thr_set_excepthook(tell);
    thr_thread *thread = run(fail_deep, &code, THR_FAILED);
    CHECK_EQUAL(told.times, 1);
    CHECK(told.thread == thread && told.on == thread);
    CHECK_EQUAL(told.code, code);
    CHECK_EQUAL(strcmp(told.message, "why not 42"), 0);
    check_failure(thread, code, "why not 42");
    CHECK_EQUAL(told.cleaned, 2);
    thr_thread_unref(thread);
    thr_set_excepthook(NULL);
}

static void *fail_with_nothing(void *arg)
{
    (void)arg;
    thr_fail(0, "%s", "");
}

static void *succeed(void *arg)
{
    (void)arg;
    return NULL;
}

static void test_code_zero(void **state)
{
    (void)state;
    thr_set_excepthook(tell);
    memset(&told, 0, sizeof told);
    thr_thread *thread = run(fail_with_nothing, NULL, THR_FAILED);
    check_failure(thread, 0, "");
    CHECK_EQUAL(told.times, 1);
    thr_thread_unref(thread);
    thread = run(succeed, NULL, THR_OK);
    check_failure(thread, 0, "");
    CHECK_EQUAL(told.times, 1);
    thr_thread_unref(thread);
    thr_set_excepthook(NULL);
}

static void *fail_at_length(void *arg)
{
    thr_fail(-1, "%s", (const char *)arg);
}

static void test_long_messages(void **state)
{
    (void)state;
    char text[MESSAGE];
    char message[MESSAGE];
    memset(text, 'm', sizeof text);
    text[sizeof text - 1] = '\0';
    thr_set_excepthook(tell);
    memset(&told, 0, sizeof told);
    thr_thread *thread = run(fail_at_length, text, THR_FAILED);
    CHECK_EQUAL(thr_thread_failure(thread, message, sizeof message), -1);
    CHECK(strlen(message) >= LEAST_KEPT);
    CHECK_EQUAL(strncmp(message, text, strlen(message)), 0);
    thr_thread_unref(thread);
    thr_set_excepthook(NULL);
}

/* -- Standard error ----------------------------------------------------------------------------------------------------- */

struct capture {
    int saved;
    int ends[2];
};

static void capture_begin(struct capture *capture)
{
    (void)fflush(stderr);
    capture->saved = dup(STDERR_FILENO);
    CHECK_EQUAL(pipe(capture->ends), 0);
    CHECK(dup2(capture->ends[1], STDERR_FILENO) == STDERR_FILENO);
}

static void capture_end(struct capture *capture, char *text, size_t size)
{
    CHECK(dup2(capture->saved, STDERR_FILENO) == STDERR_FILENO);
    (void)close(capture->saved);
    (void)close(capture->ends[1]);
    size_t length = 0;
    ssize_t n;
    while ((n = read(capture->ends[0], text + length, size - 1 - length)) > 0)
        length += (size_t)n;
    text[length] = '\0';
    (void)close(capture->ends[0]);
}

static void check_printed(thr_target *target, void *arg, const char *expected)
{
    char text[4 * MESSAGE];
    struct capture capture;
    capture_begin(&capture);
    thr_thread_unref(run(target, arg, THR_FAILED));
    capture_end(&capture, text, sizeof text);
    if (strcmp(text, expected) != 0)
        support_fail(__FILE__, __LINE__, "printed was: %s, not: %s", text, expected);
}

static void test_default_hook(void **state)
{
    (void)state;
    int code = 7;
    told.cleaned = 0;
    check_printed(fail_deep, &code, "Failure in thread worker: why not 7 (code 7)\n");
    thr_set_excepthook(tell);
    thr_set_excepthook(NULL);
    check_printed(fail_with_nothing, NULL, "Failure in thread worker:  (code 0)\n");
}

/* -- Failing again -------------------------------------------------------------------------------------------------------- */

static void fail_again(thr_thread *thread, int code, const char *message)
{
    (void)thread;
    (void)message;
    thr_fail(code + 1, "the hook too");
}

static void test_hook_that_fails(void **state)
{
    (void)state;
    int code = 7;
    told.cleaned = 0;
    thr_set_excepthook(fail_again);
    check_printed(fail_deep, &code, "Failure in the end of thread worker: the hook too (code 8)\n");
    CHECK(told.cleaned != 0); /* unwound all the same */
    thr_thread *thread = NULL;
    struct capture capture;
    char text[MESSAGE];
    capture_begin(&capture);
    thread = run(fail_deep, &code, THR_FAILED);
    capture_end(&capture, text, sizeof text);
    check_failure(thread, 7, "why not 7"); /* the first one counts */
    thr_thread_unref(thread);
    thr_set_excepthook(NULL);
}

static pthread_key_t key;

static void fail_in_destructor(void *value)
{
    thr_fail(*(int *)value, "in a destructor");
}

static void *set_failing(void *arg)
{
    CHECK_EQUAL(pthread_setspecific(key, arg), 0);
    return arg;
}

static void test_destructor_that_fails(void **state)
{
    (void)state;
    int code = 5;
    thr_set_excepthook(tell);
    memset(&told, 0, sizeof told);
    CHECK_EQUAL(pthread_key_create(&key, fail_in_destructor), 0);
    thr_thread *thread = run(set_failing, &code, THR_FAILED); /* its result is gone */
    check_failure(thread, 5, "in a destructor");
    CHECK_EQUAL(told.times, 1);
    thr_thread_unref(thread);
    CHECK_EQUAL(pthread_key_delete(key), 0);
    thr_set_excepthook(NULL);
}

/* -- Foreign threads ------------------------------------------------------------------------------------------------------ */

static void fail_here(void *arg)
{
    *(thr_thread **)arg = thr_thread_ref(thr_current_thread());
    thr_fail(9, "a guest");
}

static void test_foreign(void **state)
{
    (void)state;
    thr_thread *thread = NULL;
    thr_set_excepthook(tell);
    memset(&told, 0, sizeof told);
    support_thread_join(support_thread_start(fail_here, &thread));
    CHECK_EQUAL(told.times, 1);
    CHECK_EQUAL(told.code, 9);
    CHECK_RESULT(thr_thread_join(thread, NULL), THR_FAILED);
    check_failure(thread, 9, "a guest");
    thr_thread_unref(thread);
    thr_set_excepthook(NULL);
}

/* -- Many at a time ------------------------------------------------------------------------------------------------------- */

static void *fail_with_index(void *arg)
{
    thr_fail((int)(intptr_t)arg, "number %d", (int)(intptr_t)arg);
}

static void count_only(thr_thread *thread, int code, const char *message)
{
    char expected[MESSAGE];
    (void)thread;
    (void)snprintf(expected, sizeof expected, "number %d", code);
    CHECK_EQUAL(strcmp(message, expected), 0);
    __atomic_fetch_add(&told.times, 1, __ATOMIC_RELAXED);
}

static void test_many(void **state)
{
    (void)state;
    enum { N = 100 };
    thr_thread *threads[N];
    memset(&told, 0, sizeof told);
    thr_set_excepthook(count_only);
    for (int i = 0; i < N; i++)
        CHECK_OK(thr_spawn(&threads[i], fail_with_index, (void *)(intptr_t)i));
    for (int i = 0; i < N; i++) {
        char expected[MESSAGE];
        CHECK_RESULT(thr_thread_join(threads[i], NULL), THR_FAILED);
        (void)snprintf(expected, sizeof expected, "number %d", i);
        check_failure(threads[i], i, expected);
        thr_thread_unref(threads[i]);
    }
    CHECK_EQUAL(told.times, N);
    thr_set_excepthook(NULL);
}

SUPPORT_MAIN(cmocka_unit_test(test_fails), cmocka_unit_test(test_code_zero), cmocka_unit_test(test_long_messages),
             cmocka_unit_test(test_default_hook), cmocka_unit_test(test_hook_that_fails),
             cmocka_unit_test(test_destructor_that_fails), cmocka_unit_test(test_foreign), cmocka_unit_test(test_many))
