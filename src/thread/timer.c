/* timer.c - the calls of timer.h, each a short stay under the service's lock; the states are in service.h. */

#include "threading/timer.h"

#include <stdlib.h>

#include "thread/crew.h"

/* The delay in nanoseconds; false where it makes no sense. A period is not 0, however short. */
static bool delay_of(double seconds, bool repeat, thr_time *delay)
{
    const double nanoseconds = 1e9;
    const double longest = 9.2e18; /* below 2^63 */
    if (seconds != seconds || (repeat && (seconds <= 0 || seconds > __DBL_MAX__)))
        return false;
    if (seconds <= 0)
        *delay = 0;
    else if (seconds * nanoseconds >= longest)
        *delay = THR_FOREVER;
    else
        *delay = (thr_time)(seconds * nanoseconds);
    if (repeat && *delay == 0)
        *delay = 1;
    return true;
}

/* In a callback the calling thread is what that callback's timer is. */
static bool daemon_of(thr_daemon daemon)
{
    if (daemon != THR_DAEMON_INHERIT)
        return daemon == THR_DAEMON_YES;
    const thr_thread *thread = thr_current_thread();
    return !thread || thr_thread_daemon(thread); /* a thread without an object is a foreign one */
}

static thr_result make(thr_timer **out, double seconds, void (*function)(void *), void *arg,
                       const thr_timer_options *options)
{
    bool repeat = options && options->repeat;
    thr_time delay;
    if (!function || !delay_of(seconds, repeat, &delay))
        return THR_INVALID;
    int saved = errno;
    thr_timer *timer = malloc(sizeof *timer);
    os_errno_restore(saved);
    if (!timer)
        return THR_NO_MEMORY;
    *timer = (thr_timer){
        .references = 1,
        .repeat = repeat,
        .daemon = daemon_of(options ? options->daemon : THR_DAEMON_INHERIT),
        .delay = delay,
        .function = function,
        .arg = arg,
    };
    *out = timer;
    return THR_OK;
}

thr_result thr__timer_new(thr_timer **timer, double seconds, void (*function)(void *), const thr_timer_options *options)
{
    return make(timer, seconds, function, options->arg, options);
}

thr_result thr_timer_new_with(thr_timer **timer, double seconds, void (*function)(void *), void *arg,
                              const thr_timer_options *options)
{
    return make(timer, seconds, function, arg, options);
}

thr_result thr_timer_start(thr_timer *timer)
{
    hook_point(HOOK_TIMER_START, timer);
    tsan_release(timer);
    thr_time now = wait_system->now();
    thr_result result;
    service_lock();
    if (timer->state & TIMER_STARTED)
        result = THR_STARTED;
    else if (timer->state & TIMER_CANCELLED)
        result = THR_CANCELLED;
    else
        result = service_arm(timer, timer->delay, now);
    service_unlock();
    return result;
}

thr_result thr_timer_reset(thr_timer *timer, double seconds)
{
    thr_time delay;
    hook_point(HOOK_TIMER_START, timer);
    if (!delay_of(seconds, timer->repeat, &delay))
        return THR_INVALID;
    tsan_release(timer);
    thr_time now = wait_system->now();
    service_lock();
    thr_result result = timer->state & TIMER_STARTED ? service_arm(timer, delay, now) : THR_NOT_STARTED;
    service_unlock();
    return result;
}

thr_result thr_timer_cancel(thr_timer *timer)
{
    thr_result result = THR_OK;
    hook_point(HOOK_TIMER_CANCEL, timer);
    service_lock();
    uint32_t state = timer->state;
    if (state & TIMER_ARMED) {
        service_disarm(timer);
        service_settle(timer);
    }
    bool ran = state & TIMER_STARTED && !(state & (TIMER_ARMED | TIMER_CANCELLED));
    if (state & TIMER_RUNNING || ran)
        result = THR_TOO_LATE;
    if (result == THR_OK || timer->repeat)
        timer->state |= TIMER_CANCELLED;
    service_unlock();
    if (result == THR_OK)
        tsan_acquire(timer); /* pairs with crew_finish: of a repeating one's last run */
    return result;
}

static bool idle(const thr_timer *timer)
{
    return !(timer->state & (TIMER_ARMED | TIMER_RUNNING));
}

/* Waits until timer->word is not `word` any more. */
static thr_result wait_for(const thr_timer *timer, uint32_t word, thr_time deadline)
{
    struct wait wait;
    thr_result result = THR_OK;
    wait_begin(&wait, WAIT_TIMER, timer, deadline);
    /* Acquire: pairs with the release store of service_settle. */
    while (load_acquire(&timer->word) == word && result == THR_OK)
        result = wait_block(&wait, &timer->word, word, OS_ANY);
    wait_end(&wait);
    return load_acquire(&timer->word) == word ? result : THR_OK;
}

thr_result thr_timer_join_until(thr_timer *timer, thr_time deadline)
{
    hook_point(HOOK_TIMER_JOIN, timer);
    thr_result result = THR_OK;
    uint32_t word = 0;
    service_lock();
    if (!(timer->state & TIMER_STARTED)) {
        result = THR_NOT_STARTED;
    } else if (serve_current() == timer) {
        result = hook_misuse(timer, THR_DEADLOCK);
    } else if (!idle(timer)) {
        word = timer->word | TIMER_SLEEPERS;
        store_relaxed(&timer->word, word); /* ordered by the lock */
    }
    service_unlock();
    if (word != 0)
        result = wait_for(timer, word, deadline);
    if (result == THR_OK)
        tsan_acquire(timer);
    return result;
}

thr_result thr_timer_join(thr_timer *timer)
{
    return thr_timer_join_until(timer, THR_FOREVER);
}

thr_timer *thr_timer_ref(thr_timer *timer)
{
    (void)add_relaxed(&timer->references, 1);
    return timer;
}

void thr_timer_unref(thr_timer *timer)
{
    if (!timer)
        return;
    /* Release: pairs with the acquire load of who is last and frees it, or has the service do so (S3, S4). */
    uint32_t references = load_acquire(&timer->references);
    while (references > 1) {
        if (cas_release(&timer->references, &references, references - 1))
            return;
        references = load_acquire(&timer->references);
    }
    if (load_acquire(&timer->word) & TIMER_BUSY) { /* pairs with service_settle */
        service_lock();
        bool busy = !idle(timer);
        if (busy)
            store_relaxed(&timer->references, 0);
        service_unlock();
        if (busy)
            return;
    }
    free(timer);
}
