/* test_rwlock.c - who may hold an rwlock together, and misuse. Whose turn it is is in test_rwlock_turns.c, the write side as
 * a lock in test_locking.c, how both sides block in test_blocking.c. */

#include "rwlocks.h"

/* -- Who may hold it together -------------------------------------------------------------------------------------- */

static void many_readers(thr_rwlock *lock)
{
    enum { N = 6 };
    struct holder readers[N];
    struct holder writer;
    for (int i = 0; i < N; i++) {
        start(&readers[i], lock, false, THR_FOREVER);
        check_held(&readers[i]); /* beside the others */
    }
    CHECK(!thr_rwlock_try_acquire_write(lock));
    CHECK_RESULT(thr_rwlock_acquire_write_until(lock, 0), THR_TIMEOUT);
    CHECK(thr_rwlock_try_acquire_read(lock));
    CHECK_OK(thr_rwlock_release_read(lock));
    start_blocked(&writer, lock, true, THR_FOREVER);
    for (int i = 0; i < N; i++) {
        check_not_held(&writer);
        finish(&readers[i], THR_OK);
    }
    check_held(&writer);
    finish(&writer, THR_OK);
}

static void writer_excludes(thr_rwlock *lock)
{
    struct holder writer;
    struct holder readers[2];
    struct holder other;
    start(&writer, lock, true, THR_FOREVER);
    check_held(&writer);
    CHECK(!thr_rwlock_try_acquire_read(lock));
    CHECK(!thr_rwlock_try_acquire_write(lock));
    CHECK_RESULT(thr_rwlock_acquire_read_until(lock, thr_after(0.005)), THR_TIMEOUT);
    CHECK_RESULT(thr_rwlock_acquire_write_until(lock, thr_after(0.005)), THR_TIMEOUT);
    start_blocked(&readers[0], lock, false, THR_FOREVER);
    start_blocked(&other, lock, true, THR_FOREVER);
    start_blocked(&readers[1], lock, false, support_limit());
    check_not_held(&readers[0]);
    check_not_held(&readers[1]);
    check_not_held(&other);
    finish(&writer, THR_OK);
    finish(&readers[0], THR_OK);
    finish(&readers[1], THR_OK);
    finish(&other, THR_OK);
}

static void acquire_again(thr_rwlock *lock)
{
    for (int i = 0; i < 3; i++) {
        support_errno_set();
        CHECK_OK(thr_rwlock_acquire_write(lock));
        CHECK_OK(thr_rwlock_release_write(lock));
        CHECK_OK(thr_rwlock_acquire_read(lock));
        CHECK_OK(thr_rwlock_acquire_read(lock)); /* nobody waits: as another reader */
        CHECK_OK(thr_rwlock_release_read(lock));
        CHECK_OK(thr_rwlock_release_read(lock));
        CHECK_OK(thr_rwlock_acquire_read_until(lock, 0));
        CHECK_OK(thr_rwlock_release_read(lock));
        CHECK_OK(thr_rwlock_acquire_write_until(lock, 0));
        CHECK_OK(thr_rwlock_release_write(lock));
        CHECK_ERRNO();
    }
}

static void release_read(void *lock)
{
    CHECK_OK(thr_rwlock_release_read(lock));
}

/* Readers are not recorded: any thread may release a read lock. */
static void another_thread_releases_the_read_lock(thr_rwlock *lock)
{
    CHECK_OK(thr_rwlock_acquire_read(lock));
    struct support_thread *thread = support_thread_start(release_read, lock);
    support_thread_join(thread);
}

/* -- Misuse -------------------------------------------------------------------------------------------------------- */

static void check_unchanged(thr_rwlock *lock, const thr_rwlock *before)
{
    CHECK_ERRNO();
    CHECK(memcmp(before, lock, sizeof *before) == 0);
}

static void release_of_a_free_lock(thr_rwlock *lock)
{
    const thr_rwlock before = *lock;
    support_errno_set();
    CHECK_RESULT(thr_rwlock_release_read(lock), THR_NOT_LOCKED);
    CHECK_RESULT(thr_rwlock_release_write(lock), THR_NOT_LOCKED);
    check_unchanged(lock, &before);
}

static void release_on_the_wrong_side(thr_rwlock *lock)
{
    CHECK_OK(thr_rwlock_acquire_read(lock));
    thr_rwlock before = *lock;
    support_errno_set();
    CHECK_RESULT(thr_rwlock_release_write(lock), THR_NOT_LOCKED);
    check_unchanged(lock, &before);
    CHECK_OK(thr_rwlock_release_read(lock));
    CHECK_RESULT(thr_rwlock_release_read(lock), THR_NOT_LOCKED);
    CHECK_OK(thr_rwlock_acquire_write(lock));
    before = *lock;
    CHECK_RESULT(thr_rwlock_release_read(lock), THR_NOT_LOCKED);
    check_unchanged(lock, &before);
    CHECK_OK(thr_rwlock_release_write(lock));
    CHECK_RESULT(thr_rwlock_release_write(lock), THR_NOT_LOCKED);
}

static void release_by_another_writer(thr_rwlock *lock)
{
    struct holder writer;
    start(&writer, lock, true, THR_FOREVER);
    check_held(&writer);
    const thr_rwlock before = *lock;
    support_errno_set();
    for (int i = 0; i < 3; i++) {
        CHECK_RESULT(thr_rwlock_release_write(lock), THR_NOT_OWNER);
        CHECK_RESULT(thr_rwlock_release_read(lock), THR_NOT_LOCKED);
    }
    check_unchanged(lock, &before);
    finish(&writer, THR_OK);
}

/* Under one's own write lock both sides would wait for oneself. Also with others waiting. */
static void acquire_under_the_own_write_lock(thr_rwlock *lock)
{
    for (int waiting = 0; waiting < 3; waiting++) {
        struct holder other;
        CHECK_OK(thr_rwlock_acquire_write(lock));
        if (waiting)
            start_blocked(&other, lock, waiting == 1, THR_FOREVER);
        const thr_rwlock before = *lock;
        support_errno_set();
        CHECK_RESULT(thr_rwlock_acquire_write(lock), THR_DEADLOCK);
        CHECK_RESULT(thr_rwlock_acquire_write_until(lock, support_limit()), THR_DEADLOCK);
        CHECK_RESULT(thr_rwlock_acquire_read(lock), THR_DEADLOCK);
        CHECK_RESULT(thr_rwlock_acquire_read_until(lock, support_limit()), THR_DEADLOCK);
        CHECK(!thr_rwlock_try_acquire_write(lock));
        CHECK(!thr_rwlock_try_acquire_read(lock));
        check_unchanged(lock, &before);
        CHECK_OK(thr_rwlock_release_write(lock));
        if (waiting)
            finish(&other, THR_OK);
    }
}

/* Under one's own read lock a write is not to be had. */
static void write_under_the_own_read_lock(thr_rwlock *lock)
{
    CHECK_OK(thr_rwlock_acquire_read(lock));
    CHECK(!thr_rwlock_try_acquire_write(lock));
    CHECK_RESULT(thr_rwlock_acquire_write_until(lock, thr_after(0.005)), THR_TIMEOUT);
    CHECK_OK(thr_rwlock_release_read(lock));
}

/* A count that cannot be reached in a test: it is set. */
static void too_many_readers(thr_rwlock *lock)
{
    CHECK_OK(thr_rwlock_acquire_read(lock));
    uint32_t one = lock->word_;
    lock->word_ = (THR_RWLOCK_READERS_MAX - 1) * one;
    CHECK_OK(thr_rwlock_acquire_read(lock));
    const thr_rwlock before = *lock;
    support_errno_set();
    CHECK_RESULT(thr_rwlock_acquire_read(lock), THR_TOO_MANY);
    CHECK_RESULT(thr_rwlock_acquire_read_until(lock, support_limit()), THR_TOO_MANY);
    CHECK(!thr_rwlock_try_acquire_read(lock));
    CHECK(!thr_rwlock_try_acquire_write(lock));
    check_unchanged(lock, &before);
    CHECK_OK(thr_rwlock_release_read(lock));
    CHECK_EQUAL(lock->word_, (THR_RWLOCK_READERS_MAX - 1) * one);
    CHECK(thr_rwlock_try_acquire_read(lock));
    lock->word_ = one;
    CHECK_OK(thr_rwlock_release_read(lock));
}

/* Another reader comes before any one of the instructions by which a reader does. */
struct readers {
    thr_rwlock *lock;
    struct support_count go;
    struct support_count holds;
    struct support_count leave;
};

static void read_when_told(void *arg)
{
    struct readers *readers = arg;
    support_count_wait(&readers->go, 1);
    CHECK_OK(thr_rwlock_acquire_read(readers->lock));
    support_count_add(&readers->holds);
    support_count_wait(&readers->leave, 1);
    CHECK_OK(thr_rwlock_release_read(readers->lock));
}

static void let_it_read(void *arg)
{
    struct readers *readers = arg;
    support_count_add(&readers->go);
    support_count_wait(&readers->holds, 1);
}

static void read_beside(void *arg)
{
    const struct readers *readers = arg;
    CHECK_OK(thr_rwlock_acquire_read(readers->lock));
}

static void reader_between(thr_rwlock *lock)
{
    bool came = true;
    for (unsigned n = 1; came; n++) {
        struct readers readers = {.lock = lock};
        struct support_thread *thread = support_thread_start(read_when_told, &readers);
        came = support_step(n, read_beside, let_it_read, &readers);
        if (!came)
            let_it_read(&readers);
        CHECK_OK(thr_rwlock_release_read(lock));
        CHECK(!thr_rwlock_try_acquire_write(lock)); /* the other holds it */
        support_count_add(&readers.leave);
        support_thread_join(thread);
        check_free(lock);
    }
}

static void test_zeroed(void **state)
{
    (void)state;
    thr_rwlock *lock = support_page_new();
    check_free(lock);
    support_page_free(lock);
}

BOTH_WAYS(many_readers)
BOTH_WAYS(writer_excludes)
BOTH_WAYS(acquire_again)
BOTH_WAYS(another_thread_releases_the_read_lock)
BOTH_WAYS(release_of_a_free_lock)
BOTH_WAYS(release_on_the_wrong_side)
BOTH_WAYS(release_by_another_writer)
BOTH_WAYS(acquire_under_the_own_write_lock)
BOTH_WAYS(write_under_the_own_read_lock)
BOTH_WAYS(too_many_readers)
BOTH_WAYS(reader_between)

SUPPORT_MAIN(cmocka_unit_test(test_many_readers), cmocka_unit_test(test_writer_excludes),
             cmocka_unit_test(test_acquire_again), cmocka_unit_test(test_another_thread_releases_the_read_lock),
             cmocka_unit_test(test_release_of_a_free_lock), cmocka_unit_test(test_release_on_the_wrong_side),
             cmocka_unit_test(test_release_by_another_writer), cmocka_unit_test(test_acquire_under_the_own_write_lock),
             cmocka_unit_test(test_write_under_the_own_read_lock), cmocka_unit_test(test_too_many_readers),
             cmocka_unit_test(test_reader_between), cmocka_unit_test(test_zeroed))
