/* test_locking.c - one body for everything that locks: the tests that CPython has for Lock and RLock alike
 * (BaseLockTests), and ours. Each runs over every row of the table below, once with the inline paths and once steered. */

#include "support/support.h"

#include <string.h>

#include "wait/hook.h"

union any_lock {
    thr_lock lock;
    thr_rlock rlock;
    thr_rwlock rwlock;
};

struct locking {
    const char *name;
    thr_result (*acquire)(union any_lock *lock); /* waits for ever, or nearly */
    thr_result (*acquire_until)(union any_lock *lock, thr_time deadline);
    bool (*try_acquire)(union any_lock *lock);
    thr_result (*release)(union any_lock *lock);
    bool (*locked)(union any_lock *lock);
};

/* -- Rows ---------------------------------------------------------------------------------------------------------- */

static thr_result lock_acquire(union any_lock *lock)
{
    return thr_lock_acquire(&lock->lock);
}

static thr_result lock_acquire_until(union any_lock *lock, thr_time deadline)
{
    return thr_lock_acquire_until(&lock->lock, deadline);
}

static thr_result lock_acquire_limit(union any_lock *lock)
{
    return thr_lock_acquire_until(&lock->lock, support_limit());
}

static bool lock_try_acquire(union any_lock *lock)
{
    return thr_lock_try_acquire(&lock->lock);
}

static thr_result lock_release(union any_lock *lock)
{
    return thr_lock_release(&lock->lock);
}

static bool lock_locked(union any_lock *lock)
{
    return thr_lock_locked(&lock->lock);
}

static thr_result rlock_acquire(union any_lock *lock)
{
    return thr_rlock_acquire(&lock->rlock);
}

static thr_result rlock_acquire_until(union any_lock *lock, thr_time deadline)
{
    return thr_rlock_acquire_until(&lock->rlock, deadline);
}

static thr_result rlock_acquire_limit(union any_lock *lock)
{
    return thr_rlock_acquire_until(&lock->rlock, support_limit());
}

static bool rlock_try_acquire(union any_lock *lock)
{
    return thr_rlock_try_acquire(&lock->rlock);
}

static thr_result rlock_release(union any_lock *lock)
{
    return thr_rlock_release(&lock->rlock);
}

static bool rlock_locked(union any_lock *lock)
{
    return thr_rlock_locked(&lock->rlock);
}

/* The same lock, taken twice and released twice. */

static thr_result rlock_acquire_twice(union any_lock *lock)
{
    thr_result result = thr_rlock_acquire(&lock->rlock);
    return result == THR_OK ? thr_rlock_acquire(&lock->rlock) : result;
}

static thr_result rlock_acquire_twice_until(union any_lock *lock, thr_time deadline)
{
    thr_result result = thr_rlock_acquire_until(&lock->rlock, deadline);
    return result == THR_OK ? thr_rlock_acquire_until(&lock->rlock, 0) : result;
}

static bool rlock_try_acquire_twice(union any_lock *lock)
{
    return thr_rlock_try_acquire(&lock->rlock) && thr_rlock_try_acquire(&lock->rlock);
}

static thr_result rlock_release_twice(union any_lock *lock)
{
    CHECK_OK(thr_rlock_release(&lock->rlock));
    CHECK(thr_rlock_is_owned(&lock->rlock));
    return thr_rlock_release(&lock->rlock);
}

static thr_result write_acquire(union any_lock *lock)
{
    return thr_rwlock_acquire_write(&lock->rwlock);
}

static thr_result write_acquire_until(union any_lock *lock, thr_time deadline)
{
    return thr_rwlock_acquire_write_until(&lock->rwlock, deadline);
}

static thr_result write_acquire_limit(union any_lock *lock)
{
    return thr_rwlock_acquire_write_until(&lock->rwlock, support_limit());
}

static bool write_try_acquire(union any_lock *lock)
{
    return thr_rwlock_try_acquire_write(&lock->rwlock);
}

static thr_result write_release(union any_lock *lock)
{
    return thr_rwlock_release_write(&lock->rwlock);
}

static bool write_locked(union any_lock *lock)
{
    if (!thr_rwlock_try_acquire_read(&lock->rwlock))
        return true;
    CHECK_OK(thr_rwlock_release_read(&lock->rwlock));
    return false;
}

static const struct locking rows[] = {
    {"lock", lock_acquire, lock_acquire_until, lock_try_acquire, lock_release, lock_locked},
    {"lock, by a deadline", lock_acquire_limit, lock_acquire_until, lock_try_acquire, lock_release, lock_locked},
    {"rlock", rlock_acquire, rlock_acquire_until, rlock_try_acquire, rlock_release, rlock_locked},
    {"rlock, by a deadline", rlock_acquire_limit, rlock_acquire_until, rlock_try_acquire, rlock_release, rlock_locked},
    {"rlock, twice", rlock_acquire_twice, rlock_acquire_twice_until, rlock_try_acquire_twice, rlock_release_twice,
     rlock_locked},
    {"rwlock, write", write_acquire, write_acquire_until, write_try_acquire, write_release, write_locked},
    {"rwlock, write, by a deadline", write_acquire_limit, write_acquire_until, write_try_acquire, write_release,
     write_locked},
};

static void each_row(void (*body)(const struct locking *))
{
    for (int steered = 0; steered < 2; steered++) {
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            support_way(rows[i].name, steered);
            body(&rows[i]);
        }
    }
    support_way(NULL, false);
}

/* What a thread is given: the lock, and what it reports. */
struct job {
    const struct locking *row;
    union any_lock *lock;
    struct support_count ready;
    struct support_count done;
    uint64_t value;
};

static void acquire_and_release(void *arg)
{
    struct job *job = arg;
    CHECK_OK(job->row->acquire(job->lock));
    CHECK_OK(job->row->release(job->lock));
    support_count_add(&job->done);
}

static void check_free(const struct locking *row, union any_lock *lock)
{
    struct job job = {.row = row, .lock = lock};
    struct support_thread *thread = support_thread_start(acquire_and_release, &job);
    support_thread_join(thread);
    CHECK(!row->locked(lock));
}

/* -- CPython: BaseLockTests ---------------------------------------------------------------------------------------- */

/* CPython: test_constructor, test_repr, test_locked_repr, test_acquire_release. */
static void locked_says_who(const struct locking *row)
{
    union any_lock lock = {0};
    for (int i = 0; i < 3; i++) {
        CHECK(!row->locked(&lock));
        support_errno_set();
        CHECK_OK(row->acquire(&lock));
        CHECK(row->locked(&lock));
        CHECK_OK(row->release(&lock));
        CHECK_ERRNO();
    }
    CHECK(!row->locked(&lock));
}

/* CPython: test_acquire_destroy, test_weakref_deleted. A lock can go while it is held: there is nothing to destroy. */
static void held_can_go(const struct locking *row)
{
    union any_lock *lock = support_page_new();
    CHECK_OK(row->acquire(lock));
    support_page_free(lock);
    lock = support_page_new();
    CHECK_OK(row->acquire(lock));
    CHECK_OK(row->release(lock));
    support_page_free(lock);
}

/* CPython: test_try_acquire. */
static void try_takes_free(const struct locking *row)
{
    union any_lock lock = {0};
    CHECK(row->try_acquire(&lock));
    CHECK(row->locked(&lock));
    CHECK_OK(row->release(&lock));
    check_free(row, &lock);
}

static void try_in_vain(void *arg)
{
    struct job *job = arg;
    for (int i = 0; i < 10; i++) {
        support_errno_set();
        CHECK(!job->row->try_acquire(job->lock));
        CHECK_RESULT(job->row->acquire_until(job->lock, 0), THR_TIMEOUT);
        CHECK_ERRNO();
    }
}

/* CPython: test_try_acquire_contended. */
static void try_leaves_held(const struct locking *row)
{
    union any_lock lock = {0};
    struct job job = {.row = row, .lock = &lock};
    CHECK_OK(row->acquire(&lock));
    union any_lock before = lock;
    struct support_thread *thread = support_thread_start(try_in_vain, &job);
    support_thread_join(thread);
    CHECK(memcmp(&before, &lock, sizeof lock) == 0); /* a failed call changes nothing */
    CHECK_OK(row->release(&lock));
    check_free(row, &lock);
}

/* CPython: test_acquire_contended. */
static void held_blocks(const struct locking *row)
{
    enum { N = 5 };
    union any_lock lock = {0};
    struct job job = {.row = row, .lock = &lock};
    struct support_bunch bunch;
    CHECK_OK(row->acquire(&lock));
    support_bunch_start(&bunch, N, acquire_and_release, &job);
    support_wait_blocked(&lock, N);
    CHECK_EQUAL(support_count_get(&job.done), 0);
    CHECK_OK(row->release(&lock));
    support_bunch_join(&bunch);
    CHECK_EQUAL(support_count_get(&job.done), N);
    check_free(row, &lock);
}

/* CPython: test_thread_leak. Threads that we do not know use it, more than a few. */
static void many_threads(const struct locking *row)
{
    enum { N = 15 };
    union any_lock lock = {0};
    struct job job = {.row = row, .lock = &lock};
    struct support_bunch bunch;
    support_bunch_start(&bunch, N, acquire_and_release, &job);
    support_bunch_join(&bunch);
    CHECK_EQUAL(support_count_get(&job.done), N);
    check_free(row, &lock);
}

static void time_out(void *arg)
{
    struct job *job = arg;
    thr_time deadline = thr_after(0.02);
    CHECK_RESULT(job->row->acquire_until(job->lock, deadline), THR_TIMEOUT);
    CHECK_PASSED(deadline);
}

/* CPython: test_timeout. A free lock is taken whatever the deadline. */
static void timeouts(const struct locking *row)
{
    union any_lock lock = {0};
    struct job job = {.row = row, .lock = &lock};
    const thr_time deadlines[] = {THR_FOREVER, support_limit(), 0, -1, thr_now()};
    for (size_t i = 0; i < sizeof deadlines / sizeof *deadlines; i++) {
        CHECK_OK(row->acquire_until(&lock, deadlines[i]));
        CHECK_OK(row->release(&lock));
    }
    CHECK_OK(row->acquire_until(&lock, support_limit()));
    struct support_thread *thread = support_thread_start(time_out, &job);
    support_thread_join(thread);
    CHECK(row->locked(&lock));
    CHECK_OK(row->release(&lock));
    check_free(row, &lock); /* CPython: LockTests.test_state_after_timeout */
}

/* -- Ours ---------------------------------------------------------------------------------------------------------- */

enum { COUNT_THREADS = 4, COUNT_TURNS = 5000 };

static void count_up(void *arg)
{
    struct job *job = arg;
    uint64_t random = support_seed() + support_index();
    for (int i = 0; i < COUNT_TURNS; i++) {
        switch (support_random_below(&random, 4)) {
        case 0:
            CHECK_OK(job->row->acquire_until(job->lock, support_limit()));
            break;
        case 1:
            if (job->row->try_acquire(job->lock))
                break;
            /* fall through */
        default:
            CHECK_OK(job->row->acquire(job->lock));
            break;
        }
        job->value++; /* not atomic: the lock has to keep others out, and to show us their value */
        CHECK_OK(job->row->release(job->lock));
    }
}

static void keeps_others_out(const struct locking *row)
{
    union any_lock lock = {0};
    struct job job = {.row = row, .lock = &lock};
    struct support_bunch bunch;
    support_bunch_start(&bunch, COUNT_THREADS, count_up, &job);
    support_bunch_join(&bunch);
    CHECK_EQUAL(job.value, COUNT_THREADS * COUNT_TURNS);
    CHECK(!row->locked(&lock));
    check_free(row, &lock);
}

/* A release that meets several sleepers lets one go, who lets the next go: with none of them is a wake lost, although
 * some give up in between. */
static void timeouts_eat_nothing(const struct locking *row)
{
    enum { N = 3 };
    union any_lock lock = {0};
    struct job stays = {.row = row, .lock = &lock};
    struct job gives_up = {.row = row, .lock = &lock};
    struct support_bunch bunch;
    struct support_bunch others;
    CHECK_OK(row->acquire(&lock));
    support_bunch_start(&bunch, N, acquire_and_release, &stays);
    support_wait_blocked(&lock, N);
    support_bunch_start(&others, N, time_out, &gives_up);
    support_bunch_join(&others);
    support_wait_blocked(&lock, N);
    CHECK_EQUAL(support_count_get(&stays.done), 0);
    CHECK_OK(row->release(&lock));
    support_bunch_join(&bunch);
    CHECK_EQUAL(support_count_get(&stays.done), N);
}

/* A thread may get its number, which it writes into the locks that it takes, while it holds one. */
static void get_number_while_held(void *arg)
{
    struct job *job = arg;
    CHECK_OK(job->row->acquire(job->lock));
    support_count_add(&job->ready);
    support_count_wait(&job->done, 1);
    (void)support_record();
    CHECK_OK(job->row->release(job->lock));
}

static void number_may_change(const struct locking *row)
{
    for (int i = 0; i < 4; i++) { /* every other thread has a number from its start */
        union any_lock lock = {0};
        struct job job = {.row = row, .lock = &lock};
        struct job next = {.row = row, .lock = &lock};
        struct support_thread *waits = NULL;
        struct support_thread *thread = support_thread_start(get_number_while_held, &job);
        support_count_wait(&job.ready, 1);
        if (i >= 2) {
            waits = support_thread_start(acquire_and_release, &next);
            support_wait_blocked(&lock, 1);
        }
        support_count_add(&job.done);
        if (waits)
            support_thread_join(waits);
        support_thread_join(thread);
        check_free(row, &lock);
    }
}

#define EACH_ROW(name)                                                                                                 \
    static void test_##name(void **state)                                                                              \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        each_row(name);                                                                                                \
    }

EACH_ROW(locked_says_who)
EACH_ROW(held_can_go)
EACH_ROW(try_takes_free)
EACH_ROW(try_leaves_held)
EACH_ROW(held_blocks)
EACH_ROW(many_threads)
EACH_ROW(timeouts)
EACH_ROW(keeps_others_out)
EACH_ROW(timeouts_eat_nothing)
EACH_ROW(number_may_change)

SUPPORT_MAIN(cmocka_unit_test(test_locked_says_who), cmocka_unit_test(test_held_can_go),
             cmocka_unit_test(test_try_takes_free), cmocka_unit_test(test_try_leaves_held),
             cmocka_unit_test(test_held_blocks), cmocka_unit_test(test_many_threads), cmocka_unit_test(test_timeouts),
             cmocka_unit_test(test_keeps_others_out), cmocka_unit_test(test_timeouts_eat_nothing),
             cmocka_unit_test(test_number_may_change))
