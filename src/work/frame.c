/* frame.c - see frame.h.
 *
 * A failure, on the failing thread:
 *
 *  1  thr_fail (thread/failure.c) calls caught()
 *  2  the open groups of the frame are cancelled and waited for: their tasks may use what is about to be unwound
 *  3  the failure is kept in the frame, or in the group whose wait runs the task; where nobody could ask for it, the
 *     excepthook is called
 *  4  the stack is unwound down to the call of the task's function, which returns NULL
 *  5  who has called that hands the failure on
 *
 * A second thr_fail, in a cleanup or destructor during 4, or in the excepthook, goes on with 4. */

#include "work/frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "thread/failure.h"
#include "wait/bitlock.h"
#include "work/executor.h"
#include "work/future.h"
#include "work/group.h"

__thread struct thr__here thr__here;
static __thread struct frame root = {.frame = {NULL, THR__STRUCT}};

/* -- The list ----------------------------------------------------------------------------------------------------- */

static bool is_frame(const struct thr__frame *entry)
{
    return load_relaxed(&entry->stack) != THR__OPEN;
}

/* The first frame, from there on. */
static struct thr__frame *find(struct thr__frame *entry)
{
    while (!is_frame(entry))
        entry = load_relaxed(&entry->next);
    return entry;
}

struct thr__frame *frame_below(const struct thr__frame *entry)
{
    struct thr__frame *next = load_relaxed(&entry->next);
    return next ? find(next) : NULL;
}

void frame_look(void)
{
    struct worker *worker = thr__here.worker;
    if (worker)
        (void)bitlock_acquire(&worker->deque.lock);
}

void frame_looked(void)
{
    struct worker *worker = thr__here.worker;
    if (worker)
        bitlock_release(&worker->deque.lock, 0);
}

struct thr__frame *frame_of(const thr_group *group)
{
    frame_look();
    struct thr__frame *frame = frame_below(&group->frame_);
    frame_looked();
    return frame;
}

struct thr__frame *frame_top(void)
{
    return thr__here.top ? thr__here.top : &root.frame;
}

struct thr__frame *frame_here(void)
{
    return find(frame_top());
}

struct thr__frame *frame_newest(void)
{
    struct thr__frame *here = frame_here();
    return here == &root.frame ? NULL : here;
}

thr_group *frame_open(void)
{
    struct thr__frame *top = frame_top();
    return is_frame(top) ? NULL : (thr_group *)top;
}

void frame_leave(struct thr__frame *frame)
{
    if (frame_struct(frame))
        frame_enter(frame->next);
    else
        store_relaxed(&frame->stack, THR__OPEN);
}

bool frame_run(struct frame *frame, void *(*function)(void *arg), void *arg, void **result, bool report)
{
    frame->frame = (struct thr__frame){thr__here.top, THR__STRUCT};
    frame->worker = thr__here.worker;
    frame->reported = report;
    frame->forked = false;
    frame->failing = false;
    frame_enter(&frame->frame);
    *result = os_call(function, arg);
    frame_returned((uintptr_t)__builtin_frame_address(0));
    frame_leave(&frame->frame);
    return !frame->failing;
}

/* -- Forks -------------------------------------------------------------------------------------------------------- */

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
    store_relaxed(&group_cancels.open, 0);
    for (struct thr__frame *entry = thr__here.top; entry; entry = entry->next) {
        if (!frame_struct(entry))
            group_forked((thr_group *)entry);
    }
    for (struct thr__frame *entry = thr__here.top; entry; entry = entry->next) {
        if (frame_struct(entry))
            forked(frame_struct(entry));
    }
}

/* -- Failures ----------------------------------------------------------------------------------------------------- */

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

/* The stack pointer of who has called the function of the newest frame itself; 0: that was os_call. */
static uintptr_t called_at(void)
{
    uintptr_t stack = frame_here()->stack;
    return stack == THR__STRUCT || stack == THR__CALLED ? 0 : stack;
}

static void caught(int code, const char *message)
{
    struct thr__frame *here = frame_here();
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
    os_return(called_at);
}

void frame_prepare(void)
{
    failure_catch(caught);
}

/* False: there is none. */
static bool join_newest(void)
{
    thr_group *group = frame_open();
    if (!group)
        return false;
    thr_group_cancel(group);
    (void)thr__group_wait(group);
    return true;
}

void frame_join_open(void)
{
    while (join_newest())
        continue;
}

/* Whether it was on the part of the worker's stack that has just been left; above the middle: below it no task begins. (The
 * program may have changed to a stack of its own.) */
static bool is_gone(const void *entry, uintptr_t stack)
{
    const struct worker *worker = thr__here.worker;
    uintptr_t at = (uintptr_t)entry;
    return worker && at > worker->floor && at < stack && stack <= worker->top;
}

/* The newest entry is the frame itself, which is not beyond, or a group; what is gone must not be looked at. */
void frame_returned(uintptr_t stack)
{
    do {
        if (is_gone(thr__here.top, stack))
            os_die("FATAL: a task has returned, and left a group open that was on its stack\n");
    } while (join_newest());
}
