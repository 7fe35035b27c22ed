/* executor.h - threads that run tasks. Python: concurrent.futures.ThreadPoolExecutor.
 *
 *     static void *work(void *arg) { ... return result; }
 *
 *     thr_executor *executor;
 *     if (thr_executor_new(&executor, .max_workers = 4) != THR_OK) ...
 *     thr_future *f;
 *     if (thr_executor_submit(executor, &f, work, arg) != THR_OK) ...
 *     ...
 *     thr_executor_shutdown(executor, true, false);
 *     thr_executor_free(executor);
 *
 * Workers are threads like others (not daemons), named PREFIX_0, PREFIX_1, ...; they are started as they are needed, up to
 * max_workers, and sleep when there is nothing to do. A worker whose task sleeps in a wait for a future or a group is
 * replaced by another for that time, which may have a higher number; but not one whose initializer does. So there may be as
 * many threads beyond max_workers as tasks sleep in such waits: no limit but the system's. (Where it has no thread, they are
 * asked for again every 10 ms.) One beyond max_workers that has had nothing to do for 5 seconds ends.
 *
 * Submitted tasks start in the order of their submission: exactly, with one worker; with several, about. Those that take
 * microseconds are taken out of the queue by up to 65 at once; if a worker meets a long one among them, the others take
 * what it has behind that before they have taken twice out of the queue. Tasks of groups (group.h) go before.
 *
 * A task ends by returning, or by thr_fail(): that fails its future, not its worker. Nobody can ask a task that was
 * submitted without a future, so its failure is reported by the excepthook. A task that calls pthread_exit(), or is
 * cancelled by pthread_cancel(), has failed too, and its worker is replaced; but if it runs on the stack of a task that
 * waits for it, or has an open group, that ends the process, with a line on standard error. So does a pthread_exit() in a
 * function that thr_executor_map calls, or in a done callback that a worker calls. A C++ exception that leaves a task, an
 * initializer, a callback or such a function calls std::terminate(), as one that leaves the function of a thread; no
 * handler beyond them is reached. (But by a task that a thr_group_wait() in a function compiled as C has called: then
 * what is done about it is undefined.)
 *
 * A task that calls exit() has failed, and so has the one on whose stack it runs, if that waits for it: who waits for them
 * goes on, their open groups are cancelled and waited for, and another worker does what is pending before the process
 * ends. (thr_shutdown() returns, so a task that calls it has not ended: see there who may wait for the task.)
 *
 * The end of the process waits until all that was submitted is done, as Python's, also for executors that were dropped
 * (where somebody cancels it, that long). thr_shutdown() does the same, and the executor can be used afterwards.
 *
 * In the child of a fork an executor has no workers, and what was pending or running is cancelled; it may be used there:
 * it starts new ones. (What the thread that forked itself runs goes on; its worker ends with it. Of a map, that is the call
 * that forked. The groups are cancelled: see group.h.)
 *
 * Order: everything before the submit happens-before the task. */

#ifndef THREADING_EXECUTOR_H
#define THREADING_EXECUTOR_H

#include "future.h"
#include "thread.h"

THR__BEGIN

/** An executor; opaque. */
typedef struct thr_executor thr_executor;

/** The options of an executor; zero is the default of each. */
typedef struct thr_executor_options {
    unsigned max_workers;           /**< 0: the processors of the process and 4 more, but at most 32 */
    const char *thread_name_prefix; /**< NULL or empty: "ThreadPoolExecutor-N"; copied */
    void (*initializer)(void *arg); /**< called by each worker before its first task */
    void *initarg;                  /**< its argument */
} thr_executor_options;

/** Makes an executor; `options` may be NULL. No thread is started yet. THR_NO_MEMORY. THR_INVALID for more workers than
 * 65535. An initializer that ends by thr_fail() breaks the executor, as Python's: the excepthook is called, all that is
 * pending is THR_BROKEN, and so is every submit from then on, also after a shutdown. One that calls pthread_exit() or exit()
 * breaks it as well, and the excepthook is not called. An initializer may submit and spawn as a task does, and with groups
 * that it leaves open it is as with those of a task: see group.h. */
THR_NODISCARD THR_API thr_result thr_executor_new_with(thr_executor **executor, const thr_executor_options *options);

/** thr_executor_new(thr_executor **executor, options...): the same with designated initialisers, .max_workers = 4.
 * Python: ThreadPoolExecutor(max_workers, thread_name_prefix, initializer, initargs). */
#define thr_executor_new(executor, ...) thr_executor_new_with((executor), &(thr_executor_options){__VA_ARGS__})

/** Has function(arg) run by a worker. *future (may be NULL: nobody will ask) is set before the task begins. Never blocks,
 * but for the start of a thread, however much is pending. THR_CLOSED after a shutdown, THR_BROKEN, THR_INVALID for no
 * function; THR_NO_MEMORY; THR_NO_THREAD if there is no worker, and none can be had: *future is as before then.
 * Python: executor.submit(). */
THR_NODISCARD THR_API thr_result thr_executor_submit(thr_executor *executor, thr_future **future,
                                                     void *(*function)(void *arg), void *arg);

/** Blocks until results[i] (`results` may be NULL) is what function(args[i]) returned, for all i < n. The calls start in
 * the order of the array, at most max_workers run at a time, and nothing else is pending of it. THR_FAILED when one has
 * failed: it is reported by the excepthook, the others that run are waited for, the rest does not start. Where there is
 * no result, results[i] is NULL. Otherwise as thr_executor_submit, and THR_CANCELLED if a shutdown has cancelled the rest.
 * Where n is 0 that is all: THR_OK, also of an executor that is broken or was shut down; `args` is not looked at.
 * Called in a task of this executor it takes part in the work. Python: list(executor.map(function, args)). */
THR_NODISCARD THR_API thr_result thr_executor_map(thr_executor *executor, void *(*function)(void *arg),
                                                  void *const *args, size_t n, void **results);

/** The same with a deadline: THR_TIMEOUT; the rest does not start. Calls that are running then go on with their args[i],
 * but nothing is stored any more: the two arrays may be freed. Python: executor.map(..., timeout=seconds). */
THR_NODISCARD THR_API thr_result thr_executor_map_until(thr_executor *executor, void *(*function)(void *arg),
                                                        void *const *args, size_t n, thr_time deadline, void **results);

/** From now on nothing can be submitted. What is pending is done, or with `cancel_futures` cancelled (submitted without a
 * future: dropped). Tasks of groups, and the ranges of thr_parallel_for, are no futures: they are done, since somebody waits
 * for them (and can cancel the group). With `wait` it blocks until that is so and all workers have ended. At any time, and
 * any number of times. THR_DEADLOCK, and nothing has changed, for a wait by one of its workers: in a task, a callback, an
 * initializer; and in a task, of whatever executor, that is in a group which one of its workers has open, or in a group of
 * such a task. (If a task of this executor waits for a future, of another executor, whose task calls this, both wait
 * for ever.) Python: executor.shutdown(), where it is the RuntimeError "cannot join current thread". */
THR_API thr_result thr_executor_shutdown(thr_executor *executor, bool wait, bool cancel_futures);

/** The same, waiting until a deadline: THR_TIMEOUT, and nothing can be submitted all the same. */
THR_NODISCARD THR_API thr_result thr_executor_shutdown_until(thr_executor *executor, thr_time deadline,
                                                             bool cancel_futures);

/** Gives up the handle, at any time, also in a task: as a shutdown without a wait. What is pending is done, then the
 * workers end, and what is left of it is freed. NULL is allowed. Python: del executor. */
THR_API void thr_executor_free(thr_executor *executor);

THR__END

#endif
