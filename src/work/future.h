/* future.h - what the other files of this folder, and wait_any, need of a future.
 *
 *  state      meaning                               left by
 *  PENDING    not begun                             who claims it: -> RUNNING; cancel: -> CANCELLED; a failed
 *                                                   initializer: -> BROKEN; who sets it: -> SETTING
 *  RUNNING    its task runs                         the end of the task: -> FINISHED, FAILED
 *  SETTING    somebody is about to set it           that one: -> FINISHED, FAILED
 *  CANCELLED, FINISHED, FAILED, BROKEN: done        -
 *
 *  beside it
 *  SLEEPERS   somebody may sleep on the word,       set by them, while it is not done
 *             or watch it
 *  OBSERVED   the list of observers is not empty    set under the list's lock, while it is not done
 *  FORKS      how many forks its process is away    who makes it; in the child, the fork that its task makes
 *             from the first; while it is not done
 *
 * F1  Who makes it done swaps the word, once, and so learns whom to tell. So whoever sets SLEEPERS or OBSERVED has either
 *     been told, or found it done.
 * F2  `value` is the argument until the task has begun, and belongs to who has left PENDING; then what it has become, from
 *     before the word says done.
 * F3  Who makes it done has a reference until it has called the observers.
 * F4  Who finds OBSERVED takes the list's lock after its swap. If an observer has held that lock before, it is in the list;
 *     if it takes it later, it learns of the swap by the lock, and finds it done. So the bit itself need order nothing.
 * F5  Where FORKS are not the process's, this is a fork's child, and the future is older. Who would have made it done is not
 *     there, nor are its observers, nor perhaps who held their lock. So it counts as cancelled, without a change of the word,
 *     and nobody touches its list; nor that of one that was done before, since somebody may just have been telling those in
 *     it. (The fork could not look for such futures: a job that a thread has taken and not begun is known to that thread
 *     alone.) The tasks on the stack of who forks go on, and their futures with them: future_forked.
 *
 * Order: the swap to a done state is a release and pairs with the acquire loads of who finds it done. A claim pairs with
 * nothing: what the submitter did is ordered by the queue, and who leaves PENDING for SETTING finds nothing of others
 * there. Each change that makes it done is also an acquire: it pairs with future_watch, which is a release
 * (wait/watch.h, W3). */

#ifndef WORK_FUTURE_H
#define WORK_FUTURE_H

#include "threading/executor.h"
#include "wait/wait.h"

enum {
    FUTURE_PENDING,
    FUTURE_RUNNING,
    FUTURE_SETTING,
    FUTURE_CANCELLED, /* from here on: done */
    FUTURE_FINISHED,
    FUTURE_FAILED,
    FUTURE_BROKEN,
    FUTURE_STATE = 7,
    FUTURE_SLEEPERS = 8,
    FUTURE_OBSERVED = 16,
    FUTURE_FORK = 32 /* one of FORKS */
};

/* The word of a new one: PENDING, and FORKS. Changed in a fork's child, before it has a second thread. */
extern uint32_t future_fresh;

struct thr_future {
    void *(*function)(void *arg);
    void *value;            /* the argument; the result; the struct failure */
    thr_executor *executor; /* NULL: it has no task. Only compared */
    uint32_t word;
    uint32_t references;
    uint64_t observers; /* a bitlock whose data is the list */
};

/* F5 */
static inline bool future_outlived(uint32_t word)
{
    return THR__UNLIKELY((word ^ future_fresh) >= FUTURE_FORK) && (word & FUTURE_STATE) < FUTURE_CANCELLED;
}

static inline uint32_t future_state(const struct thr_future *future)
{
    uint32_t word = load_acquire(&future->word);
    return future_outlived(word) ? FUTURE_CANCELLED : word & FUTURE_STATE;
}

/* A pending one with one reference; NULL: no memory. */
thr_future *future_new(thr_executor *executor, void *(*function)(void *arg), void *arg);

/* For wait_any: THR_OK if it is done, THR_DEADLOCK if its task waits for the caller, else THR_TIMEOUT; with `watch`, a
 * watcher for its word is registered then (wait/watch.h). */
thr_result future_watch(thr_future *future, bool watch);

/* PENDING -> RUNNING; false if it is not pending. */
bool future_claim(thr_future *future);

/* Runs a claimed one on this stack. */
struct frame;
void future_run(thr_future *future, struct frame *frame);

/* Its task has ended with this failure. */
void future_died(thr_future *future, void *failure);

/* PENDING -> BROKEN, if it is pending. */
void future_break(thr_future *future);

/* In a fork's child: its task goes on, on this stack; only its callbacks are told. */
void future_forked(thr_future *future);

/* -- Observers ---------------------------------------------------------------------------------------------------- */

/* Who is told when it is done. `notify` is called under the list's lock: it must be short, and takes no other lock but one
 * that is always taken after it. A callback's is called after it, and frees the observer. */
struct observer {
    struct observer *next;
    void (*notify)(struct observer *observer, thr_future *future);
    bool callback;
};

/* False: it is done, and the observer is not in the list. */
bool future_observe(thr_future *future, struct observer *observer);

/* Of one that is in the list, or was: when this has returned, it is not, and its notify has returned, if it was called. */
void future_forget(thr_future *future, struct observer *observer);

#endif
