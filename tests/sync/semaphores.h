/* semaphores.h - what the tests of semaphores share. */

#ifndef SYNC_SEMAPHORES_H
#define SYNC_SEMAPHORES_H

#include "support/support.h"

#include <errno.h>
#include <string.h>

#include "wait/atomic.h"

union any_semaphore {
    thr_semaphore semaphore;
    thr_bounded_semaphore bounded;
};

struct kind {
    const char *name;
    void (*init)(union any_semaphore *semaphore, uint32_t permits);
    thr_result (*acquire)(union any_semaphore *semaphore);
    thr_result (*acquire_until)(union any_semaphore *semaphore, thr_time deadline);
    bool (*try_acquire)(union any_semaphore *semaphore);
    thr_result (*release)(union any_semaphore *semaphore, uint32_t n);
    uint32_t (*value)(const union any_semaphore *semaphore);
};

static inline void plain_init(union any_semaphore *semaphore, uint32_t permits)
{
    semaphore->semaphore = (thr_semaphore)THR_SEMAPHORE_INIT(permits);
}

static inline thr_result plain_acquire(union any_semaphore *semaphore)
{
    return thr_semaphore_acquire(&semaphore->semaphore);
}

static inline thr_result plain_acquire_until(union any_semaphore *semaphore, thr_time deadline)
{
    return thr_semaphore_acquire_until(&semaphore->semaphore, deadline);
}

static inline bool plain_try_acquire(union any_semaphore *semaphore)
{
    return thr_semaphore_try_acquire(&semaphore->semaphore);
}

static inline thr_result plain_release(union any_semaphore *semaphore, uint32_t n)
{
    return thr_semaphore_release(&semaphore->semaphore, n);
}

static inline uint32_t plain_value(const union any_semaphore *semaphore)
{
    return thr_semaphore_value(&semaphore->semaphore);
}

static inline void bounded_init(union any_semaphore *semaphore, uint32_t permits)
{
    semaphore->bounded = (thr_bounded_semaphore)THR_BOUNDED_SEMAPHORE_INIT(permits);
}

static inline thr_result bounded_acquire(union any_semaphore *semaphore)
{
    return thr_bounded_semaphore_acquire(&semaphore->bounded);
}

static inline thr_result bounded_acquire_until(union any_semaphore *semaphore, thr_time deadline)
{
    return thr_bounded_semaphore_acquire_until(&semaphore->bounded, deadline);
}

static inline bool bounded_try_acquire(union any_semaphore *semaphore)
{
    return thr_bounded_semaphore_try_acquire(&semaphore->bounded);
}

static inline thr_result bounded_release(union any_semaphore *semaphore, uint32_t n)
{
    return thr_bounded_semaphore_release(&semaphore->bounded, n);
}

static inline uint32_t bounded_value(const union any_semaphore *semaphore)
{
    return thr_bounded_semaphore_value(&semaphore->bounded);
}

static const struct kind kinds[] = {
    {"semaphore", plain_init, plain_acquire, plain_acquire_until, plain_try_acquire, plain_release, plain_value},
    {"bounded semaphore", bounded_init, bounded_acquire, bounded_acquire_until, bounded_try_acquire, bounded_release,
     bounded_value},
};

struct contended {
    const struct kind *kind;
    union any_semaphore semaphore;
    struct support_count acquired;
};

/* CPython: test_try_acquire. */
static inline void try_acquire(const struct kind *kind)
{
    union any_semaphore semaphore;
    kind->init(&semaphore, 2);
    CHECK(kind->try_acquire(&semaphore));
    CHECK(kind->try_acquire(&semaphore));
    CHECK(!kind->try_acquire(&semaphore));
    CHECK_OK(kind->release(&semaphore, 1));
    CHECK(kind->try_acquire(&semaphore));
    CHECK(!kind->try_acquire(&semaphore));
    CHECK_EQUAL(kind->value(&semaphore), 0);
}

static inline void hold_one(void *arg)
{
    struct contended *contended = arg;
    CHECK_OK(contended->kind->acquire(&contended->semaphore));
    support_count_add(&contended->acquired);
    CHECK_OK(contended->kind->release(&contended->semaphore, 1));
}

#endif
