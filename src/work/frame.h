/* frame.h - what runs on the calling thread, and how it fails.
 *
 * Each call of a task's function, and of a done callback, has a frame on its thread; so has an executor's initializer.
 * thr_fail() comes back to the newest one. A plain thread that opens a group has a frame as well, the root, which is only
 * there for its open groups.
 *
 * A frame is a struct frame; or, for a task that the wait of a group runs on the opener's stack, that group: all that is to be
 * known of such a frame, the group knows. Both begin with a struct thr__frame. Those of a thread make up a list, the newest
 * first, from thr__here.top on, in which the groups that a frame has opened come before it. `stack` says which is what:
 *
 *     group C                    open, in A, as B
 *     group B                    open: a task of A's has opened it
 *     group A    CALLED          runs that task: a frame
 *     struct F   STRUCT          the frame of another task, which has opened A
 *
 * N1  What comes after a frame does nothing until that has been left, and before this the groups that it has opened are closed.
 * N2  A handler of signals that forks finds the list whole: thr__here.top is written when the rest has been, and the `next`
 *     of what is taken out is cleared after it.
 * N3  Other threads come to an open group by its tasks, as long as one of these has not ended, and from there on to the
 *     frame that it was opened in, over the groups that are open beside it (frame_of). What they look at stays as it is,
 *     by N1, but for a group that is closed before one that was opened later in the same frame. So others than the thread
 *     itself look with the lock of a deque held; and who takes a group out of the middle of the list then takes each of
 *     these locks once (executors_pass), before the group's memory is its owner's again: who looks later finds the list
 *     without it. And the `next` of a group may change while its tasks ask whether it is open: it is not NULL before, nor
 *     after. */

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

struct frame {
    struct thr__frame frame;
    thr_group *group;   /* that its task is in, or NULL */
    thr_future *future; /* that its task is for, or NULL */
    const void *worker; /* whose stack this is, or NULL */
    bool reported;      /* the excepthook has been told */
    bool forked;        /* this is the child of a fork that its task has made */
    bool failing;
    int code;
    struct failure *failure; /* NULL: there was no memory for it */
};

/* The struct frame that it is; NULL: it is a group. */
static inline struct frame *frame_struct(struct thr__frame *frame)
{
    return load_relaxed(&frame->stack) == THR__STRUCT ? (struct frame *)frame : NULL;
}

/* The group that its task is in, and the future that it is for, or NULL. */
static inline thr_group *frame_group(struct thr__frame *frame)
{
    const struct frame *plain = frame_struct(frame);
    return plain ? plain->group : (thr_group *)frame;
}

static inline thr_future *frame_future(struct thr__frame *frame)
{
    const struct frame *plain = frame_struct(frame);
    return plain ? plain->future : NULL;
}

/* The frame that it was opened in, if it is a group that is open, or lies on; NULL: none. Of the calling thread's list, or, with
 * the lock of a deque, of whichever (N3). The second takes that lock. */
struct thr__frame *frame_below(const struct thr__frame *entry);
struct thr__frame *frame_of(const thr_group *group);

/* Between these a worker holds the lock of its own. (Other threads have none, and come to their own list only.) */
void frame_look(void);
void frame_looked(void);

/* The calling thread's newest frame; the second: or its root, where it has none. */
struct thr__frame *frame_newest(void);
struct thr__frame *frame_here(void);

/* The beginning of its list, which is not empty: the root is there. */
struct thr__frame *frame_top(void);

/* The group that the newest frame, or root, has opened last; NULL: none. */
thr_group *frame_open(void);

/* It is the newest now. */
static inline void frame_enter(struct thr__frame *entry)
{
    store_release(&thr__here.top, entry); /* N2 */
}

/* That frame, which is the newest, and has no group open, has been left. */
void frame_leave(struct thr__frame *frame);

/* Cancels the groups that the newest frame has open, and waits for them. */
void frame_join_open(void);

/* The same where the function of the newest frame has just returned, to where the stack ended there. A group that was beyond
 * is gone, and its tasks may still run: as far as that can be seen, it ends the process. */
void frame_returned(uintptr_t stack);

/* Calls function(arg) in the frame, whose group and future are set: true with its result; false if it failed: then code
 * and failure say how. `report`: nobody else will know, so the excepthook is called. The groups that it left open are
 * waited for. */
bool frame_run(struct frame *frame, void *(*function)(void *arg), void *arg, void **result, bool report);

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
