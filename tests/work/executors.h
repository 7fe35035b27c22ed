/* executors.h - what the tests of executors share. */

#ifndef WORK_EXECUTORS_H
#define WORK_EXECUTORS_H

#include "support/support.h"

#include <string.h>

#include "threading.h"

static inline thr_executor *make(unsigned max_workers)
{
    thr_executor *executor;
    CHECK_OK(thr_executor_new(&executor, .max_workers = max_workers));
    return executor;
}

static inline void end(thr_executor *executor)
{
    CHECK_OK(thr_executor_shutdown(executor, true, false));
    CHECK_EQUAL(thr_active_count(), 1); /* its threads have ended, all of them */
    thr_executor_free(executor);
}

static inline thr_future *submit(thr_executor *executor, void *(*function)(void *), void *arg)
{
    thr_future *future;
    CHECK_OK(thr_executor_submit(executor, &future, function, arg));
    return future;
}

static inline void *result_of(thr_future *future)
{
    void *result;
    CHECK_OK(thr_future_result(future, &result));
    thr_future_unref(future);
    return result;
}

static inline void *give_arg(void *arg)
{
    return arg;
}

static inline void *wait_for(void *event)
{
    thr_event_wait(event);
    return event;
}

static inline void *count_up(void *count)
{
    support_count_add(count);
    return count;
}

static inline void *fail_task(void *arg)
{
    thr_fail(3, "%s", (const char *)arg);
}

static inline void *who(void *arg)
{
    (void)arg;
    return thr_current_thread();
}

/* An excepthook that counts; what fail_task is given then. */
static uint32_t reports __attribute__((unused));
static char reason[] __attribute__((unused)) = "no reason";

static inline void report(thr_thread *thread, int code, const char *message)
{
    CHECK(thread == thr_current_thread());
    CHECK_EQUAL(code, 3);
    CHECK(strcmp(message, reason) == 0);
    __atomic_fetch_add(&reports, 1, __ATOMIC_RELAXED);
}

#endif
