/* support.c - running, checks, seeds. */

#include "support.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

enum { TESTS_MAX = 256, LIMIT_SECONDS = 30, EXIT_LIMIT = 124, OUR_ERRNO = 4242 };

static const char *program = "test";
static const char *test_name = "(no test)";
static const char *test_case = "";
static unsigned limit_seconds = LIMIT_SECONDS;
static uint64_t seed = 1;

/* -- Failing ------------------------------------------------------------------------------------------------------ */

static void say(const char *text)
{
    os_write(STDERR_FILENO, text, strlen(text));
}

static void too_long(int signal)
{
    (void)signal;
    say("\n");
    say(program);
    say(": ");
    say(test_name);
    say(" ");
    say(test_case);
    say(": takes longer than THR_TEST_LIMIT allows\n");
    support_blocked_print();
    _exit(EXIT_LIMIT);
}

void support_fail(const char *file, int line, const char *format, ...)
{
    static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
    (void)pthread_mutex_lock(&one); /* never unlocked: the first failure ends the program */
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    char text[1024];
    (void)snprintf(text, sizeof text, "\n%s:%d: %s %s: failed: %s\n", file, line, test_name, test_case, message);
    say(text);
    support_blocked_print();
    _exit(EXIT_FAILURE);
}

void support_check_equal(const char *file, int line, const char *text, long long actual, long long expected)
{
    if (actual != expected)
        support_fail(file, line, "%s is %lld, not %lld", text, actual, expected);
}

void support_check_result(const char *file, int line, const char *text, thr_result actual, thr_result expected)
{
    if (actual != expected)
        support_fail(file, line, "%s is %d (%s), not %d (%s)", text, actual, thr_strerror(actual), expected,
                     thr_strerror(expected));
}

void support_case(const char *name)
{
    test_case = name ? name : "";
}

void support_way(const char *name, bool steered)
{
    static char text[128];
    if (name)
        (void)snprintf(text, sizeof text, "(%s%s)", name, steered ? ", steered" : "");
    else
        (void)snprintf(text, sizeof text, "%s", steered ? "(steered)" : "");
    support_case(text);
    thr__hooked = steered;
}

void support_both_ways(void (*body)(void))
{
    for (int steered = 0; steered < 2; steered++) {
        support_way(NULL, steered);
        body();
    }
    support_way(NULL, false);
}

void support_errno_set(void)
{
    errno = OUR_ERRNO;
}

void support_errno_check(const char *file, int line)
{
    if (errno != OUR_ERRNO)
        support_fail(file, line, "errno was changed to %d", errno);
}

thr_time support_limit(void)
{
    return thr_after(limit_seconds * 2.0 / 3.0);
}

thr_time internal_limit(void)
{
    return os_now() + (thr_time)limit_seconds * 2000000000 / 3;
}

/* -- Random numbers ----------------------------------------------------------------------------------------------- */

static void set_seed(const char *wanted)
{
    seed = wanted ? strtoull(wanted, NULL, 0) : (uint64_t)os_now();
}

uint64_t support_seed(void)
{
    static uint32_t printed;
    if (__atomic_exchange_n(&printed, 1, __ATOMIC_RELAXED) == 0)
        (void)printf("seed %llu\n", (unsigned long long)seed);
    return seed;
}

uint64_t support_random(uint64_t *random)
{
    /* splitmix64 */
    uint64_t x = *random += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

uint32_t support_random_below(uint64_t *random, uint32_t limit)
{
    return (uint32_t)(((support_random(random) >> 32) * limit) >> 32);
}

/* -- Running ------------------------------------------------------------------------------------------------------ */

static int before_test(void **state)
{
    test_name = *state;
    test_case = "";
    *state = NULL;
    (void)alarm(limit_seconds);
    return 0;
}

static int after_test(void **state)
{
    (void)state;
    (void)alarm(0);
    support_clock_go();
    return 0;
}

static void options(int argc, char **argv)
{
    const char *wanted = getenv("THR_SEED");
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] >= '0' && argv[i][0] <= '9')
            wanted = argv[i];
        else
            cmocka_set_test_filter(argv[i]);
    }
    set_seed(wanted);
    const char *limit = getenv("THR_TEST_LIMIT");
    if (limit && atoi(limit) > 0)
        limit_seconds = (unsigned)atoi(limit);
}

int support_main(int argc, char **argv, const char *file, const struct CMUnitTest *tests, size_t n)
{
    static struct CMUnitTest ours[TESTS_MAX];
    const char *slash = strrchr(file, '/');
    program = slash ? slash + 1 : file;
    if (n > TESTS_MAX)
        support_fail(file, 0, "more than %d tests", TESTS_MAX);
    for (size_t i = 0; i < n; i++) {
        if (tests[i].setup_func || tests[i].teardown_func || tests[i].initial_state)
            support_fail(file, 0, "%s: a test of support_main has no setup of its own", tests[i].name);
        ours[i] = tests[i];
        ours[i].setup_func = before_test;
        ours[i].teardown_func = after_test;
        ours[i].initial_state = (void *)(uintptr_t)tests[i].name;
    }
    (void)setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    options(argc, argv);
    struct sigaction action = {.sa_handler = too_long};
    (void)sigaction(SIGALRM, &action, NULL);
    support_start();
    return _cmocka_run_group_tests(program, ours, n, NULL, NULL);
}
