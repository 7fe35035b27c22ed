/* future.h - the result of a task, before it is there. Python: concurrent.futures.Future, wait, as_completed.
 *
 *     thr_future *f;
 *     if (thr_executor_submit(executor, &f, work, arg) != THR_OK) ...
 *     void *result;
 *     if (thr_future_result(f, &result) == THR_OK) ...
 *     thr_future_unref(f);
 *
 * A handle is counted. thr_executor_submit gives one reference to the caller; the executor has its own, so a handle may
 * be dropped at any time.
 *
 *     PENDING   --  it starts  ->   RUNNING   --  it returns  -->   FINISHED
 *        |                             |
 *        +-- cancel --> CANCELLED      +-- thr_fail --> FAILED
 *
 * The last three are done, and stay as they are.
 *
 * A task that waits for a future of its own executor does not keep a worker idle. If that task has not started, and there
 * is no deadline, it is run at once, on the stack of who waits; if it runs elsewhere, what it has spawned into groups is
 * helped with; and where there is nothing of that, another worker takes the place of the one that sleeps. A task is never
 * run on the stack of another that does not wait for it: so it cannot meet a lock there that its own thread holds. And
 * tasks that wait for tasks that wait ... need no more than memory: after half of a stack the next one gets a stack of
 * its own.
 *
 * In the child of a fork a future that was not done at the fork is cancelled, also one that somebody was to set; but not that
 * of a task which has forked: this goes on there. The callbacks of those that are cancelled so are not called, but for
 * those that are added afterwards.
 *
 * Order: everything before the submit happens-before the task; everything in the task, or before the call that sets or cancels
 * it, happens-before the return of each call that finds it done, and before its callbacks. */

#ifndef THREADING_FUTURE_H
#define THREADING_FUTURE_H

#include "base.h"

THR__BEGIN

/** A future; opaque, and counted. */
typedef struct thr_future thr_future;

/** Blocks until it is done. THR_OK: *result (may be NULL) is what the task returned. THR_FAILED: it ended by thr_fail();
 * THR_CANCELLED; THR_BROKEN: an initializer of its executor failed before it could run: *result is NULL then.
 * THR_DEADLOCK, and nothing has changed, if the caller is that task, or runs on its stack, or is a task that it waits for in
 * its groups. (Two tasks that run, each waiting for the other's future, wait for ever, as in Python.)
 * Any number of threads may ask, any number of times. Python: future.result(), future.exception(). */
THR_API thr_result thr_future_result(thr_future *future, void **result);

/** The same with a deadline: THR_TIMEOUT. Python: future.result(timeout). */
THR_NODISCARD THR_API thr_result thr_future_result_until(thr_future *future, thr_time deadline, void **result);

/** THR_OK if it is cancelled, now or before: the task will not run. THR_TOO_LATE if it is running, or done. Callbacks
 * are called by this call. Never blocks, but for them. Python: future.cancel(). */
THR_API thr_result thr_future_cancel(thr_future *future);

/** Which state it was in a moment ago. Never block. Python: future.cancelled(), running(), done(). */
THR_API bool thr_future_cancelled(const thr_future *future);
THR_API bool thr_future_running(const thr_future *future);
THR_API bool thr_future_done(const thr_future *future);

/** The code that its task failed with, 0 if it did not, or is not done (a thr_fail(0, ...) counts as failed: see the
 * result). The message is copied as snprintf does; `message` may be NULL. Never blocks. Python: future.exception(). */
THR_API int thr_future_failure(const thr_future *future, char *message, size_t size);

/** Called when a future is done, with the future and the argument. */
typedef void thr_done_callback(thr_future *future, void *arg);

/** Has callback(future, arg) called once, when it is done: at once, by this call, if it is already; else by the thread
 * that ran or cancelled it, in the order in which they were added (one that is added by a callback, at once). A callback that
 * ends by thr_fail() is reported by the excepthook, and the next one is called; it must not end its thread (in a worker,
 * that ends the process, with a line on standard error; elsewhere the callbacks after it are not called). THR_INVALID for
 * no callback; THR_NO_MEMORY. Python: future.add_done_callback(). */
THR_NODISCARD THR_API thr_result thr_future_add_done_callback(thr_future *future, thr_done_callback *callback,
                                                              void *arg);

/** One more reference; returns its argument. */
THR_API thr_future *thr_future_ref(thr_future *future);

/** One reference less. A task whose future nobody holds any more is run all the same. NULL is allowed. */
THR_API void thr_future_unref(thr_future *future);

/* -- Futures without a task --------------------------------------------------------------------------------------- */

/** A future that somebody sets: PENDING, and no task of an executor. THR_NO_MEMORY. Python: Future(). */
THR_NODISCARD THR_API thr_result thr_future_new(thr_future **future);

/** From now on it cannot be cancelled. THR_CANCELLED if it is; THR_STARTED if it is running, or done; THR_INVALID for a
 * future that has a task, whatever its state.
 * Python: future.set_running_or_notify_cancel(). */
THR_NODISCARD THR_API thr_result thr_future_set_running(thr_future *future);

/** It is done: FINISHED with this result, or FAILED with this code and message, of which 255 bytes are kept. THR_INVALID
 * for a future that has a task, whatever its state; THR_CANCELLED if it was cancelled, THR_TOO_LATE if it is done;
 * THR_NO_MEMORY for the message: nothing has changed. Python: future.set_result(), future.set_exception(). */
THR_NODISCARD THR_API thr_result thr_future_set_result(thr_future *future, void *result);
THR_NODISCARD THR_API thr_result thr_future_set_failure(thr_future *future, int code, const char *format, ...)
    THR_PRINTF(3, 4);

/* -- Several ------------------------------------------------------------------------------------------------------ */

/** What thr_future_wait waits for. */
typedef enum thr_when {
    THR_FIRST_COMPLETED, /**< one is done */
    THR_FIRST_FAILED,    /**< one has failed (not: was cancelled), or all are done. Python: FIRST_EXCEPTION */
    THR_ALL_COMPLETED    /**< all are done */
} thr_when;

/** Blocks until as many of the n futures are done as `when` says: THR_OK; of no futures, all are. THR_TIMEOUT. Which of
 * them are done says thr_future_done(). The same one may be there several times. THR_INVALID for another `when`, and for
 * a NULL among them; THR_DEADLOCK of all, where thr_future_result gives it for one.
 * Allocates nothing for up to 16; THR_NO_MEMORY. Python: concurrent.futures.wait(). */
THR_NODISCARD THR_API thr_result thr_future_wait(thr_future *const *futures, size_t n, thr_when when,
                                                 thr_time deadline);

/** Gives futures in the order in which they are done:
 *
 *     thr_as_completed *order;
 *     thr_future *f;
 *     if (thr_as_completed_new(&order, futures, n) != THR_OK) ...
 *     while (thr_as_completed_next(order, &f) == THR_OK)
 *         ...
 *     thr_as_completed_free(order);
 *
 * Used by one thread at a time. In the child of a fork, which may use it too, those that were done before it, or are
 * cancelled by it, come in the order of the array. Python: concurrent.futures.as_completed(). */
typedef struct thr_as_completed thr_as_completed;

/** Those that are done already come first, in the order of the array; each comes once, also if it is there several times.
 * That of the calling task itself does not come. THR_NO_MEMORY; THR_INVALID for a NULL among them. */
THR_NODISCARD THR_API thr_result thr_as_completed_new(thr_as_completed **order, thr_future *const *futures, size_t n);

/** Blocks until the next is done. *future is borrowed: valid as long as the caller's own reference, or the iterator.
 * THR_EMPTY when all have come, and *future is NULL. */
THR_API thr_result thr_as_completed_next(thr_as_completed *order, thr_future **future);

/** The same with a deadline: THR_TIMEOUT, and *future is NULL; it can be asked again. */
THR_NODISCARD THR_API thr_result thr_as_completed_next_until(thr_as_completed *order, thr_time deadline,
                                                             thr_future **future);

/** Ends it, at any time. NULL is allowed. */
THR_API void thr_as_completed_free(thr_as_completed *order);

THR__END

#endif
