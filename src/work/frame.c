/* frame.c - see frame.h.
 *
 * A failure, on the failing thread:
 *
 *  1  thr_fail (thread/failure.c) calls caught()
 *  2  the open groups of the frame are cancelled and waited for: their tasks may use what is about to be unwound
 *  3  the failure is kept in the frame, or in the group whose wait runs the task; where nobody could ask for it, the
 *     excepthook is called
 *  4  the stack is unwound down to the newest os_call, which returns
 *  5  who has called that hands the failure on
 *
 * A second thr_fail, in a cleanup or destructor during 4, or in the excepthook, goes on with 4. */

#include "work/frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "thread/failure.h"
#include "work/executor.h"
#include "work/future.h"
#include "work/group.h"

__thread struct thr__here thr__here;
static __thread struct frame root;

frame_ref frame_here(void)
{
    return thr__here.frame ? thr__here.frame : frame_ref_of(&root);
}

/* What it reaches of other threads is gone. */
static void forked(struct frame *frame)
{
    frame->worker = NULL;
    frame->forked = true;
    if (frame->future)
        future_forked(frame->future);
    if (frame->group && group_lost(frame->group)) {
        frame->group = &group_gone;
        frame->reported = true; /* by the excepthook, when it fails: nobody else will know */
    }
}

void frame_forked(void)
{
    for (thr_group *group = thr__here.open; group; group = group->next_)
        group_forked(group);
    for (frame_ref frame = thr__here.frame; frame; frame = frame_outer(frame)) {
        if (frame_struct(frame))
            forked(frame_struct(frame));
    }
}

struct failure *failure_new(int code, const char *message)
{
    int saved = errno;
    struct failure *failure = malloc(sizeof *failure);
    os_errno_restore(saved);
    if (!failure)
        return NULL;
    failure->of = NULL;
    failure->code = code;
    size_t length = strnlen(message, sizeof failure->message - 1);
    memcpy(failure->message, message, length);
    failure->message[length] = '\0';
    return failure;
}

static const struct failure *whole(const void *failure)
{
    return (uintptr_t)failure & 1 ? NULL : failure;
}

void *failure_or_code(struct failure *failure, int code)
{
    return failure ? (void *)failure : (void *)((uintptr_t)(unsigned)code << 1 | 1);
}

void *failure_of(const struct frame *frame)
{
    return failure_or_code(frame->failure, frame->code);
}

int failure_code(const void *failure)
{
    if ((uintptr_t)failure & 1)
        return (int)(unsigned)((uintptr_t)failure >> 1);
    return failure ? ((const struct failure *)failure)->code : 0;
}

void failure_free(void *failure)
{
    if (whole(failure))
        free(failure);
}

void failure_copy(const void *failure, char *message, size_t size)
{
    const struct failure *text = whole(failure);
    if (!message || size == 0)
        return;
    size_t length = text ? strlen(text->message) : 0;
    if (length >= size)
        length = size - 1;
    if (text)
        memcpy(message, text->message, length);
    message[length] = '\0';
}

static void keep(struct frame *frame, int code, const char *message)
{
    frame->code = code;
    frame->failure = frame->reported ? NULL : failure_new(code, message);
    if (frame->reported)
        failure_report(code, message);
}

static void caught(int code, const char *message)
{
    frame_ref here = frame_here();
    struct frame *frame = frame_struct(here);
    bool again = frame && frame->failing;
    if (frame && frame != &root)
        frame->failing = true;
    frame_join_open();
    if (frame == &root)
        return; /* the thread fails */
    if (!frame)
        group_task_failed(frame_group(here), failure_or_code(failure_new(code, message), code));
    else if (!again)
        keep(frame, code, message);
    os_return();
}

void frame_prepare(void)
{
    failure_catch(caught);
}

void frame_join_open(void)
{
    frame_ref here = frame_here();
    while (thr__here.open && thr__here.open->frame_ == here) {
        thr_group *group = thr__here.open;
        thr_group_cancel(group);
        (void)thr__group_wait(group);
    }
}

/* Whether it was on the part of the worker's stack that has just been left; above the middle: below it no task begins. (The
 * program may have changed to a stack of its own.) */
static bool is_gone(const thr_group *group)
{
    const struct worker *worker = thr__here.worker;
    uintptr_t at = (uintptr_t)group;
    uintptr_t end = (uintptr_t)__builtin_frame_address(0);
    return worker && at > worker->deque.floor && at < end && end <= worker->top;
}

void frame_returned(void)
{
    if (thr__here.open && is_gone(thr__here.open))
        os_die("FATAL: a task has returned, and left a group open that was on its stack\n");
    frame_join_open();
}
