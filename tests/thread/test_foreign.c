/* test_foreign.c - threads that were not made by the library. */

#include "support/support.h"

#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "thread/sight.h"
#include "threading.h"
#include "wait/wait.h"

struct shared {
    thr_event go;
    struct support_count ready;
    thr_thread *thread;
    unsigned number;
};

/* -- One that asks for itself ---------------------------------------------------------------------------------------- */

static void ask(void *arg)
{
    struct shared *shared = arg;
    char name[64];
    thr_thread *self = thr_current_thread();
    CHECK(self != NULL && self == thr_current_thread());
    CHECK(self != thr_main_thread());
    CHECK(thr_thread_is_alive(self));
    CHECK(thr_thread_daemon(self));
    CHECK_EQUAL(thr_thread_ident(self), thr_get_ident());
    CHECK_EQUAL(thr_thread_native_id(self), thr_get_native_id());
    (void)thr_thread_name(self, name, sizeof name);
    CHECK_EQUAL(sscanf(name, "Dummy-%u", &shared->number), 1);
    CHECK_RESULT(thr_thread_join(self, NULL), THR_DEADLOCK);
    CHECK_RESULT(thr_thread_start(self), THR_STARTED);
    CHECK_OK(thr_thread_set_name(self, "guest"));
    shared->thread = thr_thread_ref(self);
    support_count_add(&shared->ready);
    (void)thr_event_wait(&shared->go);
}

static void test_asks_for_itself(void **state)
{
    (void)state;
    char name[64];
    thr_thread *all[4];
    struct shared shared = {0};
    struct support_thread *thread = support_thread_start(ask, &shared);
    support_count_wait(&shared.ready, 1);
    CHECK_EQUAL(thr_active_count(), 2);
    CHECK_EQUAL(thr_enumerate(all, 4), 2);
    CHECK(all[1] == shared.thread);
    thr_thread_unref(all[0]);
    thr_thread_unref(all[1]);
    (void)thr_thread_name(shared.thread, name, sizeof name);
    CHECK_EQUAL(strcmp(name, "guest"), 0);
    CHECK_RESULT(thr_thread_join_until(shared.thread, 0, NULL), THR_TIMEOUT);

    thr_event_set(&shared.go);
    CHECK_OK(thr_thread_join(shared.thread, NULL)); /* Python refuses; here it waits for its end */
    CHECK(!thr_thread_is_alive(shared.thread));
    CHECK_EQUAL(thr_active_count(), 1);
    support_thread_join(thread);
    CHECK_OK(thr_thread_join(shared.thread, NULL));
    thr_thread_unref(shared.thread);
}

/* Threads with default names and foreign ones are counted together, as in Python. */
static void *nothing(void *arg)
{
    return arg;
}

static void test_names_count_together(void **state)
{
    (void)state;
    char name[64];
    unsigned before;
    thr_thread *thread;
    struct shared shared = {0};
    CHECK_OK(thr_thread_new(&thread, nothing, NULL));
    (void)thr_thread_name(thread, name, sizeof name);
    CHECK_EQUAL(sscanf(name, "Thread-%u", &before), 1);
    thr_thread_unref(thread);
    thr_event_set(&shared.go);
    support_thread_join(support_thread_start(ask, &shared));
    CHECK_EQUAL(shared.number, before + 1);
    thr_thread_unref(shared.thread);
}

/* What a foreign thread starts is a daemon, since foreign threads are; main's are not. */
static void *own_daemon(void *arg)
{
    *(bool *)arg = thr_thread_daemon(thr_current_thread());
    return NULL;
}

static void start_one(void *arg)
{
    thr_thread *thread;
    CHECK_OK(thr_spawn(&thread, own_daemon, arg));
    CHECK_OK(thr_thread_join(thread, NULL));
    thr_thread_unref(thread);
}

static void test_starts_daemons(void **state)
{
    (void)state;
    bool daemon = false;
    support_thread_join(support_thread_start(start_one, &daemon));
    CHECK(daemon);
    start_one(&daemon);
    CHECK(!daemon);
}

/* -- One that only blocks --------------------------------------------------------------------------------------------- */

static void only_block(void *arg)
{
    struct shared *shared = arg;
    (void)thr_event_wait(&shared->go);
}

static void block_then_ask(void *arg)
{
    struct shared *shared = arg;
    (void)thr_event_wait(&shared->go);
    uint32_t number = wait_self->number;
    thr_event_clear(&shared->go);
    CHECK(thr_current_thread() != NULL);
    CHECK_EQUAL(wait_self->number, number);
    CHECK_EQUAL(wait_me(), number << WAIT_NUMBER_SHIFT | 1);
    support_count_add(&shared->ready);
    (void)thr_event_wait(&shared->go);
}

static void test_only_blocks(void **state)
{
    (void)state;
    struct shared shared = {0};
    struct support_thread *thread = support_thread_start(only_block, &shared);
    support_wait_blocked(&shared.go, 1);
    CHECK_EQUAL(thr_active_count(), 1);
    CHECK_EQUAL(thr_enumerate(NULL, 0), 1);
    thr_event_set(&shared.go);
    support_thread_join(thread);
}

static void test_blocks_then_asks(void **state)
{
    (void)state;
    struct shared shared = {0};
    struct support_thread *thread = support_thread_start(block_then_ask, &shared);
    support_wait_blocked(&shared.go, 1);
    CHECK_EQUAL(thr_active_count(), 1);
    thr_event_set(&shared.go);
    support_count_wait(&shared.ready, 1);
    CHECK_EQUAL(thr_active_count(), 2);
    thr_event_set(&shared.go);
    support_thread_join(thread);
    CHECK_EQUAL(thr_active_count(), 1);
}

/* -- Ends ------------------------------------------------------------------------------------------------------------- */

/* After the last of the system's rounds for us, the thread is nobody, and stays so; nothing crashes. */
static pthread_key_t key;
static struct support_count rounds;

static void destroy(void *value)
{
    uintptr_t round = (uintptr_t)value;
    thr_lock lock = THR_LOCK_INIT;
    (void)thr_lock_acquire(&lock);
    (void)thr_lock_release(&lock);
    CHECK((thr_current_thread() != NULL) == (round < OS_END_ROUNDS)); /* its key was made first, and is served first */
    CHECK(thr_lock_try_acquire(&lock));
    CHECK_RESULT(thr_lock_acquire_until(&lock, thr_after(0.001)), THR_TIMEOUT);
    support_count_add(&rounds);
    CHECK_EQUAL(pthread_setspecific(key, (void *)(round + 1)), 0);
}

static void set_key(void *arg)
{
    if (arg)
        CHECK(thr_current_thread() != NULL);
    CHECK_EQUAL(pthread_setspecific(key, (void *)(uintptr_t)1), 0);
}

static void test_late_destructors(void **state)
{
    (void)state;
    CHECK_EQUAL(pthread_key_create(&key, destroy), 0);
    support_thread_join(support_thread_start(set_key, &rounds));
    CHECK_EQUAL(support_count_get(&rounds), 4);
    CHECK_EQUAL(thr_active_count(), 1);
    CHECK_EQUAL(pthread_key_delete(key), 0);
}

/* -- Late ones -------------------------------------------------------------------------------------------------------- */

/* One that first comes to the library in a round of its destructors, from which on it may have no round left in which it
 * would end for us. (It comes in the last round too: that is not for a thread of which a sanitizer keeps something.) */
struct late {
    unsigned first; /* the round */
    unsigned round;
    bool asks; /* else it is as one that blocks */
    thr_thread *thread;
    uint32_t number;
};

static pthread_key_t late_key;

static void come_late(void *arg)
{
    struct late *late = arg;
    late->round++;
    if (late->round >= late->first && late->asks)
        (void)thr_current_thread();
    if (late->round == late->first) {
        late->number = support_record()->number;
        late->thread = late->asks ? thr_thread_ref(thr_current_thread()) : NULL;
    }
    if (late->round < PTHREAD_DESTRUCTOR_ITERATIONS)
        CHECK_EQUAL(pthread_setspecific(late_key, late), 0);
}

static void *be_late(void *arg)
{
    CHECK_EQUAL(pthread_setspecific(late_key, arg), 0);
    return NULL;
}

/* With a stack so large that the C library unmaps it at once, and the pthread_t with it. */
static void run_late(struct late *late)
{
    enum { STACK = 64 << 20 };
    pthread_t native;
    pthread_attr_t attributes;
    CHECK_EQUAL(pthread_attr_init(&attributes), 0);
    CHECK_EQUAL(pthread_attr_setstacksize(&attributes, STACK), 0);
    CHECK_EQUAL(pthread_create(&native, &attributes, be_late, late), 0);
    CHECK_EQUAL(pthread_attr_destroy(&attributes), 0);
    CHECK_EQUAL(pthread_join(native, NULL), 0);
    CHECK_EQUAL(late->round, PTHREAD_DESTRUCTOR_ITERATIONS);
}

/* The system forgets a thread a moment after its join. */
static void wait_until_ended(const thr_thread *thread)
{
    thr_time limit = support_limit();
    while (thr_thread_is_alive(thread) && thr_now() < limit)
        (void)sched_yield();
    CHECK(!thr_thread_is_alive(thread));
}

static void ask_count(thr_thread *thread)
{
    (void)thread;
    CHECK_EQUAL(thr_active_count(), 1);
}

static void ask_list(thr_thread *thread)
{
    (void)thread;
    CHECK_EQUAL(thr_enumerate(NULL, 0), 1);
}

static void ask_join(thr_thread *thread)
{
    CHECK_OK(thr_thread_join(thread, NULL));
}

static void ask_watch(thr_thread *thread)
{
    CHECK_OK(thread_watch(thread, true));
}

/* Whoever asks first. */
static void test_late(void **state)
{
    (void)state;
    void (*const asks[])(thr_thread *) = {ask_count, ask_list, ask_join, ask_watch};
    if (SUPPORT_SANITIZED)
        skip();
    CHECK_EQUAL(pthread_key_create(&late_key, come_late), 0);
    for (unsigned i = 0; i < PTHREAD_DESTRUCTOR_ITERATIONS * sizeof asks / sizeof *asks; i++) {
        struct sight sight;
        struct late late = {.first = i % PTHREAD_DESTRUCTOR_ITERATIONS + 1, .asks = true};
        run_late(&late);
        CHECK_OK(thr_thread_set_name(late.thread, "late"));
        wait_until_ended(late.thread);
        CHECK(!sight_look(late.number, &sight));
        asks[i / PTHREAD_DESTRUCTOR_ITERATIONS](late.thread);
        CHECK_EQUAL(thr_active_count(), 1);
        thr_thread_unref(late.thread);
    }
    CHECK_EQUAL(pthread_key_delete(late_key), 0);
}

/* Nobody asks for those that have only blocked; but the pool does not grow with each. */
static void test_many_late(void **state)
{
    (void)state;
    enum { N = 300 };
    if (SUPPORT_SANITIZED)
        skip();
    CHECK_EQUAL(pthread_key_create(&late_key, come_late), 0);
    uint32_t end = pool_end();
    for (int i = 0; i < N; i++) {
        struct late late = {.first = PTHREAD_DESTRUCTOR_ITERATIONS};
        run_late(&late);
    }
    CHECK(pool_end() < end + N / 2);
    CHECK_EQUAL(pthread_key_delete(late_key), 0);
}

/* -- Many ------------------------------------------------------------------------------------------------------------- */

static void come_and_go(void *arg)
{
    struct shared *shared = arg;
    if (support_index() % 2 == 0)
        CHECK(thr_current_thread() != NULL);
    (void)thr_event_wait(&shared->go);
}

/* Places are used again: the pool does not grow with each. */
static void test_many(void **state)
{
    (void)state;
    uint32_t highest = 0;
    for (int i = 0; i < 100; i++) {
        struct shared shared = {0};
        struct support_bunch bunch;
        support_bunch_start(&bunch, 8, come_and_go, &shared);
        support_wait_blocked(&shared.go, 8);
        thr_event_set(&shared.go);
        support_bunch_join(&bunch);
        CHECK_EQUAL(thr_active_count(), 1);
        thr_thread *thread;
        CHECK_OK(thr_thread_new(&thread, nothing, NULL));
        uint32_t number = ((const struct wait_record *)(const void *)thread)->number;
        highest = number > highest ? number : highest;
        thr_thread_unref(thread);
    }
    CHECK(highest <= 100);
}

SUPPORT_MAIN(cmocka_unit_test(test_asks_for_itself), cmocka_unit_test(test_names_count_together),
             cmocka_unit_test(test_starts_daemons), cmocka_unit_test(test_only_blocks),
             cmocka_unit_test(test_blocks_then_asks), cmocka_unit_test(test_late_destructors),
             cmocka_unit_test(test_late), cmocka_unit_test(test_many_late), cmocka_unit_test(test_many))
