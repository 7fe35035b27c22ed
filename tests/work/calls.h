/* calls.h - calls of a queue that have to wait, each in a thread of its own. */

#ifndef WORK_CALLS_H
#define WORK_CALLS_H

#include "kinds.h"

#include "wait/atomic.h"

struct call {
    thr_queue *queue;
    thr_time deadline;
    void *item;
    thr_result result;
};

static inline void put_it(void *arg)
{
    struct call *call = arg;
    store_release(&call->result, thr_queue_put_until(call->queue, call->item, call->deadline));
}

static inline void get_it(void *arg)
{
    struct call *call = arg;
    store_release(&call->result, thr_queue_get_until(call->queue, &call->item, call->deadline));
}

static inline void join_it(void *arg)
{
    struct call *call = arg;
    store_release(&call->result, thr_queue_join_until(call->queue, call->deadline));
}

/* Starts a call that has to wait. */
static inline struct support_thread *waits(void (*function)(void *), struct call *call)
{
    struct support_thread *thread = support_thread_start(function, call);
    support_wait_thread_blocked(thread, call->queue);
    return thread;
}

static inline void ends(struct support_thread *thread, const struct call *call, thr_result result)
{
    support_thread_join(thread);
    CHECK_RESULT(call->result, result);
}

#endif
