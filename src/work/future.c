/* future.c - one future: its states, and who is told; see future.h. */

#include "work/future.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "wait/bitlock.h"
#include "wait/spin.h"
#include "work/absence.h"
#include "work/executor.h"
#include "work/frame.h"
#include "work/help.h"

_Static_assert(sizeof(struct thr_future) <= 40, "a future is 48 bytes with the allocator's own");

uint32_t future_fresh = FUTURE_PENDING;

/* -- Making and freeing ------------------------------------------------------------------------------------------- */

thr_future *future_new(thr_executor *executor, void *(*function)(void *arg), void *arg)
{
    int saved = errno;
    thr_future *future = malloc(sizeof *future);
    os_errno_restore(saved);
    if (future)
        *future = (struct thr_future){function, arg, executor, future_fresh, 1, 0};
    return future;
}

thr_future *thr_future_ref(thr_future *future)
{
    (void)add_relaxed(&future->references, 1);
    return future;
}

static struct observer *observers_of(uint64_t data)
{
    return (struct observer *)(uintptr_t)data;
}

static void free_callbacks(const thr_future *future)
{
    for (struct observer *next, *o = observers_of(future->observers); o; o = next) {
        next = o->next;
        free(o);
    }
}

void thr_future_unref(thr_future *future)
{
    if (!future)
        return;
    tsan_release(&future->references);
    if (sub_acq_rel(&future->references, 1) != 1)
        return;
    tsan_acquire(&future->references);
    uint32_t state = future_state(future);
    if (state == FUTURE_FAILED)
        failure_free(future->value);
    else if (state < FUTURE_CANCELLED)
        free_callbacks(future); /* it was never set */
    free(future);
}

/* -- Being done --------------------------------------------------------------------------------------------------- */

struct called {
    struct observer *observer;
    thr_future *future;
};

static void *call(void *arg)
{
    struct called *called = arg;
    called->observer->notify(called->observer, called->future);
    return NULL;
}

/* Calls the callbacks of the list, and frees them. */
static void call_all(struct observer *callbacks, thr_future *future)
{
    for (struct observer *next, *o = callbacks; o; o = next) {
        struct called called = {o, future};
        struct frame frame = {.group = NULL, .future = NULL};
        void *nothing;
        next = o->next;
        (void)frame_run(&frame, call, &called, &nothing, true);
        free(o);
    }
}

static void tell_observers(thr_future *future)
{
    struct observer *callbacks = NULL;
    for (struct observer *next, *o = observers_of(bitlock_acquire(&future->observers)); o; o = next) {
        next = o->next; /* the newest is the first there */
        if (o->callback) {
            o->next = callbacks;
            callbacks = o;
        } else {
            o->notify(o, future);
        }
    }
    bitlock_release(&future->observers, 0);
    tsan_acquire(&future->observers);
    call_all(callbacks, future);
}

/* F1: the word was this before it became done. */
static void tell(thr_future *future, uint32_t before)
{
    if (before & FUTURE_SLEEPERS) {
        spin_waker(future);
        wait_wake(&future->word, UINT32_MAX, OS_ANY);
    }
    if (before & FUTURE_OBSERVED)
        tell_observers(future);
}

static void finish(thr_future *future, uint32_t state, void *value)
{
    future->value = value;
    tsan_release(future);
    tell(future, swap_acq_rel(&future->word, state)); /* acquire: pairs with future_watch */
}

/* And not one that F5 is about. */
static bool is_pending(uint32_t word)
{
    return (word & ~(uint32_t)(FUTURE_SLEEPERS | FUTURE_OBSERVED)) == future_fresh;
}

/* From PENDING to another state; false if it was not pending. */
static bool leave_pending(thr_future *future, uint32_t state, uint32_t *before)
{
    uint32_t now = load_relaxed(&future->word);
    while (is_pending(now)) {
        bool done = state >= FUTURE_CANCELLED;
        if (cas_acq_rel(&future->word, &now, done ? state : (now & ~(uint32_t)FUTURE_STATE) | state)) {
            *before = now;
            return true;
        }
    }
    return false;
}

bool future_claim(thr_future *future)
{
    uint32_t before;
    return leave_pending(future, FUTURE_RUNNING, &before);
}

void future_died(thr_future *future, void *failure)
{
    finish(future, FUTURE_FAILED, failure);
}

void future_run(thr_future *future, struct frame *frame)
{
    void *result;
    frame->group = NULL;
    frame->future = future;
    hook_point(HOOK_TASK_BEGIN, future);
    if (frame_run(frame, future->function, future->value, &result, false))
        finish(future, FUTURE_FINISHED, result);
    else
        future_died(future, failure_of(frame));
    hook_point(HOOK_TASK_END, future);
}

/* Callbacks are ours; all other observers are of threads that are gone, or of an order (several.c) whose lock one of those
 * may hold. The bitlock may have been held as well: each change of the list is one store, so it is whole. */
void future_forked(thr_future *future)
{
    struct observer *kept = NULL;
    struct observer **end = &kept;
    for (struct observer *o = observers_of(future->observers & ~BITLOCK_BITS); o; o = o->next) {
        if (!o->callback)
            continue;
        *end = o;
        end = &o->next;
    }
    *end = NULL;
    future->observers = (uint64_t)(uintptr_t)kept;
    store_relaxed(&future->word, (future->word & (FUTURE_FORK - 1)) | future_fresh);
}

static bool end_pending(thr_future *future, uint32_t state)
{
    uint32_t before;
    tsan_release(future);
    if (!leave_pending(future, state, &before))
        return false;
    tell(future, before);
    return true;
}

void future_break(thr_future *future)
{
    (void)end_pending(future, FUTURE_BROKEN);
}

thr_result thr_future_cancel(thr_future *future)
{
    hook_point(HOOK_FUTURE_CANCEL, future);
    if (end_pending(future, FUTURE_CANCELLED) || future_state(future) == FUTURE_CANCELLED)
        return THR_OK;
    return THR_TOO_LATE;
}

/* -- Observers ---------------------------------------------------------------------------------------------------- */

/* With the list's lock, which orders all that follows from the bit (F4); false: it is done. */
static bool set_observed(thr_future *future)
{
    uint32_t now = load_relaxed(&future->word);
    while ((now & FUTURE_STATE) < FUTURE_CANCELLED) {
        if ((now & FUTURE_OBSERVED) || cas_relaxed(&future->word, &now, now | FUTURE_OBSERVED))
            return true;
    }
    (void)load_acquire(&future->word); /* pairs with finish */
    return false;
}

bool future_observe(thr_future *future, struct observer *observer)
{
    if (future_state(future) >= FUTURE_CANCELLED) /* F5: its lock may be lost */
        return false;
    uint64_t list = bitlock_acquire(&future->observers);
    bool waits = set_observed(future);
    if (waits) {
        observer->next = observers_of(list);
        list = (uint64_t)(uintptr_t)observer;
        tsan_release(&future->observers);
    }
    bitlock_release(&future->observers, list);
    return waits;
}

void future_forget(thr_future *future, struct observer *observer)
{
    struct observer *list = observers_of(bitlock_acquire(&future->observers));
    for (struct observer **at = &list; *at; at = &(*at)->next) {
        if (*at == observer) {
            *at = observer->next;
            break;
        }
    }
    bitlock_release(&future->observers, (uint64_t)(uintptr_t)list);
}

struct callback {
    struct observer observer;
    thr_done_callback *function;
    void *arg;
};

static void notify_callback(struct observer *observer, thr_future *future)
{
    struct callback *callback = (struct callback *)observer;
    callback->function(future, callback->arg);
}

thr_result thr_future_add_done_callback(thr_future *future, thr_done_callback *function, void *arg)
{
    if (!function)
        return THR_INVALID;
    int saved = errno;
    struct callback *callback = malloc(sizeof *callback);
    os_errno_restore(saved);
    if (!callback)
        return THR_NO_MEMORY;
    *callback = (struct callback){{NULL, notify_callback, true}, function, arg};
    if (!future_observe(future, &callback->observer)) {
        tsan_acquire(future);
        callback->observer.next = NULL;
        call_all(&callback->observer, future);
    }
    return THR_OK;
}

/* -- Waiting for one ---------------------------------------------------------------------------------------------- */

static thr_result outcome(thr_future *future, uint32_t state, void **result)
{
    static const thr_result results[] = {
        [FUTURE_CANCELLED] = THR_CANCELLED,
        [FUTURE_FINISHED] = THR_OK,
        [FUTURE_FAILED] = THR_FAILED,
        [FUTURE_BROKEN] = THR_BROKEN,
    };
    tsan_acquire(future);
    if (result)
        *result = state == FUTURE_FINISHED ? future->value : NULL;
    return results[state];
}

/* Sleeps until it is done. Who comes back with THR_OK reads the state once more, with acquire. */
static thr_result sleep_until_done(thr_future *future, thr_time deadline)
{
    struct wait wait;
    struct absence absence;
    thr_result result = THR_OK;
    wait_begin(&wait, WAIT_FUTURE, future, deadline);
    absence_begin(&absence);
    uint32_t now = load_relaxed(&future->word);
    while (result == THR_OK && (now & FUTURE_STATE) < FUTURE_CANCELLED) {
        if (!(now & FUTURE_SLEEPERS) && !cas_relaxed(&future->word, &now, now | FUTURE_SLEEPERS))
            continue;
        result = absence_block(&absence, &wait, &future->word, now | FUTURE_SLEEPERS);
        now = load_relaxed(&future->word);
    }
    absence_end(&absence);
    wait_end(&wait);
    return (now & FUTURE_STATE) < FUTURE_CANCELLED ? result : THR_OK;
}

static thr_result wait_until_done(thr_future *future, thr_time deadline)
{
    if (help_is_above(future))
        return THR_DEADLOCK;
    if (wait_expired(deadline))
        return THR_TIMEOUT;
    if (deadline == THR_FOREVER)
        help_future(future);
    uint32_t state = future_state(future);
    if (state >= FUTURE_CANCELLED || wait_spin(&future->word, FUTURE_STATE, state, future))
        state = future_state(future); /* RUNNING perhaps: then it goes on to sleep */
    return state >= FUTURE_CANCELLED ? THR_OK : sleep_until_done(future, deadline);
}

thr_result future_watch(thr_future *future, bool watch)
{
    uint32_t now = load_acquire(&future->word); /* pairs with finish */
    while ((now & FUTURE_STATE) < FUTURE_CANCELLED && !future_outlived(now)) {
        if (help_is_above(future))
            return THR_DEADLOCK;
        /* Also where it is set: wait/watch.h, W3. */
        if (!watch || cas_release(&future->word, &now, now | FUTURE_SLEEPERS))
            return THR_TIMEOUT;
        now = load_acquire(&future->word); /* the same */
    }
    return THR_OK;
}

thr_result thr_future_result_until(thr_future *future, thr_time deadline, void **result)
{
    hook_point(HOOK_FUTURE_WAIT, future);
    uint32_t state = future_state(future);
    if (state < FUTURE_CANCELLED) {
        thr_result waited = wait_until_done(future, deadline);
        if (waited != THR_OK)
            return waited;
        state = future_state(future);
    }
    return outcome(future, state, result);
}

thr_result thr_future_result(thr_future *future, void **result)
{
    return thr_future_result_until(future, THR_FOREVER, result);
}

/* -- Questions ---------------------------------------------------------------------------------------------------- */

bool thr_future_cancelled(const thr_future *future)
{
    return future_state(future) == FUTURE_CANCELLED;
}

bool thr_future_running(const thr_future *future)
{
    uint32_t state = future_state(future);
    return state == FUTURE_RUNNING || state == FUTURE_SETTING;
}

bool thr_future_done(const thr_future *future)
{
    bool done = future_state(future) >= FUTURE_CANCELLED;
    if (done)
        tsan_acquire(future);
    return done;
}

int thr_future_failure(const thr_future *future, char *message, size_t size)
{
    bool failed = future_state(future) == FUTURE_FAILED;
    if (failed)
        tsan_acquire(future);
    const void *failure = failed ? future->value : NULL;
    failure_copy(failure, message, size);
    return failure_code(failure);
}

/* -- Futures that somebody sets ----------------------------------------------------------------------------------- */

thr_result thr_future_new(thr_future **future)
{
    thr_result result = executors_prepare(); /* for its callbacks, and forks */
    if (result != THR_OK)
        return result;
    thr_future *made = future_new(NULL, NULL, NULL);
    if (!made)
        return THR_NO_MEMORY;
    *future = made;
    return THR_OK;
}

thr_result thr_future_set_running(thr_future *future)
{
    if (future->executor)
        return THR_INVALID;
    if (future_claim(future))
        return THR_OK;
    return future_state(future) == FUTURE_CANCELLED ? THR_CANCELLED : THR_STARTED;
}

static thr_result set(thr_future *future, uint32_t state, void *value)
{
    if (future->executor)
        return THR_INVALID;
    uint32_t now = load_relaxed(&future->word);
    while ((now & FUTURE_STATE) < FUTURE_SETTING && !future_outlived(now)) {
        if (cas_relaxed(&future->word, &now, (now & ~(uint32_t)FUTURE_STATE) | FUTURE_SETTING)) {
            finish(future, state, value);
            return THR_OK;
        }
    }
    return future_state(future) == FUTURE_CANCELLED ? THR_CANCELLED : THR_TOO_LATE;
}

thr_result thr_future_set_result(thr_future *future, void *result)
{
    return set(future, FUTURE_FINISHED, result);
}

thr_result thr_future_set_failure(thr_future *future, int code, const char *format, ...)
{
    char message[sizeof((struct failure *)0)->message];
    va_list arguments;
    va_start(arguments, format);
    if (vsnprintf(message, sizeof message, format, arguments) < 0)
        message[0] = '\0';
    va_end(arguments);
    struct failure *failure = failure_new(code, message);
    if (!failure)
        return THR_NO_MEMORY;
    thr_result result = set(future, FUTURE_FAILED, failure);
    if (result != THR_OK)
        free(failure);
    return result;
}
