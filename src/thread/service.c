/* service.c - the timer service: its lock, the queue, and what becomes of a timer; see service.h.
 *
 * The lock is held for tens of nanoseconds, but where a thread is started; never over a callback. Under it only these are
 * called: os_thread_start, exit_hold and exit_release (so the registry's lock comes after this one, and a fork takes them
 * in this order).
 *
 * Order: the lock orders everything: start and reset before the callback, the callback before who finds the timer idle.
 * A joiner sees the word change; service_settle stores it with release, for the joiner's acquire. */

#include "thread/service.h"

#include <stdlib.h>

#include "os/os.h"
#include "thread/crew.h"
#include "thread/exit.h"
#include "thread/thread.h"

struct service service;

/* What a holder of the lock owes, and does after it. */
static struct {
    const uint32_t *thread;
    const uint32_t *joiners;
    thr_timer *garbage;
} owed;

void service_pay(void)
{
    const uint32_t *thread = owed.thread;
    const uint32_t *joiners = owed.joiners;
    thr_timer *garbage = owed.garbage;
    owed.thread = NULL;
    owed.joiners = NULL;
    owed.garbage = NULL;
    service.owing = false;
    (void)thr_lock_release(&service.lock);
    if (thread)
        wait_wake(thread, 1, OS_ANY);
    if (joiners)
        wait_wake(joiners, UINT32_MAX, OS_ANY);
    free(garbage);
}

void service_wake(const uint32_t *word)
{
    if (owed.thread && owed.thread != word)
        wait_wake(owed.thread, 1, OS_ANY);
    owed.thread = word;
    service.owing = true;
}

/* -- What holds back the end of the process ----------------------------------------------------------------------- */

static thr_result hold(thr_timer *timer)
{
    if (timer->daemon || timer->state & (TIMER_HELD | TIMER_RUNNING))
        return THR_OK;
    if (service.holding == 0) {
        thr_result result = exit_hold();
        if (result != THR_OK)
            return result;
    }
    service.holding++;
    timer->state |= TIMER_HELD;
    return THR_OK;
}

static void let_go(thr_timer *timer)
{
    if (!(timer->state & TIMER_HELD))
        return;
    timer->state &= ~(uint32_t)TIMER_HELD;
    service.holding--;
    if (service.holding == 0)
        exit_release();
}

/* -- A timer's life ----------------------------------------------------------------------------------------------- */

static void put(thr_timer *timer, thr_time now)
{
    crew_expect(wheel_put(&service.wheel, &timer->node, now));
}

static thr_time later(thr_time time, thr_time by)
{
    return by >= THR_FOREVER - time ? THR_FOREVER : time + by;
}

thr_result service_arm(thr_timer *timer, thr_time delay, thr_time now)
{
    thr_result result = service.forkable ? crew_ready() : THR_NO_MEMORY;
    if (result == THR_OK)
        result = hold(timer);
    if (result != THR_OK)
        return result;
    wheel_remove(&service.wheel, &timer->node);
    timer->delay = delay;
    timer->node.deadline = later(now, delay);
    timer->state = (timer->state | TIMER_STARTED | TIMER_ARMED) & ~(uint32_t)TIMER_CANCELLED;
    store_relaxed(&timer->word,
                  timer->word | TIMER_BUSY); /* who reads it without the lock has a reference, or armed it */
    put(timer, now);
    return THR_OK;
}

void service_disarm(thr_timer *timer)
{
    wheel_remove(&service.wheel, &timer->node);
    timer->state &= ~(uint32_t)TIMER_ARMED;
    let_go(timer);
}

void service_settle(thr_timer *timer)
{
    if (timer->state & (TIMER_ARMED | TIMER_RUNNING))
        return;
    uint32_t word = timer->word;
    if (load_relaxed(&timer->references) == 0) {
        owed.garbage = timer;
        service.owing = true;
    }
    if (word & TIMER_SLEEPERS) {
        owed.joiners = &timer->word;
        service.owing = true;
    }
    /* Release: pairs with the acquire loads of a joiner, and of the last reference (S4). */
    store_release(&timer->word, (word & ~(uint32_t)(TIMER_SLEEPERS | TIMER_BUSY)) + TIMER_GENERATION);
}

thr_timer *service_due(thr_time now)
{
    struct timer_node *node;
    while ((node = wheel_due(&service.wheel, now)) != NULL) {
        thr_timer *timer = (thr_timer *)node;
        if (!(timer->state & TIMER_RUNNING))
            return timer;
        wheel_remove(&service.wheel, node); /* S1: its turn comes when the run ends */
    }
    return NULL;
}

void service_begin(thr_timer *timer)
{
    /* The new hold first, so that there is never none. (It cannot fail: there was one before.) */
    exit_mine = !timer->daemon && exit_hold() == THR_OK;
    service_disarm(timer);
    timer->state |= TIMER_RUNNING;
}

/* The next time of a repeating timer: a whole number of periods after the last one, so there is no drift. Times that
 * have passed while it ran are left out. */
static thr_time next_time(const thr_timer *timer, thr_time now)
{
    thr_time next = later(timer->node.deadline, timer->delay);
    if (next <= now)
        next = later(next, ((now - next) / timer->delay + 1) * timer->delay);
    return next;
}

void service_end(thr_timer *timer, thr_time now)
{
    timer->state &= ~(uint32_t)TIMER_RUNNING;
    bool again = timer->repeat && !(timer->state & (TIMER_ARMED | TIMER_CANCELLED));
    if (again) {
        timer->node.deadline = next_time(timer, now);
        timer->state |= TIMER_ARMED;
    }
    if (timer->state & TIMER_ARMED) {
        (void)hold(timer); /* as in service_begin */
        if (!wheel_has(&timer->node))
            put(timer, now);
    }
    if (exit_mine) {
        exit_mine = 0;
        exit_release();
    }
    service_settle(timer);
}

/* -- Forks -------------------------------------------------------------------------------------------------------- */

static void gone(thr_timer *timer)
{
    wheel_remove(&service.wheel, &timer->node);
    timer->state &= ~(uint32_t)(TIMER_ARMED | TIMER_RUNNING | TIMER_HELD);
    timer->state |= TIMER_CANCELLED;
    timer->word = (timer->word & ~(uint32_t)(TIMER_SLEEPERS | TIMER_BUSY)) + TIMER_GENERATION;
    if (timer->references == 0)
        free(timer);
}

/* In the child, when timers are first used there: many programs only call exec. */
void service_sweep(void)
{
    service.forked = false;
    crew_sweep(gone);
    struct timer_node *node;
    while ((node = wheel_any(&service.wheel)) != NULL)
        gone((thr_timer *)node);
}

static void before_fork(void)
{
    (void)thr_lock_acquire(&service.lock);
}

static void in_parent(void)
{
    (void)thr_lock_release(&service.lock);
}

static void in_child(void)
{
    service.lock = (thr_lock)THR_LOCK_INIT; /* its sleepers are gone */
    service.forked = true;
    service.holding = 0; /* exit.c forgets the holds of the parent */
    serve_forked();
}

/* In a constructor, before there are threads. The registry's handlers first: those for the time before a fork are called
 * in the opposite order. */
__attribute__((constructor)) static void prepare(void)
{
    registry_prepare();
    service.forkable = os_at_fork(before_fork, in_parent, in_child) == THR_OK;
}
