/* timer.h - call a function later. Python: threading.Timer.
 *
 *     static void remind(void *arg) { puts(arg); }
 *
 *     thr_timer *t;
 *     if (thr_timer_new(&t, 30.0, remind, "tea") != THR_OK || thr_timer_start(t) != THR_OK) ...
 *     if (thr_timer_cancel(t) == THR_OK) ...   // it has not run, and will not
 *     thr_timer_unref(t);
 *
 * One service runs all timers: arming and cancelling cost tens of nanoseconds with 100,000 armed, and no thread each.
 * Callbacks run on threads of the service (not counted by thr_active_count), which grow in number while callbacks
 * block, up to 64; where no thread can be had, callbacks run late, never not at all. Timers are no threads.
 * In the child of a fork pending timers are gone.
 *
 * Order: everything before the start (or reset) happens-before the callback, and the callback before the return of the
 * join. */

#ifndef THREADING_TIMER_H
#define THREADING_TIMER_H

#include "thread.h"

THR__BEGIN

/** A timer; opaque. */
typedef struct thr_timer thr_timer;

/** The options of a timer; zero is the default of each. */
typedef struct thr_timer_options {
    void *arg;         /**< set by the macro; thr_timer_new_with takes its own apart */
    bool repeat;       /**< run again and again, a period apart, until cancelled */
    thr_daemon daemon; /**< THR_DAEMON_YES: the end of the process does not wait for it */
} thr_timer_options;

/* Private: what the macro calls. */
THR_API thr_result thr__timer_new(thr_timer **timer, double seconds, void (*function)(void *),
                                  const thr_timer_options *options);

/** thr_timer_new(thr_timer **t, double seconds, void (*function)(void *), void *arg, options...): makes a timer, not
 * started. Negative seconds count as 0. THR_INVALID for NaN, and for a period of 0 or less, or infinite, of a repeating
 * one; THR_NO_MEMORY. Options: .repeat, .daemon. Python: Timer(seconds, function, args). */
#define thr_timer_new(t, seconds, function, ...)                                                             \
    thr__timer_new((t), (seconds), (function), &(thr_timer_options){.arg = __VA_ARGS__})

/** The function under the macro; `options` may be NULL, its arg is not looked at. */
THR_NODISCARD THR_API thr_result thr_timer_new_with(thr_timer **timer, double seconds, void (*function)(void *),
                                                   void *arg, const thr_timer_options *options);

/** Arms it: the callback runs `seconds` from now. THR_STARTED the second time, THR_CANCELLED if it was cancelled
 * before; THR_NO_THREAD or THR_NO_MEMORY if the service cannot be had. Python: timer.start(). */
THR_NODISCARD THR_API thr_result thr_timer_start(thr_timer *timer);

/** THR_OK if the callback will not run (again also on a second cancel); THR_TOO_LATE if it did, or is running; a
 * repeating one does not run again in either case. Before the start: THR_OK, and it can no longer be started. Never
 * blocks. Python: timer.cancel(). */
THR_API thr_result thr_timer_cancel(thr_timer *timer);

/** Arms it anew, `seconds` from now (a repeating one: its period too), at any time: before its time, during a run, after
 * it ran, after a cancel. THR_NOT_STARTED before the start; THR_INVALID as thr_timer_new. */
THR_NODISCARD THR_API thr_result thr_timer_reset(thr_timer *timer, double seconds);

/** Blocks until the callback has ended (a repeating one: until it was cancelled and its last run has ended), or the
 * timer is cancelled. THR_NOT_STARTED before the start, THR_DEADLOCK from its own callback. Python: timer.join(). */
THR_API thr_result thr_timer_join(thr_timer *timer);
THR_NODISCARD THR_API thr_result thr_timer_join_until(thr_timer *timer, thr_time deadline);

/** One more reference; returns its argument. */
THR_API thr_timer *thr_timer_ref(thr_timer *timer);

/** Drops the caller's handle; an armed timer still runs. NULL is allowed. */
THR_API void thr_timer_unref(thr_timer *timer);

THR__END

#endif
