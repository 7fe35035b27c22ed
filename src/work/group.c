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

struct group_cancels group_cancels;

/* -- Cancelling --------------------------------------------------------------------------------------------------- */

static void mark_cancelled(thr_group *group)
{
    if (!(or_acq_rel(&group->state_, GROUP_CANCELLED | GROUP_COUNTED) & GROUP_COUNTED))
        (void)add_relaxed(&group_cancels.open, 1); /* orders nothing: G4 */
    (void)add_release(&group_cancels.times, 1);    /* pairs with is_cancelled */
}

/* It is not open any more, or again. */
static void uncount(thr_group *group)
{
    if (and_relaxed(&group->state_, ~(uint32_t)GROUP_COUNTED) & GROUP_COUNTED)
        (void)sub_relaxed(&group_cancels.open, 1);
}

static bool look_up(thr_group *group, uint32_t cancels);

/* G3. Of an open group. */
static inline bool is_cancelled(thr_group *group)
{
    if (THR__UNLIKELY(load_relaxed(&group->state_) & GROUP_CANCELLED))
        return true;
    uint32_t cancels = load_acquire(&group_cancels.times); /* pairs with mark_cancelled */
    return THR__UNLIKELY(load_relaxed(&group->cancels_) != cancels) && look_up(group, cancels);
}

static bool look_up(thr_group *group, uint32_t cancels)
{
    thr_group *above = frame_group(frame_of(group));
    if (above && is_cancelled(above)) {
        (void)or_acq_rel(&group->state_, GROUP_CANCELLED);
        return true;
    }
    store_relaxed(&group->cancels_, cancels);
    return false;
}

void thr_group_cancel(thr_group *group)
{
    hook_point(HOOK_GROUP_CANCEL, group);
    if (load_relaxed(&group->frame_.next)) /* by whoever cancels it, it is open or not */
        mark_cancelled(group);
}

bool thr_group_cancelled(void)
{
    thr_group *group = frame_group(frame_here());
    return group && is_cancelled(group);
}

/* -- Tasks -------------------------------------------------------------------------------------------------------- */

void group_task_failed(thr_group *group, void *failure)
{
    if (or_acq_rel(&group->state_, GROUP_FAILED) & GROUP_FAILED) {
        failure_free(failure);
        return;
    }
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

static inline void drop(const struct thr__task *task)
{
    if (THR__UNLIKELY(task->group & TASK_OWNED))
        free(task->arg);
}

/* False: this is a fork's child, where nobody counts it (G5). */
static inline bool execute(thr_group *group, const struct thr__task *task, struct frame *frame)
{
    void *nothing;
    frame->group = group;
    frame->future = NULL;
    hook_point(HOOK_TASK_BEGIN, task->arg);
    bool returned = frame_run(frame, task->function, task->arg, &nothing, false);
    if (THR__UNLIKELY(!returned)) {
        if (frame->group == group)
            group_task_failed(group, failure_of(frame));
        else
            failure_free(failure_of(frame));
    }
    hook_point(HOOK_TASK_END, task->arg);
    return !frame->forked;
}

void task_run(const struct thr__task *task, struct frame *frame)
{
    thr_group *group = task_group(task);
    bool counts = is_cancelled(group) || execute(group, task, frame);
    drop(task);
    if (counts)
        discount(group);
}

void group_task_died(thr_group *group, void *failure)
{
    group_task_failed(group, failure);
    discount(group);
}

void task_died(const struct thr__task *task, const struct frame *frame)
{
    if (frame->forked) { /* and its group is gone: its own thread's would be open */
        failure_free(failure_of(frame));
        return;
    }
    thr_group *group = task_group(task);
    drop(task);
    group_task_died(group, failure_of(frame));
}

void task_break(const struct thr__task *task)
{
    thr_group *group = task_group(task);
    (void)or_acq_rel(&group->state_, GROUP_BROKEN);
    drop(task);
    discount(group);
}

bool task_descends(const struct thr__task *task, const void *target)
{
    const thr_group *group = task_group(task);
    while (group != target) {
        struct thr__frame *frame = frame_below(&group->frame_);
        if (frame_future(frame) == target)
            return true;
        group = frame_group(frame);
        if (!group)
            return false;
    }
    return true;
}

/* -- Opening and closing ------------------------------------------------------------------------------------------ */

/* In the newest frame. */
static void open(thr_group *group)
{
    thr_group *above = frame_group(frame_here());
    uncount(group);
    group->state_ = 0;
    group->here_ = (uint32_t)-1;
    group->cancels_ = load_acquire(&group_cancels.times); /* pairs with mark_cancelled */
    if (above && is_cancelled(above))
        group->state_ = GROUP_CANCELLED;
    group->frame_.next = frame_top();
    frame_enter(&group->frame_);
}

/* In the newest frame, which may have opened others since. */
static void close(thr_group *group)
{
    struct thr__frame *later = NULL;
    for (struct thr__frame *at = thr__here.top; at != &group->frame_; at = at->next)
        later = at;
    if (later) {
        store_release(&later->next, group->frame_.next);
        executors_pass(); /* N3 */
    } else {
        frame_enter(group->frame_.next);
    }
    os_barrier_light(); /* N2 */
    group->frame_.next = NULL;
    group->here_ = 0;
    group->away_ = 0;
}

/* -- Spawning ----------------------------------------------------------------------------------------------------- */

/* Whether the newest frame has opened it. */
static bool is_here(const thr_group *group)
{
    const struct thr__frame *entry = thr__here.top;
    while (entry && entry != &group->frame_ && load_relaxed(&entry->stack) == THR__OPEN)
        entry = entry->next;
    return entry == &group->frame_ && load_relaxed(&entry->stack) == THR__OPEN;
}

static void count(thr_group *group, bool here_too, uint32_t n)
{
    if (here_too)
        group->here_ += n;
    else
        (void)add_relaxed(&group->away_,
                          n * ONE); /* the spawner is one of those it counts, or keeps them from ending */
}

/* The worker has raised the end of its deque. */
static void notice(struct worker *worker)
{
    os_barrier_light(); /* W1 */
    if (load_relaxed(&worker->executor->hungry) != 0)
        crew_notice(worker->executor);
}

/* Into the worker's deque, which is not full; or, with storage, into the executor's list. */
static thr_result put(struct worker *worker, const struct thr__task *task, thr_task *storage)
{
    if (!storage) {
        deque_put(&worker->deque, task);
        notice(worker);
        return THR_OK;
    }
    storage->task_ = *task;
    return executor_list(task_group(task)->executor_, storage, worker != NULL);
}

static thr_result spawn_to(struct worker *worker, const struct thr__task *task, thr_task *storage)
{
    thr_group *group = task_group(task);
    bool opens = !load_relaxed(&group->frame_.next);
    if (opens)
        open(group);
    bool here_too = is_here(group);
    count(group, here_too, 1);
    thr_result result = put(worker, task, storage);
    if (result != THR_OK) {
        count(group, here_too, (uint32_t)-1);
        if (opens)
            close(group);
    }
    return result;
}

static thr_task *storage_new(void)
{
    int saved = errno;
    thr_task *storage = malloc(sizeof *storage);
    os_errno_restore(saved);
    return storage;
}

struct thr__task task_unlisted(thr_task *storage)
{
    struct thr__task task = storage->task_;
    if (storage->owned_)
        free(storage);
    return task;
}

bool task_hand_on(struct worker *worker, const struct thr__task *task)
{
    thr_task *storage = storage_new();
    if (!storage)
        return false;
    *storage = (thr_task){.task_ = *task, .owned_ = true};
    (void)executor_list(worker->executor, storage, true);
    return true;
}

static thr_result spawn(const struct thr__task *task, thr_task *storage)
{
    struct worker *worker = thr__here.worker;
    if (worker && worker->executor != task_group(task)->executor_)
        worker = NULL;
    if (worker && !deque_full(&worker->deque))
        return spawn_to(worker, task, NULL);
    bool owned = !storage;
    if (owned)
        storage = storage_new();
    if (!storage)
        return THR_NO_MEMORY;
    storage->owned_ = owned;
    thr_result result = spawn_to(worker, task, storage);
    if (result != THR_OK && owned)
        free(storage);
    return result;
}

thr_result group_spawn_owned(thr_group *group, thr_task *storage, void *(*function)(void *arg), void *arg)
{
    struct thr__task task = {function, arg, (uintptr_t)group | TASK_OWNED};
    return spawn(&task, storage);
}

thr_result thr__group_spawn(thr_group *group, thr_task *storage, void *(*function)(void *arg), void *arg)
{
    hook_point(HOOK_GROUP_SPAWN, group);
    struct thr__task task = {function, arg, (uintptr_t)group};
    return group->executor_ && function ? spawn(&task, storage) : THR_INVALID;
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
    return (group->here_ + 1) * ONE + away == 0;
}

/* One of its tasks has ended in its wait. After a wait that was not to the end, it may be one of those that this has counted
 * with the others. */
static void discount_here(thr_group *group)
{
    if (group->here_ != (uint32_t)-1)
        group->here_--;
    else if (!(load_relaxed(&group->state_) & GROUP_FORKED)) /* the child of a fork that it has made: group_forked */
        (void)sub_relaxed(&group->away_, ONE);
}

/* The same, and the group was its frame. The stack ends there. */
static void leave(thr_group *group, uintptr_t stack)
{
    frame_returned(stack);
    frame_leave(&group->frame_);
    discount_here(group);
}

/* Another has been opened since: the list says that it is in the same frame. */
static void run_beside(thr_group *group, const struct thr__task *task)
{
    struct frame frame;
    (void)execute(group, task, &frame);
    discount_here(group);
}

/* Whose frame the group is, until it is left. */
static void call(thr_group *group, const struct thr__task *task)
{
    store_relaxed(&group->frame_.stack, THR__CALLED);
    (void)os_call(task->function, task->arg);
}

static void run_here(thr_group *group, const struct thr__task *task)
{
    if (thr__here.top != &group->frame_) {
        run_beside(group, task);
        return;
    }
    call(group, task);
    leave(group, (uintptr_t)__builtin_frame_address(0));
}

void task_put_back(struct worker *worker)
{
    deque_unpop(&worker->deque);
    notice(worker);
}

/* A task that has been popped. False: it is another group's, and back where it was. */
static bool run_popped(struct worker *worker, thr_group *group, const struct thr__task *task)
{
    if (task_group(task) != group) {
        task_put_back(worker);
        return false;
    }
    if (is_cancelled(group))
        group->here_--;
    else
        run_here(group, task);
    drop(task);
    return true;
}

/* Runs what nobody has stolen, the newest first. */
static void run_own(thr_group *group)
{
    struct worker *worker = thr__here.worker;
    while (group->here_ != (uint32_t)-1 && thr__here.deque && worker_has_room(worker)) {
        struct thr__task task;
        if (!deque_pop(&worker->deque, &task) || !run_popped(worker, group, &task))
            return;
    }
}

static thr_result sleep_until_ended(thr_group *group, thr_time deadline)
{
    struct wait wait;
    struct absence absence;
    thr_result result = THR_OK;
    wait_begin(&wait, WAIT_GROUP, group, deadline);
    absence_begin(&absence);
    uint32_t here = (group->here_ + 1) * ONE + SLEEPING;
    uint32_t now = add_acq_rel(&group->away_, here) + here;
    group->here_ = (uint32_t)-1;
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
    group->cancels_ = (uint32_t)failure_code(failure);
    if (!failure || (uintptr_t)failure & 1)
        return;
    ((struct failure *)failure)->of = group;
    void *before = thr_local_get(&told);
    if (thr_local_set(&told, failure) == THR_OK)
        failure_free(before);
    else
        failure_free(failure);
}

static thr_result verdict(thr_group *group, uint32_t state)
{
    if (state & GROUP_FAILED) {
        keep(group);
        return THR_FAILED;
    }
    return state & GROUP_BROKEN ? THR_BROKEN : THR_CANCELLED;
}

static thr_result conclude(thr_group *group)
{
    uint32_t state = group->state_;
    uncount(group);
    close(group);
    return state == 0 ? THR_OK : verdict(group, state);
}

static thr_result may_wait(const thr_group *group)
{
    if (is_here(group))
        return THR_OK;
    return help_is_above(group) ? THR_DEADLOCK : THR_NOT_OWNER;
}

static thr_result wait_until(thr_group *group, thr_time deadline)
{
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
    if (!load_relaxed(&group->frame_.next))
        return THR_OK;
    thr_result result = may_wait(group);
    return result == THR_OK ? wait_until(group, deadline) : result;
}

thr_result thr__group_wait(thr_group *group)
{
    hook_point(HOOK_GROUP_WAIT, group);
    if (!load_relaxed(&group->frame_.next))
        return THR_OK;
    thr_result result = may_wait(group);
    if (result != THR_OK)
        return result;
    run_own(group);
    return wait_until(group, THR_FOREVER);
}

/* The inline wait has popped a task that it cannot run, or none. */
thr_result thr__group_back(thr_group *group)
{
    task_put_back(thr__here.worker);
    return thr__group_wait(group);
}

/* The inline wait has popped a task that it cannot call itself. False: it cannot be called here at all. */
bool thr__group_call(thr_group *group, const struct thr__task *task)
{
    if (!worker_has_room(thr__here.worker))
        return false;
    call(group, task);
    return true;
}

/* It has called a task of the group, and there is more to do. */
thr_result thr__group_ran(thr_group *group)
{
    uintptr_t stack = group->frame_.stack;
    leave(group, stack == THR__CALLED ? (uintptr_t)__builtin_frame_address(0) : stack);
    return thr__group_wait(group);
}

int thr_group_failure(const thr_group *group, char *message, size_t size)
{
    bool failed = !group->frame_.next && group->state_ & GROUP_FAILED;
    const struct failure *failure = failed ? thr_local_get(&told) : NULL;
    failure_copy(failure && failure->of == group ? failure : NULL, message, size);
    return failed ? (int)group->cancels_ : 0;
}

/* -- Forks -------------------------------------------------------------------------------------------------------- */

static struct frame nowhere = {.frame = {NULL, THR__STRUCT}};
thr_group group_gone = {.frame_ = {&nowhere.frame, THR__OPEN}, .state_ = GROUP_CANCELLED};

void group_forked(thr_group *group)
{
    group->here_ = (uint32_t)-1;
    group->away_ = 0;
    group->state_ = (group->state_ & ~(uint32_t)GROUP_COUNTED) | GROUP_CANCELLED | GROUP_FORKED;
}

bool group_lost(const thr_group *group)
{
    return !(group->state_ & GROUP_FORKED);
}
