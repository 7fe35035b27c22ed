/* group.h - tasks that have ended when the wait for them returns. Python has it in asyncio: TaskGroup.
 *
 *     static void *sort(void *arg)
 *     {
 *         struct part *part = arg;
 *         ...
 *         thr_group group = THR_GROUP_INIT(part->executor);
 *         thr_task task;
 *         thr_result result = thr_group_spawn(&group, &task, sort, &left);
 *         if (result == THR_OK) {
 *             sort(&right);
 *             result = thr_group_wait(&group);
 *         }
 *         ...
 *
 * A group is opened by its first spawn, and belongs to the task, or thread, that makes it: this has to wait for it before
 * it ends, and before the group's memory, or that of the tasks, is left. Other tasks may spawn into it as long as it cannot
 * have ended: those of the group, say. Once waited for it is as new. Where a task or an initializer returns with an open
 * group whose memory is still there, that is cancelled and waited for then; one on the stack that has been left ends the
 * process, with a line on standard error, as far as that is noticed.
 *
 * The first of its tasks that fails cancels the rest: those that have not started do not run, those that run can ask
 * thr_group_cancelled(). That holds for the groups of these tasks as well. thr_fail() in the task (or thread) that has open
 * groups cancels them, and waits for them, before it unwinds the stack. A shutdown of the executor cancels no group, whatever
 * it says of futures: what has been spawned is done.
 *
 * Spawning and waiting for tiny tasks is the fast case: a spawn by a worker, with the caller's storage, allocates nothing
 * and takes no lock; the wait runs what nobody has stolen. In a task, whoever waits runs tasks of that group, and what they
 * have spawned into groups; nothing else: see future.h.
 *
 * thr_fail() in a task unwinds to the wait that runs it. A function on the way that was compiled without unwind tables cannot
 * be unwound: on x86-64 that ends the process, with a line on standard error; elsewhere its cleanups do not run. A C++
 * exception must not leave a task: see executor.h.
 *
 * In the child of a fork all groups that were open are cancelled, and only the thread's own are still there: a task that has
 * forked, and that another thread waits for, has nobody there who waits for it. If it fails, the excepthook is told.
 *
 * Order: everything before the spawn happens-before the task; everything in the tasks happens-before the return of the
 * wait. */

#ifndef THREADING_GROUP_H
#define THREADING_GROUP_H

#include "executor.h"

THR__BEGIN

/* Private: a frame, or an open group: see src/work/frame.h. */
struct thr__frame {
    struct thr__frame *next;
    uintptr_t stack;
};

/** A group; zeroed, or rather THR_GROUP_INIT, is one that is not open. */
typedef struct thr_group {
    struct thr__frame frame_;
    uint32_t here_;
    uint32_t cancels_;
    uint32_t away_;
    uint32_t state_;
    void *failure_;
    thr_executor *executor_;
} thr_group;

/** A group whose tasks this executor runs. */
#define THR_GROUP_INIT(executor)                                                                                       \
    {                                                                                                                  \
        {THR__NULL, 0}, 0, 0, 0, 0, THR__NULL, (executor)                                                              \
    }

/* Private: a task: see src/work/group.h. */
struct thr__task {
    void *(*function)(void *arg);
    void *arg;
    uintptr_t group;
};

/** Storage for one task: until the wait has returned, it must not be used for another. */
typedef struct thr_task {
    struct thr__task task_;
    struct thr_task *next_;
    bool owned_;
} thr_task;

/* Private: what an inline spawn, or wait, needs of the worker that it stands in. The deque is explained in
 * src/work/deque.h. */
enum { THR__DEQUE_SIZE = 1024 };

struct thr__deque {
    int64_t bottom __attribute__((aligned(64)));
    int64_t end;
    uintptr_t floor; /* below it on the stack no wait calls a task itself */
    thr_executor *executor;
    const uint32_t *cancelled;
    int64_t limit __attribute__((aligned(64)));
    int64_t top __attribute__((aligned(64)));
    uint64_t lock;
    struct thr__task slots[THR__DEQUE_SIZE] __attribute__((aligned(64)));
};

/* The calling thread's. The deque is NULL where the inline paths are not possible; where it is not, there is a frame. */
struct thr__here {
    struct thr__deque *deque;
    struct thr__frame *top; /* src/work/frame.h */
    void *worker;
};
extern THR_API __thread struct thr__here thr__here __attribute__((tls_model("initial-exec")));

/* What `stack` says. */
enum {
    THR__OPEN = 0,   /* this is a group, and not a frame */
    THR__STRUCT = 1, /* it is a struct frame */
    THR__CALLED = 2, /* a group, and its wait runs a task, by os_call */
    /* else: the same, but the wait has called the task itself, and this was the stack pointer */
};

THR_API thr_result thr__group_spawn(thr_group *group, thr_task *task, void *(*function)(void *arg), void *arg);
THR_API thr_result thr__group_notice(thr_executor *executor);
THR_API thr_result thr__group_wait(thr_group *group);
THR_API bool thr__group_call(thr_group *group, const struct thr__task *task);
THR_API thr_result thr__group_back(thr_group *group);
THR_API thr_result thr__group_ran(thr_group *group);

/* Its address, worked out where it is needed. Where the compiler knows it to be a place of the caller's frame, it would
 * rather keep the address in a register across the calls: one more that the caller saves, each time that it is called. */
static inline __attribute__((always_inline)) thr_group *thr__group_at(thr_group *group)
{
#if defined(__x86_64__) && defined(__LP64__)
    thr_group *at;
    __asm__("lea %1, %0" : "=r"(at) : "m"(*group));
    return at;
#else
    return group;
#endif
}

/** Has function(arg) run by a worker, or by who waits; what it returns is ignored. `task` is storage of the caller's, or
 * NULL: then it is allocated where it is needed, from outside the executor and where a worker has many that nobody has begun
 * (THR_NO_MEMORY). Never blocks, but for the start of a thread. THR_INVALID for no function or executor. In a task of the
 * executor that is all; from elsewhere also THR_CLOSED, THR_BROKEN, THR_NO_THREAD, as thr_executor_submit. */
THR_NODISCARD THR_INLINE thr_result thr_group_spawn(thr_group *group, thr_task *task, void *(*function)(void *arg),
                                                    void *arg)
{
    struct thr__deque *deque = thr__here.deque;
    struct thr__frame *top = thr__here.top;
    thr_executor *executor = group->executor_;
    if (THR__UNLIKELY(!deque || deque->executor != executor || !function))
        return thr__group_spawn(group, task, function, arg);
    int64_t bottom = deque->bottom;
    if (THR__UNLIKELY(bottom >= deque->end))
        return thr__group_spawn(group, task, function, arg);
    if (!group->frame_.next) { /* a plain look: of a new group the compiler knows it. (N3) */
        if (THR__UNLIKELY(group->state_ != 0 || group->cancels_ != 0))
            return thr__group_spawn(group, task, function, arg);
        group->frame_.next = top;
        __atomic_store_n(&thr__here.top, &thr__group_at(group)->frame_, __ATOMIC_RELEASE); /* N2 in src/work/frame.h */
    } else {
        if (THR__UNLIKELY(top != &group->frame_ || group->frame_.stack != THR__OPEN))
            return thr__group_spawn(group, task, function, arg);
        group->here_++;
    }
    struct thr__task *slot = &deque->slots[(uint64_t)bottom % THR__DEQUE_SIZE];
    slot->function = function;
    slot->arg = arg;
    slot->group = (uintptr_t)thr__group_at(group);
    __atomic_store_n(&deque->bottom, bottom + 1, __ATOMIC_RELEASE);
    __atomic_signal_fence(__ATOMIC_SEQ_CST); /* a light barrier: see src/work/executor.h, W1 */
    const uint32_t *hungry = (const uint32_t *)(const void *)executor; /* an executor begins with it */
    if (THR__UNLIKELY(__atomic_load_n(hungry, __ATOMIC_RELAXED) != 0))
        return thr__group_notice(executor);
    return THR_OK;
}

/** Blocks until all its tasks have ended, and closes it. THR_OK; THR_FAILED if one has failed; THR_CANCELLED if it was
 * cancelled, itself or with a group that it is in; THR_BROKEN if an initializer failed before they could run. Where
 * nothing was spawned: THR_OK. THR_DEADLOCK, and nothing has changed, in one of its own tasks; THR_NOT_OWNER in another
 * that has not opened it. */
THR__INLINE_ALWAYS thr_result thr_group_wait(thr_group *group)
{
    struct thr__deque *deque = thr__here.deque;
    if (THR__UNLIKELY(!deque || thr__here.top != &thr__group_at(group)->frame_ || group->frame_.stack != THR__OPEN))
        return thr__group_wait(group);
    int64_t bottom = deque->bottom - 1;
    __atomic_store_n(&deque->bottom, bottom, __ATOMIC_RELEASE);
    __atomic_signal_fence(__ATOMIC_SEQ_CST); /* as in deque_pop, src/work/deque.h */
    if (THR__UNLIKELY(bottom < __atomic_load_n(&deque->limit, __ATOMIC_RELAXED)))
        return thr__group_back(group);
    const struct thr__task *task = &deque->slots[(uint64_t)bottom % THR__DEQUE_SIZE];
    if (THR__UNLIKELY(task->group != (uintptr_t)thr__group_at(group) ||
                      __atomic_load_n(deque->cancelled, __ATOMIC_RELAXED) != 0))
        return thr__group_back(group);
    uintptr_t stack = thr__stack();
    if (THR__LIKELY(stack > deque->floor)) {
        __atomic_store_n(&group->frame_.stack, stack, __ATOMIC_RELAXED);
        thr__call(task->function, task->arg);
    } else if (!thr__group_call(group, task)) {
        return thr__group_back(group);
    }
    uint32_t left =
        group->here_ | __atomic_load_n(&group->away_, __ATOMIC_ACQUIRE); /* pairs with discount in group.c */
    left |= __atomic_load_n(&group->state_, __ATOMIC_RELAXED);
    if (THR__UNLIKELY(thr__here.top != &thr__group_at(group)->frame_ || left != 0))
        return thr__group_ran(group);
    /* N2 in src/work/frame.h; without a fence, so that of a group that is gone after this the rest need not be written. */
    __atomic_store_n(&thr__here.top, group->frame_.next, __ATOMIC_RELEASE);
    group->frame_.next = THR__NULL;
    group->frame_.stack = THR__OPEN;
    return THR_OK;
}

/** The same with a deadline: THR_TIMEOUT, and it is still open. It only waits, and runs no task on this stack. */
THR_NODISCARD THR_API thr_result thr_group_wait_until(thr_group *group, thr_time deadline);

/** Those of its tasks that have not started do not run. By any thread while it is open; before its first spawn, and after
 * the wait, it does nothing. Never blocks. */
THR_API void thr_group_cancel(thr_group *group);

/** Whether the group that the calling task is in was cancelled, or one that this is in. False outside of groups. */
THR_API bool thr_group_cancelled(void);

/** After a wait that was THR_FAILED: the code of the first task that failed (0 otherwise). Its message is copied as
 * snprintf does, if this thread has waited for the group, and for no other since that failed; else it is empty. */
THR_API int thr_group_failure(const thr_group *group, char *message, size_t size);

/** Calls body(b, e, arg) for ranges [b, e) that make up [begin, end), in any order, on several workers at once; blocks
 * until all have returned. Where begin = end that is all; THR_INVALID where begin > end. A range has at most `grain`
 * numbers (0: chosen by the number of workers). Whoever works on a range gives half of the rest away when all that it
 * gave before was taken: so ranges are split where there are workers for them, and hardly anywhere else. Results as
 * thr_group_wait, and as thr_group_spawn; a failure in the body is reported by the excepthook. The body may ask
 * thr_group_cancelled(). */
THR_NODISCARD THR_API thr_result thr_parallel_for(thr_executor *executor, size_t begin, size_t end, size_t grain,
                                                  void (*body)(size_t begin, size_t end, void *arg), void *arg);

THR__END

#endif
