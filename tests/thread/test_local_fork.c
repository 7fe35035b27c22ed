/* test_local_fork.c - values of threads at the end of a process, and in the child of a fork.
 *
 * ctest: plain (ThreadSanitizer knows no threads in the child of a fork, and leaks are found in the child that are none) */

#include "support/support.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* -- Processes that say what happens ------------------------------------------------------------------------------ */

static int out;

static void say(const char *letter)
{
    CHECK(write(out, letter, 1) == 1);
}

/* Runs the function in a child; checks what it said until its end, with status 0. */
static void check_child(void (*function)(void), const char *expected)
{
    int ends[2];
    char said[64] = "";
    size_t n = 0;
    CHECK(pipe(ends) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        (void)alarm(20);
        out = ends[1];
        function();
        exit(0);
    }
    CHECK(close(ends[1]) == 0);
    for (ssize_t more; n < sizeof said - 1 && (more = read(ends[0], said + n, sizeof said - 1 - n)) > 0;)
        n += (size_t)more;
    CHECK(close(ends[0]) == 0);
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    if (strcmp(said, expected) != 0)
        support_fail(__FILE__, __LINE__, "the child said \"%s\", not \"%s\"", said, expected);
}

static void say_destroyed(void *value)
{
    say(value);
}

static char letters[] = "abcdefghijklmnopqrstuvwxyz";
static thr_local first = THR_LOCAL_INIT(NULL, say_destroyed);
static thr_local second = THR_LOCAL_INIT(NULL, say_destroyed);

static void set_two(void)
{
    CHECK_OK(thr_local_set(&first, &letters[0]));
    CHECK_OK(thr_local_set(&second, &letters[1]));
}

static void test_main_alone(void **state)
{
    (void)state;
    check_child(set_two, "ba");
}

static thr_event go;

static void *say_late(void *arg)
{
    CHECK_OK(thr_event_wait(&go));
    say(arg);
    return NULL;
}

static void let_go(void)
{
    thr_event_set(&go); /* an exit handler of the program's: before the wait */
}

static void set_then_spawn(void)
{
    set_two();
    CHECK_OK(thr_spawn(NULL, say_late, &letters[19]));
    CHECK(atexit(let_go) == 0);
}

static void spawn_then_set(void)
{
    CHECK_OK(thr_spawn(NULL, say_late, &letters[19]));
    CHECK(atexit(let_go) == 0);
    set_two();
}

/* Main's values are there until the threads have been waited for, whichever came first. */
static void test_after_the_wait(void **state)
{
    (void)state;
    check_child(set_then_spawn, "tba");
    check_child(spawn_then_set, "tba");
}

static void leave_main(void)
{
    spawn_then_set();
    thr_event_set(&go);
    pthread_exit(NULL);
}

static void leave_main_alone(void)
{
    set_two();
    pthread_exit(NULL);
}

static void test_pthread_exit_in_main(void **state)
{
    (void)state;
    check_child(leave_main, "tba");
    check_child(leave_main_alone, "ba");
}

static void set_late(void)
{
    CHECK(thr_local_get(&first) == NULL); /* destroyed already */
    CHECK_OK(thr_local_set(&first, &letters[2]));
    CHECK(thr_local_get(&first) == &letters[2]);
}

/* A handler that comes after: works, but nothing comes after it that would destroy the value. */
static void use_in_handler(void)
{
    CHECK(atexit(set_late) == 0);
    set_two();
}

static void test_use_after_the_end(void **state)
{
    (void)state;
    check_child(use_in_handler, "ba");
}

static void *exit_here(void *arg)
{
    (void)arg;
    CHECK_OK(thr_local_set(&first, &letters[3]));
    exit(0);
}

/* exit() in another thread: main still runs, its values stay; so do those of the thread, which does not end. */
static void exit_elsewhere(void)
{
    set_two();
    CHECK_OK(thr_spawn(NULL, exit_here, NULL));
    (void)thr_event_wait(&go);
}

static void test_exit_in_thread(void **state)
{
    (void)state;
    check_child(exit_elsewhere, "");
}

/* -- Forks -------------------------------------------------------------------------------------------------------- */

static struct support_count ready;

static void hold_value(void *arg)
{
    CHECK_OK(thr_local_set(&first, arg));
    support_count_add(&ready);
    CHECK_OK(thr_event_wait(&go));
    CHECK_OK(thr_local_set(&first, NULL));
}

static void use_in_child(void)
{
    CHECK(thr_local_get(&first) == &letters[6]);
    CHECK_OK(thr_local_set(&second, &letters[7]));
    thr_local_destroy(&first); /* of this thread only: those of the others are gone */
    CHECK(thr_local_get(&first) == NULL);
    CHECK_OK(thr_local_set(&first, &letters[5]));
    static thr_local third = THR_LOCAL_INIT(NULL, say_destroyed);
    CHECK_OK(thr_local_set(&third, &letters[4]));
}

static void fork_now(void *arg)
{
    (void)arg;
    CHECK_OK(thr_local_set(&first, &letters[6]));
    check_child(use_in_child, "gefh");
    CHECK(thr_local_get(&first) == &letters[6]);
    CHECK_OK(thr_local_set(&first, NULL));
}

/* From main, and from a thread, which is main in the child. */
static void test_fork(void **state)
{
    (void)state;
    enum { N = 5 };
    struct support_thread *threads[N];
    go = (thr_event)THR_EVENT_INIT;
    for (size_t i = 0; i < N; i++)
        threads[i] = support_thread_start(hold_value, letters);
    support_count_wait(&ready, N);
    fork_now(NULL);
    support_thread_join(support_thread_start(fork_now, NULL));
    thr_event_set(&go);
    for (size_t i = 0; i < N; i++)
        support_thread_join(threads[i]);
}

struct churn {
    uint32_t stop;
    struct support_count turns;
};

static void nothing(void *value)
{
    (void)value;
}

static void churn(void *arg)
{
    struct churn *load = arg;
    while (!__atomic_load_n(&load->stop, __ATOMIC_ACQUIRE)) {
        thr_local local = THR_LOCAL_INIT(NULL, nothing);
        CHECK_OK(thr_local_set(&local, letters));
        thr_local_destroy(&local);
        support_count_add(&load->turns);
    }
}

static void use_new(void)
{
    thr_local local = THR_LOCAL_INIT(NULL, say_destroyed);
    CHECK_OK(thr_local_set(&local, letters));
    thr_local_destroy(&local);
}

static void test_fork_under_load(void **state)
{
    (void)state;
    enum { THREADS = 3, FORKS = 50 };
    struct churn load = {0};
    struct support_bunch bunch;
    support_bunch_start(&bunch, THREADS, churn, &load);
    for (uint32_t i = 0; i < FORKS; i++) {
        support_count_wait(&load.turns, (i + 1) * 10);
        check_child(use_new, "a");
    }
    __atomic_store_n(&load.stop, 1, __ATOMIC_RELEASE);
    support_bunch_join(&bunch);
}

SUPPORT_MAIN(cmocka_unit_test(test_main_alone), cmocka_unit_test(test_after_the_wait),
             cmocka_unit_test(test_pthread_exit_in_main), cmocka_unit_test(test_use_after_the_end),
             cmocka_unit_test(test_exit_in_thread), cmocka_unit_test(test_fork), cmocka_unit_test(test_fork_under_load))
