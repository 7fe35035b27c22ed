/* crew.c - which workers there are, and which of them work; the states are in executor.h. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wait/spin.h"
#include "work/executor.h"
#include "work/group.h"

enum { NAME_SIZE = 128, SEARCHERS = 1, CHOICE = 8 };

#define IDLE ((thr_time)5000000000) /* nanoseconds after which one beyond `max` ends */
#define RETRY ((thr_time)10000000)  /* before another thread is asked for in vain */

/* -- Under the lock ----------------------------------------------------------------------------------------------- */

static bool pending(const thr_executor *executor)
{
    return executor->queue.count > 0 || executor->list_first;
}

/* Whether a worker that has nothing to do should leave. After a shutdown the last to become idle says so for all: those that
 * work may still spawn. At the end of the process each goes by itself: the thread that waits for that may be a worker, and
 * is never idle. (What is spawned then hires anew.) */
static bool leaves(const thr_executor *executor)
{
    if (pending(executor))
        return false;
    return executors_ending() ||
           ((executor->closed || executor->broken) && executor->active == 0 && executor->absent == 0);
}

static bool may_hire(const thr_executor *executor)
{
    return !executor->broken && (executor->hire_after == 0 || wait_system->now() >= executor->hire_after);
}

static void refresh(thr_executor *executor)
{
    _Static_assert(offsetof(thr_executor, hungry) == 0, "the inline spawn looks there");
    bool hungry = executor->active < executor->max && (executor->parked || !executor->broken);
    store_relaxed(&executor->hungry, (uint32_t)hungry);
    store_relaxed(&executor->surplus, (uint32_t)(executor->active > executor->max));
}

static void start_search(struct worker *worker)
{
    worker->searching = true;
    worker->executor->searching++;
}

static void stop_search(struct worker *worker)
{
    if (worker->searching)
        worker->executor->searching--;
    worker->searching = false;
}

static void push_parked(struct worker *worker)
{
    worker->parked = true;
    worker->processor = os_processor();
    worker->below = worker->executor->parked;
    worker->executor->parked = worker;
}

static void take_parked(struct worker *worker)
{
    struct worker **at = &worker->executor->parked;
    while (*at != worker)
        at = &(*at)->below;
    *at = worker->below;
    worker->parked = false;
}

/* Whom to wake: the one that parked last, but rather one that did so on another processor than this. The system lets a
 * thread go on where it was, if that processor is idle; two that are both at work on one, with another idle beside it,
 * may be left there for ten milliseconds. */
static struct worker *choose_parked(const thr_executor *executor)
{
    struct worker *worker = executor->parked;
    if (!worker || hook_steers())
        return worker;
    unsigned here = os_processor();
    for (int i = 0; worker && i < CHOICE; i++) {
        if (worker->processor != here)
            return worker;
        worker = worker->below;
    }
    return executor->parked;
}

/* Whether a new worker is searching from the beginning: not if the program's code runs first, which may wait for others. */
static bool searches_at_once(const thr_executor *executor)
{
    return !executor->initializer;
}

/* Counts a worker that is about to be hired. */
static void reserve(thr_executor *executor)
{
    executor->hiring++;
    executor->active++;
    if (searches_at_once(executor))
        executor->searching++;
    refresh(executor);
}

struct call crew_call(thr_executor *executor)
{
    struct call call = {NULL, false};
    if (executor->searching > 0) {
        executor->noted = true; /* W1 */
        return call;
    }
    if (executor->active >= executor->max)
        return call;
    call.worker = choose_parked(executor);
    if (call.worker) {
        take_parked(call.worker);
        start_search(call.worker);
    } else if (may_hire(executor)) {
        call.hire = true;
        reserve(executor);
        return call;
    } else {
        return call;
    }
    executor->active++;
    refresh(executor);
    return call;
}

static void wake(struct worker *worker)
{
    spin_waker(worker->executor);
    (void)add_relaxed(&worker->word, 1); /* ordered by the lock; atomic for the system, which compares it */
    wait_wake(&worker->word, 1, OS_ANY);
}

void crew_dismiss(thr_executor *executor)
{
    for (struct worker *worker = executor->parked; worker; worker = worker->below)
        wake(worker);
}

/* The last worker has left: who waits for that goes on. */
static void settle(thr_executor *executor)
{
    if (executor->threads <= 0 && executor->hiring == 0) {
        (void)add_relaxed(&executor->ended, 1);
        wait_wake(&executor->ended, UINT32_MAX, OS_ANY);
    }
}

/* -- Hiring ------------------------------------------------------------------------------------------------------- */

/* The thread that sat there last is still ending: a shutdown waits for that, too. */
static bool is_taken(const struct worker *worker)
{
    return worker->alive || (worker->thread && thr_thread_is_alive(worker->thread));
}

/* The first seat that is free; NULL: all are taken. */
static struct worker *free_seat(thr_executor *executor)
{
    struct worker *worker = executor->workers;
    while (worker && is_taken(worker))
        worker = worker->next;
    if (worker) {
        worker->alive = true;
        worker->searching = searches_at_once(executor);
    }
    return worker;
}

static void add_seat(thr_executor *executor, struct worker *worker)
{
    struct worker **at = &executor->workers;
    while (*at)
        at = &(*at)->next;
    worker->index = executor->seats++;
    store_release(at, worker); /* pairs with who looks at all without the lock */
}

static struct worker *seat(thr_executor *executor)
{
    executor_lock(executor);
    struct worker *worker = free_seat(executor);
    executor_unlock(executor);
    if (worker)
        return worker;
    int saved = errno;
    worker = aligned_alloc(_Alignof(struct worker), sizeof *worker);
    os_errno_restore(saved);
    if (!worker)
        return NULL;
    memset(worker, 0, sizeof *worker); /* no struct of that size on the stack, in any build */
    worker->executor = executor;
    worker->alive = true;
    worker->searching = searches_at_once(executor);
    worker->deque.executor = executor;
    worker->deque.cancelled = &group_cancels.open;
    deque_init(&worker->deque);
    executor_lock(executor);
    add_seat(executor, worker);
    executor_unlock(executor);
    return worker;
}

/* The thread may end, and its seat be given to another, before the start has returned: so it has a reference of its own. */
static thr_result start(struct worker *worker)
{
    thr_executor *executor = worker->executor;
    char name[NAME_SIZE];
    thr_thread *thread;
    thr_thread_options options = {.name = name, .daemon = THR_DAEMON_NO};
    (void)snprintf(name, sizeof name, "%s_%u", executor->prefix, (unsigned)worker->index);
    thr_result result = thr_thread_new_with(&thread, worker_serve, worker, &options);
    if (result != THR_OK)
        return result;
    executor_lock(executor);
    thr_thread *before = worker->thread;
    worker->thread = thr_thread_ref(thread);
    executor_unlock(executor);
    thr_thread_unref(before);
    executor_ref(executor);
    result = thr_thread_start(thread);
    thr_thread_unref(thread);
    if (result != THR_OK)
        executor_unref(executor);
    return result;
}

/* Starts a worker that is counted already. */
static thr_result hire(thr_executor *executor)
{
    struct worker *worker = seat(executor);
    thr_result result = worker ? start(worker) : THR_NO_MEMORY;
    struct call next = {NULL, false};
    executor_lock(executor);
    executor->hiring--;
    if (result == THR_OK) {
        executor->threads++;
        executor->hire_after = 0;
    } else {
        executor->hire_after = wait_system->now() + RETRY;
        executor->active--;
        if (searches_at_once(executor))
            executor->searching--;
        if (worker) {
            worker->searching = false;
            worker->alive = false;
        }
        refresh(executor);
        if (executor->parked && (executor->noted || pending(executor)))
            next = crew_call(executor); /* it parked while this one was counted as searching */
    }
    settle(executor);
    executor_unlock(executor);
    (void)crew_send(executor, next);
    return result;
}

bool crew_send(thr_executor *executor, struct call call)
{
    if (call.worker)
        wake(call.worker);
    return !call.hire || hire(executor) == THR_OK;
}

thr_result crew_open(thr_executor *executor)
{
    thr_result result = THR_OK;
    (void)thr_lock_acquire(&executor->opening);
    executor_lock(executor);
    bool wanted = executor->threads <= 0 && !executor->closed && !executor->broken; /* else: see lock_open */
    if (wanted)
        reserve(executor);
    executor_unlock(executor);
    if (wanted)
        result = hire(executor);
    (void)thr_lock_release(&executor->opening);
    return result;
}

void crew_notice(thr_executor *executor)
{
    executor_lock(executor);
    struct call call = crew_call(executor);
    executor_unlock(executor);
    (void)crew_send(executor, call);
}

/* -- Searching ---------------------------------------------------------------------------------------------------- */

bool crew_search(struct worker *worker)
{
    thr_executor *executor = worker->executor;
    if (worker->searching)
        return true;
    executor_lock(executor);
    if (executor->searching < SEARCHERS && executor->active <= executor->max)
        start_search(worker);
    executor_unlock(executor);
    return worker->searching;
}

void crew_found(struct worker *worker)
{
    thr_executor *executor = worker->executor;
    struct call call = {NULL, false};
    if (!worker->searching)
        return;
    executor_lock(executor);
    stop_search(worker);
    bool noted = executor->noted;
    executor->noted = false;
    if (pending(executor) || (noted && crew_work(executor)))
        call = crew_call(executor);
    executor_unlock(executor);
    (void)crew_send(executor, call);
}

bool crew_work(const thr_executor *executor)
{
    for (const struct worker *w = load_acquire(&executor->workers); w; w = load_acquire(&w->next)) {
        if (tray_any(&w->tray) || deque_any(&w->deque))
            return true;
    }
    return false;
}

/* -- Parking ------------------------------------------------------------------------------------------------------ */

/* Not ACTIVE any more. Whether who has pushed to a deque may not know that somebody is to be had: W1. */
static bool step_back(struct worker *worker)
{
    thr_executor *executor = worker->executor;
    bool before = executor->hungry;
    executor->active--;
    refresh(executor);
    return !before && executor->hungry && executor->active > 0;
}

/* Out of the stack again, searching; false: somebody was faster. */
static bool unpark(struct worker *worker)
{
    thr_executor *executor = worker->executor;
    executor_lock(executor);
    bool parked = worker->parked;
    if (parked) {
        take_parked(worker);
        executor->active++;
        start_search(worker);
        refresh(executor);
    }
    executor_unlock(executor);
    return parked;
}

/* Under the lock: it has no thread any more. */
static void leave(struct worker *worker)
{
    thr_executor *executor = worker->executor;
    worker->alive = false;
    executor->threads--;
    refresh(executor);
    if (leaves(executor))
        crew_dismiss(executor);
    settle(executor);
}

/* Whether it has been called; if not, and it should leave, it has left. */
static bool called(struct worker *worker, bool idle, bool *left)
{
    thr_executor *executor = worker->executor;
    executor_lock(executor);
    bool parked = worker->parked;
    *left = parked && (leaves(executor) || (idle && worker->index >= executor->max));
    if (*left) {
        take_parked(worker);
        leave(worker);
    }
    executor_unlock(executor);
    return !parked;
}

/* True: it was called, and searches. False: it has left. */
static bool sleep_parked(struct worker *worker, uint32_t word)
{
    thr_executor *executor = worker->executor;
    bool idle = false;
    bool left = false;
    struct wait wait;
    wait_begin(&wait, WAIT_WORK, executor, THR_FOREVER);
    wait.interruptible = false;
    while (!called(worker, idle, &left) && !left) {
        wait.deadline = worker->index >= executor->max ? wait_system->now() + IDLE : THR_FOREVER;
        idle = wait_block(&wait, &worker->word, word, OS_ANY) == THR_TIMEOUT;
        word = load_relaxed(&worker->word);
    }
    wait_end(&wait);
    return !left;
}

bool crew_park(struct worker *worker)
{
    thr_executor *executor = worker->executor;
    executor_lock(executor);
    stop_search(worker);
    bool surplus = executor->active > executor->max;
    if (!surplus && pending(executor)) {
        start_search(worker);
        executor_unlock(executor);
        return true;
    }
    push_parked(worker);
    bool far = step_back(worker);
    uint32_t word = load_relaxed(&worker->word);
    executor_unlock(executor);
    if (far)
        os_barrier_all();
    if (!surplus && crew_work(executor) && unpark(worker))
        return true;
    return sleep_parked(worker, word);
}

/* -- Absence ------------------------------------------------------------------------------------------------------ */

bool crew_absent(struct worker *worker)
{
    thr_executor *executor = worker->executor;
    tray_leave(&worker->tray);
    executor_lock(executor);
    executor->absent++;
    bool far = step_back(worker);
    executor_unlock(executor);
    if (far)
        os_barrier_all();
    executor_lock(executor);
    bool wanted = (pending(executor) || crew_work(executor)) && executor->active < executor->max;
    struct call call = {NULL, false};
    if (wanted)
        call = crew_call(executor);
    bool covered = !wanted || call.worker || call.hire || executor->searching > 0;
    executor_unlock(executor);
    return crew_send(executor, call) && covered;
}

void crew_back(struct worker *worker)
{
    thr_executor *executor = worker->executor;
    executor_lock(executor);
    executor->absent--;
    executor->active++;
    refresh(executor);
    executor_unlock(executor);
}

void crew_lost(struct worker *worker)
{
    thr_executor *executor = worker->executor;
    struct call call = {NULL, false};
    executor_lock(executor);
    stop_search(worker);
    executor->active--;
    leave(worker);
    if (pending(executor) || crew_work(executor))
        call = crew_call(executor);
    executor_unlock(executor);
    (void)crew_send(executor, call);
}
