/* test_timer_none.c - timers where there is no memory, or no thread to be had. */

#include "support/support.h"

#include <errno.h>

#include "thread/crew.h"
#include "wait/atomic.h"

/* -- What can fail ------------------------------------------------------------------------------------------------ */

/* How many of the next calls fail. */
static uint32_t fail_malloc;
static uint32_t fail_create;
static struct support_count failed_creates;

static bool fails(uint32_t *count)
{
    uint32_t n = load_relaxed(count);
    if (n > 0)
        store_relaxed(count, n - 1);
    return n > 0;
}

/* The linker's names for the wrapped functions. */
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *), void *arg);

void *__wrap_malloc(size_t size)
{
    if (!fails(&fail_malloc))
        return __real_malloc(size);
    errno = ENOMEM;
    return NULL;
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *), void *arg)
{
    if (!fails(&fail_create))
        return __real_pthread_create(thread, attributes, function, arg);
    support_count_add(&failed_creates);
    return EAGAIN;
}

/* -- Tests -------------------------------------------------------------------------------------------------------- */

static unsigned threads(void)
{
    service_lock();
    unsigned n = crew_threads();
    service_unlock();
    return n;
}

struct runs {
    struct support_count begun;
    struct support_count ended;
    thr_event go;
};

/* How many threads have run one, and how many of these have ended. */
static struct support_count marked;
static struct support_count ended;

static void *make_mark(void)
{
    support_count_add(&marked);
    return &ended;
}

static void count_end(void *count)
{
    support_count_add(count);
}

static thr_local mark = THR_LOCAL_INIT(make_mark, count_end);

static void run(void *arg)
{
    struct runs *runs = arg;
    CHECK(thr_local_get(&mark) == &ended);
    support_count_add(&runs->begun);
    CHECK_OK(thr_event_wait(&runs->go));
    support_count_add(&runs->ended);
}

static thr_timer *timer_of(struct runs *runs, double seconds)
{
    thr_timer *timer;
    CHECK_OK(thr_timer_new(&timer, seconds, run, runs));
    return timer;
}

/* Sees to it that there is one thread: it stays until the clock goes on. */
static void have_one_thread(void)
{
    struct runs runs = {.go = THR_EVENT_INIT};
    thr_timer *timer = timer_of(&runs, 0);
    thr_event_set(&runs.go);
    support_clock_stop();
    CHECK_OK(thr_timer_start(timer));
    CHECK_OK(thr_timer_join(timer));
    CHECK_EQUAL(threads(), 1);
    thr_timer_unref(timer);
}

/* The first test: nobody has used the service yet. */
static void test_no_first_thread(void **state)
{
    (void)state;
    struct runs runs = {.go = THR_EVENT_INIT};
    thr_event_set(&runs.go);
    thr_timer *timer = timer_of(&runs, 0.001);
    support_errno_set();
    store_relaxed(&fail_create, 2);
    for (int i = 0; i < 2; i++) {
        CHECK_RESULT(thr_timer_start(timer), THR_NO_THREAD);
        CHECK_RESULT(thr_timer_join(timer), THR_NOT_STARTED); /* nothing has changed */
    }
    CHECK_ERRNO();
    thr_shutdown(); /* nothing is pending */
    CHECK_EQUAL(threads(), 0);
    CHECK_OK(thr_timer_start(timer));
    CHECK_OK(thr_timer_join(timer));
    CHECK_EQUAL(runs.ended.value, 1);
    thr_timer_unref(timer);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct runs runs = {.go = THR_EVENT_INIT};
    thr_timer *timer = NULL;
    support_errno_set();
    store_relaxed(&fail_malloc, 1);
    CHECK_RESULT(thr_timer_new(&timer, 1, run, &runs), THR_NO_MEMORY);
    CHECK(timer == NULL);
    CHECK_ERRNO();
}

/* Later ones run late, as soon as a callback ends. */
static void test_no_second_thread(void **state)
{
    (void)state;
    struct runs slow = {.go = THR_EVENT_INIT};
    struct runs quick = {.go = THR_EVENT_INIT};
    thr_event_set(&quick.go);
    have_one_thread();
    store_relaxed(&fail_create, UINT32_MAX);
    thr_timer *first = timer_of(&slow, 0);
    thr_timer *second = timer_of(&quick, 0.001);
    CHECK_OK(thr_timer_start(first));
    CHECK_OK(thr_timer_start(second));
    support_count_wait(&slow.begun, 1);
    support_clock_go();
    thr_timer *third = timer_of(&quick, 0);
    CHECK_OK(thr_timer_start(third));
    CHECK_EQUAL(threads(), 1);
    CHECK_RESULT(thr_timer_join_until(second, thr_after(0.005)), THR_TIMEOUT);
    CHECK_EQUAL(support_count_get(&quick.begun), 0);
    thr_event_set(&slow.go);
    CHECK_OK(thr_timer_join(first));
    CHECK_OK(thr_timer_join(second));
    CHECK_OK(thr_timer_join(third));
    CHECK_EQUAL(quick.ended.value, 2);
    store_relaxed(&fail_create, 0);
    thr_timer_unref(first);
    thr_timer_unref(second);
    thr_timer_unref(third);
}

static void leave(void *arg)
{
    (void)arg;
    thr_fail(1, "on purpose");
}

static void no_report(thr_thread *thread, int code, const char *message)
{
    (void)thread;
    (void)code;
    (void)message;
}

/* The only thread ends, and for a time there is no other. */
static void test_last_thread_fails(void **state)
{
    (void)state;
    enum { FAILURES = 3 };
    struct runs runs = {.go = THR_EVENT_INIT};
    thr_timer *first;
    thr_event_set(&runs.go);
    thr_set_excepthook(no_report);
    have_one_thread();
    thr_timer *second = timer_of(&runs, 0.001);
    CHECK_OK(thr_timer_new(&first, 0, leave, NULL));
    uint32_t before = support_count_get(&failed_creates);
    CHECK_OK(thr_timer_start(second));
    store_relaxed(&fail_create, FAILURES + 1); /* one more: before the callback there is none either */
    CHECK_OK(thr_timer_start(first));
    support_clock_go();
    CHECK_OK(thr_timer_join(first));
    CHECK_OK(thr_timer_join(second));
    CHECK_EQUAL(runs.ended.value, 1);
    CHECK(support_count_get(&failed_creates) <= before + FAILURES + 1);
    store_relaxed(&fail_create, 0);
    thr_set_excepthook(NULL);
    thr_timer_unref(first);
    thr_timer_unref(second);
}

static void test_no_thread_for_reset(void **state)
{
    (void)state;
    struct runs runs = {.go = THR_EVENT_INIT};
    thr_event_set(&runs.go);
    thr_timer *timer = timer_of(&runs, 0);
    have_one_thread();
    CHECK_OK(thr_timer_start(timer));
    CHECK_OK(thr_timer_join(timer));
    support_wait_blocked(&service, 1);
    support_clock_advance(5);
    support_count_wait(&ended, support_count_get(&marked));
    CHECK_EQUAL(threads(), 0);
    store_relaxed(&fail_create, 1);
    CHECK_RESULT(thr_timer_reset(timer, 1), THR_NO_THREAD);
    CHECK_RESULT(thr_timer_cancel(timer), THR_TOO_LATE); /* it still is one that has run */
    CHECK_OK(thr_timer_reset(timer, 0));
    CHECK_OK(thr_timer_join(timer));
    CHECK_EQUAL(runs.ended.value, 2);
    thr_timer_unref(timer);
}

SUPPORT_MAIN(cmocka_unit_test(test_no_first_thread), cmocka_unit_test(test_no_memory),
             cmocka_unit_test(test_no_second_thread), cmocka_unit_test(test_last_thread_fails),
             cmocka_unit_test(test_no_thread_for_reset))
