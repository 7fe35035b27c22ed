/* support.h - what the tests share.
 *
 *     static void test_set_lets_all_go(void **state)
 *     {
 *         (void)state;
 *         thr_event event = THR_EVENT_INIT;
 *         struct support_bunch bunch;
 *         support_bunch_start(&bunch, 3, wait_for_it, &event);
 *         support_wait_blocked(&event, 3);      // all three are registered in the event
 *         thr_event_set(&event);
 *         support_bunch_join(&bunch);
 *     }
 *
 *     SUPPORT_MAIN(cmocka_unit_test(test_set_lets_all_go))
 *
 * The program takes `[SEED] [NAME]`: the seed of its random tests (as does the variable THR_SEED), and the tests whose
 * names match the pattern NAME (* and ? are wild). THR_TEST_LIMIT is how many seconds one test may take (30); one that
 * takes longer ends the program, with the test's name and a list of the blocked threads.
 *
 * Tests do not sleep to be right: they wait for a state. The limits of those waits (two thirds of THR_TEST_LIMIT) are
 * reached by failures only. */

#ifndef SUPPORT_SUPPORT_H
#define SUPPORT_SUPPORT_H

/* What cmocka.h wants before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdbool.h>

#include "threading.h"

/* 1 in a build with ThreadSanitizer or AddressSanitizer, else 0. (gcc says so by macros, clang and newer ones by features.) */
#ifdef __has_feature
#define SUPPORT_HAS_FEATURE(feature) __has_feature(feature)
#else
#define SUPPORT_HAS_FEATURE(feature) 0
#endif
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__) || SUPPORT_HAS_FEATURE(thread_sanitizer) ||          \
    SUPPORT_HAS_FEATURE(address_sanitizer)
#define SUPPORT_SANITIZED 1
#else
#define SUPPORT_SANITIZED 0
#endif

/* -- Running ------------------------------------------------------------------------------------------------------ */

/* The program's main: support_start, then the tests one after the other. */
#define SUPPORT_MAIN(...)                                                                                              \
    int main(int argc, char **argv)                                                                                    \
    {                                                                                                                  \
        const struct CMUnitTest tests[] = {__VA_ARGS__};                                                               \
        return support_main(argc, argv, __FILE__, tests, sizeof tests / sizeof *tests);                                \
    }
int support_main(int argc, char **argv, const char *file, const struct CMUnitTest *tests, size_t n);

/* Puts our wait_system in the place of the system's, so that support_wait_blocked works, before any other thread is
 * started. Everything else stays as it is: the inline paths are taken (thr__hooked stays 0). */
void support_start(void);

/* How long a wait that should not fail may take, as a deadline from now. */
thr_time support_limit(void);

/* The seed of this run: from the command line, from THR_SEED, or from the clock. Printed when first asked for. (In a
 * program without SUPPORT_MAIN it is 1.) */
uint64_t support_seed(void);

/* A random number; `random` starts as any value, best support_seed() + a number of the thread. */
uint64_t support_random(uint64_t *random);

/* A random number below `limit`. */
uint32_t support_random_below(uint64_t *random, uint32_t limit);

/* -- Checks, in any thread ---------------------------------------------------------------------------------------- */

/* A check that fails prints the place, the test and the blocked threads, and ends the program at once: other threads of
 * the test may still use its stack, so that the next test cannot be run. (cmocka's own asserts are for one thread.) */
#define CHECK(condition) ((condition) ? (void)0 : support_fail(__FILE__, __LINE__, "this is false: %s", #condition))
#define CHECK_EQUAL(actual, expected)                                                                                  \
    support_check_equal(__FILE__, __LINE__, #actual, (long long)(actual), (long long)(expected))
#define CHECK_RESULT(call, expected) support_check_result(__FILE__, __LINE__, #call, (call), (expected))
#define CHECK_OK(call) CHECK_RESULT(call, THR_OK)
/* A deadline that must have passed: exact, since the clock that the library waits by is read. */
#define CHECK_PASSED(deadline)                                                                                         \
    (thr_now() >= (deadline) ? (void)0 : support_fail(__FILE__, __LINE__, "too early: %s", #deadline))

_Noreturn void support_fail(const char *file, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));
void support_check_equal(const char *file, int line, const char *text, long long actual, long long expected);
void support_check_result(const char *file, int line, const char *text, thr_result actual, thr_result expected);

/* What a failure message says beside the test's name: for tests that run over a table. NULL: nothing. */
void support_case(const char *name);

/* From now on as under the laboratory (steered: each operation goes out of line, and nobody spins), or with the inline paths,
 * as else; with that as the case, and the name of the row, if it is not NULL. At the end: support_way(NULL, false). */
void support_way(const char *name, bool steered);

/* Runs it both ways. */
void support_both_ways(void (*body)(void));

/* Sets errno to a value of our own, and checks that it still is there. */
void support_errno_set(void);
#define CHECK_ERRNO() support_errno_check(__FILE__, __LINE__)
void support_errno_check(const char *file, int line);

/* -- Threads ------------------------------------------------------------------------------------------------------ */

/* Plain POSIX threads, so that the tests of a lock do not depend on our threads. */
struct support_thread;
struct support_thread *support_thread_start(void (*function)(void *arg), void *arg);
void support_thread_join(struct support_thread *thread);
struct support_thread *support_self(void); /* the caller; NULL for main */

/* A number of threads that run the same function, like the Bunch of CPython's lock tests. */
enum { SUPPORT_BUNCH_MAX = 64 };
struct support_bunch {
    size_t n;
    struct support_thread *threads[SUPPORT_BUNCH_MAX];
};
void support_bunch_start(struct support_bunch *bunch, size_t n, void (*function)(void *arg), void *arg);
void support_bunch_join(struct support_bunch *bunch);

/* The place of the calling thread in its bunch: 0 .. n - 1. */
size_t support_index(void);

/* The same, each thread started only when those before it are blocked on the object: they wait in the order of their
 * numbers. */
void support_bunch_start_in_turn(struct support_bunch *bunch, size_t n, void (*function)(void *arg), void *arg,
                                 const void *object);

/* A number that threads raise, and that others wait for. */
struct support_count {
    uint32_t value;
};
void support_count_add(struct support_count *count);
uint32_t support_count_get(const struct support_count *count);
/* Blocks until the count is n, or more. */
#define support_count_wait(count, n) support_count_wait_at(__FILE__, __LINE__, (count), (n))
void support_count_wait_at(const char *file, int line, struct support_count *count, uint32_t n);

/* A zeroed page of memory of its own, and its end: who touches it afterwards crashes. */
void *support_page_new(void);
void support_page_free(void *page);

/* -- Where a thread runs ------------------------------------------------------------------------------------------ */

/* How many processors this program may use. (All three of these: first called by a thread that is kept on none.) */
unsigned support_processors(void);

/* Keeps the calling thread on one of them (0 .. support_processors() - 1), and gives the system's number of that one. */
int support_stay_on(unsigned which);

/* It may run on all of them again. */
void support_stay_anywhere(void);

/* -- Who is blocked ----------------------------------------------------------------------------------------------- */

/* Blocks until `n` threads, or more, are blocked on the object (a condition's waiters on the condition, also while they
 * queue for its lock). A thread counts from just before its sleep to just after; what registers it in the object is done
 * by then, so that no wake-up after this can miss it. */
#define support_wait_blocked(object, n) support_wait_blocked_at(__FILE__, __LINE__, (object), (n))
void support_wait_blocked_at(const char *file, int line, const void *object, unsigned n);

/* Blocks until this thread is blocked on the object: for where others that are about to leave still count. */
#define support_wait_thread_blocked(thread, object)                                                                    \
    support_wait_thread_blocked_at(__FILE__, __LINE__, (thread), (object))
void support_wait_thread_blocked_at(const char *file, int line, const struct support_thread *thread,
                                    const void *object);

/* How many are blocked on the object at this moment. */
unsigned support_blocked(const void *object);

/* Writes a line to standard error for each blocked thread. Async-signal-safe. */
void support_blocked_print(void);

/* The calling thread's record (src/wait/wait.h), made if there is none: e.g. to make its waits interruptible. */
struct wait_record;
struct wait_record *support_record(void);

/* -- Stopping threads at a place ---------------------------------------------------------------------------------- */

/* Where a thread can be stopped, to make a race happen for certain. */
enum support_place {
    SUPPORT_BEFORE_SLEEP, /* registered (and counted by support_wait_blocked), not yet asleep */
    SUPPORT_AFTER_SLEEP,  /* woken, timed out or interrupted: that is decided, the object does not know yet */
    SUPPORT_AFTER_WAKE,   /* has woken others by the system, and is on its way out */
    SUPPORT_PLACES
};

/* From now on, threads that come to `place` with `object` (NULL: any; after a wake it is the word's address) stop there.
 * `thread` NULL: any, else only this one. One stop a place at a time. */
void support_stop(enum support_place place, const void *object, const struct support_thread *thread);

/* Blocks until n threads are stopped there. */
#define support_wait_stopped(place, n) support_wait_stopped_at(__FILE__, __LINE__, (place), (n))
void support_wait_stopped_at(const char *file, int line, enum support_place place, unsigned n);

/* Lets those that are stopped go on, and stops no more. */
void support_go(enum support_place place);

/* Calls function(arg), and before its n-th instruction between(arg), in a handler of signals: so that a race between two
 * instructions happens for certain. False: it has ended before that; or no instruction can be stopped at, since this is
 * not x86-64, or a sanitizer is there, which makes ten instructions of one. One thread at a time. */
bool support_step(unsigned n, void (*function)(void *arg), void (*between)(void *arg), void *arg);

/* -- Time --------------------------------------------------------------------------------------------------------- */

/* Stops the clock that the library reads (thr_now, thr_after and all deadlines), so that a deadline passes exactly when
 * the test says so. It runs on with support_clock_go, or when the test ends. */
void support_clock_stop(void);
void support_clock_advance(double seconds);
void support_clock_go(void);

/* -- Signals ------------------------------------------------------------------------------------------------------ */

/* Sends signals to the calling thread until support_pester_stop, each as soon as the one before was handled. The first has
 * been handled when this returns. `function` (may be NULL) is called in the handler. No SA_RESTART. Both are called by the
 * pestered thread. */
struct support_pester {
    pthread_t target;
    void (*function)(void *arg);
    void *arg;
    struct support_thread *sender;
    struct support_count handled; /* how many signals; others may wait for it */
    uint32_t pause;               /* nanoseconds between two; may be changed after the start */
    uint32_t ended;
};
void support_pester_start(struct support_pester *pester, void (*function)(void *arg), void *arg);
void support_pester_stop(struct support_pester *pester);

/* Lets waits of the calling thread end as interrupted, once support_interrupt has been called: an interruptible one is asked
 * before it sleeps, too. */
void support_interruptible(void);

/* Sends signals to the thread until *result, THR_INVALID so far, is another. One thread at a time. */
void support_interrupt(const struct support_thread *thread, const thr_result *result);

/* Lets the calling thread stumble until support_stumble_stop: it pauses for some microseconds, every few tens of them, at
 * any instruction. So others come between two steps that are as good as one otherwise. A sleep is interrupted by that: who
 * is to sleep through a wake that was lost must not stumble, or once only. (Where the system cannot send timers to a
 * thread, nothing happens.) */
void support_stumble_start(void);
void support_stumble_stop(void);

/* After the start: from now on only when asked for, once, within so many nanoseconds. */
void support_stumble_once(uint32_t within);

#endif
