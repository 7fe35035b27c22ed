/* executor.h - an executor and its workers; what the files of this folder share.
 *
 *  a worker is  what it does                                          counted in            becomes
 *  ACTIVE       runs tasks                                            active                searching, absent
 *  searching    looks for work (it is ACTIVE, and `searching`)        active, searching     ACTIVE, when it found some;
 *                                                                                           parked
 *  absent       sleeps in a task that waits for a future or group     absent                ACTIVE
 *  parked       sleeps until there is work (it is in the stack)       -                     searching: who has work takes it
 *                                                                                           out of the stack; gone
 *  gone         has no thread; the struct stays for another           -                     searching: somebody hires
 *
 * At most `max` are ACTIVE, but for moments: one that comes back from a wait may be one too many (`surplus`), and then the
 * next that has ended its task parks.
 *
 * Work is: jobs in the queue, group tasks in the list, jobs in trays, tasks in deques.
 *
 * W1  There is work that nobody has begun, and a worker that could be had for it => one is searching, or about to look once
 *     more; or somebody who has just added it owes a call (crew_call).
 *     For queue, list and trays the lock sees to that. Deques are pushed to without it, looking only at `hungry`:
 *
 *         spawns                              parks, or goes absent
 *         deque: bottom + 1                   hungry = 1, under the lock
 *         light barrier                       far barrier, if it was 0 before
 *         hungry?                             looks at all deques
 *
 *     (An inline wait that has lowered the bottom, and raises it again, does the same as who spawns.)
 *     One of them sees the other. Who finds `hungry` goes to the lock; if somebody is searching there, it leaves a note,
 *     and who stops searching with a find, and a note, calls the next.
 * W2  Something is in the queue or list => threads >= 1. (A worker leaves only when they are empty, under the lock; who
 *     submits hires the first one before it puts anything there.)
 * W3  Structs of workers are freed with the executor: thieves may look at any at any time. */

#ifndef WORK_EXECUTOR_H
#define WORK_EXECUTOR_H

#include "threading/executor.h"
#include "threading/group.h"
#include "threading/lock.h"
#include "wait/wait.h"
#include "work/deque.h"
#include "work/frame.h"
#include "work/inject.h"
#include "work/tray.h"

struct worker {
    struct thr__deque deque;
    struct tray tray;
    const void *root; /* the group or future that its outermost task belongs to: a hint for help.c */
    thr_executor *executor;
    struct worker *next;    /* of all that the executor ever had */
    struct thr__here *here; /* its thread's, while that is in worker_serve, in a fork's child also as no worker */
    uintptr_t top;          /* its stack begins there, for tasks; no task begins below the next */
    uintptr_t floor;
    uint32_t turns;
    uint32_t shorts; /* these five: worker.c */
    bool lingers;
    uint32_t portion;
    uint32_t taken;
    thr_time since;
    uint32_t index;
    uint32_t forks; /* executors_forks() at its start */
    bool begun;     /* its initializer has returned */

    uint32_t word; /* grows to wake it; under the lock, as all that follows */
    bool alive;
    bool parked;
    bool searching;
    struct worker *below; /* in the stack of parked ones */
    unsigned processor;   /* where it parked */
    thr_thread *thread;
};

struct thr_executor {
    uint32_t
        hungry; /* somebody should be called for new work; read without the lock, also by the inline spawn: the first */
    thr_lock lock;
    uint32_t surplus;   /* more are ACTIVE than should be; read without */
    uint32_t cancelled; /* a shutdown has cancelled what had not begun; read without the lock */
    uint32_t references;
    uint32_t max;
    struct worker *workers; /* read without: W3 */

    size_t waiting; /* how much is in the queue and the list; read without the lock */
    struct inject queue;
    thr_task *list_first;
    thr_task *list_last;
    size_t listed;
    struct worker *parked;
    uint32_t seats; /* structs of workers */
    int32_t threads;
    uint32_t hiring; /* threads that are being started */
    uint32_t active;
    uint32_t searching;
    uint32_t absent;
    uint32_t ended; /* grows when the last worker leaves, to wake who waits for that */
    bool noted;
    bool closed;
    bool broken;
    bool dropped;        /* the handle is gone */
    thr_time hire_after; /* the system had no thread: not before */
    thr_lock opening;    /* held while the first worker is hired */

    void (*initializer)(void *arg);
    void *initarg;
    char *prefix;
    thr_executor *later; /* in the list of all; executors.c */
    thr_executor *earlier;
};

static inline void executor_lock(thr_executor *executor)
{
    (void)thr_lock_acquire(&executor->lock);
    tsan_acquire(&executor->lock); /* its inline path is ours here, so nobody sees it */
}

static inline void executor_unlock(thr_executor *executor)
{
    tsan_release(&executor->lock);
    (void)thr_lock_release(&executor->lock);
}

/* -- executor.c --------------------------------------------------------------------------------------------------- */

void executor_ref(thr_executor *executor);
void executor_unref(thr_executor *executor);

/* Puts a job into the queue, and sees to it that somebody takes it. */
thr_result executor_inject(thr_executor *executor, struct job job);

/* The same with a group's task, into the list. `inside`: by a worker of the executor, which cannot fail. */
thr_result executor_list(thr_executor *executor, thr_task *task, bool inside);

/* Under the lock: takes a task, which stands after `before` (NULL: first), out of the list. */
void executor_unlist(thr_executor *executor, thr_task *task, thr_task *before);

/* Under the lock: says how much is in queue and list. */
void executor_recount(thr_executor *executor);

/* In a fork's child, with the lock held since before the fork: there are no workers. */
void executor_forked(thr_executor *executor);

/* The calling worker's initializer has failed. */
void executor_break(struct worker *worker);

/* -- crew.c: who works -------------------------------------------------------------------------------------------- */

/* Whom to call for new work. */
struct call {
    struct worker *worker;
    bool hire;
};

/* Under the lock; crew_send after it. That is false if the system has no thread. */
struct call crew_call(thr_executor *executor);
bool crew_send(thr_executor *executor, struct call call);

/* For who has pushed to a deque, and has found `hungry`. */
void crew_notice(thr_executor *executor);

/* Hires the first worker. */
thr_result crew_open(thr_executor *executor);

/* The worker has found nothing: sleeps, or ends it: false. True: it should look again. */
bool crew_park(struct worker *worker);

/* It has found work. */
void crew_found(struct worker *worker);

/* It begins to search, and may spin for it; false: enough do so. */
bool crew_search(struct worker *worker);

/* Wakes all that are parked, to look whether they should leave. Under the lock. */
void crew_dismiss(thr_executor *executor);

/* Its thread ends in the middle of a task. */
void crew_lost(struct worker *worker);

/* Between these the worker sleeps; false: there is work, and nobody could be had for it. */
bool crew_absent(struct worker *worker);
void crew_back(struct worker *worker);

/* Whether something is in a tray or deque. */
bool crew_work(const thr_executor *executor);

/* -- worker.c: what one does -------------------------------------------------------------------------------------- */

/* The function of its thread. */
void *worker_serve(void *worker);

/* The thread is a worker no more, but not because there is nothing to do: it ends, or exit() was called in a task. */
void worker_lost(void *worker);

/* quit.c: the calling thread will not come back from exit(). */
void worker_quit(void);

/* Whether a further task may be run on this stack. */
static inline bool worker_has_room(const struct worker *worker)
{
    return (uintptr_t)__builtin_frame_address(0) > worker->floor;
}

/* -- executors.c: all of them ------------------------------------------------------------------------------------- */

/* Takes the lock of each worker's deque, one after the other: N3 in frame.h. */
void executors_pass(void);

/* The first executor of the process registers what has to be. */
thr_result executors_prepare(void);

void executors_add(thr_executor *executor);

void executors_remove(thr_executor *executor);

/* Whether somebody waits for the end of the process: idle workers end then. */
bool executors_ending(void);

/* How many forks this process is away from the first. */
uint32_t executors_forks(void);

#endif
