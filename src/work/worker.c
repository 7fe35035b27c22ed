/* worker.c - what a worker does: looks for work, runs it, parks.
 *
 * It looks, in this order, into its tray, its deque, the list and the queue, and the trays and deques of the others; but
 * every 61st time first into those of the others, so that nothing stays behind for ever where a worker's task does not end.
 *
 * Portions. From the queue it takes a part of what is there into its tray when that is much, so that the lock is not taken
 * for each job; else one, so that jobs begin in their order. They wait there for the one that is run first, while others
 * begin what was submitted after them. So it takes no more than what it would get done in a SPELL at the rate at which it
 * has got done what it took since the last time, and at most twice as much as then: of jobs that take longer than that, one.
 * And all that is in trays is older than the queue: who comes to the queue first takes what is in a tray that nobody has
 * taken from since the last time that somebody came by: its owner has met a long one.
 *
 * Lingering. Where tasks take less time than their submission, a worker finds one job each time, or none, and what it
 * costs to find it, some lines that go to and fro between two processors, is paid by who submits as well. If it comes a
 * microsecond later, it finds many. Where jobs come one by one, because somebody waits for each before the next is
 * submitted, that would be a microsecond lost. So it is tried now and then, and goes on as long as it pays:
 *
 *  lingers   shorts
 *  false     counts how often there was little in the queue: fewer than PAYS. The PROBE-th: -> true
 *  true      before it goes to the queue, it waits LINGER, unless much is there. It finds little: -> false */

#include <stdlib.h>

#include "thread/failure.h"
#include "wait/spin.h"
#include "work/executor.h"
#include "work/future.h"
#include "work/group.h"

enum { OTHERS_FIRST = 61 };

/* Of lingering: see above. */
enum {
    LINGER = 1000, /* nanoseconds */
    PAUSES_A_CLOCK = 8,
    PAYS = 4,
    PROBE = 32
};

#define SPELL ((uint64_t)20000) /* nanoseconds */

/* What it has found: a task; or, where that has no function, a job. */
struct errand {
    struct thr__task task;
    struct job job;
};

/* -- Looking ------------------------------------------------------------------------------------------------------ */

/* Between two looks: it is ACTIVE, so W1 counts on it as on any that is about to look. */
static void linger(const struct worker *worker)
{
    if (!worker->lingers || hook_steers() || load_relaxed(&worker->executor->waiting) >= TRAY_SIZE)
        return;
    thr_time end = os_now() + LINGER;
    do {
        for (int i = 0; i < PAUSES_A_CLOCK; i++)
            os_pause();
    } while (os_now() < end);
}

/* It has found `n` jobs there. */
static void learn(struct worker *worker, size_t n)
{
    if (n < PAYS)
        worker->lingers = !worker->lingers && ++worker->shorts % PROBE == 0;
}

/* How many jobs it may take at once: see above. */
static uint32_t portion(struct worker *worker)
{
    if (hook_steers())
        return 1 + TRAY_SIZE;
    thr_time now = os_now();
    uint64_t could = worker->taken * SPELL / ((uint64_t)(now - worker->since) + 1);
    uint64_t most = 2 * (uint64_t)worker->portion;
    if (could > most)
        could = most;
    if (could > 1 + TRAY_SIZE)
        could = 1 + TRAY_SIZE;
    worker->portion = could > 0 ? (uint32_t)could : 1;
    worker->since = now;
    worker->taken = 0;
    return worker->portion;
}

/* From the list or queue; with the lock. */
static bool take_injected(struct worker *worker, uint32_t most, struct errand *errand, thr_task **listed)
{
    thr_executor *executor = worker->executor;
    *listed = executor->list_first;
    if (*listed) {
        executor_unlist(executor, *listed, NULL);
        return true;
    }
    learn(worker, executor->queue.count);
    size_t share = executor->queue.count / executor->max;
    if (!inject_take(&executor->queue, &errand->job))
        return false;
    uint32_t more = 0;
    if (share > 1)
        more = share < most ? (uint32_t)share : most - 1;
    if (more > 0)
        tray_fill(&worker->tray, &executor->queue, more);
    worker->taken += 1 + more;
    executor_recount(executor);
    return true;
}

/* In the trays of others, which have met a long job. */
static bool look_stuck(struct worker *worker, struct errand *errand)
{
    for (struct worker *w = load_acquire(&worker->executor->workers); w; w = load_acquire(&w->next)) {
        if (w != worker && tray_stuck(&w->tray) && tray_rob(&w->tray, &errand->job)) {
            if (!worker->searching && load_relaxed(&worker->executor->hungry) != 0)
                crew_notice(worker->executor); /* as it would for what is left in the queue */
            return true;
        }
    }
    return false;
}

static bool look_injected(struct worker *worker, struct errand *errand)
{
    thr_executor *executor = worker->executor;
    struct call call = {NULL, false};
    linger(worker);
    if (load_relaxed(&executor->waiting) == 0) {
        worker->lingers = false;
        return false;
    }
    if (look_stuck(worker, errand))
        return true;
    uint32_t most = load_relaxed(&executor->waiting) / executor->max > 1 ? portion(worker) : 1;
    thr_task *listed;
    executor_lock(executor);
    bool found = take_injected(worker, most, errand, &listed);
    if (found && !worker->searching && (executor->waiting > 0 || tray_any(&worker->tray)))
        call = crew_call(executor);
    executor_unlock(executor);
    (void)crew_send(executor, call);
    if (listed)
        errand->task = task_unlisted(listed);
    return found;
}

static bool look_own(struct worker *worker, struct errand *errand)
{
    if (tray_take(&worker->tray, &errand->job))
        return true;
    return deque_any(&worker->deque) && deque_pop(&worker->deque, &errand->task);
}

static bool rob(struct worker *victim, struct errand *errand)
{
    if (tray_any(&victim->tray) && tray_rob(&victim->tray, &errand->job))
        return true;
    return deque_any(&victim->deque) && deque_steal(&victim->deque, &errand->task, NULL, NULL);
}

static bool look_others(struct worker *worker, struct errand *errand)
{
    struct worker *first = load_acquire(&worker->next); /* pairs with add_seat in crew.c, as all these */
    for (struct worker *w = first; w; w = load_acquire(&w->next)) {
        if (rob(w, errand))
            return true;
    }
    for (struct worker *w = load_acquire(&worker->executor->workers); w != worker; w = load_acquire(&w->next)) {
        if (rob(w, errand))
            return true;
    }
    return false;
}

static bool look(struct worker *worker, struct errand *errand)
{
    errand->task.function = NULL;
    errand->job.arg = NULL;
    errand->job.function = NULL;
    if (++worker->turns % OTHERS_FIRST == 0 && look_others(worker, errand))
        return true;
    return look_own(worker, errand) || look_injected(worker, errand) || look_others(worker, errand);
}

/* Looks for a moment more, where that has paid lately. */
static bool search(struct worker *worker, struct errand *errand)
{
    struct spin spin;
    bool found = false;
    if (!crew_search(worker))
        return false;
    spin_begin(&spin, worker->executor);
    do {
        if (load_relaxed(&worker->executor->waiting) != 0 || crew_work(worker->executor))
            found = look(worker, errand);
    } while (!found && spin_turn(&spin));
    spin_end(&spin, found);
    return found;
}

/* Something to do; false: the thread ends. */
static bool find(struct worker *worker, struct errand *errand)
{
    do {
        bool surplus = load_relaxed(&worker->executor->surplus) != 0;
        if (!surplus && (look(worker, errand) || search(worker, errand))) {
            crew_found(worker);
            return true;
        }
    } while (crew_park(worker));
    return false;
}

/* -- Running ------------------------------------------------------------------------------------------------------ */

/* One run of the outermost task. */
struct turn {
    struct worker *worker;
    struct errand errand;
    struct frame frame;
};

static void run_plain(struct turn *turn)
{
    const struct job *job = &turn->errand.job;
    void *nothing;
    turn->frame.group = NULL;
    turn->frame.future = NULL;
    hook_point(HOOK_TASK_BEGIN, job->arg);
    (void)frame_run(&turn->frame, job->function, job->arg, &nothing, true);
    hook_point(HOOK_TASK_END, job->arg);
}

static void run_future(struct turn *turn)
{
    thr_future *future = turn->errand.job.arg;
    if (future_claim(future)) { /* else: cancelled, or run by who waits for it */
        store_relaxed(&turn->worker->root, future);
        future_run(future, &turn->frame);
    }
    thr_future_unref(future);
}

static void run_task(struct turn *turn)
{
    store_relaxed(&turn->worker->root, task_group(&turn->errand.task));
    task_run(&turn->errand.task, &turn->frame);
}

/* It ended by pthread_exit, or was cancelled; so does the thread. The frame is that of the outermost task: if it is not the
 * newest entry, others below that one wait for a task that is gone, or for groups whose storage is. (What is above has been
 * unwound: it must not be looked at.) */
static void died(void *arg)
{
    static const char why[] = "it ended its thread";
    struct turn *turn = arg;
    if (thr__here.top != &turn->frame.frame)
        os_die(
            "FATAL: pthread_exit() in a task with an open group, or in a task, callback or map on the stack of one\n");
    turn->frame.code = 0;
    turn->frame.failure = failure_new(0, why);
    if (turn->errand.task.function) {
        task_died(&turn->errand.task, &turn->frame);
    } else if (turn->errand.job.function) {
        free(turn->frame.failure);
        failure_report(0, why);
    } else {
        future_died(turn->errand.job.arg, failure_of(&turn->frame));
        thr_future_unref(turn->errand.job.arg);
    }
    thr__here.top = NULL;
    thr__here.deque = NULL;
}

static void run(struct turn *turn)
{
    tsan_acquire(turn->worker->executor); /* pairs with executor_inject */
    os_unwind_begin(died, turn);
    if (turn->errand.task.function)
        run_task(turn);
    else if (turn->errand.job.function)
        run_plain(turn);
    else
        run_future(turn);
    os_unwind_end(false);
    store_relaxed(&turn->worker->root, NULL);
}

/* -- The thread --------------------------------------------------------------------------------------------------- */

static void *initialize(void *arg)
{
    const thr_executor *executor = arg;
    executor->initializer(executor->initarg);
    return NULL;
}

/* As `died`. */
static void initializer_died(void *frame)
{
    if (thr__here.worker && thr__here.top != frame) /* else it was one before it forked */
        os_die("FATAL: pthread_exit() in an initializer with an open group\n");
}

static bool run_initializer(thr_executor *executor)
{
    struct frame frame = {.group = NULL, .future = NULL};
    void *nothing;
    bool returned;
    os_unwind_begin(initializer_died, &frame.frame);
    returned = frame_run(&frame, initialize, executor, &nothing, true);
    os_unwind_end(false);
    return returned;
}

/* False: it has failed. */
static bool begin(struct worker *worker)
{
    thr_executor *executor = worker->executor;
    worker->floor = (uintptr_t)__builtin_frame_address(0) - os_stack_size() / 2;
    worker->deque.floor = OS_FINDS_CALLS ? worker->floor : UINTPTR_MAX;
    worker->top = (uintptr_t)__builtin_frame_address(0);
    store_relaxed(&worker->here, &thr__here);
    thr__here.worker = worker;
    if (!tsan_here() && !thr__steered() && os_barrier_far)
        thr__here.deque = &worker->deque;
    tsan_acquire(executor);
    return !executor->initializer || run_initializer(executor);
}

void worker_lost(void *arg)
{
    struct worker *worker = arg;
    thr_executor *executor = worker->executor;
    thr__here.top = NULL;
    thr__here.deque = NULL;
    thr__here.worker = NULL;
    if (worker->forks == executors_forks()) { /* else it was one before it forked */
        if (!worker->begun)
            executor_break(worker);
        crew_lost(worker);
    }
    store_relaxed(&worker->here, NULL);
    executor_unref(executor);
}

/* False: it is no worker any more. */
static bool work(struct worker *worker)
{
    struct turn turn = {.worker = worker};
    while (worker->forks == executors_forks()) {
        if (!find(worker, &turn.errand))
            return true;
        run(&turn);
    }
    return false;
}

void *worker_serve(void *arg)
{
    struct worker *worker = arg;
    worker->forks = executors_forks();
    worker->begun = false;
    os_unwind_begin(worker_lost, worker);
    worker->begun = begin(worker);
    if (!worker->begun || !work(worker)) {
        worker_lost(worker);
    } else {
        thr__here.deque = NULL;
        thr__here.worker = NULL;
        store_relaxed(&worker->here, NULL);
        executor_unref(worker->executor);
    }
    os_unwind_end(false);
    return NULL;
}
