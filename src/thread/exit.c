/* exit.c - the end of the process waits for its non-daemon threads.
 *
 *  bits of `holding`   meaning                                       changed by
 *  0  WAITING          somebody is in exit_wait                      the first who comes, the last who leaves
 *  1..31               non-daemon threads from before their start    exit_hold, exit_release
 *                      to their end, and what else holds
 *
 * A wait ends when holding is down to those whom the waiter does not wait for: itself, main, and transitively who joins
 * these (they wait for the waiter's end, or for main's, and while exit() runs in one thread main may never end); for a
 * waiter that itself holds the process, also who is in exit_wait too. They are found in the wait records, under the
 * registry's lock.
 *
 * E1  A thread holds from before it is in the list until after it has left it. So the number of those in the list that
 *     need not be waited for, and `holding`, read under the lock in this order, never say that too few are left.
 * E2  Who changes what a waiter looked at, and does so after it looked, advances `turn` and wakes it: exit_release, where
 *     so few are left that it may matter (`enough`); exit_notice_join; another exit_wait.
 *     Both sides do a read-modify-write with acquire and release on `holding`: either the waiter's comes second and sees
 *     the change, or the other's does and sees WAITING and `enough`.
 * E3  The handler is registered while anything holds. It is registered again when something first holds after it ran, so
 *     a thread started by a later handler, or by a static destructor, is waited for too.
 *
 * A second exit() during the wait: the C library does not call our handler twice, but goes on with the others and ends
 * the process. (POSIX of 2024 and glibc 2.41 make it wait for the first; then only _exit() ends the process at once.) */

#include "thread/exit.h"

#include <stdlib.h>

#include "thread/local.h"
#include "thread/thread.h"

enum { WAITING = 1, ONE = 2 };

static uint32_t holding;
static uint32_t turn;

/* Under the registry's lock; `enough` is read without. */
static uint32_t enough; /* the most that any waiter need not wait for */
static uint32_t waiters;
static uint32_t visits;
static bool registered;
static bool running; /* the handler */

__thread uint32_t exit_mine;

static void (*notice)(bool begins);
static void (*notice_quit)(void);
static bool (*ask_held)(void);

static void look_again(void)
{
    (void)add_release(&turn, 1); /* pairs with exit_wait's load */
    wait_wake(&turn, UINT32_MAX, OS_ANY);
}

/* -- Whom not to wait for ----------------------------------------------------------------------------------------- */

static bool holds(const thr_thread *thread)
{
    return load_relaxed(&thread->origin) == THREAD_OURS && !load_relaxed(&thread->daemon);
}

static bool waits_for_visited(const thr_thread *thread, bool caller_holds)
{
    struct wait_record now;
    if (!wait_look(&thread->record, &now))
        return false;
    if (now.kind == WAIT_EXIT)
        return caller_holds;
    const thr_thread *target = now.object;
    return now.kind == WAIT_JOIN && target->visit == visits && thread_life(target) == LIFE_ALIVE;
}

static uint32_t visit(thr_thread *thread)
{
    thread->visit = visits;
    return holds(thread) ? 1 : 0;
}

/* How many of those that hold the process `caller` (NULL: one without a place) does not wait for. Under the lock. */
static uint32_t excluded(thr_thread *caller)
{
    thr_thread *main = registry_main();
    bool caller_holds = caller && holds(caller);
    uint32_t n = exit_mine;
    visits++;
    n += visit(main);
    if (caller && caller != main)
        n += visit(caller);
    for (bool found = true; found;) {
        found = false;
        for (thr_thread *thread = registry_list(); thread; thread = thread->next) {
            if (thread->visit != visits && waits_for_visited(thread, caller_holds)) {
                n += visit(thread);
                found = true;
            }
        }
    }
    return n;
}

/* -- Waiting ------------------------------------------------------------------------------------------------------ */

static bool nothing_left(void)
{
    registry_lock();
    uint32_t n = excluded(thr__self);
    if (n > enough)
        store_relaxed(&enough, n); /* before the next line: E2 */
    bool none = add_acq_rel(&holding, 0) / ONE <= n;
    registry_unlock();
    return none;
}

static void count_waiter(void)
{
    registry_lock();
    waiters++;
    (void)or_acq_rel(&holding, WAITING);
    registry_unlock();
}

static void discount_waiter(void)
{
    registry_lock();
    if (waiters > 0 && --waiters == 0) { /* 0 already: it waited across a fork */
        (void)and_relaxed(&holding, ~(uint32_t)WAITING);
        store_relaxed(&enough, 0);
    }
    registry_unlock();
}

void exit_notice(void (*function)(bool begins), void (*quit)(void), bool (*held)(void))
{
    store_release(&notice, function);  /* pairs with tell */
    store_release(&notice_quit, quit); /* pairs with tell_quit */
    store_release(&ask_held, held);    /* pairs with thr_shutdown */
}

static void tell_quit(void)
{
    void (*function)(void) = load_acquire(&notice_quit); /* pairs with exit_notice */
    if (function)
        function();
}

static void tell(bool begins)
{
    void (*function)(bool begins) = load_acquire(&notice); /* pairs with exit_notice */
    if (function)
        function(begins);
}

void exit_wait(void)
{
    struct wait wait;
    tell(true);
    wait_begin(&wait, WAIT_EXIT, NULL, THR_FOREVER);
    wait.interruptible = false;
    count_waiter();
    look_again(); /* others who wait may not have to wait for us any more */
    for (;;) {
        uint32_t seen = load_acquire(&turn); /* pairs with look_again */
        if (nothing_left())
            break;
        (void)wait_block(&wait, &turn, seen, OS_ANY);
    }
    tsan_acquire(&holding);
    discount_waiter();
    wait_end(&wait);
    tell(false);
    join_ended();
}

thr_result thr_shutdown(void)
{
    bool (*held)(void) = load_acquire(&ask_held); /* pairs with exit_notice */
    if (held && held())
        return THR_DEADLOCK;
    registry_prepare();
    exit_wait();
    return THR_OK;
}

void exit_notice_join(void)
{
    if (add_acq_rel(&holding, 0) & WAITING) /* E2 */
        look_again();
}

/* -- Holding ------------------------------------------------------------------------------------------------------ */

static void at_exit(void)
{
    thr_thread *self = thr__self;
    bool in_main = self && self == registry_main();
    registry_lock();
    running = true;
    registry_unlock();
    if (in_main)
        life_set(self, LIFE_GONE);
    tell_quit();
    exit_wait();
    registry_lock();
    running = false;
    registered = false; /* E3 */
    registry_unlock();
    if (in_main)
        local_thread_end();
}

thr_result exit_hold(void)
{
    registry_lock();
    thr_result result = registered ? THR_OK : os_at_exit(at_exit);
    if (result == THR_OK) {
        registered = true;
        (void)add_acq_rel(&holding, ONE);
    }
    registry_unlock();
    return result;
}

void exit_release(void)
{
    tsan_release(&holding);
    uint32_t before = sub_acq_rel(&holding, ONE);
    if (before & WAITING && before / ONE - 1 <= load_relaxed(&enough)) /* E2 */
        look_again();
}

void exit_main(int status)
{
    life_set(registry_main(), LIFE_GONE);
    exit_wait();
    local_thread_end();
    exit(status);
}

void exit_after_fork(void)
{
    store_relaxed(&holding, 0);
    store_relaxed(&enough, 0);
    waiters = 0;
    exit_mine = 0;
    if (running)
        registered = false; /* another thread had come to the handler: the child's exit will not call it */
    running = false;
}
