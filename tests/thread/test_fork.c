/* test_fork.c - the child of a fork: who is there, and that nothing hangs, whatever the other threads were doing.
 *
 * ctest: timeout=120 */

#include "support/support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "threading.h"

/* ThreadSanitizer does not allow threads in the child of a process that had several; AddressSanitizer's allocator may be
 * locked there for ever. */
enum { CHILD_SECONDS = 10, THREADS_IN_CHILD = !SUPPORT_SANITIZED };

/* ThreadSanitizer also takes threads for leaked that have ended in the parent, in a child that cannot join them. */
const char *__tsan_default_options(void); /* NOLINT(bugprone-reserved-identifier) */
const char *__tsan_default_options(void)  /* NOLINT(bugprone-reserved-identifier) */
{
    return "report_thread_leaks=0";
}

/* Forks; in the child runs `body`, and ends it with 0. Checks that the child ends so, in time. */
static void in_child(void (*body)(void *), void *arg, int expected)
{
    (void)fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        (void)alarm(CHILD_SECONDS); /* then the default: a child that hangs is killed */
        (void)signal(SIGALRM, SIG_DFL);
        body(arg);
        _exit(0);
    }
    int status;
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK(!WIFSIGNALED(status));
    CHECK_EQUAL(WEXITSTATUS(status), expected);
}

static void *nothing(void *arg)
{
    return arg;
}

static void *wait_for_event(void *arg)
{
    (void)thr_event_wait(arg);
    return arg;
}

static void spawn_and_join(void)
{
    thr_thread *thread;
    void *result;
    if (!THREADS_IN_CHILD)
        return;
    CHECK_OK(thr_spawn(&thread, nothing, &thread));
    CHECK_OK(thr_thread_join(thread, &result));
    CHECK(result == &thread);
    thr_thread_unref(thread);
    CHECK_EQUAL(thr_active_count(), 1);
}

/* -- Who is there ------------------------------------------------------------------------------------------------------ */

static void check_alone(const char *expected_name)
{
    thr_thread *all[2];
    char name[64];
    thr_thread *self = thr_current_thread();
    CHECK(self != NULL && self == thr_main_thread());
    CHECK_EQUAL(thr_active_count(), 1);
    CHECK_EQUAL(thr_enumerate(all, 2), 1);
    CHECK(all[0] == self);
    thr_thread_unref(all[0]);
    CHECK(thr_thread_is_alive(self));
    CHECK(!thr_thread_daemon(self));
    CHECK_EQUAL(thr_thread_ident(self), thr_get_ident());
    CHECK_EQUAL(thr_thread_native_id(self), getpid());
    CHECK_EQUAL(thr_get_native_id(), getpid());
    CHECK_RESULT(thr_thread_join(self, NULL), THR_DEADLOCK);
    (void)thr_thread_name(self, name, sizeof name);
    if (strcmp(name, expected_name) != 0)
        support_fail(__FILE__, __LINE__, "the name is %s, not %s", name, expected_name);
    spawn_and_join();
}

static void main_is_main(void *arg)
{
    CHECK(thr_current_thread() == arg);
    check_alone("MainThread");
}

static void test_from_main(void **state)
{
    (void)state;
    thr_event go = THR_EVENT_INIT;
    thr_thread *others[3];
    for (int i = 0; i < 3; i++)
        CHECK_OK(thr_spawn(&others[i], wait_for_event, &go));
    in_child(main_is_main, thr_main_thread(), 0);
    CHECK_EQUAL(thr_active_count(), 4);
    thr_event_set(&go);
    for (int i = 0; i < 3; i++) {
        CHECK_OK(thr_thread_join(others[i], NULL));
        thr_thread_unref(others[i]);
    }
}

static thr_thread *parents_main;

static void worker_is_main(void *arg)
{
    void *result = &result;
    CHECK(thr_current_thread() == arg);
    CHECK(!thr_thread_is_alive(parents_main));
    CHECK_OK(thr_thread_join(parents_main, &result)); /* as Python: it is marked as stopped */
    CHECK(result == NULL);
    check_alone("forking worker");
}

static void *fork_in_worker(void *arg)
{
    in_child(worker_is_main, thr_current_thread(), 0);
    return arg;
}

static void test_from_a_worker(void **state)
{
    (void)state;
    parents_main = thr_main_thread();
    thr_thread *thread;
    CHECK_OK(thr_spawn(&thread, fork_in_worker, NULL, .name = "forking worker", .daemon = THR_DAEMON_YES));
    CHECK_OK(thr_thread_join(thread, NULL));
    thr_thread_unref(thread);
    CHECK(thr_main_thread() == parents_main);
}

static void foreign_is_main(void *arg)
{
    if (*(bool *)arg)
        CHECK(thr_current_thread() != NULL);
    check_alone("MainThread");
    CHECK(!thr_thread_is_alive(parents_main));
}

static void fork_in_foreign(void *arg)
{
    if (*(bool *)arg)
        CHECK(thr_current_thread() != NULL);
    in_child(foreign_is_main, arg, 0);
}

static void test_from_a_foreign_thread(void **state)
{
    (void)state;
    parents_main = thr_main_thread();
    for (int asks = 0; asks < 2; asks++) {
        bool first = asks != 0;
        support_thread_join(support_thread_start(fork_in_foreign, &first));
    }
}

/* CPython's issue 14308. */
static void ask_and_wait(void *arg)
{
    CHECK(thr_current_thread() != NULL);
    (void)thr_event_wait(arg);
}

static void test_beside_a_foreign_thread(void **state)
{
    (void)state;
    thr_event go = THR_EVENT_INIT;
    struct support_thread *thread = support_thread_start(ask_and_wait, &go);
    support_wait_blocked(&go, 1);
    CHECK_EQUAL(thr_active_count(), 2);
    in_child(main_is_main, thr_main_thread(), 0);
    thr_event_set(&go);
    support_thread_join(thread);
}

/* A condition of the child's still has a waiter that is gone. A notify drops it, and does not count it: a new thread in the
 * place of the old one is not disturbed in a wait of its own. */
struct gone {
    thr_lock lock;
    thr_condition old;
    thr_condition new;
    thr_thread *thread;
    thr_thread *ready; /* who has been notified of the new one */
};

static void *wait_for_old(void *arg)
{
    struct gone *gone = arg;
    (void)thr_lock_acquire(&gone->lock);
    (void)thr_condition_wait(&gone->old, &gone->lock);
    (void)thr_lock_release(&gone->lock);
    return NULL;
}

static void *wait_for_new(void *arg)
{
    struct gone *gone = arg;
    (void)thr_lock_acquire(&gone->lock);
    (void)thr_condition_wait(&gone->new, &gone->lock);
    thr_thread *ready = gone->ready;
    (void)thr_lock_release(&gone->lock);
    return ready;
}

static void notify_gone(void *arg)
{
    enum { PLACES = 1000, TURNS = 10000 };
    struct gone *gone = arg;
    thr_thread *next = NULL;
    void *result = NULL;
    if (!THREADS_IN_CHILD)
        return;
    thr_thread_unref(gone->thread);
    for (int i = 0; i < PLACES && next != gone->thread; i++) {
        CHECK_OK(thr_spawn(&next, wait_for_new, gone));
        support_wait_blocked(&gone->new, 1);
        if (next == gone->thread) {
            CHECK_EQUAL(thr_condition_notify(&gone->old, 1), 0);
            for (int turns = 0; turns < TURNS; turns++)
                thr_sleep(0); /* if it is disturbed, it has time to say so */
        }
        (void)thr_lock_acquire(&gone->lock);
        gone->ready = next;
        CHECK_EQUAL(thr_condition_notify(&gone->new, 1), 1);
        CHECK_OK(thr_lock_release(&gone->lock));
        CHECK_OK(thr_thread_join(next, &result));
        CHECK(result == next);
        thr_thread_unref(next);
    }
    CHECK(next == gone->thread); /* its place has come round */
    CHECK_EQUAL(thr_condition_notify(&gone->old, 1), 0);
}

static void test_waiter_is_gone(void **state)
{
    (void)state;
    struct gone gone = {.lock = THR_LOCK_INIT};
    CHECK_OK(thr_spawn(&gone.thread, wait_for_old, &gone));
    support_wait_blocked(&gone.old, 1);
    in_child(notify_gone, &gone, 0);
    CHECK_EQUAL(thr_condition_notify(&gone.old, 1), 1);
    CHECK_OK(thr_thread_join(gone.thread, NULL));
    thr_thread_unref(gone.thread);
}

/* Who forks holds a lock, and has notified somebody who waits for it. In the child its release lets nobody go, and not whom
 * the same thread has notified of something else since. */
static void release_both(void *arg)
{
    enum { TURNS = 10000 };
    struct gone *gone = arg;
    struct gone live = {.lock = THR_LOCK_INIT};
    if (!THREADS_IN_CHILD) {
        CHECK_OK(thr_lock_release(&gone->lock));
        return;
    }
    CHECK_OK(thr_spawn(&live.thread, wait_for_new, &live));
    support_wait_blocked(&live.new, 1);
    CHECK_OK(thr_lock_acquire(&live.lock));
    CHECK_EQUAL(thr_condition_notify(&live.new, 1), 1);
    CHECK_OK(thr_lock_release(&gone->lock));
    for (int turns = 0; turns < TURNS; turns++)
        thr_sleep(0);
    CHECK_EQUAL(support_blocked(&live.new), 1);
    CHECK_OK(thr_lock_release(&live.lock));
    CHECK_OK(thr_thread_join(live.thread, NULL));
    thr_thread_unref(live.thread);
}

static void test_notified_is_gone(void **state)
{
    (void)state;
    struct gone gone = {.lock = THR_LOCK_INIT};
    CHECK_OK(thr_spawn(&gone.thread, wait_for_old, &gone));
    support_wait_blocked(&gone.old, 1);
    CHECK_OK(thr_lock_acquire(&gone.lock));
    CHECK_EQUAL(thr_condition_notify(&gone.old, 1), 1);
    in_child(release_both, &gone, 0);
    CHECK_EQUAL(support_blocked(&gone.old), 1);
    CHECK_OK(thr_lock_release(&gone.lock));
    CHECK_OK(thr_thread_join(gone.thread, NULL));
    thr_thread_unref(gone.thread);
}

/* Those that are gone have come before those that live: these are notified all the same. */
enum { GONE = 20, LIVE = 12 };

struct crowd {
    thr_lock lock;
    thr_condition condition;
    struct support_count waiting; /* under the lock, all but for the last step */
};

static void wait_in_crowd(void *arg)
{
    struct crowd *crowd = arg;
    CHECK_OK(thr_lock_acquire(&crowd->lock));
    support_count_add(&crowd->waiting);
    CHECK_OK(thr_condition_wait(&crowd->condition, &crowd->lock));
    CHECK_OK(thr_lock_release(&crowd->lock));
}

static void notify_crowd(void *arg)
{
    struct crowd *crowd = arg;
    if (!THREADS_IN_CHILD)
        return;
    for (int with_lock = 0; with_lock < 2; with_lock++) {
        struct support_bunch live;
        uint32_t before = support_count_get(&crowd->waiting);
        support_bunch_start(&live, LIVE, wait_in_crowd, crowd);
        support_count_wait(&crowd->waiting, before + LIVE);
        CHECK_OK(thr_lock_acquire(&crowd->lock));
        if (!with_lock)
            CHECK_OK(thr_lock_release(&crowd->lock));
        CHECK_EQUAL(thr_condition_notify(&crowd->condition, 1), 1);
        CHECK_EQUAL(thr_condition_notify_all(&crowd->condition), LIVE - 1);
        if (with_lock)
            CHECK_OK(thr_lock_release(&crowd->lock));
        support_bunch_join(&live);
    }
}

static void test_gone_came_first(void **state)
{
    (void)state;
    struct crowd crowd = {.lock = THR_LOCK_INIT};
    struct support_bunch bunch;
    support_bunch_start(&bunch, GONE, wait_in_crowd, &crowd);
    support_wait_blocked(&crowd.condition, GONE);
    in_child(notify_crowd, &crowd, 0);
    CHECK_EQUAL(thr_condition_notify_all(&crowd.condition), GONE);
    support_bunch_join(&bunch);
}

/* -- Handles ------------------------------------------------------------------------------------------------------------- */

struct handles {
    thr_thread *running;
    thr_thread *ended;
    thr_thread *joined;
    thr_thread *made;
};

static void use_handles(void *arg)
{
    struct handles *handles = arg;
    void *result = &result;
    CHECK(!thr_thread_is_alive(handles->running));
    CHECK_OK(thr_thread_join(handles->running, &result));
    CHECK(result == NULL);
    CHECK_OK(thr_thread_join_until(handles->ended, 0, &result));
    CHECK_OK(thr_thread_join(handles->joined, &result));
    CHECK(result == handles);
    CHECK_RESULT(thr_thread_start(handles->running), THR_STARTED);
    CHECK_RESULT(thr_thread_join(handles->made, NULL), THR_NOT_STARTED);
    if (THREADS_IN_CHILD) {
        CHECK_OK(thr_thread_start(handles->made));
        CHECK_OK(thr_thread_join(handles->made, &result));
        CHECK(result == handles);
    }
    CHECK_OK(thr_thread_set_name(handles->running, "gone"));
    thr_thread_unref(handles->running);
    thr_thread_unref(handles->ended);
    thr_thread_unref(handles->joined);
    thr_thread_unref(handles->made);
    spawn_and_join();
}

static void test_handles(void **state)
{
    (void)state;
    thr_event go = THR_EVENT_INIT;
    struct handles handles;
    CHECK_OK(thr_spawn(&handles.running, wait_for_event, &go));
    CHECK_OK(thr_spawn(&handles.ended, nothing, &handles));
    CHECK_OK(thr_spawn(&handles.joined, nothing, &handles));
    CHECK_OK(thr_thread_new(&handles.made, nothing, &handles));
    CHECK_OK(thr_thread_join(handles.joined, NULL));
    in_child(use_handles, &handles, 0);
    thr_event_set(&go);
    CHECK_OK(thr_thread_join(handles.running, NULL));
    CHECK_OK(thr_thread_join(handles.ended, NULL));
    thr_thread_unref(handles.running);
    thr_thread_unref(handles.ended);
    thr_thread_unref(handles.joined);
    thr_thread_unref(handles.made);
}

/* CPython's issue 18418: is_alive could be true of threads that vanished. */
static void not_alive(void *arg)
{
    CHECK(!thr_thread_is_alive(arg));
    CHECK_OK(thr_thread_join(arg, NULL));
}

static void test_not_alive(void **state)
{
    (void)state;
    for (int i = 0; i < 30; i++) {
        thr_thread *thread;
        CHECK_OK(thr_spawn(&thread, nothing, NULL));
        in_child(not_alive, thread, 0);
        CHECK_OK(thr_thread_join(thread, NULL));
        thr_thread_unref(thread);
    }
}

/* -- Under load ------------------------------------------------------------------------------------------------------------ */

static uint32_t stop;

static bool stopped(void)
{
    return __atomic_load_n(&stop, __ATOMIC_RELAXED) != 0;
}

/* The registry's lock is taken all the time, in all ways. */
static void *churn(void *arg)
{
    while (!stopped()) {
        thr_thread *all[16];
        thr_thread *thread;
        CHECK_OK(thr_spawn(&thread, nothing, arg));
        CHECK_OK(thr_thread_set_name(thread, "a name that is so long that it has to be allocated somewhere else"));
        size_t n = thr_enumerate(all, 16);
        for (size_t i = 0; i < n && i < 16; i++)
            thr_thread_unref(all[i]);
        if ((uintptr_t)thread % 128 != 0)
            CHECK_OK(thr_thread_join(thread, NULL));
        thr_thread_unref(thread);
    }
    return NULL;
}

static void foreign_churn(void *arg)
{
    (void)arg;
    CHECK(thr_current_thread() != NULL);
}

static void *churn_foreign(void *arg)
{
    while (!stopped())
        support_thread_join(support_thread_start(foreign_churn, arg));
    return NULL;
}

static void use_everything(void *arg)
{
    thr_lock lock = THR_LOCK_INIT;
    thr_event event = THR_EVENT_INIT;
    (void)arg;
    CHECK_EQUAL(thr_active_count(), 1);
    CHECK(thr_current_thread() == thr_main_thread());
    CHECK_OK(thr_lock_acquire(&lock));
    CHECK_RESULT(thr_lock_acquire_until(&lock, thr_after(0.0001)), THR_TIMEOUT);
    CHECK_RESULT(thr_event_wait_until(&event, thr_after(0.0001)), THR_TIMEOUT);
    for (int i = 0; i < 3; i++)
        spawn_and_join();
    thr_shutdown();
}

static void *fork_often(void *arg)
{
    for (int i = 0; i < 25; i++)
        in_child(use_everything, arg, 0);
    return NULL;
}

static void fork_often_foreign(void *arg)
{
    (void)fork_often(arg);
}

static void test_under_load(void **state)
{
    (void)state;
    enum { CHURNS = 3, FORKERS = 2 };
    thr_thread *churns[CHURNS + 1];
    thr_thread *forkers[FORKERS];
    stop = 0;
    for (int i = 0; i < CHURNS; i++)
        CHECK_OK(thr_spawn(&churns[i], churn, NULL));
    CHECK_OK(thr_spawn(&churns[CHURNS], churn_foreign, NULL));
    for (int i = 0; i < FORKERS; i++)
        CHECK_OK(thr_spawn(&forkers[i], fork_often, NULL));
    support_thread_join(support_thread_start(fork_often_foreign, NULL));
    (void)fork_often(NULL);
    for (int i = 0; i < FORKERS; i++) {
        CHECK_OK(thr_thread_join(forkers[i], NULL));
        thr_thread_unref(forkers[i]);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (int i = 0; i <= CHURNS; i++) {
        CHECK_OK(thr_thread_join(churns[i], NULL));
        thr_thread_unref(churns[i]);
    }
    thr_shutdown();
    CHECK_EQUAL(thr_active_count(), 1);
}

/* Fork handlers of the program may use the library: they run inside ours, or around them. */
static bool handlers_on;

static void handler(void)
{
    if (!handlers_on)
        return;
    thr_thread *thread;
    char name[64];
    CHECK(thr_active_count() >= 1);
    CHECK(thr_thread_name(thr_main_thread(), name, sizeof name) > 0);
    CHECK_OK(thr_thread_new(&thread, nothing, NULL));
    thr_thread_unref(thread);
}

__attribute__((constructor(101))) static void register_handlers(void)
{
    (void)pthread_atfork(handler, handler, handler);
}

static void test_handlers_of_the_program(void **state)
{
    (void)state;
    thr_thread *thread;
    stop = 0;
    handlers_on = true;
    CHECK_EQUAL(pthread_atfork(handler, handler, handler), 0);
    CHECK_OK(thr_spawn(&thread, churn, NULL));
    for (int i = 0; i < 50; i++)
        in_child(use_everything, NULL, 0);
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    CHECK_OK(thr_thread_join(thread, NULL));
    thr_thread_unref(thread);
    handlers_on = false;
}

SUPPORT_MAIN(cmocka_unit_test(test_from_main), cmocka_unit_test(test_from_a_worker),
             cmocka_unit_test(test_from_a_foreign_thread), cmocka_unit_test(test_beside_a_foreign_thread),
             cmocka_unit_test(test_waiter_is_gone), cmocka_unit_test(test_notified_is_gone),
             cmocka_unit_test(test_gone_came_first), cmocka_unit_test(test_handles), cmocka_unit_test(test_not_alive),
             cmocka_unit_test(test_under_load), cmocka_unit_test(test_handlers_of_the_program))
