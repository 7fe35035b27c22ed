/* about.c - what a thread says about itself, and what new threads are given.
 *
 *  of a thread   known from                                                     until
 *  ident         its start on (0 before)                                        its place is free
 *  native_id     its first instructions on; asking waits for them               its place is free
 *  daemon        the beginning; may be changed while it is NEW                  its place is free */

#include "thread/thread.h"

static size_t default_stack; /* relaxed: a number that nothing depends on */

bool thr_thread_is_alive(const thr_thread *thread)
{
    hook_point(HOOK_LOOK, thread);
    bool alive = thread_life(thread) == LIFE_ALIVE && !registry_lost(thread);
    if (!alive)
        tsan_acquire(thread); /* who sees that it has ended sees what it did */
    return alive;
}

bool thr_thread_daemon(const thr_thread *thread)
{
    return load_relaxed(&thread->daemon);
}

thr_result thr_thread_set_daemon(thr_thread *thread, bool daemon)
{
    if (thread_life(thread) != LIFE_NEW)
        return THR_STARTED;
    store_relaxed(&thread->daemon, daemon);
    return THR_OK;
}

uint64_t thr_thread_ident(const thr_thread *thread)
{
    return load_relaxed(&thread->native);
}

uint64_t thr_thread_native_handle(const thr_thread *thread)
{
    return load_relaxed(&thread->native);
}

/* begun: 0, or 2 when somebody sleeps on it, -> 1 by the thread. A start that failed makes it 0 again, and wakes. */
static void wait_until_begun(thr_thread *thread)
{
    struct wait wait;
    wait_begin(&wait, WAIT_START, thread, THR_FOREVER);
    wait.interruptible = false;
    for (;;) {
        uint32_t now = load_acquire(&thread->begun); /* pairs with registry_adopt */
        uint32_t life = thread_life(thread);
        if (now == 1 || (life != LIFE_STARTING && life != LIFE_ALIVE))
            break;
        if (now == 0)
            (void)cas_acquire(&thread->begun, &now, 2); /* pairs with undo_start: then `life` says so */
        else
            (void)wait_block(&wait, &thread->begun, 2, OS_ANY);
    }
    wait_end(&wait);
}

uint64_t thr_thread_native_id(const thr_thread *thread)
{
    uint32_t life = thread_life(thread);
    if (life == LIFE_NEW)
        return 0;
    if (load_acquire(&thread->begun) != 1) /* pairs with registry_adopt */
        wait_until_begun((thr_thread *)(uintptr_t)thread);
    return load_relaxed(&thread->native_id);
}

uint64_t thr_get_ident(void)
{
    return (uint64_t)os_thread_self();
}

uint64_t thr_get_native_id(void)
{
    return os_thread_number();
}

thr_result thr_stack_size(size_t bytes)
{
    if (bytes != 0 && bytes < os_stack_minimum())
        return THR_INVALID;
    store_relaxed(&default_stack, bytes);
    return THR_OK;
}

size_t thr_get_stack_size(void)
{
    return load_relaxed(&default_stack);
}
