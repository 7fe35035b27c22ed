/* blocked.c - a wait_system that knows who is blocked on what, and that can stop threads on the way.
 *
 * No lock, and nothing allocated: the child of a fork, and signal handlers, come through here too. */

#include "support.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"
#include "wait/bitlock.h"
#include "wait/hook.h"
#include "wait/wait.h"

enum { SLOTS = 1024 };

/* One thread asleep, or about to be. */
struct slot {
    uint32_t used;
    uint32_t kind;
    const struct support_thread *thread;
    const void *object;
};

static struct slot slots[SLOTS];

struct gate {
    const void *object;
    const struct support_thread *thread;
    uint32_t armed;
    uint32_t stopped;
    uint32_t opened; /* how many times */
};

static struct gate gates[SUPPORT_PLACES];

/* Raised at every change of the slots and gates, for those who watch them. */
static uint32_t changes;
static uint32_t watchers;

static void changed(void)
{
    __atomic_fetch_add(&changes, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&watchers, __ATOMIC_SEQ_CST) != 0)
        os_wake(&changes, UINT32_MAX, OS_ANY);
}

/* Those who have been seen registered are most likely asleep a moment later. No test needs that to be right; but if they
 * never slept, the tests would not see a wake by the system that is missing. */
static void let_them_sleep(void)
{
    enum { MOMENT = 30000 }; /* nanoseconds */
    static const uint32_t nothing = 0;
    (void)os_wait(&nothing, 0, OS_ANY, os_now() + MOMENT);
}

/* Blocks until look(at) is n or more; false when that took too long. */
static bool watch(unsigned (*look)(const void *at), const void *at, unsigned n)
{
    thr_time limit = internal_limit();
    bool seen = false;
    __atomic_fetch_add(&watchers, 1, __ATOMIC_SEQ_CST);
    for (;;) {
        uint32_t before = __atomic_load_n(&changes, __ATOMIC_SEQ_CST);
        seen = look(at) >= n;
        if (seen || os_now() >= limit)
            break;
        (void)os_wait(&changes, before, OS_ANY, limit);
    }
    __atomic_fetch_sub(&watchers, 1, __ATOMIC_SEQ_CST);
    return seen;
}

/* -- Slots -------------------------------------------------------------------------------------------------------- */

static struct slot *slot_take(void)
{
    static __thread uint32_t hint;
    for (uint32_t i = hint;; i = (i + 1) % SLOTS) {
        uint32_t free = 0;
        if (!__atomic_compare_exchange_n(&slots[i].used, &free, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            continue;
        hint = i;
        const struct wait_record *record = wait_self;
        store_relaxed(&slots[i].kind, record ? record->kind : (uint32_t)WAIT_NOTHING);
        store_relaxed(&slots[i].thread, support_self());
        __atomic_store_n(&slots[i].object, record ? record->object : NULL, __ATOMIC_SEQ_CST);
        changed();
        return &slots[i];
    }
}

static void slot_drop(struct slot *slot)
{
    store_relaxed(&slot->object, NULL);
    store_relaxed(&slot->thread, NULL);
    store_release(&slot->used, 0);
    changed();
}

static unsigned slots_of(const void *object)
{
    unsigned n = 0;
    for (size_t i = 0; i < SLOTS; i++)
        n += load_acquire(&slots[i].used) != 0 && __atomic_load_n(&slots[i].object, __ATOMIC_SEQ_CST) == object;
    return n;
}

unsigned support_blocked(const void *object)
{
    return slots_of(object);
}

void support_wait_blocked_at(const char *file, int line, const void *object, unsigned n)
{
    if (!watch(slots_of, object, n))
        support_fail(file, line, "only %u of %u threads became blocked on %p", slots_of(object), n, object);
    let_them_sleep();
}

struct pair {
    const struct support_thread *thread;
    const void *object;
};

static unsigned slots_of_thread(const void *at)
{
    const struct pair *pair = at;
    unsigned n = 0;
    for (size_t i = 0; i < SLOTS; i++)
        n += load_acquire(&slots[i].used) != 0 && __atomic_load_n(&slots[i].object, __ATOMIC_SEQ_CST) == pair->object &&
             load_relaxed(&slots[i].thread) == pair->thread;
    return n;
}

void support_wait_thread_blocked_at(const char *file, int line, const struct support_thread *thread, const void *object)
{
    struct pair pair = {thread, object};
    if (!watch(slots_of_thread, &pair, 1))
        support_fail(file, line, "the thread did not become blocked on %p", object);
    let_them_sleep();
}

void support_blocked_print(void)
{
    static const char *const kinds[] = {
        [WAIT_NOTHING] = "something",
        [WAIT_LOCK] = "lock",
        [WAIT_RLOCK] = "rlock",
        [WAIT_CONDITION] = "condition",
        [WAIT_SEMAPHORE] = "semaphore",
        [WAIT_EVENT] = "event",
        [WAIT_BARRIER] = "barrier",
        [WAIT_LATCH] = "latch",
        [WAIT_ONCE] = "once",
        [WAIT_READ] = "rwlock (read)",
        [WAIT_WRITE] = "rwlock (write)",
        [WAIT_JOIN] = "join",
        [WAIT_TIMER] = "timer",
        [WAIT_EXIT] = "exit",
        [WAIT_SLEEP] = "sleep",
        [WAIT_PUT] = "put",
        [WAIT_GET] = "get",
        [WAIT_DONE] = "queue join",
        [WAIT_ANY_OF] = "any",
        [WAIT_FUTURE] = "future",
        [WAIT_FUTURES] = "futures",
        [WAIT_GROUP] = "group",
        [WAIT_WORK] = "work",
        [WAIT_EXECUTOR] = "executor",
    };
    for (size_t i = 0; i < SLOTS; i++) {
        uint32_t kind = load_relaxed(&slots[i].kind);
        if (load_acquire(&slots[i].used) == 0 || kind >= sizeof kinds / sizeof *kinds)
            continue;
        char line[128];
        (void)snprintf(line, sizeof line, "    blocked: %s %p\n", kinds[kind], load_relaxed(&slots[i].object));
        os_write(STDERR_FILENO, line, strlen(line));
    }
}

/* -- Gates -------------------------------------------------------------------------------------------------------- */

static void gate_pass(enum support_place place, const void *object)
{
    struct gate *gate = &gates[place];
    uint32_t opened = load_acquire(&gate->opened);
    if (!load_acquire(&gate->armed) || (gate->object && gate->object != object) ||
        (gate->thread && gate->thread != support_self()))
        return;
    __atomic_fetch_add(&gate->stopped, 1, __ATOMIC_SEQ_CST);
    changed();
    while (load_acquire(&gate->opened) == opened)
        (void)os_wait(&gate->opened, opened, OS_ANY, THR_FOREVER);
    __atomic_fetch_sub(&gate->stopped, 1, __ATOMIC_SEQ_CST);
}

void support_stop(enum support_place place, const void *object, const struct support_thread *thread)
{
    gates[place].object = object;
    gates[place].thread = thread;
    store_release(&gates[place].armed, 1);
}

void support_go(enum support_place place)
{
    store_release(&gates[place].armed, 0);
    __atomic_fetch_add(&gates[place].opened, 1, __ATOMIC_SEQ_CST);
    os_wake(&gates[place].opened, UINT32_MAX, OS_ANY);
}

static unsigned stopped_at(const void *gate)
{
    return __atomic_load_n(&((const struct gate *)gate)->stopped, __ATOMIC_SEQ_CST);
}

void support_wait_stopped_at(const char *file, int line, enum support_place place, unsigned n)
{
    if (!watch(stopped_at, &gates[place], n))
        support_fail(file, line, "only %u of %u threads came to place %d", stopped_at(&gates[place]), n, (int)place);
}

/* -- Time --------------------------------------------------------------------------------------------------------- */

static thr_time stopped_clock; /* what it shows; 0: it runs */
static thr_time ahead;         /* of the system's clock: it does not go back when it runs again */

static thr_time now(void)
{
    thr_time stopped = load_acquire(&stopped_clock);
    return stopped != 0 ? stopped : os_now() + load_acquire(&ahead);
}

void support_clock_stop(void)
{
    store_release(&stopped_clock, now());
}

void support_clock_advance(double seconds)
{
    (void)__atomic_fetch_add(&stopped_clock, (thr_time)(seconds * 1e9), __ATOMIC_ACQ_REL);
}

void support_clock_go(void)
{
    thr_time stopped = load_acquire(&stopped_clock);
    if (stopped == 0)
        return;
    store_release(&ahead, stopped - os_now());
    store_release(&stopped_clock, 0);
}

/* A wait by the stopped clock looks at it every now and then. */
static enum os_wait_end wait_by_the_clock(const uint32_t *word, uint32_t expected, uint32_t mask, thr_time deadline)
{
    const thr_time look = 2000000;
    while (deadline != THR_FOREVER && load_acquire(&stopped_clock) != 0) {
        bool passed = deadline <= now();
        enum os_wait_end end = os_wait(word, expected, mask, passed ? 0 : os_now() + look);
        if (passed || end != OS_TIMEOUT)
            return end;
    }
    if (deadline != THR_FOREVER && deadline > 0)
        deadline -= load_acquire(&ahead);
    return os_wait(word, expected, mask, deadline);
}

/* -- The system --------------------------------------------------------------------------------------------------- */

static enum os_wait_end blocked_wait(const uint32_t *word, uint32_t expected, uint32_t mask, thr_time deadline)
{
    if (mask == BITLOCK_MASK) /* a few instructions of another thread: nothing that a test should know of */
        return os_wait(word, expected, mask, deadline);
    const void *object = wait_self ? wait_self->object : NULL;
    struct slot *slot = slot_take();
    gate_pass(SUPPORT_BEFORE_SLEEP, object);
    enum os_wait_end end = wait_by_the_clock(word, expected, mask, deadline);
    slot_drop(slot);
    gate_pass(SUPPORT_AFTER_SLEEP, object);
    return end;
}

static void blocked_wake(const uint32_t *word, uint32_t count, uint32_t mask)
{
    os_wake(word, count, mask);
    gate_pass(SUPPORT_AFTER_WAKE, word);
}

static void no_point(enum hook_operation operation, const void *object)
{
    (void)operation;
    (void)object;
}

static void no_misuse(const void *object, thr_result result)
{
    (void)object;
    (void)result;
}

static const struct wait_system blocked_system = {blocked_wait,    blocked_wake,   now,       no_point,
                                                  os_thread_start, os_thread_join, no_misuse, NULL};

struct wait_record *support_record(void)
{
    return wait_self ? wait_self : wait_stranger();
}

static void in_child(void)
{
    memset(slots, 0, sizeof slots);
}

void support_start(void)
{
    wait_system = &blocked_system;
    (void)pthread_atfork(NULL, NULL, in_child);
}
