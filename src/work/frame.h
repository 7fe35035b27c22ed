/* frame.h - what runs on the calling thread, and how it fails.
 *
 * Each call of a task's function, and of a done callback, has a frame on the stack of its thread; so has an executor's
 * initializer. thr_fail() comes back to the newest one. A plain thread that opens a group has a frame as well, the root,
 * which is only there for its open groups. */

#ifndef WORK_FRAME_H
#define WORK_FRAME_H

#include "os/os.h"
#include "threading/group.h"

/* What a task failed with. */
struct failure {
    const void *of; /* the group that it belongs to; group.c */
    int code;
    char message[256];
};

struct frame {
    thr_group *open;     /* the groups that it has opened, the newest first; stands first: thr_group_spawn */
    struct frame *outer; /* below it, on the same stack */
    thr_group *group;    /* that its task is in, or NULL */
    thr_future *future;  /* that its task is for, or NULL */
    bool reported;       /* the excepthook has been told */
    bool failing;
    int code;
    struct failure *failure; /* NULL: there was no memory for it */
    struct os_return back;
};

/* The calling thread's newest frame, or its root. */
struct frame *frame_here(void);

/* It is the newest of the thread from now on. */
static inline void frame_begin(struct frame *frame, thr_group *group, thr_future *future, bool report)
{
    frame->outer = thr__here.frame;
    frame->group = group;
    frame->future = future;
    frame->open = NULL;
    frame->reported = report;
    frame->failing = false;
    thr__here.frame = frame;
}

/* Cancels the groups that the frame has open, and waits for them. */
void frame_join_open(struct frame *frame);

/* Calls function(arg) in the frame, whose group and future are set: true with its result; false if it failed: then code
 * and failure say how. `report`: nobody else will know, so the excepthook is called. The groups that it left open are
 * waited for. */
static inline bool frame_run(struct frame *frame, void *(*function)(void *arg), void *arg, void **result, bool report)
{
    frame_begin(frame, frame->group, frame->future, report);
    *result = os_call(&frame->back, function, arg);
    if (THR__UNLIKELY(frame->open != NULL))
        frame_join_open(frame);
    thr__here.frame = frame->outer;
    return !frame->failing;
}

/* Has thr_fail come here. */
void frame_prepare(void);

/* In a fork's child: the tasks of all groups that the caller has open are gone. */
void frame_forked(void);

/* What becomes of a failure: a struct failure, or, where there was no memory for one, the code alone. */
void *failure_of(const struct frame *frame);
struct failure *failure_new(int code, const char *message);
int failure_code(const void *failure);
void failure_free(void *failure);

/* Copies the message, empty where there is none, as snprintf does. */
void failure_copy(const void *failure, char *message, size_t size);

#endif
