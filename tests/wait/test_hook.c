/* test_hook.c - steered, each public operation calls `point` once, inline or not; otherwise never. And what is not
 * contended asks nothing of the system. */

#include "support/support.h"

#include <string.h>

#include "wait/hook.h"
#include "wait/wait.h"

/* What the calling thread has done since it last forgot. */
static __thread struct {
    unsigned points;
    enum hook_operation operation;
    const void *object;
    unsigned waits;
    unsigned wakes;
    unsigned misuses;
} seen;

static const struct wait_system *below;

static enum os_wait_end counting_wait(const uint32_t *word, uint32_t expected, uint32_t mask, thr_time deadline)
{
    seen.waits++;
    return below->wait(word, expected, mask, deadline);
}

static void counting_wake(const uint32_t *word, uint32_t count, uint32_t mask)
{
    seen.wakes++;
    below->wake(word, count, mask);
}

static thr_time counting_now(void)
{
    return below->now();
}

static void counting_point(enum hook_operation operation, const void *object)
{
    seen.points++;
    seen.operation = operation;
    seen.object = object;
}

static void counting_misuse(const void *object, thr_result result)
{
    (void)object;
    (void)result;
    seen.misuses++;
}

static const struct wait_system counting = {counting_wait,   counting_wake,  counting_now,    counting_point,
                                            os_thread_start, os_thread_join, counting_misuse, NULL};

static void forget(void)
{
    memset(&seen, 0, sizeof seen);
}

/* The last call was a mistake: said once, when steered. */
#define CHECK_MISUSE() CHECK_EQUAL(seen.misuses, thr__hooked ? 1 : 0)

static void check_point(int line, const char *text, enum hook_operation operation, const void *object)
{
    unsigned expected = thr__hooked ? 1 : 0;
    if (seen.points != expected)
        support_fail(__FILE__, line, "%s: %u points, not %u", text, seen.points, expected);
    if (seen.points != 0 && (seen.operation != operation || seen.object != object))
        support_fail(__FILE__, line, "%s: the point is %d of %p, not %d of %p", text, (int)seen.operation, seen.object,
                     (int)operation, object);
}

/* One call, whose result is `expected`; one point, of `operation` and `object`. */
#define POINT(operation, object, call, expected)                                                                       \
    do {                                                                                                               \
        forget();                                                                                                      \
        CHECK_EQUAL((call), (expected));                                                                               \
        check_point(__LINE__, #call, (operation), (object));                                                           \
    } while (0)

/* The same, and neither a wait nor a wake. */
#define FAST(operation, object, call, expected)                                                                        \
    do {                                                                                                               \
        POINT(operation, object, call, expected);                                                                      \
        CHECK_EQUAL(seen.waits, 0);                                                                                    \
        CHECK_EQUAL(seen.wakes, 0);                                                                                    \
    } while (0)

#define NOTHING(call) ((call), 0)

static void both_ways(void (*body)(void))
{
    below = wait_system;
    wait_system = &counting;
    for (int hooked = 0; hooked < 2; hooked++) {
        support_case(hooked ? "(steered)" : "");
        hook_set(hooked ? HOOK_STEERED : HOOK_NOBODY);
        body();
        hook_set(HOOK_NOBODY);
    }
    support_case(NULL);
    wait_system = below;
}

/* -- Not contended ------------------------------------------------------------------------------------------------- */

static void lock(void)
{
    thr_lock l = THR_LOCK_INIT;
    FAST(HOOK_LOCK_ACQUIRE, &l, thr_lock_acquire(&l), THR_OK);
    FAST(HOOK_LOCK_ACQUIRE, &l, thr_lock_try_acquire(&l), false);
    FAST(HOOK_LOCK_ACQUIRE, &l, thr_lock_acquire_until(&l, 0), THR_TIMEOUT);
    FAST(HOOK_LOCK_RELEASE, &l, thr_lock_release(&l), THR_OK);
    FAST(HOOK_LOCK_RELEASE, &l, thr_lock_release(&l), THR_NOT_LOCKED);
    CHECK_MISUSE();
    FAST(HOOK_LOOK, &l, thr_lock_locked(&l), false);
    FAST(HOOK_LOCK_ACQUIRE, &l, thr_lock_try_acquire(&l), true);
    FAST(HOOK_LOCK_RELEASE, &l, thr_lock_release(&l), THR_OK);
    FAST(HOOK_LOCK_ACQUIRE, &l, thr_lock_acquire_until(&l, THR_FOREVER), THR_OK);
}

static void rlock(void)
{
    thr_rlock r = THR_RLOCK_INIT;
    FAST(HOOK_RLOCK_ACQUIRE, &r, thr_rlock_acquire(&r), THR_OK);
    FAST(HOOK_RLOCK_ACQUIRE, &r, thr_rlock_acquire(&r), THR_OK);
    FAST(HOOK_RLOCK_ACQUIRE, &r, thr_rlock_acquire_until(&r, 0), THR_OK);
    FAST(HOOK_RLOCK_ACQUIRE, &r, thr_rlock_try_acquire(&r), true);
    for (int i = 0; i < 4; i++)
        FAST(HOOK_RLOCK_RELEASE, &r, thr_rlock_release(&r), THR_OK);
    FAST(HOOK_RLOCK_RELEASE, &r, thr_rlock_release(&r), THR_NOT_LOCKED);
    CHECK_MISUSE();
    FAST(HOOK_LOOK, &r, thr_rlock_locked(&r), false);
    FAST(HOOK_RLOCK_ACQUIRE, &r, thr_rlock_try_acquire(&r), true);
}

/* Taken before the laboratory looked on, it is its owner's until it is free, as a lock that becomes free. */
static void test_rlock_held_before(void **state)
{
    (void)state;
    thr_rlock r = THR_RLOCK_INIT;
    CHECK_EQUAL(thr_rlock_acquire(&r), THR_OK);
    below = wait_system;
    wait_system = &counting;
    hook_set(HOOK_STEERED);
    forget();
    CHECK_EQUAL(thr_rlock_acquire(&r), THR_OK);
    CHECK_EQUAL(thr_rlock_release(&r), THR_OK);
    CHECK_EQUAL(seen.points, 0);
    FAST(HOOK_LOCK_RELEASE, &r, thr_rlock_release(&r), THR_OK);

    FAST(HOOK_RLOCK_ACQUIRE, &r, thr_rlock_acquire(&r), THR_OK);
    hook_set(HOOK_NOBODY);
    CHECK_EQUAL(thr_rlock_depth(&r), 1);
    CHECK_EQUAL(thr_rlock_acquire(&r), THR_OK);
    CHECK_EQUAL(thr_rlock_depth(&r), 2);
    CHECK_EQUAL(thr_rlock_release(&r), THR_OK);
    CHECK_EQUAL(thr_rlock_release(&r), THR_OK);
    CHECK_EQUAL(thr_rlock_locked(&r), false);
    wait_system = below;
}

static bool yes(void *arg)
{
    (void)arg;
    return true;
}

static void condition(void)
{
    thr_condition c = THR_CONDITION_INIT;
    thr_lock l = THR_LOCK_INIT;
    thr_rlock r = THR_RLOCK_INIT;
    FAST(HOOK_CONDITION_NOTIFY, &c, thr_condition_notify(&c, 1), 0);
    FAST(HOOK_CONDITION_NOTIFY, &c, thr_condition_notify(&c, 0), 0);
    FAST(HOOK_CONDITION_NOTIFY, &c, thr_condition_notify_all(&c), 0);
    FAST(HOOK_CONDITION_WAIT, &c, thr_condition_wait(&c, &l), THR_NOT_LOCKED);
    CHECK_MISUSE();
    FAST(HOOK_CONDITION_WAIT, &c, thr_condition_wait_rlock(&c, &r), THR_NOT_LOCKED);
    CHECK_MISUSE();
    CHECK_OK(thr_lock_acquire(&l));
    CHECK_OK(thr_rlock_acquire(&r));
    FAST(HOOK_CONDITION_WAIT, &c, thr_condition_wait_until(&c, &l, 0), THR_TIMEOUT);
    FAST(HOOK_CONDITION_WAIT, &c, thr_condition_wait_rlock_until(&c, &r, 0), THR_TIMEOUT);
    forget();
    CHECK_OK(thr_condition_wait_for(&c, &l, yes, NULL));
    CHECK_OK(thr_condition_wait_for_rlock(&c, &r, yes, NULL));
    CHECK_EQUAL(seen.waits + seen.wakes, 0);
}

static void semaphore(void)
{
    thr_semaphore s = THR_SEMAPHORE_INIT(1);
    FAST(HOOK_SEMAPHORE_ACQUIRE, &s, thr_semaphore_acquire(&s), THR_OK);
    FAST(HOOK_SEMAPHORE_ACQUIRE, &s, thr_semaphore_acquire_until(&s, 0), THR_TIMEOUT);
    FAST(HOOK_SEMAPHORE_ACQUIRE, &s, thr_semaphore_try_acquire(&s), false);
    FAST(HOOK_SEMAPHORE_RELEASE, &s, thr_semaphore_release(&s, 2), THR_OK);
    FAST(HOOK_SEMAPHORE_RELEASE, &s, thr_semaphore_release(&s, 0), THR_OK);
    FAST(HOOK_SEMAPHORE_RELEASE, &s, thr_semaphore_release(&s, UINT32_MAX), THR_TOO_MANY);
    CHECK_MISUSE();
    FAST(HOOK_LOOK, &s, thr_semaphore_value(&s), 2);
    FAST(HOOK_SEMAPHORE_ACQUIRE, &s, thr_semaphore_acquire_until(&s, 0), THR_OK);
    FAST(HOOK_SEMAPHORE_ACQUIRE, &s, thr_semaphore_try_acquire(&s), true);
}

static void bounded_semaphore(void)
{
    thr_bounded_semaphore b = THR_BOUNDED_SEMAPHORE_INIT(2);
    FAST(HOOK_SEMAPHORE_ACQUIRE, &b, thr_bounded_semaphore_acquire(&b), THR_OK);
    FAST(HOOK_SEMAPHORE_ACQUIRE, &b, thr_bounded_semaphore_try_acquire(&b), true);
    FAST(HOOK_SEMAPHORE_ACQUIRE, &b, thr_bounded_semaphore_acquire_until(&b, 0), THR_TIMEOUT);
    FAST(HOOK_SEMAPHORE_RELEASE, &b, thr_bounded_semaphore_release(&b, 2), THR_OK);
    FAST(HOOK_SEMAPHORE_RELEASE, &b, thr_bounded_semaphore_release(&b, 1), THR_TOO_MANY);
    CHECK_MISUSE();
    FAST(HOOK_LOOK, &b, thr_bounded_semaphore_value(&b), 2);
}

static void event(void)
{
    thr_event e = THR_EVENT_INIT;
    FAST(HOOK_EVENT_WAIT, &e, thr_event_wait_until(&e, 0), THR_TIMEOUT);
    FAST(HOOK_EVENT_SET, &e, NOTHING(thr_event_set(&e)), 0);
    FAST(HOOK_EVENT_SET, &e, NOTHING(thr_event_set(&e)), 0);
    FAST(HOOK_EVENT_WAIT, &e, thr_event_wait(&e), THR_OK);
    FAST(HOOK_EVENT_WAIT, &e, thr_event_wait_until(&e, 0), THR_OK);
    FAST(HOOK_LOOK, &e, thr_event_is_set(&e), true);
    FAST(HOOK_EVENT_CLEAR, &e, NOTHING(thr_event_clear(&e)), 0);
    FAST(HOOK_EVENT_CLEAR, &e, NOTHING(thr_event_clear(&e)), 0);
}

static void nothing(void *arg)
{
    (void)arg;
}

static void barrier(void)
{
    thr_barrier one = THR_BARRIER_INIT(1, nothing, NULL);
    thr_barrier two = THR_BARRIER_INIT(2, NULL, NULL);
    thr_barrier none = THR_BARRIER_INIT(0, NULL, NULL);
    POINT(HOOK_BARRIER_WAIT, &one, thr_barrier_wait(&one, NULL), THR_OK);
    FAST(HOOK_BARRIER_WAIT, &none, thr_barrier_wait(&none, NULL), THR_INVALID);
    POINT(HOOK_BARRIER_WAIT, &two, thr_barrier_wait_until(&two, 0, NULL), THR_TIMEOUT);
    FAST(HOOK_BARRIER_WAIT, &two, thr_barrier_wait(&two, NULL), THR_BROKEN);
    FAST(HOOK_LOOK, &two, thr_barrier_broken(&two), true);
    FAST(HOOK_LOOK, &two, thr_barrier_n_waiting(&two), 0);
    FAST(HOOK_BARRIER_RESET, &two, NOTHING(thr_barrier_reset(&two)), 0);
    FAST(HOOK_BARRIER_ABORT, &two, NOTHING(thr_barrier_abort(&two)), 0);
}

static void latch(void)
{
    thr_latch a = THR_LATCH_INIT(2);
    FAST(HOOK_LATCH_COUNT_DOWN, &a, thr_latch_count_down(&a, 1), THR_OK);
    FAST(HOOK_LATCH_COUNT_DOWN, &a, thr_latch_count_down(&a, 2), THR_TOO_MANY);
    CHECK_MISUSE();
    FAST(HOOK_LOOK, &a, thr_latch_count(&a), 1);
    FAST(HOOK_LATCH_WAIT, &a, thr_latch_wait_until(&a, 0), THR_TIMEOUT);
    FAST(HOOK_LATCH_COUNT_DOWN, &a, thr_latch_count_down(&a, 1), THR_OK);
    FAST(HOOK_LATCH_WAIT, &a, thr_latch_wait(&a), THR_OK);
    FAST(HOOK_LATCH_WAIT, &a, thr_latch_wait_until(&a, 0), THR_OK);
}

static void once(void)
{
    thr_once o = THR_ONCE_INIT;
    for (int i = 0; i < 3; i++)
        FAST(HOOK_ONCE_RUN, &o, thr_once_run(&o, nothing, NULL), THR_OK);
    FAST(HOOK_LOOK, &o, thr_once_done(&o), true);
}

static void rwlock(void)
{
    thr_rwlock w = THR_RWLOCK_INIT;
    FAST(HOOK_READ_ACQUIRE, &w, thr_rwlock_acquire_read(&w), THR_OK);
    FAST(HOOK_READ_ACQUIRE, &w, thr_rwlock_acquire_read_until(&w, 0), THR_OK);
    FAST(HOOK_READ_ACQUIRE, &w, thr_rwlock_try_acquire_read(&w), true);
    FAST(HOOK_WRITE_ACQUIRE, &w, thr_rwlock_try_acquire_write(&w), false);
    FAST(HOOK_WRITE_ACQUIRE, &w, thr_rwlock_acquire_write_until(&w, 0), THR_TIMEOUT);
    for (int i = 0; i < 3; i++)
        FAST(HOOK_READ_RELEASE, &w, thr_rwlock_release_read(&w), THR_OK);
    FAST(HOOK_READ_RELEASE, &w, thr_rwlock_release_read(&w), THR_NOT_LOCKED);
    CHECK_MISUSE();
    FAST(HOOK_WRITE_RELEASE, &w, thr_rwlock_release_write(&w), THR_NOT_LOCKED);
    CHECK_MISUSE();
    FAST(HOOK_WRITE_ACQUIRE, &w, thr_rwlock_acquire_write(&w), THR_OK);
    FAST(HOOK_WRITE_ACQUIRE, &w, thr_rwlock_acquire_write(&w), THR_DEADLOCK);
    FAST(HOOK_READ_ACQUIRE, &w, thr_rwlock_acquire_read(&w), THR_DEADLOCK);
    FAST(HOOK_READ_ACQUIRE, &w, thr_rwlock_try_acquire_read(&w), false);
    CHECK_EQUAL(seen.misuses, 0);
    FAST(HOOK_WRITE_RELEASE, &w, thr_rwlock_release_write(&w), THR_OK);
    FAST(HOOK_WRITE_ACQUIRE, &w, thr_rwlock_try_acquire_write(&w), true);
    FAST(HOOK_WRITE_RELEASE, &w, thr_rwlock_release_write(&w), THR_OK);
    FAST(HOOK_WRITE_ACQUIRE, &w, thr_rwlock_acquire_write_until(&w, 0), THR_OK);
    FAST(HOOK_WRITE_RELEASE, &w, thr_rwlock_release_write(&w), THR_OK);
}

static void sleeping(void)
{
    FAST(HOOK_YIELD, NULL, NOTHING(thr_sleep(0.0)), 0);
    FAST(HOOK_YIELD, NULL, NOTHING(thr_sleep_until(0)), 0);
    POINT(HOOK_SLEEP, NULL, NOTHING(thr_sleep(0.001)), 0);
    FAST(HOOK_YIELD_POINT, NULL, NOTHING(thr_yield_point()), 0);
}

/* What is asked of threads and timers. Their starts and ends take locks of the library's own, which are no operations of
 * the program's. */
static void threads(void)
{
    thr_thread *main = thr_main_thread();
    thr_timer *timer;
    FAST(HOOK_LOOK, main, thr_thread_is_alive(main), true);
    FAST(HOOK_LOOK, NULL, thr_active_count(), 1);
    FAST(HOOK_THREAD_JOIN, main, thr_thread_join(main, NULL), THR_DEADLOCK);
    CHECK_MISUSE();
    CHECK_OK(thr_timer_new(&timer, 1.0, nothing, NULL));
    forget();
    CHECK_RESULT(thr_timer_join(timer), THR_NOT_STARTED);
    CHECK_EQUAL(seen.points, thr__hooked ? 3 : 0); /* its own, and two of the service's lock */
    thr_timer_unref(timer);
}

static void holding(void)
{
    thr_lock l = THR_LOCK_INIT;
    forget();
    {
        THR_HOLD(&l);
        check_point(__LINE__, "THR_HOLD", HOOK_LOCK_ACQUIRE, &l);
        forget();
    }
    check_point(__LINE__, "the end of THR_HOLD", HOOK_LOCK_RELEASE, &l);
}

/* -- Contended: the waiter's side and the giver's ------------------------------------------------------------------ */

struct objects {
    thr_lock lock;
    thr_rlock rlock;
    thr_condition condition;
    thr_semaphore semaphore;
    thr_event event;
    thr_barrier barrier;
    thr_latch latch;
    thr_rwlock rwlock;
    thr_once once;
    struct support_count in_once;
    struct support_count go;
};

static void wait_lock(void *arg)
{
    struct objects *o = arg;
    POINT(HOOK_LOCK_ACQUIRE, &o->lock, thr_lock_acquire(&o->lock), THR_OK);
    POINT(HOOK_LOCK_RELEASE, &o->lock, thr_lock_release(&o->lock), THR_OK);
}

static void wait_rlock(void *arg)
{
    struct objects *o = arg;
    POINT(HOOK_RLOCK_ACQUIRE, &o->rlock, thr_rlock_acquire(&o->rlock), THR_OK);
    POINT(HOOK_RLOCK_RELEASE, &o->rlock, thr_rlock_release(&o->rlock), THR_OK);
}

static void wait_condition(void *arg)
{
    struct objects *o = arg;
    CHECK_OK(thr_lock_acquire(&o->lock));
    POINT(HOOK_CONDITION_WAIT, &o->condition, thr_condition_wait(&o->condition, &o->lock), THR_OK);
    CHECK_OK(thr_lock_release(&o->lock));
}

static void wait_condition_rlock(void *arg)
{
    struct objects *o = arg;
    CHECK_OK(thr_rlock_acquire(&o->rlock));
    POINT(HOOK_CONDITION_WAIT, &o->condition, thr_condition_wait_rlock_until(&o->condition, &o->rlock, support_limit()),
          THR_OK);
    CHECK_OK(thr_rlock_release(&o->rlock));
}

static void wait_semaphore(void *arg)
{
    struct objects *o = arg;
    POINT(HOOK_SEMAPHORE_ACQUIRE, &o->semaphore, thr_semaphore_acquire(&o->semaphore), THR_OK);
}

static void wait_event(void *arg)
{
    struct objects *o = arg;
    POINT(HOOK_EVENT_WAIT, &o->event, thr_event_wait(&o->event), THR_OK);
}

static void wait_barrier(void *arg)
{
    struct objects *o = arg;
    POINT(HOOK_BARRIER_WAIT, &o->barrier, thr_barrier_wait(&o->barrier, NULL), THR_OK);
}

static void wait_latch(void *arg)
{
    struct objects *o = arg;
    POINT(HOOK_LATCH_WAIT, &o->latch, thr_latch_wait(&o->latch), THR_OK);
}

static void wait_read(void *arg)
{
    struct objects *o = arg;
    POINT(HOOK_READ_ACQUIRE, &o->rwlock, thr_rwlock_acquire_read(&o->rwlock), THR_OK);
    POINT(HOOK_READ_RELEASE, &o->rwlock, thr_rwlock_release_read(&o->rwlock), THR_OK);
}

static void wait_write(void *arg)
{
    struct objects *o = arg;
    POINT(HOOK_WRITE_ACQUIRE, &o->rwlock, thr_rwlock_acquire_write(&o->rwlock), THR_OK);
    POINT(HOOK_WRITE_RELEASE, &o->rwlock, thr_rwlock_release_write(&o->rwlock), THR_OK);
}

static void stay_in_once(void *arg)
{
    struct objects *o = arg;
    support_count_add(&o->in_once);
    support_count_wait(&o->go, 1);
}

static void run_once(void *arg)
{
    struct objects *o = arg;
    POINT(HOOK_ONCE_RUN, &o->once, thr_once_run(&o->once, stay_in_once, o), THR_OK);
}

struct start {
    void (*function)(void *arg);
    struct objects *objects;
};

/* To become known is more than one operation, with a lock of the registry's: it is done before. */
static void run_known(void *arg)
{
    const struct start start = *(const struct start *)arg;
    (void)support_record();
    start.function(start.objects);
}

static struct support_thread *blocked(void (*function)(void *), struct objects *o, const void *object)
{
    struct start start = {function, o};
    struct support_thread *thread = support_thread_start(run_known, &start);
    support_wait_thread_blocked(thread, object);
    return thread;
}

static void contended(void)
{
    struct objects o = {.barrier = THR_BARRIER_INIT(2, NULL, NULL), .latch = THR_LATCH_INIT(1)};

    CHECK_OK(thr_lock_acquire(&o.lock));
    struct support_thread *thread = blocked(wait_lock, &o, &o.lock);
    POINT(HOOK_LOCK_RELEASE, &o.lock, thr_lock_release(&o.lock), THR_OK);
    support_thread_join(thread);

    CHECK_OK(thr_rlock_acquire(&o.rlock));
    thread = blocked(wait_rlock, &o, &o.rlock);
    POINT(HOOK_RLOCK_RELEASE, &o.rlock, thr_rlock_release(&o.rlock), THR_OK);
    support_thread_join(thread);

    thread = blocked(wait_condition, &o, &o.condition);
    CHECK_OK(thr_lock_acquire(&o.lock));
    POINT(HOOK_CONDITION_NOTIFY, &o.condition, thr_condition_notify(&o.condition, 1), 1);
    POINT(HOOK_LOCK_RELEASE, &o.lock, thr_lock_release(&o.lock), THR_OK);
    support_thread_join(thread);

    thread = blocked(wait_condition_rlock, &o, &o.condition);
    POINT(HOOK_CONDITION_NOTIFY, &o.condition, thr_condition_notify_all(&o.condition), 1);
    support_thread_join(thread);

    thread = blocked(wait_semaphore, &o, &o.semaphore);
    POINT(HOOK_SEMAPHORE_RELEASE, &o.semaphore, thr_semaphore_release(&o.semaphore, 1), THR_OK);
    support_thread_join(thread);

    thread = blocked(wait_event, &o, &o.event);
    POINT(HOOK_EVENT_SET, &o.event, NOTHING(thr_event_set(&o.event)), 0);
    support_thread_join(thread);

    thread = blocked(wait_barrier, &o, &o.barrier);
    POINT(HOOK_BARRIER_WAIT, &o.barrier, thr_barrier_wait(&o.barrier, NULL), THR_OK);
    support_thread_join(thread);

    thread = blocked(wait_latch, &o, &o.latch);
    POINT(HOOK_LATCH_COUNT_DOWN, &o.latch, thr_latch_count_down(&o.latch, 1), THR_OK);
    support_thread_join(thread);

    CHECK_OK(thr_rwlock_acquire_write(&o.rwlock));
    thread = blocked(wait_read, &o, &o.rwlock);
    POINT(HOOK_WRITE_RELEASE, &o.rwlock, thr_rwlock_release_write(&o.rwlock), THR_OK);
    support_thread_join(thread);

    CHECK_OK(thr_rwlock_acquire_read(&o.rwlock));
    thread = blocked(wait_write, &o, &o.rwlock);
    POINT(HOOK_READ_RELEASE, &o.rwlock, thr_rwlock_release_read(&o.rwlock), THR_OK);
    support_thread_join(thread);

    struct support_thread *runner = support_thread_start(run_once, &o);
    support_count_wait(&o.in_once, 1);
    thread = blocked(run_once, &o, &o.once);
    support_count_add(&o.go);
    support_thread_join(thread);
    support_thread_join(runner);
}

/* The clock of the wait_system is the one that everybody reads. */
static thr_time fixed_now(void)
{
    return 1234567890123;
}

static void test_clock(void **state)
{
    (void)state;
    struct wait_system fixed = *wait_system;
    fixed.now = fixed_now;
    below = wait_system;
    wait_system = &fixed;
    CHECK_EQUAL(thr_now(), 1234567890123);
    CHECK_EQUAL(thr_after(1.0), 1235567890123);
    thr_event event = THR_EVENT_INIT;
    CHECK_RESULT(thr_event_wait_until(&event, 1234567890123), THR_TIMEOUT);
    wait_system = below;
}

#define BOTH_WAYS(name)                                                                                                \
    static void test_##name(void **state)                                                                              \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        both_ways(name);                                                                                               \
    }

BOTH_WAYS(lock)
BOTH_WAYS(rlock)
BOTH_WAYS(condition)
BOTH_WAYS(semaphore)
BOTH_WAYS(bounded_semaphore)
BOTH_WAYS(event)
BOTH_WAYS(barrier)
BOTH_WAYS(latch)
BOTH_WAYS(once)
BOTH_WAYS(rwlock)
BOTH_WAYS(sleeping)
BOTH_WAYS(threads)
BOTH_WAYS(holding)
BOTH_WAYS(contended)

SUPPORT_MAIN(cmocka_unit_test(test_lock), cmocka_unit_test(test_rlock), cmocka_unit_test(test_rlock_held_before),
             cmocka_unit_test(test_condition), cmocka_unit_test(test_semaphore),
             cmocka_unit_test(test_bounded_semaphore), cmocka_unit_test(test_event), cmocka_unit_test(test_barrier),
             cmocka_unit_test(test_latch), cmocka_unit_test(test_once), cmocka_unit_test(test_rwlock),
             cmocka_unit_test(test_sleeping), cmocka_unit_test(test_threads), cmocka_unit_test(test_holding),
             cmocka_unit_test(test_contended), cmocka_unit_test(test_clock))
