/* check.c - `threading check`: what the library calls while a program is checked, and the threads that we know.
 *
 *  the program                   the library calls     we
 *  acquire, nobody holds it      taken, after it       look at the order, note that it is held
 *  acquire, somebody holds it    wait, before it       look at the order, and who waits for whom; then it sleeps
 *                                taken, after it       note that it is held
 *  release                       point, before it      note that it is not
 *  any other wait                wait, before it       look at who waits for whom; then it sleeps
 *
 * So what can go wrong has been reported before a thread sleeps for it. */

#include "lab/check.h"

#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct watched *threads; /* under the lock */
static __thread struct watched *self;
static __thread bool inside;
static __thread bool left; /* it has ended, for us */
static bool running;

/* -- The lock ----------------------------------------------------------------------------------------------------- */

/* 0 free, 1 held, 2 held and somebody may sleep. Not a lock of the library: that would call us. */
static uint32_t word;
static const thr_time moment = 10000000;

void check_enter(void)
{
    inside = true;
    uint32_t now = 0;
    if (__atomic_compare_exchange_n(&word, &now, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return;
    while (swap_acquire(&word, 2) != 0) { /* pairs with check_leave's release */
        check_answer();                   /* it may be this stack that the other waits for */
        (void)lab_library->os->wait(&word, 2, OS_ANY, lab_library->os->now() + moment);
    }
}

void check_leave(void)
{
    if (swap_release(&word, 0) == 2)
        lab_library->os->wake(&word, 1, OS_ANY);
    inside = false;
}

bool check_inside(void)
{
    return inside;
}

bool check_runs(void)
{
    return load_relaxed(&running);
}

static void before_fork(void)
{
    check_enter();
}

/* In the child nobody else is there. */
static void child_of_fork(void)
{
    for (struct watched *thread = threads; thread; thread = thread->next) {
        if (thread != self)
            thread->number = 0;
        thread->is_main = thread == self;
    }
    store_relaxed(&word, 1);
    check_leave();
}

/* -- Threads ------------------------------------------------------------------------------------------------------ */

struct watched *check_threads(void)
{
    return threads;
}

struct watched *check_find(uint32_t number)
{
    struct watched *thread = threads;
    while (thread && thread->number != number)
        thread = thread->next;
    return thread;
}

struct watched *check_self(void)
{
    return self;
}

void check_stack(struct stack *stack)
{
    int frames = backtrace(stack->at, FRAMES);
    stack->frames = frames < 0 ? 0 : (uint32_t)frames;
}

/* One that has ended may be used for another thread. Under the lock. */
static struct watched *place(void)
{
    struct watched *thread = check_find(0);
    if (thread) {
        struct watched *next = thread->next;
        struct held *held = thread->held;
        uint32_t room = thread->held_room;
        *thread = (struct watched){.next = next, .held = held, .held_room = room};
        return thread;
    }
    thread = calloc(1, sizeof *thread);
    if (thread) {
        thread->next = threads;
        threads = thread;
    }
    return thread;
}

/* Makes the calling thread known. */
static struct watched *meet(void)
{
    if (left)
        return NULL;
    inside = true;
    struct wait_record *record = lab_library->record();
    if (!record)
        record = lab_library->stranger();
    check_enter();
    struct watched *me = record ? place() : NULL;
    if (me) {
        me->number = record->number;
        me->lowest_lock = UINTPTR_MAX;
        forget_find_stack(me);
    }
    check_leave();
    self = me;
    return me;
}

struct watched *check_here(void)
{
    return self ? self : meet();
}

static void end(void)
{
    struct watched *me = self;
    self = NULL;
    left = true;
    if (!me)
        return;
    forget_stack(me);
    check_enter();
    store_release(&me->held_count, 0);
    me->number = 0;
    check_leave();
}

/* -- What the library calls --------------------------------------------------------------------------------------- */

bool check_is_internal(const void *object)
{
    for (size_t i = 0; i < LAB_INTERNAL_MAX && lab_library->internal[i]; i++) {
        if (lab_library->internal[i] == object)
            return true;
    }
    return false;
}

static void released(struct watched *me, enum hook_operation operation, const void *lock)
{
    held_read_mail(me);
    forget_returned(me);
    if (!held_remove(me, lock) && (operation == HOOK_LOCK_RELEASE || operation == HOOK_READ_RELEASE))
        held_elsewhere(me, lock);
}

static void check_point(enum hook_operation operation, const void *object)
{
    if (inside)
        return;
    switch (operation) {
    case HOOK_LOCK_ACQUIRE:
    case HOOK_RLOCK_ACQUIRE:
    case HOOK_READ_ACQUIRE:
    case HOOK_WRITE_ACQUIRE:
    case HOOK_THREAD_BEGIN:
        (void)check_here(); /* it needs a number before it writes that into the lock */
        break;
    case HOOK_LOCK_RELEASE:
    case HOOK_RLOCK_RELEASE:
    case HOOK_READ_RELEASE:
    case HOOK_WRITE_RELEASE:
        if (check_here() && !check_is_internal(object))
            released(self, operation, object);
        break;
    case HOOK_CONDITION_WAIT:
        if (check_here())
            self->waits_for_condition = true;
        break;
    case HOOK_THREAD_END:
        end();
        break;
    default:
        break;
    }
}

static void taken(enum hook_operation operation, const void *lock, thr_time deadline, const void *site, bool outside)
{
    struct watched *me = self;
    held_read_mail(me);
    forget_returned(me);
    struct held *already = held_find(me, lock);
    if (operation == HOOK_CONDITION_WAIT)
        me->waits_for_condition = false;
    if (already && operation == HOOK_RLOCK_ACQUIRE) {
        already->depth++;
        return;
    }
    site = check_site(me, site);
    uint64_t id = order_id(me, lock, site);
    if (me->held_count > 0 && deadline == THR_FOREVER)
        order_check(me, lock, id);
    if (operation != HOOK_CONDITION_WAIT)
        held_add(me, &(struct held){lock, id, site, 1, operation == HOOK_READ_ACQUIRE, outside});
}

static void check_taken(enum hook_operation operation, const void *lock, thr_time deadline, const void *site)
{
    if (!inside && check_here() && !check_is_internal(lock))
        taken(operation, lock, deadline, site, false);
}

void check_outside_taken(enum hook_operation operation, const void *lock, thr_time deadline, const void *site)
{
    if (check_here())
        taken(operation, lock, deadline, site, true);
}

void check_outside_released(const void *lock)
{
    if (check_here())
        released(self, HOOK_WRITE_RELEASE, lock);
}

void check_before(const void *lock, bool locks_itself_out)
{
    struct watched *me = check_here();
    if (!me)
        return;
    held_read_mail(me);
    forget_returned(me);
    const struct held *held = held_find(me, lock);
    if (held && locks_itself_out) {
        check_enter();
        report_again(me, lock, held, false);
        check_leave();
    } else if (!held && me->held_count > 0) {
        order_check(me, lock, order_id(me, lock, NULL));
    }
}

/* A write lock, or once, asked for by who has it. The call returns THR_DEADLOCK instead of blocking. */
static void check_misuse(const void *object, thr_result result)
{
    if (inside || result != THR_DEADLOCK || !check_here())
        return;
    struct held *held = held_find(self, object);
    if (!held)
        return;
    check_enter();
    report_again(self, object, held, false);
    check_leave();
}

/* -- Beginning and end -------------------------------------------------------------------------------------------- */

__attribute__((destructor)) static void at_end(void)
{
    if (!running)
        return;
    check_blocked_at_end();
    running = false;
}

void check_program(void)
{
    static struct wait_system system;
    struct stack stack;
    lab_error_keep();
    (void)news_stopped(); /* from here on the program runs as ever */
    check_stack(&stack);  /* the first one loads what it needs */
    system = *lab_library->os;
    system.wait = check_wait;
    system.point = check_point;
    system.taken = check_taken;
    system.misuse = check_misuse;
    (void)pthread_atfork(before_fork, check_leave, child_of_fork);
    *lab_library->system = &system;
    check_sites();
    running = true;
    lab_library->hook(HOOK_WATCHED);
    if (check_here())
        self->is_main = true;
}
