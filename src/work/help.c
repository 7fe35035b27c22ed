/* help.c - see help.h. */

#include "work/help.h"

#include <limits.h>

#include "work/future.h"
#include "work/group.h"

enum { FAR_ENOUGH = 64 }; /* how many tasks of the list are looked at, but where an initializer waits */

static void run(const struct thr__task *task)
{
    struct frame frame;
    task_run(task, &frame);
}

/* A stranger stays there, for others. But nobody takes the place of one whose initializer waits, so there may be no others:
 * then the stranger goes out of the way. */
static bool help_own(struct worker *worker, const void *target, bool *own)
{
    struct thr__task task;
    if (!*own || !deque_any(&worker->deque) || !deque_pop(&worker->deque, &task))
        return false;
    frame_look();
    bool descends = task_descends(&task, target);
    frame_looked();
    if (descends)
        run(&task);
    else
        *own = !worker->begun && task_hand_on(worker, &task);
    if (!*own)
        task_put_back(worker);
    return *own;
}

/* Out of the list, to which tasks come from full deques, and from outside. */
static bool help_list(struct worker *worker, const void *target)
{
    thr_executor *executor = worker->executor;
    thr_task *found = NULL;
    if (load_relaxed(&executor->waiting) == 0)
        return false;
    executor_lock(executor);
    thr_task *before = NULL;
    thr_task *at = executor->list_first;
    int far_enough = worker->begun ? FAR_ENOUGH : INT_MAX;
    frame_look();
    for (int i = 0; at && !found && i < far_enough; i++) {
        if (task_descends(&at->task_, target))
            found = at;
        else
            before = at;
        at = at->next_;
    }
    frame_looked();
    if (found)
        executor_unlist(executor, found, before);
    executor_unlock(executor);
    if (!found)
        return false;
    struct thr__task task = task_unlisted(found);
    run(&task);
    return true;
}

/* Out of the deques of those whose outermost task is in the target: what is at their tops is most likely a descendant. */
static bool help_others(struct worker *worker, const void *target)
{
    for (struct worker *w = load_acquire(&worker->executor->workers); w; w = load_acquire(&w->next)) {
        if (w == worker || load_relaxed(&w->root) != target || !deque_any(&w->deque))
            continue;
        struct thr__task task;
        if (!deque_steal(&w->deque, &task, task_descends, target))
            continue;
        tsan_acquire(worker->executor);
        run(&task);
        return true;
    }
    return false;
}

bool help_group(struct worker *worker, const thr_group *group, bool *own)
{
    if (!worker_has_room(worker))
        return false;
    return help_own(worker, group, own) || help_list(worker, group) || help_others(worker, group);
}

void help_future(thr_future *future)
{
    struct worker *worker = thr__here.worker;
    if (!worker || worker->executor != future->executor || !worker_has_room(worker))
        return;
    if (future_claim(future)) {
        struct frame frame;
        future_run(future, &frame);
        return;
    }
    while (future_state(future) == FUTURE_RUNNING && help_others(worker, future))
        continue;
}

/* The frame that waits for this one. What is below on this stack waits for what is above; the lowest may be in a group of
 * another thread's. */
static struct thr__frame *above(struct thr__frame *frame)
{
    const thr_group *group = frame_group(frame);
    struct thr__frame *below = frame_below(frame);
    return !below && group ? frame_of(group) : below;
}

bool help_is_above(const void *target)
{
    for (struct thr__frame *frame = frame_here(); frame; frame = above(frame)) {
        if (frame_future(frame) == target || frame_group(frame) == target)
            return true;
    }
    return false;
}

/* The worker on whose stack the frame is, or NULL. */
static const struct worker *worker_of(struct thr__frame *frame)
{
    return frame_struct(frame) ? frame_struct(frame)->worker : NULL; /* one without a struct is not the lowest */
}

/* Of any executor, where that is NULL; any worker `but` that one. */
static bool holds(const thr_executor *executor, const struct worker *but)
{
    for (struct thr__frame *frame = frame_here(); frame; frame = above(frame)) {
        const struct worker *worker = worker_of(frame);
        if (worker && worker != but && (!executor || worker->executor == executor))
            return true;
    }
    return false;
}

bool help_holds(const thr_executor *executor)
{
    return holds(executor, NULL);
}

bool help_holds_others(void)
{
    return holds(NULL, thr__here.worker);
}
