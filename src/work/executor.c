/* executor.c - making, feeding and shutting down executors; the states of the workers are in executor.h.
 *
 * An executor is freed with its last reference: the handle is one, each thread of a worker has one. */

#include "work/executor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "work/absence.h"
#include "work/future.h"
#include "work/group.h"
#include "work/help.h"

enum { MOST_WORKERS = 65535, MOST_BY_DEFAULT = 32, MORE_THAN_PROCESSORS = 4 };

/* -- Making and freeing ------------------------------------------------------------------------------------------- */

static char *prefix_of(const thr_executor_options *options)
{
    static const char form[] = "ThreadPoolExecutor-%u";
    static uint32_t count;
    const char *given = options->thread_name_prefix;
    if (given && *given)
        return strdup(given);
    char *made = malloc(sizeof form + 10);
    if (made)
        (void)snprintf(made, sizeof form + 10, form, (unsigned)add_relaxed(&count, 1));
    return made;
}

static uint32_t max_of(const thr_executor_options *options)
{
    if (options->max_workers != 0)
        return options->max_workers;
    unsigned n = os_processors() + MORE_THAN_PROCESSORS;
    return n < MOST_BY_DEFAULT ? n : MOST_BY_DEFAULT;
}

static thr_executor *make(const thr_executor_options *options)
{
    int saved = errno;
    char *prefix = prefix_of(options);
    thr_executor *executor = prefix ? calloc(1, sizeof *executor) : NULL;
    if (!executor)
        free(prefix);
    os_errno_restore(saved);
    if (!executor)
        return NULL;
    executor->prefix = prefix;
    executor->references = 1;
    executor->max = max_of(options);
    executor->hungry = 1;
    executor->initializer = options->initializer;
    executor->initarg = options->initarg;
    return executor;
}

thr_result thr_executor_new_with(thr_executor **executor, const thr_executor_options *options)
{
    static const thr_executor_options defaults = {0};
    if (!options)
        options = &defaults;
    if (options->max_workers > MOST_WORKERS)
        return THR_INVALID;
    thr_result result = executors_prepare();
    if (result != THR_OK)
        return result;
    thr_executor *made = make(options);
    if (!made)
        return THR_NO_MEMORY;
    executors_add(made);
    *executor = made;
    return THR_OK;
}

void executor_ref(thr_executor *executor)
{
    (void)add_relaxed(&executor->references, 1);
}

static void destroy(thr_executor *executor)
{
    executors_remove(executor);
    for (struct worker *next, *worker = executor->workers; worker; worker = next) {
        next = worker->next;
        thr_thread_unref(worker->thread);
        free(worker);
    }
    inject_free(&executor->queue);
    free(executor->prefix);
    free(executor);
}

void executor_unref(thr_executor *executor)
{
    tsan_release(&executor->references);
    if (sub_acq_rel(&executor->references, 1) != 1)
        return;
    tsan_acquire(&executor->references);
    destroy(executor);
}

/* -- Feeding ------------------------------------------------------------------------------------------------------ */

/* Whether something may be submitted from outside. */
static thr_result accepts(const thr_executor *executor)
{
    if (executor->broken)
        return THR_BROKEN;
    return executor->closed ? THR_CLOSED : THR_OK;
}

/* Takes the lock, once there is a worker (W2); not when the result is not THR_OK. */
static thr_result lock_open(thr_executor *executor)
{
    for (;;) {
        executor_lock(executor);
        thr_result result = accepts(executor);
        bool open = executor->threads > 0;
        if (result == THR_OK && open)
            return THR_OK;
        executor_unlock(executor);
        if (result == THR_OK)
            result = crew_open(executor);
        if (result != THR_OK)
            return result;
    }
}

void executor_recount(thr_executor *executor)
{
    store_relaxed(&executor->waiting, executor->queue.count + executor->listed);
}

thr_result executor_inject(thr_executor *executor, struct job job)
{
    tsan_release(executor);
    thr_result result = lock_open(executor);
    while (result == THR_OK && inject_lacks(&executor->queue)) {
        executor_unlock(executor);
        struct inject_block *block = inject_block_new();
        if (!block)
            return THR_NO_MEMORY;
        executor_lock(executor);
        inject_give(&executor->queue, block);
        executor_unlock(executor);
        result = lock_open(executor);
    }
    if (result != THR_OK)
        return result;
    inject_put(&executor->queue, job);
    executor_recount(executor);
    struct call call = crew_call(executor);
    executor_unlock(executor);
    (void)crew_send(executor, call);
    return THR_OK;
}

thr_result executor_list(thr_executor *executor, thr_task *task, bool inside)
{
    tsan_release(executor);
    if (inside) {
        executor_lock(executor);
    } else {
        thr_result result = lock_open(executor);
        if (result != THR_OK)
            return result;
    }
    task->next_ = NULL;
    if (executor->list_last)
        executor->list_last->next_ = task;
    else
        executor->list_first = task;
    executor->list_last = task;
    executor->listed++;
    executor_recount(executor);
    struct call call = crew_call(executor);
    executor_unlock(executor);
    (void)crew_send(executor, call);
    return THR_OK;
}

void executor_unlist(thr_executor *executor, thr_task *task, thr_task *before)
{
    if (before)
        before->next_ = task->next_;
    else
        executor->list_first = task->next_;
    if (executor->list_last == task)
        executor->list_last = before;
    executor->listed--;
    executor_recount(executor);
}

thr_result thr_executor_submit(thr_executor *executor, thr_future **handle, void *(*function)(void *arg), void *arg)
{
    hook_point(HOOK_SUBMIT, executor);
    struct job job = {function, arg};
    if (!function)
        return THR_INVALID;
    if (!handle)
        return executor_inject(executor, job);
    thr_future *future = future_new(executor, function, arg);
    if (!future)
        return THR_NO_MEMORY;
    thr_future *before = *handle;
    *handle = thr_future_ref(future); /* the task may look at it */
    job = (struct job){NULL, future};
    thr_result result = executor_inject(executor, job);
    if (result != THR_OK) {
        *handle = before;
        thr_future_unref(future);
        thr_future_unref(future);
    }
    return result;
}

/* -- Dropping what is pending ------------------------------------------------------------------------------------- */

/* Any job that nobody has begun. */
static bool take_job(thr_executor *executor, struct job *job)
{
    executor_lock(executor);
    bool taken = inject_take(&executor->queue, job);
    executor_recount(executor);
    executor_unlock(executor);
    for (struct worker *w = load_acquire(&executor->workers); w && !taken; w = load_acquire(&w->next))
        taken = tray_take(&w->tray, job);
    return taken;
}

static void cancel(thr_future *future)
{
    (void)thr_future_cancel(future);
}

static void drop_jobs(thr_executor *executor, void (*end)(thr_future *future))
{
    struct job job;
    while (take_job(executor, &job)) {
        if (job.function)
            continue;
        end(job.arg);
        thr_future_unref(job.arg);
    }
}

void executor_break(struct worker *worker)
{
    thr_executor *executor = worker->executor;
    executor_lock(executor);
    executor->broken = true;
    thr_task *listed = executor->list_first;
    executor->list_first = NULL;
    executor->list_last = NULL;
    executor->listed = 0;
    executor_recount(executor);
    executor_unlock(executor);
    struct thr__task task;
    for (thr_task *next; listed; listed = next) {
        next = listed->next_;
        task = task_unlisted(listed);
        task_break(&task);
    }
    while (deque_pop(&worker->deque, &task))
        task_break(&task); /* it has spawned it into another's group, and nobody may be left to steal it */
    drop_jobs(executor, future_break);
}

/* -- Forks -------------------------------------------------------------------------------------------------------- */

/* Its thread is gone, or no worker any more. */
static void lose(struct worker *worker)
{
    if (worker->here != &thr__here)
        worker->here = NULL;
    store_relaxed(&worker->tray.word, 0);
    deque_init(&worker->deque);
    worker->alive = false;
    worker->parked = false;
    worker->searching = false;
}

void executor_forked(thr_executor *executor)
{
    executor->references = executor->dropped ? 0 : 1; /* 0: nobody is left to free it */
    executor->lock = (thr_lock)THR_LOCK_INIT;         /* its sleepers are gone */
    executor->opening = (thr_lock)THR_LOCK_INIT;
    executor->queue = (struct inject){0}; /* an allocator's handler may not have run yet */
    for (struct worker *worker = executor->workers; worker; worker = worker->next) {
        lose(worker);
        if (worker->here)
            executor->references++; /* it will come back to worker_serve */
    }
    executor->list_first = NULL;
    executor->list_last = NULL;
    executor->listed = 0;
    executor_recount(executor);
    executor->parked = NULL;
    executor->threads = 0;
    executor->hiring = 0;
    executor->active = 0;
    executor->searching = 0;
    executor->absent = 0;
    executor->noted = false;
    executor->surplus = 0;
    executor->hungry = 1;
}

/* -- Shutting down ------------------------------------------------------------------------------------------------ */

/* All flags of the executor are written under the lock: a test of two of them may be compiled into one load of all four. */
static void shut(thr_executor *executor, bool cancel_futures, bool dropped)
{
    executor_lock(executor);
    executor->closed = true;
    executor->dropped = dropped || executor->dropped;
    crew_dismiss(executor);
    if (cancel_futures)
        store_relaxed(&executor->cancelled, 1); /* map.c: a hint, which orders nothing */
    executor_unlock(executor);
    if (cancel_futures)
        drop_jobs(executor, cancel);
}

/* A worker's thread, with a reference; NULL: it has none, or is the caller itself: that was a worker before a fork. */
static thr_thread *thread_of(thr_executor *executor, struct worker *worker)
{
    const thr_thread *self = thr_current_thread();
    executor_lock(executor);
    bool other = worker->thread && worker->thread != self;
    thr_thread *thread = other ? thr_thread_ref(worker->thread) : NULL;
    executor_unlock(executor);
    return thread;
}

static thr_result join_all(thr_executor *executor, thr_time deadline)
{
    thr_result result = THR_OK;
    for (struct worker *w = load_acquire(&executor->workers); w && result == THR_OK; w = load_acquire(&w->next)) {
        thr_thread *thread = thread_of(executor, w);
        if (!thread)
            continue;
        result = thr_thread_join_until(thread, deadline, NULL);
        if (result == THR_FAILED || result == THR_NOT_STARTED)
            result = THR_OK;
        thr_thread_unref(thread);
    }
    return result;
}

static thr_result wait_for_the_last(thr_executor *executor, thr_time deadline)
{
    struct wait wait;
    struct absence absence;
    thr_result result = THR_OK;
    wait_begin(&wait, WAIT_EXECUTOR, executor, deadline);
    absence_begin(&absence);
    while (result == THR_OK) {
        executor_lock(executor);
        uint32_t ended = load_relaxed(&executor->ended);
        bool all = executor->threads <= 0 && executor->hiring == 0;
        executor_unlock(executor);
        if (all)
            break;
        result = absence_block(&absence, &wait, &executor->ended, ended);
    }
    absence_end(&absence);
    wait_end(&wait);
    return result;
}

thr_result thr_executor_shutdown_until(thr_executor *executor, thr_time deadline, bool cancel_futures)
{
    hook_point(HOOK_EXECUTOR_SHUTDOWN, executor);
    if (help_holds(executor))
        return THR_DEADLOCK;
    shut(executor, cancel_futures, false);
    thr_result result = wait_for_the_last(executor, deadline);
    return result == THR_OK ? join_all(executor, deadline) : result;
}

thr_result thr_executor_shutdown(thr_executor *executor, bool wait, bool cancel_futures)
{
    if (wait)
        return thr_executor_shutdown_until(executor, THR_FOREVER, cancel_futures);
    hook_point(HOOK_EXECUTOR_SHUTDOWN, executor);
    shut(executor, cancel_futures, false);
    return THR_OK;
}

void thr_executor_free(thr_executor *executor)
{
    if (!executor)
        return;
    shut(executor, false, true);
    executor_unref(executor);
}
