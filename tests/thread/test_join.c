/* test_join.c - waiting for the end of threads: all ways in, in all states. */

#include "support/support.h"

#include <pthread.h>

#include "threading.h"
#include "wait/wait.h"

/* A joiner with no deadline waits in the system itself (src/thread/join.c), unless somebody stands in for the system, as
 * the support does. So most tests run twice. */
static const struct wait_system *stand_in;

static void use_system(bool itself)
{
    if (!stand_in)
        stand_in = wait_system;
    wait_system = itself ? &wait_system_os : stand_in;
    support_case(itself ? "natively" : "on the word");
}

#define BOTH_WAYS(name)                                                                                                \
    static void test_##name(void **state)                                                                              \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        for (int itself = 0; itself < 2; itself++) {                                                                   \
            use_system(itself != 0);                                                                                   \
            name();                                                                                                    \
        }                                                                                                              \
        use_system(false);                                                                                             \
    }

static void *wait_for_event(void *arg)
{
    (void)thr_event_wait(arg);
    return arg;
}

static thr_thread *start_waiting(thr_event *go)
{
    thr_thread *thread;
    CHECK_OK(thr_spawn(&thread, wait_for_event, go));
    return thread;
}

/* -- Results -------------------------------------------------------------------------------------------------------- */

static void join_of_oneself(void)
{
    CHECK_RESULT(thr_thread_join(thr_current_thread(), NULL), THR_DEADLOCK);
    CHECK_RESULT(thr_thread_join_until(thr_current_thread(), 0, NULL), THR_DEADLOCK);
}

static void *join_itself(void *arg)
{
    join_of_oneself();
    return arg;
}

static void of_oneself(void)
{
    thr_thread *thread;
    join_of_oneself();
    CHECK_OK(thr_spawn(&thread, join_itself, NULL));
    CHECK_OK(thr_thread_join(thread, NULL));
    thr_thread_unref(thread);
}
BOTH_WAYS(of_oneself)

static void timeout(void)
{
    thr_event go = THR_EVENT_INIT;
    void *result = &go;
    thr_thread *thread = start_waiting(&go);
    CHECK_RESULT(thr_thread_join_until(thread, 0, &result), THR_TIMEOUT);
    CHECK_RESULT(thr_thread_join_until(thread, -5, &result), THR_TIMEOUT);
    thr_time deadline = thr_after(0.02);
    CHECK_RESULT(thr_thread_join_until(thread, deadline, &result), THR_TIMEOUT);
    CHECK_PASSED(deadline);
    CHECK(result == &go);
    CHECK(thr_thread_is_alive(thread));
    thr_event_set(&go);
    CHECK_OK(thr_thread_join_until(thread, support_limit(), &result));
    CHECK(!thr_thread_is_alive(thread));
    thr_thread_unref(thread);
}
BOTH_WAYS(timeout)

static void *leave_by_exit(void *arg)
{
    (void)arg;
    pthread_exit(&stand_in);
}

static void ended_by_pthread_exit(void)
{
    thr_thread *thread;
    void *result = &thread;
    CHECK_OK(thr_spawn(&thread, leave_by_exit, NULL));
    CHECK_OK(thr_thread_join(thread, &result));
    CHECK(result == NULL);
    thr_thread_unref(thread);
}
BOTH_WAYS(ended_by_pthread_exit)

static _Noreturn void *wait_for_cancel(void *arg)
{
    support_count_add(arg);
    for (;;)
        pthread_testcancel();
}

static void ended_by_cancel(void)
{
    struct support_count begun = {0};
    thr_thread *thread;
    void *result = &thread;
    CHECK_OK(thr_spawn(&thread, wait_for_cancel, &begun));
    support_count_wait(&begun, 1);
    CHECK_EQUAL(pthread_cancel((pthread_t)thr_thread_native_handle(thread)), 0);
    CHECK_OK(thr_thread_join(thread, &result));
    CHECK(result == NULL);
    thr_thread_unref(thread);
}
BOTH_WAYS(ended_by_cancel)

/* -- Several joiners ------------------------------------------------------------------------------------------------- */

enum { JOINERS = 12 };

struct crowd {
    thr_thread *thread;
    void *expected;
    thr_time deadline;
    struct support_count joined;
};

static void join_one(void *arg)
{
    struct crowd *crowd = arg;
    void *result = NULL;
    thr_time deadline = support_index() % 3 == 0 ? crowd->deadline : THR_FOREVER;
    CHECK_OK(thr_thread_join_until(crowd->thread, deadline, &result));
    CHECK(result == crowd->expected);
    CHECK(!thr_thread_is_alive(crowd->thread));
    support_count_add(&crowd->joined);
}

static void several(void)
{
    for (int turn = 0; turn < 30; turn++) {
        thr_event go = THR_EVENT_INIT;
        struct crowd crowd = {.thread = start_waiting(&go), .expected = &go, .deadline = support_limit()};
        struct support_bunch bunch;
        support_bunch_start(&bunch, JOINERS, join_one, &crowd);
        if (wait_system == stand_in && turn % 2 == 0)
            support_wait_blocked(crowd.thread, JOINERS);
        CHECK_EQUAL(support_count_get(&crowd.joined), 0);
        thr_event_set(&go);
        support_bunch_join(&bunch);
        CHECK_OK(thr_thread_join(crowd.thread, NULL));
        thr_thread_unref(crowd.thread);
    }
}
BOTH_WAYS(several)

/* Joiners whose time is up, beside one that waits for ever. */
static void join_briefly(void *arg)
{
    struct crowd *crowd = arg;
    for (int i = 0; i < 20; i++) {
        thr_result result = thr_thread_join_until(crowd->thread, thr_after(0.0002), NULL);
        CHECK(result == THR_TIMEOUT || result == THR_OK);
        CHECK(result == THR_TIMEOUT || !thr_thread_is_alive(crowd->thread));
    }
    support_count_add(&crowd->joined);
}

static void some_give_up(void)
{
    thr_event go = THR_EVENT_INIT;
    struct crowd crowd = {.thread = start_waiting(&go), .expected = &go, .deadline = support_limit()};
    struct support_bunch brief;
    struct support_thread *patient = support_thread_start(join_one, &crowd);
    support_bunch_start(&brief, 4, join_briefly, &crowd);
    support_count_wait(&crowd.joined, 2);
    thr_event_set(&go);
    support_bunch_join(&brief);
    support_thread_join(patient);
    thr_thread_unref(crowd.thread);
}
BOTH_WAYS(some_give_up)

/* The last handle goes while, or before, the thread ends. */
static void *nothing(void *arg)
{
    return arg;
}

static void handles_dropped(void)
{
    for (int i = 0; i < 300; i++) {
        thr_thread *thread;
        CHECK_OK(thr_spawn(&thread, nothing, NULL));
        if (i % 3 == 0)
            CHECK_OK(thr_thread_join_until(thread, support_limit(), NULL));
        if (i % 3 == 1)
            (void)!thr_thread_join_until(thread, 0, NULL);
        thr_thread_unref(thread);
    }
    thr_shutdown();
    CHECK_EQUAL(thr_active_count(), 1);
}
BOTH_WAYS(handles_dropped)

/* Two that join each other wait for ever; with a deadline they get out again. */
struct pair {
    thr_thread *other;
    thr_thread *self;
    struct support_count *ready;
    thr_time deadline;
};

static void *join_the_other(void *arg)
{
    struct pair *pair = arg;
    support_count_add(pair->ready);
    support_count_wait(pair->ready, 2);
    return (void *)(uintptr_t)thr_thread_join_until(pair->other, pair->deadline, NULL);
}

static void each_other(void)
{
    struct support_count ready = {0};
    struct pair pairs[2] = {{.ready = &ready, .deadline = THR_FOREVER}, {.ready = &ready}};
    pairs[1].deadline = thr_after(0.05);
    void *result;
    for (int i = 0; i < 2; i++)
        CHECK_OK(thr_thread_new(&pairs[i].self, join_the_other, &pairs[i]));
    for (int i = 0; i < 2; i++)
        pairs[i].other = pairs[1 - i].self;
    for (int i = 0; i < 2; i++)
        CHECK_OK(thr_thread_start(pairs[i].self));
    CHECK_OK(thr_thread_join(pairs[0].self, &result));
    CHECK_EQUAL((uintptr_t)result, THR_OK);
    CHECK_OK(thr_thread_join(pairs[1].self, &result));
    CHECK_EQUAL((uintptr_t)result, THR_TIMEOUT);
    thr_thread_unref(pairs[0].self);
    thr_thread_unref(pairs[1].self);
}
BOTH_WAYS(each_other)

/* -- Interrupts ------------------------------------------------------------------------------------------------------ */

static bool yes(void *arg)
{
    ++*(int *)arg;
    return true;
}

static void join_interrupted(void *arg)
{
    int calls = 0;
    struct support_pester pester = {0};
    struct wait_record *record = support_record();
    record->interrupt_arg = &calls;
    record->interrupt = yes;
    support_pester_start(&pester, NULL, NULL);
    CHECK_RESULT(thr_thread_join(arg, NULL), THR_INTERRUPTED);
    CHECK_EQUAL(calls, 1);
    CHECK_RESULT(thr_thread_join_until(arg, support_limit(), NULL), THR_INTERRUPTED);
    support_pester_stop(&pester);
    record->interrupt = NULL;
}

static void interrupted(void)
{
    thr_event go = THR_EVENT_INIT;
    thr_thread *thread = start_waiting(&go);
    support_thread_join(support_thread_start(join_interrupted, thread));
    thr_event_set(&go);
    CHECK_OK(thr_thread_join(thread, NULL));
    thr_thread_unref(thread);
}
BOTH_WAYS(interrupted)

/* -- When a thread has ended ------------------------------------------------------------------------------------------ */

static pthread_key_t late_key;
static struct support_count late_runs;

/* Comes once more in each of the system's rounds, up to the last that the library looks at. */
static void late(void *value)
{
    uintptr_t round = (uintptr_t)value;
    CHECK(thr_current_thread() != NULL && thr_thread_is_alive(thr_current_thread()));
    support_count_add(&late_runs);
    if (round < OS_END_ROUNDS - 1)
        CHECK_EQUAL(pthread_setspecific(late_key, (void *)(round + 1)), 0);
}

static void *set_late(void *arg)
{
    CHECK_EQUAL(pthread_setspecific(late_key, (void *)(uintptr_t)1), 0);
    return arg;
}

static void after_destructors(void)
{
    if (late_key == 0)
        CHECK_EQUAL(pthread_key_create(&late_key, late), 0);
    for (int i = 0; i < 50; i++) {
        thr_thread *thread;
        uint32_t before = support_count_get(&late_runs);
        CHECK_OK(thr_spawn(&thread, set_late, NULL));
        CHECK_OK(thr_thread_join(thread, NULL));
        CHECK_EQUAL(support_count_get(&late_runs), before + OS_END_ROUNDS - 1);
        thr_thread_unref(thread);
    }
}
BOTH_WAYS(after_destructors)

SUPPORT_MAIN(cmocka_unit_test(test_of_oneself), cmocka_unit_test(test_timeout),
             cmocka_unit_test(test_ended_by_pthread_exit), cmocka_unit_test(test_ended_by_cancel),
             cmocka_unit_test(test_several), cmocka_unit_test(test_some_give_up),
             cmocka_unit_test(test_handles_dropped), cmocka_unit_test(test_each_other),
             cmocka_unit_test(test_interrupted), cmocka_unit_test(test_after_destructors))
