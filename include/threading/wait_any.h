/* wait_any.h - wait for one of several objects. Python has this for futures only (concurrent.futures.wait).
 *
 *     thr_waitable any[] = {thr_waitable_event(&stop), thr_waitable_queue(jobs)};
 *     size_t which;
 *     if (thr_wait_any(any, 2, thr_after(1.0), &which) == THR_OK && which == 1)
 *         ... thr_queue_try_get(jobs, &job) ...    // another thread may have been faster
 *
 * It says which one is ready, and consumes nothing: the event stays set, the permit and the item where they are. So
 * somebody else may take them before the caller does; use the try forms, and wait again.
 *
 * Ready means:
 *
 *  event       it is set, or was set while this call waited (a clear that follows at once takes nothing back)
 *  semaphore   there is a permit
 *  thread      it has ended
 *  future      it is done: finished, failed, cancelled, broken
 *  queue       a get would not wait: there is an item, or it was shut down
 *
 * Order: everything before the set, the release, the end of the thread, the end of the task, happens-before the return that
 * reports it; for a queue the get orders. */

#ifndef THREADING_WAIT_ANY_H
#define THREADING_WAIT_ANY_H

#include "event.h"
#include "future.h"
#include "queue.h"
#include "semaphore.h"
#include "thread.h"

THR__BEGIN

/* Private: what a thr_waitable is. */
enum thr__waitable { THR__EVENT = 1, THR__SEMAPHORE, THR__THREAD, THR__QUEUE, THR__FUTURE };

/** One of the objects to wait for. It must be there until the wait returns. */
typedef struct thr_waitable {
    enum thr__waitable kind_;
    void *object_;
} thr_waitable;

/** Makes one of each kind of object. Never block; async-signal-safe. */
THR_INLINE thr_waitable thr_waitable_event(thr_event *event)
{
    thr_waitable waitable = {THR__EVENT, event};
    return waitable;
}

/** As thr_waitable_event. */
THR_INLINE thr_waitable thr_waitable_semaphore(thr_semaphore *semaphore)
{
    thr_waitable waitable = {THR__SEMAPHORE, semaphore};
    return waitable;
}

/** As thr_waitable_event. */
THR_INLINE thr_waitable thr_waitable_bounded_semaphore(thr_bounded_semaphore *semaphore)
{
    thr_waitable waitable = {THR__SEMAPHORE, &semaphore->semaphore_};
    return waitable;
}

/** As thr_waitable_event. */
THR_INLINE thr_waitable thr_waitable_thread(thr_thread *thread)
{
    thr_waitable waitable = {THR__THREAD, thread};
    return waitable;
}

/** As thr_waitable_event. */
THR_INLINE thr_waitable thr_waitable_queue(thr_queue *queue)
{
    thr_waitable waitable = {THR__QUEUE, queue};
    return waitable;
}

/** As thr_waitable_event. */
THR_INLINE thr_waitable thr_waitable_future(thr_future *future)
{
    thr_waitable waitable = {THR__FUTURE, future};
    return waitable;
}

/** Blocks until one of the n objects is ready, or the deadline passes: THR_TIMEOUT. *which (may be NULL) is its place in
 * the array, the first one's if several are. THR_INVALID for n = 0, a NULL or something that is no waitable;
 * THR_NOT_STARTED and THR_DEADLOCK as the join of a thread, and as the result of a future, even if another is ready;
 * THR_NO_MEMORY, when it has to wait for more than 64. In a task, while it waits for futures among others, another worker
 * takes the place of this one, but it runs none of them itself. Python: concurrent.futures.wait(return_when=
 * FIRST_COMPLETED), for futures. */
THR_NODISCARD THR_API thr_result thr_wait_any(const thr_waitable *objects, size_t n, thr_time deadline, size_t *which);

THR__END

#endif
