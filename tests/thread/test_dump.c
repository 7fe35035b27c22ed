/* test_dump.c - what thr_dump says of a hanging process. */

#include "support/support.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "threading.h"
#include "wait/wait.h"

enum { SIZE = 1 << 20 };

static char text[SIZE];

static const char *dump(void)
{
    int fd = memfd_create("dump", 0);
    CHECK(fd >= 0);
    thr_dump(fd);
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    CHECK(n >= 0);
    text[n] = '\0';
    (void)close(fd);
    return text;
}

#define CHECK_SAYS(format, ...) check_says(__LINE__, format, __VA_ARGS__)
__attribute__((format(printf, 2, 3))) static void check_says(int line, const char *format, ...)
{
    char expected[1024];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(expected, sizeof expected, format, arguments);
    va_end(arguments);
    if (!strstr(dump(), expected))
        support_fail(__FILE__, line, "the dump does not say:\n%s\nbut:\n%s", expected, text);
}

/* -- ABBA ------------------------------------------------------------------------------------------------------------- */

struct abba {
    thr_lock first;
    thr_lock second;
    struct support_count holding;
    thr_time deadline;
};

static void take_both(thr_lock *one, thr_lock *other, struct abba *abba)
{
    (void)thr_lock_acquire(one);
    support_count_add(&abba->holding);
    support_count_wait(&abba->holding, 2);
    if (thr_lock_acquire_until(other, abba->deadline) == THR_OK)
        (void)thr_lock_release(other);
    (void)thr_lock_release(one);
}

static void *forwards(void *arg)
{
    struct abba *abba = arg;
    take_both(&abba->first, &abba->second, abba);
    return NULL;
}

static void *backwards(void *arg)
{
    struct abba *abba = arg;
    take_both(&abba->second, &abba->first, abba);
    return NULL;
}

static void test_abba(void **state)
{
    (void)state;
    struct abba abba = {.deadline = THR_FOREVER};
    thr_thread *one;
    thr_thread *two;
    CHECK_OK(thr_spawn(&one, forwards, &abba, .name = "forwards"));
    CHECK_OK(thr_spawn(&two, backwards, &abba, .name = "backwards", .daemon = THR_DAEMON_YES));
    support_wait_blocked(&abba.first, 1);
    support_wait_blocked(&abba.second, 1);

    CHECK_SAYS("waits for lock %p, held by backwards, for ", (void *)&abba.second);
    CHECK_SAYS("waits for lock %p, held by forwards, for ", (void *)&abba.first);
    CHECK_SAYS(
        "deadlock: forwards waits for lock %p, held by backwards; backwards waits for lock %p, held by forwards\n",
        (void *)&abba.second, (void *)&abba.first);
    CHECK_SAYS("  %llu ", (unsigned long long)thr_thread_native_id(one));
    CHECK_SAYS("  0x%llx ", (unsigned long long)thr_thread_ident(two));
    CHECK_SAYS("main     %s", "MainThread");
    CHECK_SAYS("daemon   %s", "backwards");
    CHECK(strstr(text, "3 threads\n") == text);

    /* Any thread may release a lock: so the knot can be undone. */
    CHECK_OK(thr_lock_release(&abba.first));
    CHECK_OK(thr_thread_join(two, NULL));
    CHECK(!strstr(dump(), "deadlock"));
    CHECK_OK(thr_thread_join(one, NULL));
    CHECK(!strstr(dump(), "forwards"));
    thr_thread_unref(one);
    thr_thread_unref(two);
}

static void test_until_a_deadline(void **state)
{
    (void)state;
    struct abba abba = {.deadline = thr_after(1000)};
    thr_thread *one;
    thr_thread *two;
    CHECK_OK(thr_spawn(&one, forwards, &abba, .name = "forwards"));
    CHECK_OK(thr_spawn(&two, backwards, &abba, .name = "backwards"));
    support_wait_blocked(&abba.first, 1);
    support_wait_blocked(&abba.second, 1);
    CHECK_SAYS("deadlock, until a deadline passes: forwards waits for lock %p", (void *)&abba.second);
    CHECK(strstr(text, " s, gives up in 99") != NULL);
    CHECK_OK(thr_lock_release(&abba.first));
    CHECK_OK(thr_thread_join(two, NULL));
    CHECK_OK(thr_thread_join(one, NULL));
    thr_thread_unref(one);
    thr_thread_unref(two);
}

/* One thread and its own lock; a ring of threads that join each other. */
static void *take_twice(void *arg)
{
    (void)thr_lock_acquire(arg);
    (void)thr_lock_acquire(arg);
    (void)thr_lock_release(arg);
    return NULL;
}

static void test_oneself(void **state)
{
    (void)state;
    thr_lock lock = THR_LOCK_INIT;
    thr_thread *thread;
    CHECK_OK(thr_spawn(&thread, take_twice, &lock, .name = "twice"));
    support_wait_blocked(&lock, 1);
    CHECK_SAYS("deadlock: twice waits for lock %p, held by twice\n", (void *)&lock);
    CHECK_OK(thr_lock_release(&lock));
    CHECK_OK(thr_thread_join(thread, NULL));
    thr_thread_unref(thread);
}

struct ring {
    thr_thread *next;
    struct support_count *ready;
    bool (*interrupt)(void *);
};

static uint32_t stop_ring;

static bool ring_stops(void *arg)
{
    (void)arg;
    return __atomic_load_n(&stop_ring, __ATOMIC_RELAXED) != 0;
}

static void *join_next(void *arg)
{
    struct ring *ring = arg;
    support_count_wait(ring->ready, 1);
    wait_self->interrupt = ring->interrupt;
    (void)thr_thread_join(ring->next, NULL);
    wait_self->interrupt = NULL;
    return NULL;
}

static void nothing(int signal)
{
    (void)signal;
}

static void test_ring_of_joins(void **state)
{
    (void)state;
    enum { N = 3 };
    struct support_count ready = {0};
    struct ring rings[N];
    thr_thread *threads[N];
    struct sigaction action = {.sa_handler = nothing};
    CHECK_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
    stop_ring = 0;
    for (int i = 0; i < N; i++) {
        char name[] = {'r', (char)('0' + i), '\0'};
        rings[i] = (struct ring){.ready = &ready, .interrupt = i == 0 ? ring_stops : NULL};
        CHECK_OK(thr_thread_new(&threads[i], join_next, &rings[i], .name = name));
    }
    for (int i = 0; i < N; i++) {
        rings[i].next = threads[(i + 1) % N];
        CHECK_OK(thr_thread_start(threads[i]));
    }
    support_count_add(&ready);
    for (int i = 0; i < N; i++)
        support_wait_blocked(threads[i], 1);
    CHECK_SAYS("deadlock: %s", "r0 waits for the end of r1; r1 waits for the end of r2; r2 waits for the end of r0\n");
    __atomic_store_n(&stop_ring, 1, __ATOMIC_RELAXED);
    do { /* a signal that comes just before the sleep does not end it */
        (void)syscall(SYS_tgkill, getpid(), (pid_t)thr_thread_native_id(threads[0]), SIGUSR1);
    } while (thr_thread_join_until(threads[0], thr_after(0.001), NULL) == THR_TIMEOUT);
    for (int i = 0; i < N; i++)
        CHECK_OK(thr_thread_join(threads[i], NULL));
    for (int i = 0; i < N; i++) /* not before: others joined them by our references */
        thr_thread_unref(threads[i]);
}

/* -- Each kind of object ------------------------------------------------------------------------------------------------- */

struct objects {
    thr_lock lock;
    thr_rlock rlock;
    thr_condition condition;
    thr_semaphore semaphore;
    thr_bounded_semaphore bounded;
    thr_event event;
    thr_barrier barrier;
    thr_latch latch;
    thr_rwlock rwlock;
    struct support_count holds;
    struct support_count release;
};

static struct objects objects;

static void wait_lock(void)
{
    CHECK_OK(thr_lock_acquire(&objects.lock));
    CHECK_OK(thr_lock_release(&objects.lock));
}

static void wait_rlock(void)
{
    CHECK_OK(thr_rlock_acquire(&objects.rlock));
    CHECK_OK(thr_rlock_release(&objects.rlock));
}

static void wait_condition(void)
{
    thr_lock own = THR_LOCK_INIT;
    CHECK_OK(thr_lock_acquire(&own));
    CHECK_OK(thr_condition_wait(&objects.condition, &own));
}

static void wait_semaphore(void)
{
    CHECK_OK(thr_semaphore_acquire(&objects.semaphore));
}

static void wait_event(void)
{
    CHECK_OK(thr_event_wait(&objects.event));
}

static void wait_barrier(void)
{
    CHECK_RESULT(thr_barrier_wait(&objects.barrier, NULL), THR_BROKEN);
}

static void wait_latch(void)
{
    CHECK_OK(thr_latch_wait(&objects.latch));
}

static void wait_read(void)
{
    CHECK_OK(thr_rwlock_acquire_read(&objects.rwlock));
    CHECK_OK(thr_rwlock_release_read(&objects.rwlock));
}

static void wait_write(void)
{
    CHECK_OK(thr_rwlock_acquire_write(&objects.rwlock));
    CHECK_OK(thr_rwlock_release_write(&objects.rwlock));
}

static const struct kind {
    const char *says;
    const void *object;
    void (*wait)(void);
    bool held;
} kinds[] = {
    {"lock", &objects.lock, wait_lock, true},
    {"rlock", &objects.rlock, wait_rlock, true},
    {"condition", &objects.condition, wait_condition, false},
    {"semaphore", &objects.semaphore, wait_semaphore, false},
    {"event", &objects.event, wait_event, false},
    {"barrier", &objects.barrier, wait_barrier, false},
    {"latch", &objects.latch, wait_latch, false},
    {"rwlock (to read)", &objects.rwlock, wait_read, true},
    {"rwlock (to write)", &objects.rwlock, wait_write, true},
};

enum { KINDS = sizeof kinds / sizeof *kinds };

static void *wait_for_kind(void *arg)
{
    const struct kind *kind = arg;
    kind->wait();
    return NULL;
}

static void *hold_all(void *arg)
{
    CHECK_OK(thr_lock_acquire(&objects.lock));
    CHECK_OK(thr_rlock_acquire(&objects.rlock));
    CHECK_OK(thr_rwlock_acquire_write(&objects.rwlock));
    support_count_add(&objects.holds);
    support_count_wait(&objects.release, 1);
    CHECK_OK(thr_lock_release(&objects.lock));
    CHECK_OK(thr_rlock_release(&objects.rlock));
    CHECK_OK(thr_rwlock_release_write(&objects.rwlock));
    return arg;
}

static void test_kinds(void **state)
{
    (void)state;
    thr_thread *threads[KINDS];
    thr_thread *holder;
    CHECK_OK(thr_barrier_init(&objects.barrier, 2, NULL, NULL));
    objects.latch = (thr_latch)THR_LATCH_INIT(1);
    CHECK_OK(thr_spawn(&holder, hold_all, NULL, .name = "holder"));
    support_count_wait(&objects.holds, 1);
    for (int i = 0; i < KINDS; i++) {
        struct kind kind = kinds[i];
        unsigned before = support_blocked(kind.object);
        CHECK_OK(thr_spawn(&threads[i], wait_for_kind, (void *)(uintptr_t)&kinds[i]));
        support_wait_blocked(kind.object, before + 1);
    }
    for (int i = 0; i < KINDS; i++)
        CHECK_SAYS("waits for %s %p, %s", kinds[i].says, kinds[i].object,
                   kinds[i].held ? "held by holder, for" : "for ");
    support_count_add(&objects.release);
    (void)thr_condition_notify_all(&objects.condition);
    CHECK_OK(thr_semaphore_release(&objects.semaphore, 1));
    thr_event_set(&objects.event);
    thr_barrier_abort(&objects.barrier);
    CHECK_OK(thr_latch_count_down(&objects.latch, 1));
    for (int i = 0; i < KINDS; i++) {
        CHECK_OK(thr_thread_join(threads[i], NULL));
        thr_thread_unref(threads[i]);
    }
    CHECK_OK(thr_thread_join(holder, NULL));
    thr_thread_unref(holder);
}

static void *take_once(void *arg)
{
    (void)thr_lock_acquire(arg);
    (void)thr_lock_release(arg);
    return NULL;
}

static void *hold_and_end(void *arg)
{
    (void)thr_lock_acquire(arg);
    return NULL;
}

static void only_block(void *arg)
{
    (void)thr_event_wait(arg);
}

static void *join_it(void *arg)
{
    (void)thr_thread_join(arg, NULL);
    return NULL;
}

static void test_others(void **state)
{
    (void)state;
    thr_lock left = THR_LOCK_INIT;
    thr_event event = THR_EVENT_INIT;
    thr_thread *ended;
    thr_thread *waiter;
    thr_thread *joiner;
    CHECK_OK(thr_spawn(&ended, hold_and_end, &left, .name = "left\tit\n"));
    CHECK_OK(thr_thread_join(ended, NULL));
    CHECK_OK(thr_spawn(&waiter, take_once, &left));
    CHECK_OK(thr_spawn(&joiner, join_it, waiter));
    struct support_thread *foreign = support_thread_start(only_block, &event);
    support_wait_blocked(&left, 1);
    support_wait_blocked(waiter, 1);
    support_wait_blocked(&event, 1);
    CHECK_SAYS("waits for lock %p, held by thread number %u, which has ended, for", (void *)&left,
               ((const struct wait_record *)(const void *)ended)->number);
    CHECK_SAYS("waits for the end of %s", "Thread-");
    CHECK_SAYS("foreign  %s", "(foreign)");
    CHECK(!strstr(text, "deadlock"));
    thr_thread_unref(ended);
    CHECK_OK(thr_lock_release(&left));
    CHECK_OK(thr_thread_join(waiter, NULL));
    CHECK_OK(thr_thread_join(joiner, NULL));
    thr_thread_unref(waiter);
    thr_thread_unref(joiner);
    thr_event_set(&event);
    support_thread_join(foreign);
}

/* Ended and not joined: the system's thread is still there to be joined. */
static void *end_now(void *arg)
{
    return arg;
}

static void test_states(void **state)
{
    (void)state;
    thr_thread *made;
    thr_thread *ended;
    CHECK_OK(thr_thread_new(&made, end_now, NULL, .name = "just made"));
    CHECK_OK(thr_spawn(&ended, end_now, NULL, .name = "over\tand out"));
    thr_shutdown(); /* it reaps */
    CHECK(!strstr(dump(), "over"));
    CHECK(!strstr(text, "just made"));
    CHECK_SAYS("MainThread  %s", "runs\n");
    thr_thread_unref(made);
    thr_thread_unref(ended);
}

/* In a signal handler, while other threads come and go. */
static uint32_t churn_stop;

static void *churn(void *arg)
{
    while (!__atomic_load_n(&churn_stop, __ATOMIC_RELAXED)) {
        thr_thread *thread;
        CHECK_OK(thr_spawn(&thread, end_now, NULL));
        CHECK_OK(thr_thread_set_name(thread, "another name"));
        CHECK_OK(thr_thread_join(thread, NULL));
        thr_thread_unref(thread);
    }
    return arg;
}

static int null_fd;

static void dump_in_handler(int signal)
{
    (void)signal;
    thr_dump(null_fd);
}

static void test_in_a_signal_handler(void **state)
{
    (void)state;
    enum { CHURNS = 3, DUMPS = 200 };
    thr_thread *threads[CHURNS];
    struct sigaction action = {.sa_handler = dump_in_handler};
    null_fd = memfd_create("null", 0);
    CHECK_EQUAL(sigaction(SIGUSR2, &action, NULL), 0);
    churn_stop = 0;
    for (int i = 0; i < CHURNS; i++)
        CHECK_OK(thr_spawn(&threads[i], churn, NULL));
    for (int i = 0; i < DUMPS; i++) {
        CHECK_EQUAL(pthread_kill((pthread_t)thr_thread_native_handle(threads[i % CHURNS]), SIGUSR2), 0);
        thr_dump(null_fd);
    }
    __atomic_store_n(&churn_stop, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < CHURNS; i++) {
        CHECK_OK(thr_thread_join(threads[i], NULL));
        thr_thread_unref(threads[i]);
    }
    (void)close(null_fd);
}

SUPPORT_MAIN(cmocka_unit_test(test_abba), cmocka_unit_test(test_until_a_deadline), cmocka_unit_test(test_oneself),
             cmocka_unit_test(test_ring_of_joins), cmocka_unit_test(test_kinds), cmocka_unit_test(test_others),
             cmocka_unit_test(test_states), cmocka_unit_test(test_in_a_signal_handler))
