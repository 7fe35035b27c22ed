/* join.c - waiting for the end of a thread; the states are in thread.h.
 *
 * A joiner returns when the native thread is gone. Exactly one reaps it, whoever sets CLAIMED:
 *
 *  the joiner                              in ALIVE                       in ENDED
 *  would wait for ever, with no interrupt  claims, sleeps in os_thread_join, then sets GONE
 *  may have to leave earlier               sleeps on `life`               claims, os_thread_join (short), sets GONE
 *  finds CLAIMED set                       sleeps on `life`               sleeps on `life` until GONE (short)
 *
 * The first row is for speed: sleeping on `life` and then once more for the native thread costs a wake-up and a switch,
 * a fifth of a start and join on one processor. It is not taken when somebody stands in for the system (hook.h).
 *
 * J1  Once a thread has ENDED, deadlines and interrupts do not matter any more: what is left to wait for is short, and a
 *     joiner must not say that a thread goes on which is_alive says has ended.
 * J2  The system may refuse to join (two threads that join each other): the claim is then given back, and this joiner
 *     sleeps on `life` instead, as if there were no first row. So each waits for ever, as they asked to.
 *
 * Order: see end.c. The claim is an acquire for the case of ENDED; in that of ALIVE os_thread_join orders. */

#include "thread/exit.h"
#include "thread/thread.h"

static bool claim(thr_thread *thread, uint32_t now)
{
    return cas_acquire(&thread->life, &now, now | LIFE_CLAIMED); /* pairs with life_set */
}

static void claim_give_back(thr_thread *thread)
{
    uint32_t now = load_relaxed(&thread->life);
    uint32_t none = LIFE_CLAIMED | LIFE_SLEEPERS;
    while (!cas_acquire(&thread->life, &now, now & ~none)) /* acquire: for watchers */
        continue;
    if (now & LIFE_SLEEPERS)
        wait_wake(&thread->life, UINT32_MAX, OS_ANY);
}

/* With the claim. */
static bool reap(thr_thread *thread)
{
    os_thread native = (os_thread)load_relaxed(&thread->native);
    if (!wait_system->join(native)) {
        if (thread_life(thread) == LIFE_ALIVE) {
            claim_give_back(thread); /* J2 */
            return false;
        }
        os_thread_detach(native);
    }
    life_set(thread, LIFE_GONE);
    return true;
}

void join_ended(void)
{
    for (uint32_t number = 1; number < pool_end(); number++) {
        thr_thread *thread = pool_find(number);
        if (thread_life(thread) != LIFE_ENDED || !thread_ref_if_any(thread))
            continue;
        uint32_t now = load_relaxed(&thread->life); /* perhaps that of the place's next thread */
        if ((now & LIFE_MASK) == LIFE_ENDED && !(now & LIFE_CLAIMED) && claim(thread, now))
            (void)reap(thread);
        thr_thread_unref(thread);
    }
}

/* The first row of the table. */
static bool may_join_natively(const thr_thread *thread, const struct wait *wait)
{
    return wait->deadline == THR_FOREVER && !wait->interruptible && wait_system == &wait_system_os &&
           load_relaxed(&thread->origin) == THREAD_OURS;
}

static thr_result wait_until_gone(thr_thread *thread, struct wait *wait)
{
    bool natively = may_join_natively(thread, wait);
    for (;;) {
        uint32_t now = load_acquire(&thread->life); /* pairs with life_set */
        if ((now & LIFE_MASK) == LIFE_GONE)
            return THR_OK;
        bool has_ended = (now & LIFE_MASK) == LIFE_ENDED;
        if (!(now & LIFE_CLAIMED) && (has_ended || natively)) {
            if (claim(thread, now))
                natively = !reap(thread) ? false : natively;
            continue;
        }
        if (has_ended) { /* J1 */
            wait->deadline = THR_FOREVER;
            wait->interruptible = false;
        }
        if (!(now & LIFE_SLEEPERS) && !cas_relaxed(&thread->life, &now, now | LIFE_SLEEPERS))
            continue;
        thr_result result = wait_block(wait, &thread->life, now | LIFE_SLEEPERS, OS_ANY);
        if (result != THR_OK && thread_life(thread) == LIFE_ALIVE)
            return result;
    }
}

static thr_result wait_for_end(thr_thread *thread, uint32_t life, thr_time deadline)
{
    if (life == LIFE_GONE)
        return THR_OK;
    if (life == LIFE_ALIVE && wait_expired(deadline))
        return THR_TIMEOUT;
    struct wait wait;
    wait_begin(&wait, WAIT_JOIN, thread, deadline);
    exit_notice_join();
    thr_result result = wait_until_gone(thread, &wait);
    wait_end(&wait);
    return result;
}

/* Also in a destructor that runs after the thread's end. */
static bool is_caller(const thr_thread *thread, uint32_t life)
{
    return thread == thr__self || (life == LIFE_ENDED && load_relaxed(&thread->native) == (uint64_t)os_thread_self());
}

/* The whole word. A thread whose end nobody saw ends now. */
static uint32_t life_now(thr_thread *thread)
{
    if (registry_lost(thread))
        registry_sweep();
    return load_acquire(&thread->life); /* pairs with life_set */
}

thr_result thread_watch(thr_thread *thread, bool watch)
{
    uint32_t now = life_now(thread);
    for (;;) {
        uint32_t life = now & LIFE_MASK;
        if (life == LIFE_NEW || life == LIFE_STARTING)
            return THR_NOT_STARTED;
        if (is_caller(thread, life))
            return THR_DEADLOCK;
        if (life == LIFE_ENDED || life == LIFE_GONE)
            return THR_OK;
        /* Also where it is set: wait/watch.h, W3. */
        if (!watch || cas_acq_rel(&thread->life, &now, now | LIFE_SLEEPERS))
            return THR_TIMEOUT;
        now = load_acquire(&thread->life);
    }
}

thr_result thr_thread_join_until(thr_thread *thread, thr_time deadline, void **result)
{
    hook_point(HOOK_THREAD_JOIN, thread);
    uint32_t life = life_now(thread) & LIFE_MASK;
    if (life == LIFE_NEW || life == LIFE_STARTING)
        return THR_NOT_STARTED;
    if (is_caller(thread, life))
        return hook_misuse(thread, THR_DEADLOCK);
    thr_result waited = wait_for_end(thread, life, deadline);
    if (waited != THR_OK)
        return waited;
    tsan_acquire(thread);
    bool failed = load_relaxed(&thread->failed);
    if (result)
        *result = failed ? NULL : thread->result;
    return failed ? THR_FAILED : THR_OK;
}

thr_result thr_thread_join(thr_thread *thread, void **result)
{
    return thr_thread_join_until(thread, THR_FOREVER, result);
}
