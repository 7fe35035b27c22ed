/* locals.h - what the tests of locals share: values that are counted. */

#ifndef THREAD_LOCALS_H
#define THREAD_LOCALS_H

#include "support/support.h"

#include <stdlib.h>
#include <string.h>

#include "wait/atomic.h"

/* -- Values that are counted --------------------------------------------------------------------------------------- */

static uint32_t made;
static uint32_t destroyed;

struct value {
    uint32_t alive;
};

static inline void *value_make(void)
{
    struct value *value = malloc(sizeof *value);
    CHECK(value != NULL);
    value->alive = 1;
    (void)add_relaxed(&made, 1);
    return value;
}

static inline void value_destroy(void *arg)
{
    struct value *value = arg;
    CHECK_EQUAL(value->alive, 1);
    value->alive = 0;
    free(value);
    (void)add_relaxed(&destroyed, 1);
}

static inline void counts_reset(void)
{
    made = 0;
    destroyed = 0;
}

static inline void check_counts(uint32_t n_made, uint32_t n_destroyed)
{
    CHECK_EQUAL(load_relaxed(&made), n_made);
    CHECK_EQUAL(load_relaxed(&destroyed), n_destroyed);
}

/* Runs it in a thread of POSIX, or in one of ours, to its end. */
static inline void in_thread(bool ours, void (*function)(void *), void *arg);

struct call {
    void (*function)(void *);
    void *arg;
};

static inline void *call(void *arg)
{
    struct call *it = arg;
    it->function(it->arg);
    return NULL;
}

static inline void in_thread(bool ours, void (*function)(void *), void *arg)
{
    struct call it = {function, arg};
    if (ours) {
        thr_thread *thread;
        CHECK_OK(thr_spawn(&thread, call, &it));
        CHECK_OK(thr_thread_join(thread, NULL));
        thr_thread_unref(thread);
    } else {
        pthread_t thread; /* a bare one, that has nothing to do with us but for the local */
        CHECK(pthread_create(&thread, NULL, call, &it) == 0);
        CHECK(pthread_join(thread, NULL) == 0);
    }
}

#endif
