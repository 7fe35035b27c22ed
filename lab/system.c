/* system.c - what the library calls instead of the system (wait/hook.h). Errno is kept: every call of the library does. */

#include <errno.h>
#include <stdio.h>

#include "lab/control.h"
#include "lab/holders.h"
#include "lab/record.h"
#include "lab/strategy.h"
#include "lab/unseen.h"

enum { READS = 1000 /* of the clock, in a row: that is a thread that waits for a time */ };

static bool is_internal(const void *object)
{
    for (size_t i = 0; i < LAB_INTERNAL_MAX; i++) {
        if (object && lab_library->internal[i] == object)
            return true;
    }
    return false;
}

/* -- Waiting and waking ------------------------------------------------------------------------------------------- */

static enum os_wait_end system_wait(const uint32_t *word, uint32_t expected, uint32_t mask, thr_time deadline)
{
    int saved = errno;
    struct strand *self = control_enter();
    enum os_wait_end end = OS_WOKEN;
    if (!self)
        end = lab_library->os->wait(word, expected, mask, deadline);
    else if (load_acquire(word) == expected) /* as the system does */
        end = control_wait(self, word, mask, deadline);
    errno = saved;
    return end;
}

static void system_wake(const uint32_t *word, uint32_t count, uint32_t mask)
{
    int saved = errno;
    struct strand *self = control_enter();
    if (self && !control_has_turn(self)) {
        control_wake_aside(word, count, mask);
        errno = saved;
        return;
    }
    uint32_t woken = self ? control_wake(word, count, mask) : 0;
    if (!self)
        lab_library->os->wake(word, count, mask);
    if (woken > 0)
        control_after(self, STEP_WAKE);
    errno = saved;
}

static thr_time system_now(void)
{
    struct strand *self = control_self;
    if (self && ++self->reads >= READS) {
        int saved = errno;
        self->reads = 0;
        self->idle = READS;
        self->operation = HOOK_YIELD;
        outside_enter();
        control_decide(self);
        outside_leave();
        errno = saved;
    }
    return control_run->now;
}

/* -- Operations --------------------------------------------------------------------------------------------------- */

static struct strand *strand_of(const void *thread)
{
    struct run *run = control_run;
    for (uint32_t i = run->strands; i > 0; i--) {
        if (run->strand[i - 1].thread == thread)
            return &run->strand[i - 1];
    }
    return NULL;
}

/* Set by thr_thread_start, for the native thread that it starts next. */
static __thread const thr_thread *starting;

static void note(struct strand *self, enum hook_operation operation, const void *object)
{
    struct strand *other;
    if (!self->record)
        self->record = lab_library->record();
    switch (operation) {
    case HOOK_THREAD_START:
        starting = object;
        break;
    case HOOK_THREAD_BEGIN:
        self->begun = true;
        self->thread = object;
        self->daemon = lab_library->daemon(object);
        (void)lab_library->name(object, self->name, sizeof self->name);
        break;
    case HOOK_THREAD_END:
        self->failed = self->thread && lab_library->failed(self->thread);
        break;
    case HOOK_READ_RELEASE:
        holders_read_end(self, object);
        break;
    case HOOK_THREAD_JOIN:
        other = strand_of(object);
        if (other)
            other->joined = true;
        break;
    default:
        break;
    }
}

static void system_point(enum hook_operation operation, const void *object)
{
    if (is_internal(object))
        return;
    int saved = errno;
    struct strand *self = control_enter();
    if (self && control_has_turn(self)) {
        control_point(self, operation, object);
        unseen_begin();
        note(self, operation, object);
        unseen_end();
    }
    errno = saved;
}

static void system_taken(enum hook_operation operation, const void *object, thr_time deadline, const void *site)
{
    (void)deadline;
    (void)site;
    if (operation == HOOK_READ_ACQUIRE && control_self)
        holders_read(control_self, object);
}

static void system_misuse(const void *object, thr_result result)
{
    static const char *const what[] = {
        [THR_NOT_LOCKED] = "a release, or a wait, with a lock that is not held",
        [THR_NOT_OWNER] = "a release, or a wait, with a lock that another thread holds",
        [THR_DEADLOCK] = "a call that would wait for itself",
        [THR_TOO_MANY] = "more releases than the bound",
    };
    struct strand *self = control_self;
    struct run *run = control_run;
    if (!self || run->plan.allow_misuse)
        return;
    const char *text = (unsigned)result < sizeof what / sizeof *what ? what[result] : NULL;
    run->object = object;
    control_found(THR_FOUND_MISUSE, self, "%s: %s", self->name, text ? text : "a mistaken call");
}

/* -- Threads ------------------------------------------------------------------------------------------------------ */

static thr_result system_start(os_thread *thread, size_t stack_size, bool block_signals, void *(*function)(void *),
                               void *arg)
{
    struct strand *self = control_enter();
    const thr_thread *made = starting;
    starting = NULL;
    if (!self)
        return lab_library->os->start(thread, stack_size, block_signals, function, arg);
    int saved = errno;
    const struct control_thread what = {stack_size, block_signals, function, arg, made, "timers"};
    thr_result result = control_start(self, thread, &what);
    errno = saved;
    return result;
}

static bool system_join(os_thread thread)
{
    int saved = errno;
    struct strand *self = control_enter();
    if (self)
        control_join(self, thread);
    outside_enter();
    bool joined = lab_library->os->join(thread);
    outside_leave();
    errno = saved;
    return joined;
}

const struct wait_system lab_system = {system_wait,  system_wake, system_now,    system_point,
                                       system_start, system_join, system_misuse, system_taken};

/* -- The end ------------------------------------------------------------------------------------------------------ */

void system_check_end(void)
{
    struct run *run = control_run;
    run->ended = true;
    run->hash = history_state();
    if (run->plan.record)
        stuck_describe();
    for (uint32_t i = 0; i < run->strands; i++) {
        const struct strand *strand = &run->strand[i];
        char message[NOTE / 2];
        if (!strand->failed || strand->joined)
            continue;
        int code = lab_library->failure(strand->thread, message, sizeof message);
        control_found(THR_FOUND_UNJOINED, strand, "%s failed, and nobody joined it: %s (code %d)", strand->name,
                      message, code);
    }
}

void lab_fail(const char *message)
{
    if (control_run)
        control_found(THR_FOUND_FAIL, control_self, "thr_lab_fail: %s", message);
}
