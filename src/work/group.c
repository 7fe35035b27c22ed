/* group.c - spawning into groups and waiting for them; the states are in group.h. */

#include "work/group.h"

#include <errno.h>
#include <stdlib.h>

#include "threading/local.h"
#include "wait/spin.h"
#include "work/absence.h"
#include "work/executor.h"
#include "work/help.h"

enum { SLEEPING = 1, ONE = 2 };

/* The failure of the group that the thread has waited for last: its message is asked for afterwards. */
static thr_local told = THR_LOCAL_INIT(NULL, failure_free);

/* -- Cancelling --------------------------------------------------------------------------------------------------- */

static void mark_cancelled(thr_group *group)
{
    (void)or_acq_rel(&group->state_, GROUP_CANCELLED);
    (void)add_release(&group->executor_->cancels, 1); /* pairs with is_cancelled */
}

static bool look_up(thr_group *group, uint32_t cancels);

/* G3. Of an open group. */
static inline bool is_cancelled(thr_group *group)
{
    if (THR__UNLIKELY(load_relaxed(&group->state_) & GROUP_CANCELLED))
        return true;
    uint32_t cancels = load_acquire(&group->executor_->cancels); /* pairs with mark_cancelled */
    return THR__UNLIKELY(load_relaxed(&group->cancels_) != cancels) && look_up(group, cancels);
}

static bool look_up(thr_group *group, uint32_t cancels)
{
    const struct frame *frame = group->frame_;
    if (frame->group && is_cancelled(frame->group)) {
        (void)or_acq_rel(&group->state_, GROUP_CANCELLED);
        return true;
    }
    store_relaxed(&group->cancels_, cancels);
    return false;
}

void thr_group_cancel(thr_group *group)
{
    hook_point(HOOK_GROUP_CANCEL, group);
    if (group->executor_)
        mark_cancelled(group);
}

bool thr_group_cancelled(void)
{
    const struct frame *frame = thr__here.frame;
    return frame && frame->group && is_cancelled(frame->group);
}

/* -- Tasks -------------------------------------------------------------------------------------------------------- */

static void fail(thr_group *group, const struct frame *frame)
{
    void *failure = failure_of(frame);
    if (or_acq_rel(&group->state_, GROUP_FAILED) & GROUP_FAILED) {
        failure_free(failure);
        return;
    }
    group->code_ = failure_code(failure);
    group->failure_ = failure; /* the discount orders it */
    mark_cancelled(group);
}

/* G2: the last thing that is done for a task, by others than its opener in its wait. */
static void discount(thr_group *group)
{
    tsan_release(group);
    if (sub_acq_rel(&group->away_, ONE) == (ONE | SLEEPING)) {
        spin_waker(group);
        wait_wake(&group->away_, 1, OS_ANY);
    }
}

/* Frees the storage, if it is ours. */
static inline void drop(thr_task *task)
{
    if (THR__UNLIKELY(task->group_ & TASK_OWNED))
        free(task);
}

static inline void execute(thr_group *group, const thr_task *task, struct frame *frame)
{
    void *nothing;
    frame->group = group;
    frame->future = NULL;
    hook_point(HOOK_TASK_BEGIN, task);
    if (THR__UNLIKELY(!frame_run(frame, task->function_, task->arg_, &nothing, false)))
        fail(group, frame);
    hook_point(HOOK_TASK_END, task);
}

void task_run(thr_task *task, struct frame *frame)
{
    thr_group *group = task_group(task);
    tsan_acquire(task);
    if (!is_cancelled(group))
        execute(group, task, frame);
    drop(task);
    discount(group);
}

void group_task_died(thr_group *group, const struct frame *frame)
{
    fail(group, frame);
    discount(group);
}

void task_died(thr_task *task, const struct frame *frame)
{
    thr_group *group = task_group(task);
    drop(task);
    group_task_died(group, frame);
}

void task_break(thr_task *task)
{
    thr_group *group = task_group(task);
    (void)or_acq_rel(&group->state_, GROUP_BROKEN);
    drop(task);
    discount(group);
}

bool group_descends(const thr_group *group, const void *target)
{
    while (group != target) {
        const struct frame *frame = group->frame_;
        if (frame->future == target)
            return true;
        group = frame->group;
        if (!group)
            return false;
    }
    return true;
}

/* -- Opening and closing ------------------------------------------------------------------------------------------ */

static void open(thr_group *group, struct frame *frame)
{
    group->state_ = 0;
    group->code_ = 0;
    group->frame_ = frame;
    group->outer_ = frame->open;
    frame->open = group;
    group->cancels_ = load_acquire(&group->executor_->cancels); /* pairs with mark_cancelled */
    if (frame->group && is_cancelled(frame->group))
        group->state_ = GROUP_CANCELLED;
}

static inline void close(thr_group *group)
{
    struct frame *frame = group->frame_;
    thr_group **at = &frame->open;
    while (THR__UNLIKELY(*at != group))
        at = &(*at)->outer_;
    *at = group->outer_;
    group->frame_ = NULL;
}

/* -- Spawning ----------------------------------------------------------------------------------------------------- */

static void count(thr_group *group, bool here_too, uint32_t n)
{
    if (here_too)
        group->here_ += n;
    else
        (void)add_relaxed(&group->away_,
                          n * ONE); /* the spawner is one of those it counts, or keeps them from ending */
}

/* By a worker of the executor. */
static void push(struct worker *worker, thr_task *task)
{
    if (deque_push(&worker->deque, task)) {
        os_barrier_light(); /* W1 */
        if (load_relaxed(&worker->executor->hungry) != 0)
            crew_notice(worker->executor);
    } else {
        (void)executor_list(worker->executor, task, true);
    }
}

static void fill(thr_group *group, thr_task *task, uintptr_t owned, void *(*function)(void *arg), void *arg)
{
    task->function_ = function;
    task->arg_ = arg;
    task->group_ = (uintptr_t)group | owned;
    tsan_release(task);
}

static thr_result spawn(thr_group *group, thr_task *task)
{
    struct worker *worker = thr__here.worker;
    struct frame *frame = frame_here();
    bool opens = !group->frame_;
    if (opens)
        open(group, frame);
    bool here_too = group->frame_ == frame;
    count(group, here_too, 1);
    if (worker && worker->executor == group->executor_) {
        push(worker, task);
        return THR_OK;
    }
    thr_result result = executor_list(group->executor_, task, false);
    if (result != THR_OK) {
        count(group, here_too, (uint32_t)-1);
        if (opens)
            close(group);
    }
    return result;
}

thr_result group_spawn_owned(thr_group *group, thr_task *task, void *(*function)(void *arg), void *arg)
{
    fill(group, task, TASK_OWNED, function, arg);
    return spawn(group, task);
}

static thr_result spawn_allocated(thr_group *group, void *(*function)(void *arg), void *arg)
{
    int saved = errno;
    thr_task *task = malloc(sizeof *task);
    os_errno_restore(saved);
    if (!task)
        return THR_NO_MEMORY;
    thr_result result = group_spawn_owned(group, task, function, arg);
    if (result != THR_OK)
        free(task);
    return result;
}

thr_result thr__group_spawn(thr_group *group, thr_task *task, void *(*function)(void *arg), void *arg)
{
    hook_point(HOOK_GROUP_SPAWN, group);
    if (!group->executor_ || !function)
        return THR_INVALID;
    if (!task)
        return spawn_allocated(group, function, arg);
    fill(group, task, 0, function, arg);
    return spawn(group, task);
}

thr_result thr__group_notice(thr_executor *executor)
{
    crew_notice(executor);
    return THR_OK;
}

/* -- Waiting ------------------------------------------------------------------------------------------------------ */

static inline bool has_ended(const thr_group *group)
{
    uint32_t away = load_acquire(&group->away_) & ~(uint32_t)SLEEPING; /* pairs with discount */
    return group->here_ * ONE + away == 0;
}

/* Its call in this frame, which is used again, has failed, or has left groups open. */
static __attribute__((noinline)) void tidy(thr_group *group, struct frame *frame)
{
    if (frame->failing)
        fail(group, frame);
    frame->failing = false;
    frame_join_open(frame);
}

/* Calls the function of one of its tasks, which is the newest of the worker's deque. */
static inline void call_own(thr_group *group, const thr_task *task, struct frame *frame)
{
    (void)os_call(&frame->back, task->function_, task->arg_);
    if (THR__UNLIKELY(frame->failing || frame->open != NULL))
        tidy(group, frame);
    group->here_--;
}

static inline bool is_plain(const struct worker *worker, const thr_group *group, const thr_task *task)
{
    return task && task->group_ == (uintptr_t)group && load_relaxed(&worker->executor->cancels) == 0;
}

/* One that is not plain. False: there is none, or it is another group's, and back where it was. In the same frame: one of its
 * own would be a second in this group, and exit() ends each (quit.c). */
static __attribute__((noinline)) bool run_other(struct worker *worker, thr_group *group, thr_task *task,
                                                struct frame *frame)
{
    if (!task)
        return false;
    if (task_group(task) != group) {
        push(worker, task);
        return false;
    }
    if (is_cancelled(group))
        group->here_--;
    else
        call_own(group, task, frame);
    drop(task);
    return true;
}

/* Runs what nobody has stolen, the newest first, all in one frame. `task` has been popped, or is NULL. */
static void run_own(struct worker *worker, thr_group *group, thr_task *task)
{
    struct frame frame;
    frame_begin(&frame, group, NULL, false);
    bool more = true;
    while (more) {
        if (THR__LIKELY(is_plain(worker, group, task)))
            call_own(group, task, &frame);
        else
            more = run_other(worker, group, task, &frame);
        more = more && group->here_ != 0;
        if (more)
            task = deque_pop(&worker->deque);
    }
    thr__here.frame = frame.outer;
}

static thr_result sleep_until_ended(thr_group *group, thr_time deadline)
{
    struct wait wait;
    struct absence absence;
    thr_result result = THR_OK;
    wait_begin(&wait, WAIT_GROUP, group, deadline);
    absence_begin(&absence);
    uint32_t now = add_acq_rel(&group->away_, group->here_ * ONE + SLEEPING) + group->here_ * ONE + SLEEPING;
    group->here_ = 0;
    while (result == THR_OK && now != SLEEPING) {
        result = absence_block(&absence, &wait, &group->away_, now);
        now = load_acquire(&group->away_); /* pairs with discount */
    }
    now = sub_acq_rel(&group->away_, SLEEPING); /* acquire: pairs with discount */
    absence_end(&absence);
    wait_end(&wait);
    return now == SLEEPING ? THR_OK : result;
}

static thr_result wait_for_others(thr_group *group, thr_time deadline)
{
    struct worker *worker = thr__here.worker;
    if (worker && worker->executor == group->executor_ && deadline == THR_FOREVER) {
        bool own = true;
        while (!has_ended(group) && help_group(worker, group, &own))
            continue;
    }
    const void *object = worker ? (const void *)worker : group; /* groups come and go: what is learnt is the worker's */
    uint32_t away = load_relaxed(&group->away_);
    while (!has_ended(group) && wait_spin(&group->away_, UINT32_MAX, away, object))
        away = load_relaxed(&group->away_);
    return has_ended(group) ? THR_OK : sleep_until_ended(group, deadline);
}

/* Keeps the message for this thread. */
static void keep(thr_group *group)
{
    void *failure = group->failure_;
    group->failure_ = NULL;
    if (!failure || (uintptr_t)failure & 1)
        return;
    ((struct failure *)failure)->of = group;
    void *before = thr_local_get(&told);
    if (thr_local_set(&told, failure) == THR_OK)
        failure_free(before);
    else
        failure_free(failure);
}

static __attribute__((noinline)) thr_result verdict(thr_group *group, uint32_t state)
{
    if (state & GROUP_FAILED) {
        keep(group);
        return THR_FAILED;
    }
    return state & GROUP_BROKEN ? THR_BROKEN : THR_CANCELLED;
}

static inline thr_result conclude(thr_group *group)
{
    uint32_t state = group->state_;
    close(group);
    group->here_ = 0;
    group->away_ = 0;
    return THR__LIKELY(state == 0) ? THR_OK : verdict(group, state);
}

static thr_result wait_until(thr_group *group, struct frame *frame, thr_time deadline)
{
    if (group->frame_ != frame)
        return help_is_above(group) ? THR_DEADLOCK : THR_NOT_OWNER;
    if (!has_ended(group)) {
        if (wait_expired(deadline))
            return THR_TIMEOUT;
        thr_result result = wait_for_others(group, deadline);
        if (result != THR_OK)
            return result;
    }
    tsan_acquire(group);
    return conclude(group);
}

thr_result thr_group_wait_until(thr_group *group, thr_time deadline)
{
    hook_point(HOOK_GROUP_WAIT, group);
    return group->frame_ ? wait_until(group, frame_here(), deadline) : THR_OK;
}

/* `task` has been popped by the short path, or is NULL. */
static __attribute__((noinline)) thr_result wait_long(thr_group *group, thr_task *task)
{
    struct worker *worker = thr__here.worker;
    if (task || (thr__here.deque && group->frame_ == thr__here.frame && group->here_ != 0 && worker_has_room(worker)))
        run_own(worker, group, task ? task : deque_pop(&worker->deque));
    return thr_group_wait_until(group, THR_FOREVER);
}

/* The short path: in the task that has opened it, which has spawned one task, that nobody has stolen. What is in registers
 * here has to be saved: so the rest is elsewhere. */
thr_result thr_group_wait(thr_group *group)
{
    struct worker *worker = (struct worker *)thr__here.deque; /* which it begins with */
    if (THR__UNLIKELY(!worker || group->frame_ != thr__here.frame || group->here_ == 0 || !worker_has_room(worker)))
        return wait_long(group, NULL);
    thr_task *task = deque_pop(&worker->deque);
    if (THR__UNLIKELY(!is_plain(worker, group, task)))
        return wait_long(group, task);
    struct frame frame;
    frame_begin(&frame, group, NULL, false);
    call_own(group, task, &frame);
    thr__here.frame = group->frame_;
    if (THR__UNLIKELY(group->here_ != 0 || load_acquire(&group->away_) != 0)) /* pairs with discount */
        return wait_long(group, NULL);
    close(group);
    return THR__LIKELY(group->state_ == 0) ? THR_OK : verdict(group, group->state_);
}

void group_forked(thr_group *newest)
{
    for (thr_group *group = newest; group; group = group->outer_) {
        group->here_ = 0;
        group->away_ = 0;
        group->state_ |= GROUP_CANCELLED;
    }
}

int thr_group_failure(const thr_group *group, char *message, size_t size)
{
    const struct failure *failure = group->state_ & GROUP_FAILED ? thr_local_get(&told) : NULL;
    failure_copy(failure && failure->of == group ? failure : NULL, message, size);
    return group->code_;
}
