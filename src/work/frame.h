/* frame.h - what runs on the calling thread, and how it fails.
 *
 * Each call of a task's function, and of a done callback, has a frame on its thread; so has an executor's initializer.
 * thr_fail() comes back to the newest one. A plain thread that opens a group has a frame as well, the root, which is only
 * there for its open groups.
 *
 * thr__here.frame is the newest frame of the thread: a struct frame, or, with the lowest bit set, a group: that is the frame of
 * a task which the wait of this group runs. It is nothing but this word: all that is to be known of it, the group knows.
 * thr__here.open is the list of the groups that the thread has opened, the newest first; `frame_` says in which frame.
 *
 * N1  The groups that the newest frame has opened come first in the list, then those of the one below it, and so on: what is
 *     below does nothing until that above has been left.
 * N2  What other threads (N3) reach from a frame by `outer` and `frame_` leads to the bottom: thr__here.frame is written when
 *     the rest has been, and `frame_` is cleared after it.
 * N3  What is below a frame stays as it is until that has been left. So other threads may look at it as long as something
 *     keeps the frame (G1 in group.h). The list is for its own thread alone. */

#ifndef WORK_FRAME_H
#define WORK_FRAME_H

#include "os/os.h"
#include "threading/group.h"
#include "wait/atomic.h"

/* What a task failed with. */
struct failure {
    const void *of; /* the group that it belongs to; group.c */
    int code;
    char message[256];
};

/* A struct frame, or a group with the lowest bit set; 0: none. */
typedef uintptr_t frame_ref;

struct frame {
    frame_ref outer;    /* below it, on the same stack */
    thr_group *group;   /* that its task is in, or NULL */
    thr_future *future; /* that its task is for, or NULL */
    const void *worker; /* whose stack this is, or NULL */
    bool reported;      /* the excepthook has been told */
    bool forked;        /* this is the child of a fork that its task has made */
    bool failing;
    int code;
    struct failure *failure; /* NULL: there was no memory for it */
};

static inline frame_ref frame_ref_of(const struct frame *frame)
{
    return (uintptr_t)frame;
}

/* The struct; NULL: it has none. */
static inline struct frame *frame_struct(frame_ref frame)
{
    return frame & THR__RUNS ? NULL : (struct frame *)frame;
}

/* The group that its task is in, and the future that it is for, or NULL. */
static inline thr_group *frame_group(frame_ref frame)
{
    return frame & THR__RUNS ? (thr_group *)(frame - THR__RUNS) : ((const struct frame *)frame)->group;
}

static inline thr_future *frame_future(frame_ref frame)
{
    return frame & THR__RUNS ? NULL : ((const struct frame *)frame)->future;
}

/* The frame below it on the same stack; 0: none. */
static inline frame_ref frame_outer(frame_ref frame)
{
    return frame & THR__RUNS ? frame_group(frame)->frame_ : ((const struct frame *)frame)->outer;
}

/* The calling thread's newest frame, or its root. */
frame_ref frame_here(void);

/* That frame, which is the newest, has been left. */
static inline void frame_leave(frame_ref frame)
{
    store_release(&thr__here.frame, frame_outer(frame)); /* N2 */
}

/* Cancels the groups that the newest frame has open, and waits for them. */
void frame_join_open(void);

/* The same where the function of the newest frame has just returned. A group that was on its stack is gone, and its tasks may
 * still run: as far as that can be seen, it ends the process. */
void frame_returned(void);

/* Calls function(arg) in the frame, whose group and future are set: true with its result; false if it failed: then code
 * and failure say how. `report`: nobody else will know, so the excepthook is called. The groups that it left open are
 * waited for. */
static inline bool frame_run(struct frame *frame, void *(*function)(void *arg), void *arg, void **result, bool report)
{
    frame->outer = thr__here.frame;
    frame->worker = thr__here.worker;
    frame->reported = report;
    frame->forked = false;
    frame->failing = false;
    store_release(&thr__here.frame, frame_ref_of(frame)); /* N2 */
    *result = os_call(function, arg, 0).value;
    frame_returned();
    frame_leave(frame_ref_of(frame));
    return !frame->failing;
}

/* Has thr_fail come here. */
void frame_prepare(void);

/* In a fork's child: the tasks of all groups that the caller has open are gone, and so are all other groups: G5 in group.h. */
void frame_forked(void);

/* What becomes of a failure: a struct failure, or, where there was no memory for one, the code alone. */
void *failure_of(const struct frame *frame);
void *failure_or_code(struct failure *failure, int code);
struct failure *failure_new(int code, const char *message);
int failure_code(const void *failure);
void failure_free(void *failure);

/* Copies the message, empty where there is none, as snprintf does. */
void failure_copy(const void *failure, char *message, size_t size);

#endif
