/* fork.c - what a fork leaves behind.
 *
 * The thread that forks takes the registry's lock before and keeps it across: the child finds the list, the names and the
 * pool whole. In the child that thread is the main thread, not a daemon; every other thread is GONE: not alive, joined at
 * once (THR_OK and NULL), and its native thread is not touched, as it does not exist there.
 *
 *  another thread at the fork was      in the child
 *  STARTING, ALIVE                     GONE, without the reference to itself
 *  ENDED, GONE                         GONE; if it was about to drop its reference to itself, its place is never used again
 *  NEW                                 as before: it can be started
 *  main                                GONE; its handle stays valid, but thr_main_thread() is another
 *
 * F1  Nothing here waits for another thread: in the child there is none.
 * F2  Nothing is allocated or freed: an allocator that is not the C library's may be locked until its own handler runs,
 *     which may be after ours.
 * F3  Timers and locals have handlers of their own, registered after ours: they run before ours before the fork, and
 *     after ours in the child. */

#include "sync/handoff.h"
#include "thread/exit.h"
#include "thread/thread.h"

static void lose(thr_thread *thread)
{
    uint32_t life = load_relaxed(&thread->life) & LIFE_MASK;
    if (life == LIFE_FREE || life == LIFE_NEW)
        return;
    bool own_reference = (life == LIFE_STARTING || life == LIFE_ALIVE) && load_relaxed(&thread->origin) != THREAD_MAIN;
    thread->record.waiter = NULL; /* its node may be in the queue of a condition (sync/condition.c) */
    thread->waiter.lock = NULL;
    store_relaxed(&thread->begun, 1);
    store_relaxed(&thread->life, LIFE_GONE);
    thread->in_list = false;
    if (own_reference && sub_acq_rel(&thread->references, 1) == 1)
        pool_give(thread); /* F2: its name is freed when the place is used again */
}

static void become_main(thr_thread *thread)
{
    uint8_t origin = load_relaxed(&thread->origin);
    if (origin == THREAD_FOREIGN || origin == THREAD_HIDDEN)
        name_put(thread, "MainThread");
    store_relaxed(&thread->origin, THREAD_MAIN);
    store_relaxed(&thread->daemon, false);
    (void)registry_adopt(thread); /* the system's number of the thread is another */
    registry_link(thread);
    registry_set_main(thread);
    store_relaxed(&thread->life, LIFE_ALIVE);
}

/* For a thread that had no place. If none is free, it takes the old main's. */
static thr_thread *new_main(void)
{
    thr_thread *thread = pool_take_free();
    if (!thread)
        thread = pool_first();
    store_relaxed(&thread->origin, THREAD_HIDDEN);
    store_relaxed(&thread->references, load_relaxed(&thread->references) + 1);
    return thread;
}

static void in_child(void)
{
    thr_thread *self = (thr_thread *)wait_self;
    registry_after_fork();
    handoff_after_fork();
    for (uint32_t number = 1; number < pool_end(); number++) {
        thr_thread *thread = pool_find(number);
        handoff_lose(&thread->record);
        if (thread != self)
            lose(thread);
    }
    become_main(self ? self : new_main());
    exit_after_fork();
    registry_unlock();
}

void fork_prepare(void)
{
    (void)os_at_fork(registry_lock, registry_unlock, in_child);
}
