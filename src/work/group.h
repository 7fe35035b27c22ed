/* group.h - what the other files of this folder need of groups and their tasks.
 *
 *  bits of state_   meaning                                     set by                      cleared by
 *  0  CANCELLED     tasks that have not started do not run      cancel, the first failure,  the next opening
 *                                                               a cancelled outer group
 *  1  FAILED        failure_ is that task's; after the wait,    the first failure           the same
 *                   cancels_ is its code
 *  2  BROKEN        an initializer failed first                 executor_break              the same
 *  3  COUNTED       it is one of group_cancels.open           cancel, the first failure   the end of the wait
 *  4  FORKED        this is a fork's child, without its tasks   the fork                    the next opening
 *
 * How many of its tasks have not ended is 2 x (here_ + 1) + away_, without the lowest bit, modulo 2^32, while it is open:
 *
 *  here_            spawned by the opener in its own frame, less those that ended in its wait, less 1: only that thread looks
 *  away_  bit 0     SLEEPING: the opener sleeps on the word; here_ is -1 then, so the other bits are all
 *         1..31     all others; may be negative
 *
 * G1  From the first spawn to the end of the wait it is in the list of frames of who opened it (frame.h); else frame_.next is
 *     NULL, and frame_.stack, here_ and away_ are 0. The frame that it was opened in is not left meanwhile, and so all frames
 *     and groups that a task of the group can reach through it, and the group of that frame, are there while it has not ended.
 * G2  A task is counted before anybody can take it, and discounted as the last thing that is done for it: then its storage
 *     and the group may be gone, and a wake gets only the address.
 * G3  A group is cancelled if CANCELLED stands in it, or in one that its opener is in, and so on. `cancels_` is how often
 *     a group had been cancelled, of whichever executor, when that was last looked up: as long as that is the same, its own bit
 *     says all.
 * G4  group_cancels.open is how many open groups somebody has cancelled: when it is 0, the inline wait need not look for more.
 *     Who cancels counts before it returns; what another thread does meanwhile may have begun before.
 * G5  In a fork's child the openers on other threads, with all that G1 says, are gone: their stacks may be given to new
 *     threads, or back to the system. The frames of tasks of such groups get `group_gone` for it (frame_forked), which is
 *     cancelled, and in nothing; and after such a task neither its group nor its storage is touched. The groups that the
 *     thread itself has open are there, but not their tasks: they are cancelled, and nothing of them is outstanding, also
 *     where one of those tasks runs on this stack. So no task that runs at the fork is discounted in the child.
 *
 * The inline spawn and wait (threading/group.h) are for the case that the caller is a worker of the executor, and in the
 * group's own frame. The spawn opens a group only if state_ and cancels_ are 0: they are as the last opening has left them.
 * The wait is for the group that was opened last, with one task, that nobody has stolen: it lowers the end of the deque, runs
 * what stands there, and closes the group. It calls the task's function itself, where thr_fail can find that call by the
 * stack pointer (os.h); else thr__group_call does. Where something is different before the task, thr__group_back puts the
 * end of the deque back, and waits as any (W1: who came to look meanwhile has missed the task; so it calls somebody, if
 * that is wanted); after it, thr__group_ran does what is left.
 *
 * What that costs is the words that are written, about one in each cycle of the processor: so the list of frames is the one of
 * open groups as well, the word that makes the group a frame is where the stack was, and here_ counts from the second task on.
 *
 * Order: the discount is a release, and pairs with the acquire load of who waits. */

#ifndef WORK_GROUP_H
#define WORK_GROUP_H

#include "threading/group.h"
#include "work/frame.h"

enum { GROUP_CANCELLED = 1, GROUP_FAILED = 2, GROUP_BROKEN = 4, GROUP_COUNTED = 8, GROUP_FORKED = 16 };

/* In the process: a group may be in one of another executor. Waits look there all the time, so nothing else is in its line. */
extern struct group_cancels {
    uint32_t open __attribute__((aligned(64))); /* G4; both are atomic */
    uint32_t times;                             /* G3 */
} group_cancels;

enum { TASK_OWNED = 1 }; /* in a task's group: its argument is ours */

static inline thr_group *task_group(const struct thr__task *task)
{
    return (thr_group *)(task->group & ~(uintptr_t)TASK_OWNED);
}

/* As thr_group_spawn, with an argument that was allocated, and is freed when the task has ended. */
thr_result group_spawn_owned(thr_group *group, thr_task *storage, void *(*function)(void *arg), void *arg);

/* Out of its storage, when that has been taken out of the executor's list. */
struct thr__task task_unlisted(thr_task *storage);

/* What the worker has just taken out of its deque, and does not run, is back, where others may take it. */
struct worker;
void task_put_back(struct worker *worker);

/* Or into the list. False: there is no memory for that. */
bool task_hand_on(struct worker *worker, const struct thr__task *task);

/* Runs it on this stack, unless it is cancelled, and discounts it. */
void task_run(const struct thr__task *task, struct frame *frame);

/* One of its tasks has failed with this, which is the group's from now on. */
void group_task_failed(thr_group *group, void *failure);

/* It has ended without an end, with the frame's failure. The second: its argument stays, if it is ours. */
void task_died(const struct thr__task *task, const struct frame *frame);
void group_task_died(thr_group *group, void *failure);

/* It cannot be run. */
void task_break(const struct thr__task *task);

/* Whether its group is the target, or in it; the target is a group, or a future. With the lock of a deque: N3 in frame.h. */
bool task_descends(const struct thr__task *task, const void *target);

/* In a fork's child: the tasks of this open group of the caller's are gone. */
void group_forked(thr_group *group);

/* The same: whether a group that a task on this stack is in is not one of those, so that it is gone itself. */
bool group_lost(const thr_group *group);
extern thr_group group_gone; /* G5 */

#endif
