/* conditions.h - what the tests of conditions share: waiters with a lock, and with an rlock at several depths. */

#ifndef SYNC_CONDITIONS_H
#define SYNC_CONDITIONS_H

#include "support/support.h"

#include <string.h>

#include "wait/atomic.h"
#include "wait/wait.h"

struct shared {
    thr_condition condition;
    thr_lock lock;
    thr_rlock rlock;
    const struct kind *kind;
    int state;                       /* under the lock */
    unsigned inside;                 /* threads between acquire and release; under the lock, if that works */
    struct support_count predicates; /* how often one was called */
};

struct kind {
    const char *name;
    unsigned depth; /* of the rlock; 0: the lock */
};

static const struct kind kinds[] = {{"lock", 0}, {"rlock", 1}, {"rlock, 3 deep", 3}};

static inline void acquire(struct shared *shared)
{
    if (shared->kind->depth == 0)
        CHECK_OK(thr_lock_acquire(&shared->lock));
    for (unsigned i = 0; i < shared->kind->depth; i++)
        CHECK_OK(thr_rlock_acquire(&shared->rlock));
    CHECK_EQUAL(shared->inside++, 0);
}

static inline void release(struct shared *shared)
{
    CHECK_EQUAL(--shared->inside, 0);
    if (shared->kind->depth == 0)
        CHECK_OK(thr_lock_release(&shared->lock));
    for (unsigned i = 0; i < shared->kind->depth; i++)
        CHECK_OK(thr_rlock_release(&shared->rlock));
}

/* Whatever the wait's result, the lock is held again, to the same depth. */
static inline void check_held(struct shared *shared)
{
    CHECK_EQUAL(shared->inside++, 0);
    if (shared->kind->depth == 0)
        CHECK(thr_lock_locked(&shared->lock));
    else
        CHECK_EQUAL(thr_rlock_depth(&shared->rlock), shared->kind->depth);
}

static inline thr_result wait_until(struct shared *shared, thr_time deadline)
{
    thr_result result;
    shared->inside--;
    if (shared->kind->depth != 0)
        result = deadline == THR_FOREVER ? thr_condition_wait_rlock(&shared->condition, &shared->rlock)
                                         : thr_condition_wait_rlock_until(&shared->condition, &shared->rlock, deadline);
    else
        result = deadline == THR_FOREVER ? thr_condition_wait(&shared->condition, &shared->lock)
                                         : thr_condition_wait_until(&shared->condition, &shared->lock, deadline);
    check_held(shared);
    return result;
}

static inline void each_kind(void (*body)(struct shared *shared))
{
    for (int steered = 0; steered < 2; steered++) {
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
            struct shared shared = {.kind = &kinds[i]};
            support_way(kinds[i].name, steered);
            body(&shared);
            support_way(kinds[i].name, false);
            CHECK_EQUAL(thr_condition_notify_all(&shared.condition), 0);
            CHECK(!thr_lock_locked(&shared.lock));
            CHECK(!thr_rlock_locked(&shared.rlock));
        }
    }
    support_way(NULL, false);
}

/* A thread that waits once. */
struct waiter {
    struct shared *shared;
    thr_time deadline;
    thr_result result;
    struct support_count go; /* it waits for this first */
    struct support_count done;
    struct support_thread *thread;
};

static inline void waiter_run(void *arg)
{
    struct waiter *waiter = arg;
    support_count_wait(&waiter->go, 1);
    acquire(waiter->shared);
    waiter->result = wait_until(waiter->shared, waiter->deadline);
    release(waiter->shared);
    support_count_add(&waiter->done);
}

/* Starts waiters, each when the one before is blocked. */
static inline void start(struct waiter *waiters, unsigned n, struct shared *shared)
{
    for (unsigned i = 0; i < n; i++) {
        waiters[i] = (struct waiter){.shared = shared, .deadline = THR_FOREVER, .go = {1}};
        waiters[i].thread = support_thread_start(waiter_run, &waiters[i]);
        support_wait_thread_blocked(waiters[i].thread, &shared->condition);
    }
}

static inline void finish(struct waiter *waiters, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        support_thread_join(waiters[i].thread);
        CHECK_OK(waiters[i].result);
    }
}

static inline void check_none_done(struct waiter *waiters, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        CHECK_EQUAL(support_count_get(&waiters[i].done), 0);
}

static inline size_t notify(struct shared *shared, size_t n, bool with_lock)
{
    if (with_lock)
        acquire(shared);
    size_t woken = thr_condition_notify(&shared->condition, n);
    if (with_lock)
        release(shared);
    return woken;
}

#define EACH_KIND(name)                                                                                                \
    static void test_##name(void **state)                                                                              \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        each_kind(name);                                                                                               \
    }

#endif
