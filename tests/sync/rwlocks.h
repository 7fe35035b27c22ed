/* rwlocks.h - what the tests of rwlocks share: threads that hold one until they are told to go. */

#ifndef SYNC_RWLOCKS_H
#define SYNC_RWLOCKS_H

#include "support/support.h"

#include <string.h>

#include "wait/atomic.h"

/* A thread that takes the lock once, on one side, and holds it until it is told to go. */
struct holder {
    thr_rwlock *lock;
    bool writes;
    thr_time deadline;
    thr_result result;
    struct support_thread *thread;
    struct support_count held;
    struct support_count go;
    struct support_count done;
};

static inline void holder_run(void *arg)
{
    struct holder *holder = arg;
    holder->result = holder->writes ? thr_rwlock_acquire_write_until(holder->lock, holder->deadline)
                                    : thr_rwlock_acquire_read_until(holder->lock, holder->deadline);
    if (holder->result == THR_OK) {
        support_count_add(&holder->held);
        support_count_wait(&holder->go, 1);
        CHECK_OK(holder->writes ? thr_rwlock_release_write(holder->lock) : thr_rwlock_release_read(holder->lock));
    }
    support_count_add(&holder->done);
}

static inline void start(struct holder *holder, thr_rwlock *lock, bool writes, thr_time deadline)
{
    *holder = (struct holder){.lock = lock, .writes = writes, .deadline = deadline};
    holder->thread = support_thread_start(holder_run, holder);
}

static inline void start_blocked(struct holder *holder, thr_rwlock *lock, bool writes, thr_time deadline)
{
    start(holder, lock, writes, deadline);
    support_wait_thread_blocked(holder->thread, lock);
}

static inline void go(struct holder *holder)
{
    support_count_add(&holder->go);
}

static inline void finish(struct holder *holder, thr_result expected)
{
    if (expected == THR_OK)
        go(holder);
    support_thread_join(holder->thread);
    CHECK_RESULT(holder->result, expected);
}

static inline void check_held(struct holder *holder)
{
    support_count_wait(&holder->held, 1);
}

static inline void check_not_held(struct holder *holder)
{
    CHECK_EQUAL(support_count_get(&holder->held), 0);
}

static inline void check_free(thr_rwlock *lock)
{
    CHECK(thr_rwlock_try_acquire_write(lock));
    CHECK_OK(thr_rwlock_release_write(lock));
    CHECK(thr_rwlock_try_acquire_read(lock));
    CHECK_OK(thr_rwlock_release_read(lock));
    const thr_rwlock zero = THR_RWLOCK_INIT;
    CHECK(memcmp(lock, &zero, sizeof zero) == 0);
}

/* Runs a test with the inline paths, and steered. */
static inline void both_ways(void (*body)(thr_rwlock *lock))
{
    for (int steered = 0; steered < 2; steered++) {
        thr_rwlock lock = THR_RWLOCK_INIT;
        support_way(NULL, steered);
        body(&lock);
        check_free(&lock);
    }
    support_way(NULL, false);
}

#define BOTH_WAYS(name)                                                                                                \
    static void test_##name(void **state)                                                                              \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        both_ways(name);                                                                                               \
    }

#endif
