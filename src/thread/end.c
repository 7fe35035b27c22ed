/* end.c - how a thread ends.
 *
 * A thread that was adopted by the registry has end_round called by the system's destructors of thread-specific data,
 * OS_END_ROUNDS times: it has itself called again after the destructors of others. That is so however the thread ends:
 * by returning, by thr_fail, by pthread_exit or cancellation.
 *
 *  round        what is done
 *  1, 2         its thr_locals are destroyed; what their destructors and those of others have set since, in the next
 *  3            once more, then on_exit, and once more for what that has set; then the thread has ended
 *
 * ended means, in this order:
 *    off the list            enumerate and active_count no longer see it; T3
 *    nobody here             thr__self is NULL, and locks are taken with number 0
 *    ENDED, joiners woken    is_alive is false, join returns when the native thread is gone
 *    released                the end of the process need not wait for it
 *    dropped                 the reference to itself; the last one detaches the native thread
 *
 * Main instead waits for the others, and ends the process. A foreign thread is GONE at once: nobody reaps it. One that first
 * comes to us in a late round has too few left, and does not end here: registry.c, R3.
 *
 * A destructor or hook that ends in thr_fail or pthread_exit has the system begin its rounds anew. So each round first
 * asks for the next, the last one too, if it has any to call; and the rounds are counted here. Sanitizers count them, too:
 * of a hook in the last round the thread comes to its end while it is unwound, since the next round is theirs.
 *
 * Order: the release of life_set pairs with the acquire of thread_life, and of the joiner's loads. */

#include <stdlib.h>

#include "thread/exit.h"
#include "thread/local.h"
#include "thread/local_table.h"
#include "thread/thread.h"

void life_set(thr_thread *thread, uint32_t life)
{
    uint32_t now = load_relaxed(&thread->life);
    uint32_t next;
    do {
        /* With CLAIMED all who sleep wait for GONE, which the claimer sets. */
        bool wait_on = life == LIFE_ENDED && now & LIFE_CLAIMED;
        next = wait_on ? life | (now & ~(uint32_t)LIFE_MASK) : life;
    } while (!cas_acq_rel(&thread->life, &now, next)); /* pairs with thread_life; acquire: for watchers */
    if (now & LIFE_SLEEPERS && !(next & LIFE_SLEEPERS))
        wait_wake(&thread->life, UINT32_MAX, OS_ANY);
}

static void ended(thr_thread *thread)
{
    bool ours = load_relaxed(&thread->origin) == THREAD_OURS;
    bool held = ours && !load_relaxed(&thread->daemon);
    hook_point(HOOK_THREAD_END, thread);
    registry_unlink(thread);
    registry_abandon();
    tsan_release(thread);
    life_set(thread, ours ? LIFE_ENDED : LIFE_GONE);
    if (held)
        exit_release();
    thr_thread_unref(thread);
}

static void last_round(void *value)
{
    thr_thread *thread = value;
    bool ours = load_relaxed(&thread->origin) == THREAD_OURS;
    thr_thread_hook *hook = ours && !thread->end_hooked ? hook_of_exit() : NULL;
    if (hook || local_table)
        (void)registry_arm(thread);
    local_thread_end();
    if (hook) {
        thread->end_hooked = true;
        os_unwind_begin(last_round, thread);
        hook(thread);
        os_unwind_end(false);
        local_thread_end();
    }
    ended(thread);
}

static void end_main(thr_thread *thread)
{
    (void)registry_arm(thread);
    if (thread->end_rounds >= OS_END_ROUNDS)
        exit_main(load_relaxed(&thread->failed) ? EXIT_FAILURE : EXIT_SUCCESS);
}

void end_round(void *value)
{
    thr_thread *thread = value;
    store_relaxed(&thread->record.kind, (uint32_t)WAIT_NOTHING); /* if it was in a wait */
    thread->end_rounds++;
    if (load_relaxed(&thread->origin) == THREAD_MAIN) {
        end_main(thread);
    } else if (thread->end_rounds >= OS_END_ROUNDS) {
        last_round(thread);
    } else {
        (void)registry_arm(thread);
        local_thread_end();
    }
}

void end_unarmed(void *value)
{
    thr_thread *thread = value;
    if (thread->unarmed)
        last_round(thread);
}
