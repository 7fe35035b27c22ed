/* hook.h - how the laboratory, or a test, stands in for the system.
 *
 * Everything that blocks, wakes or reads the clock goes through `wait_system`. When thr__hooked is set as well, the
 * inline paths of the public header take their out-of-line twins, and each of these calls `point` first: a place where
 * the laboratory may let another thread go on. */

#ifndef WAIT_HOOK_H
#define WAIT_HOOK_H

#include "os/os.h"
#include "wait/atomic.h"

enum hook_operation {
    HOOK_LOCK_ACQUIRE,
    HOOK_LOCK_RELEASE,
    HOOK_RLOCK_ACQUIRE,
    HOOK_RLOCK_RELEASE,
    HOOK_CONDITION_WAIT,
    HOOK_CONDITION_NOTIFY,
    HOOK_SEMAPHORE_ACQUIRE,
    HOOK_SEMAPHORE_RELEASE,
    HOOK_EVENT_SET,
    HOOK_EVENT_CLEAR,
    HOOK_EVENT_WAIT,
    HOOK_BARRIER_WAIT,
    HOOK_BARRIER_RESET,
    HOOK_BARRIER_ABORT,
    HOOK_LATCH_COUNT_DOWN,
    HOOK_LATCH_WAIT,
    HOOK_ONCE_RUN,
    HOOK_READ_ACQUIRE,
    HOOK_READ_RELEASE,
    HOOK_WRITE_ACQUIRE,
    HOOK_WRITE_RELEASE,
    HOOK_THREAD_START,
    HOOK_THREAD_BEGIN,
    HOOK_THREAD_END,
    HOOK_THREAD_JOIN,
    HOOK_TIMER_START,
    HOOK_TIMER_CANCEL,
    HOOK_TIMER_JOIN,
    HOOK_SLEEP,
    HOOK_YIELD,       /* a sleep that has passed already: others should have their turn */
    HOOK_YIELD_POINT, /* the program's own: thr_yield_point */
    HOOK_LOOK,        /* a question that changes nothing: is_set, locked, is_alive, ... */
    HOOK_ACCESS,      /* to plain memory: thr__access */
    HOOK_QUEUE_PUT,
    HOOK_QUEUE_GET,
    HOOK_QUEUE_TASK_DONE,
    HOOK_QUEUE_JOIN,
    HOOK_QUEUE_SHUTDOWN,
    HOOK_WAIT_ANY,
    HOOK_SUBMIT,
    HOOK_EXECUTOR_SHUTDOWN,
    HOOK_TASK_BEGIN,
    HOOK_TASK_END,
    HOOK_FUTURE_CANCEL,
    HOOK_FUTURE_WAIT,
    HOOK_GROUP_SPAWN,
    HOOK_GROUP_WAIT,
    HOOK_GROUP_CANCEL,
    HOOK_OPERATIONS
};

struct wait_system {
    enum os_wait_end (*wait)(const uint32_t *word, uint32_t expected, uint32_t mask, thr_time deadline);
    void (*wake)(const uint32_t *word, uint32_t count, uint32_t mask);
    thr_time (*now)(void);
    void (*point)(enum hook_operation operation, const void *object);
    /* The native threads that the library starts, and waits for: os_thread_start, os_thread_join. */
    thr_result (*start)(os_thread *thread, size_t stack_size, bool block_signals, void *(*function)(void *), void *arg);
    bool (*join)(os_thread thread);
    /* A call was a mistake of the program's, and returns this result. Only when thr__hooked is set. */
    void (*misuse)(const void *object, thr_result result);
    /* A lock of any kind was taken by a call with this deadline, made at `site`. HOOK_CONDITION_WAIT: by a wait that has
     * its lock again; `site` is not known. Only when thr__hooked is set; NULL: nobody wants to know. */
    void (*taken)(enum hook_operation operation, const void *object, thr_time deadline, const void *site);
};

/* The values of thr__hooked, which say what the points are for. */
enum hook_purpose {
    HOOK_NOBODY,
    HOOK_STEERED, /* one thread runs at a time: spinning for another cannot help */
    HOOK_WATCHED  /* threads run as ever, and somebody looks on */
};

/* Sets it. By the only thread: others may be on inline paths of locks, or have learnt that nobody steers. */
void hook_set(enum hook_purpose purpose);

static inline bool hook_steers(void)
{
    return load_relaxed(&thr__hooked) == HOOK_STEERED;
}

/* The system itself, unless somebody has put another there before any thread was started. */
extern const struct wait_system *wait_system;
extern const struct wait_system wait_system_os;

static inline void hook_point(enum hook_operation operation, const void *object)
{
    if (thr__steered())
        wait_system->point(operation, object);
}

/* Returns `result`, which says that the program made a mistake. */
static inline thr_result hook_misuse(const void *object, thr_result result)
{
    if (thr__steered())
        wait_system->misuse(object, result);
    return result;
}

static inline void hook_taken(enum hook_operation operation, const void *object, thr_time deadline, const void *site)
{
    if (thr__steered() && wait_system->taken)
        wait_system->taken(operation, object, deadline, site);
}

/* Where the function was called that this stands in. */
#define HOOK_SITE __builtin_return_address(0)

/* What this floor needs of one above it (lab/load.c): loads the laboratory into this process, if it was asked for. Called
 * once, before the program's main. */
void hook_load(void);

#endif
