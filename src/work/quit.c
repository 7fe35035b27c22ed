/* quit.c - a task that calls exit().
 *
 * exit() does not come back, so no task on this stack will ever end by itself; whoever waits for one would wait for ever, and
 * the end of the process for them. So each has failed, as by thr_fail, before the wait begins:
 *
 *     the stack                               from the newest frame to the oldest:
 *     task U                                  4  U has failed: who waits for it goes on
 *       waits for its group, and there runs   3  the rest of U's group is cancelled and waited for
 *         task T                              2  T has failed, and is discounted in U's group
 *           exit()                            1  T's open groups are cancelled and waited for
 *
 * As in 1 and 3 groups end before the frames that they are open in: they would look for what those are in (G1).
 * Then the thread is no worker any more, and another takes its place: what is pending is done before the process ends. */

#include "work/executor.h"
#include "work/future.h"
#include "work/group.h"

static const char why[] = "it ended the process";

static void end_task(struct thr__frame *here)
{
    struct frame *frame = frame_struct(here);
    thr_group *group = frame_group(here);
    thr_future *future = frame_future(here);
    if (!future && !group)
        return;
    void *failure = frame && frame->failing ? failure_of(frame) : failure_or_code(failure_new(0, why), 0);
    if (future)
        future_died(future, failure);
    else
        group_task_died(group, failure); /* which may have failed already: exit() was called by a cleanup */
}

void worker_quit(void)
{
    struct worker *worker = thr__here.worker;
    if (!worker)
        return;
    for (struct thr__frame *here; (here = frame_newest());) {
        frame_join_open();
        end_task(here);
        frame_leave(here);
    }
    worker_lost(worker);
}
