/* groups.h - what the tests of groups share: functions that open groups run as a task, and as a plain thread. */

#ifndef WORK_GROUPS_H
#define WORK_GROUPS_H

#include "executors.h"

static thr_executor *executor;

/* Runs function(arg) as a task, and as a plain thread. */
static inline void in_a_task(void *(*function)(void *), void *arg)
{
    thr_future *future;
    CHECK_OK(thr_executor_submit(executor, &future, function, arg));
    CHECK_OK(thr_future_result(future, NULL));
    thr_future_unref(future);
}

static inline void inside_and_outside(unsigned max_workers, void *(*function)(void *), void *arg)
{
    executor = make(max_workers);
    in_a_task(function, arg);
    (void)function(arg);
    end(executor);
}

#endif
