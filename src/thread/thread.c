/* thread.c - making and starting threads, and asking about them; the states are in thread.h.
 *
 *  starter                                      the new thread
 *  NEW -> STARTING
 *  holds the process, links, one reference
 *  os_thread_start                              adopts its place: native, native_id
 *  stores native                                STARTING -> ALIVE
 *  STARTING -> ALIVE                            its name at the system, on_start, target
 *
 * S1  Both store the same `native` and try the same step to ALIVE: whoever is first. So ident is known when
 *     thr_thread_start returns and when target is called, and a joiner finds it.
 * S2  The new thread may have ended, and been joined, before os_thread_start returns. The starter has a reference of its
 *     own until then, so the place is still that thread's; its step to ALIVE then fails, as it must.
 * S3  A start that failed undoes all of it: the thread is NEW and may be started again.
 *
 * Order: the start of a native thread orders what was before it; `life` is stored with release for who looks. */

#include "thread/thread.h"

#include "thread/exit.h"

static thr_thread_hook *on_start;
static thr_thread_hook *on_end;

/* -- References --------------------------------------------------------------------------------------------------- */

thr_thread *thr_thread_ref(thr_thread *thread)
{
    (void)add_relaxed(&thread->references, 1);
    return thread;
}

bool thread_ref_if_any(thr_thread *thread)
{
    uint32_t now = load_relaxed(&thread->references);
    while (now != 0) {
        if (cas_acquire(&thread->references, &now, now + 1)) /* pairs with an unref that made it free, and a new ref */
            return true;
    }
    return false;
}

void thr_thread_unref(thr_thread *thread)
{
    if (!thread)
        return;
    tsan_release(&thread->references);
    if (sub_acq_rel(&thread->references, 1) != 1)
        return;
    tsan_acquire(&thread->references);
    uint32_t life = load_acquire(&thread->life); /* pairs with life_set */
    if ((life & LIFE_MASK) == LIFE_ENDED && !(life & LIFE_CLAIMED))
        os_thread_detach((os_thread)load_relaxed(&thread->native)); /* T2 */
    name_drop(thread);
    pool_give(thread);
}

/* -- The new thread ----------------------------------------------------------------------------------------------- */

static void step_to_alive(thr_thread *thread)
{
    uint32_t now = load_relaxed(&thread->life);
    while (now == LIFE_STARTING) {                        /* else: S1, S2 */
        if (cas_release(&thread->life, &now, LIFE_ALIVE)) /* pairs with thread_life */
            break;
    }
}

static thr_thread_hook *hook_get(thr_thread_hook **hook)
{
    thr_thread_hook *function = load_acquire(hook); /* pairs with set_hook */
    if (function)
        tsan_acquire(hook);
    return function;
}

thr_thread_hook *hook_of_exit(void)
{
    return hook_get(&on_end);
}

static void begin(thr_thread *thread)
{
    thr_thread_hook *hook = hook_get(&on_start);
    if (hook)
        hook(thread);
}

static void *run(void *arg)
{
    thr_thread *thread = arg;
    thread->unarmed = !registry_adopt(thread);
    tsan_acquire(thread);
    step_to_alive(thread);
    name_show(thread);
    os_unwind_begin(end_unarmed, thread);
    hook_point(HOOK_THREAD_BEGIN, thread);
    begin(thread);
    if (thread->target)
        thread->result = thread->target(thread->arg);
    os_unwind_end(true);
    return NULL;
}

/* -- Starting ----------------------------------------------------------------------------------------------------- */

/* NEW -> STARTING, under the lock: so of two who start it one comes first, and a fork finds T1. */
static thr_result prepare_start(thr_thread *thread)
{
    registry_lock(); /* for all of it: E1 */
    thr_result result = thread_life(thread) == LIFE_NEW ? THR_OK : THR_STARTED;
    if (result == THR_OK && !load_relaxed(&thread->daemon))
        result = exit_hold();
    if (result == THR_OK) {
        store_relaxed(&thread->life, LIFE_STARTING); /* nobody else changes it while it is NEW */
        registry_link(thr_thread_ref(thread));       /* T1 */
    }
    registry_unlock();
    return result;
}

static void undo_start(thr_thread *thread)
{
    registry_unlink(thread);
    if (!load_relaxed(&thread->daemon))
        exit_release();
    registry_lock(); /* for both: who starts it anew comes after them */
    life_set(thread, LIFE_NEW);
    bool asked = swap_release(&thread->begun, 0) == 2; /* pairs with thr_thread_native_id */
    registry_unlock();
    if (asked)
        wait_wake(&thread->begun, UINT32_MAX, OS_ANY);
    (void)sub_release(&thread->references, 1); /* not the last: the starter has one */
}

static thr_result start_native(thr_thread *thread)
{
    os_thread native;
    tsan_release(thread);
    thr_result result = wait_system->start(&native, thread->stack_size, false, run, thread);
    if (result == THR_OK) {
        store_relaxed(&thread->native, (uint64_t)native);
        step_to_alive(thread);
    }
    return result;
}

thr_result thr_thread_start(thr_thread *thread)
{
    hook_point(HOOK_THREAD_START, thread);
    thr_result result = prepare_start(thread);
    if (result != THR_OK)
        return result;
    result = start_native(thread);
    if (result != THR_OK)
        undo_start(thread); /* S3 */
    return result;
}

/* -- Making ------------------------------------------------------------------------------------------------------- */

static bool daemon_of(thr_daemon wish)
{
    if (wish != THR_DAEMON_INHERIT)
        return wish == THR_DAEMON_YES;
    thr_thread *self = thr__self;
    return self ? load_relaxed(&self->daemon) : !registry_is_main(); /* foreign ones count as daemons */
}

static thr_thread *make(thr_target *target, const char *target_name, const thr_thread_options *options)
{
    thr_thread *thread = pool_take();
    if (!thread)
        return NULL;
    const char *name = options->name;
    bool named = name && *name ? name_set(thread, name) : name_number(thread, "Thread-", name ? NULL : target_name);
    if (!named) {
        pool_give(thread);
        return NULL;
    }
    thread->target = target;
    thread->arg = options->arg;
    thread->stack_size = options->stack_size != 0 ? options->stack_size : thr_get_stack_size();
    store_relaxed(&thread->daemon, daemon_of(options->daemon));
    store_relaxed(&thread->references, 1);
    store_release(&thread->life, LIFE_NEW); /* pairs with thread_life */
    return thread;
}

static thr_result start_made(thr_thread **handle, thr_thread *made)
{
    /* The handle is there before the start, so that the new thread may use it; or drop it: S2. */
    thr_thread *before = handle ? *handle : NULL;
    (void)thr_thread_ref(made); /* our own, until the end; who looks at all places may have one meanwhile */
    if (handle)
        *handle = made;
    thr_result result = thr_thread_start(made);
    if (result != THR_OK && handle)
        *handle = before;
    if (result != THR_OK || !handle)
        thr_thread_unref(made);
    thr_thread_unref(made);
    return result;
}

thr_result thr__thread_new(thr_thread **handle, thr_target *target, const char *target_name,
                           const thr_thread_options *options, bool start)
{
    if (options->stack_size != 0 && options->stack_size < os_stack_minimum())
        return THR_INVALID;
    if (!handle && !start)
        return THR_INVALID;
    registry_prepare();
    thr_thread *made = make(target, target_name, options);
    if (!made)
        return THR_NO_MEMORY;
    if (start)
        return start_made(handle, made);
    *handle = made;
    return THR_OK;
}

static thr_thread_options with(void *arg, const thr_thread_options *options)
{
    thr_thread_options result = {0};
    if (options)
        result = *options;
    result.arg = arg;
    return result;
}

thr_result thr_spawn_with(thr_thread **handle, thr_target *target, void *arg, const thr_thread_options *options)
{
    thr_thread_options all = with(arg, options);
    return thr__thread_new(handle, target, NULL, &all, true);
}

thr_result thr_thread_new_with(thr_thread **handle, thr_target *target, void *arg, const thr_thread_options *options)
{
    thr_thread_options all = with(arg, options);
    return thr__thread_new(handle, target, NULL, &all, false);
}

/* -- Hooks -------------------------------------------------------------------------------------------------------- */

static void set_hook(thr_thread_hook **hook, thr_thread_hook *function)
{
    tsan_release(hook);
    store_release(hook, function); /* pairs with hook_get */
}

void thr_set_thread_hooks(thr_thread_hook *started, thr_thread_hook *ending)
{
    set_hook(&on_start, started);
    set_hook(&on_end, ending);
}
