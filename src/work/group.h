/* group.h - what the other files of this folder need of groups and their tasks.
 *
 *  bits of state_   meaning                                     set by                      cleared by
 *  0  CANCELLED     tasks that have not started do not run      cancel, the first failure,  the next opening
 *                                                               a cancelled outer group
 *  1  FAILED        code_ and failure_ are that task's          the first failure           the same
 *  2  BROKEN        an initializer failed first                 executor_break              the same
 *
 * How many of its tasks have not ended is 2 x here_ + away_, without the lowest bit, modulo 2^32:
 *
 *  here_            spawned by the opener in its own frame, less those that ended in its wait: only that thread looks
 *  away_  bit 0     SLEEPING: the opener sleeps on the word; here_ is 0 then, so the other bits are all
 *         1..31     all others; may be negative
 *
 * G1  frame_ is the frame of who opened it, from the first spawn to the end of the wait. That frame is not left meanwhile, and
 *     so all frames and groups that a task of the group can reach through frame_ and frame->group are there while it has not
 *     ended.
 * G2  A task is counted before anybody can take it, and discounted as the last thing that is done for it: then its storage
 *     and the group may be gone, and a wake gets only the address.
 * G3  A group is cancelled if CANCELLED stands in it, or in one that its opener is in, and so on. `cancels_` is the count of
 *     cancels of the executor at which that was last looked up: as long as that is the same, its own bit says all.
 *
 * Order: the discount is a release, and pairs with the acquire load of who waits. */

#ifndef WORK_GROUP_H
#define WORK_GROUP_H

#include "threading/group.h"
#include "work/frame.h"

enum { GROUP_CANCELLED = 1, GROUP_FAILED = 2, GROUP_BROKEN = 4 };

enum { TASK_OWNED = 1 }; /* in group_: the storage is ours */

static inline thr_group *task_group(const thr_task *task)
{
    return (thr_group *)(task->group_ & ~(uintptr_t)TASK_OWNED);
}

/* As thr_group_spawn, with storage that was allocated, and is freed when the task has ended. */
thr_result group_spawn_owned(thr_group *group, thr_task *task, void *(*function)(void *arg), void *arg);

/* Runs it on this stack, unless it is cancelled, and discounts it. */
void task_run(thr_task *task, struct frame *frame);

/* It has ended without an end, with the frame's failure. The second: its storage stays, if it is ours. */
void task_died(thr_task *task, const struct frame *frame);
void group_task_died(thr_group *group, const struct frame *frame);

/* It cannot be run. */
void task_break(thr_task *task);

/* Whether the group is the target, or in it; the target is a group, or a future. */
bool group_descends(const thr_group *group, const void *target);

/* In a fork's child: the tasks of these open groups are gone. */
void group_forked(thr_group *newest);

#endif
