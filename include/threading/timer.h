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
 * Callbacks run on threads of the service, with all signals blocked but those for faults, never early, and never two at a
 * time of one timer; their stacks are of the size that thr_stack_size() has set.
 * There is one such thread, and more while callbacks block, up to 64, so that a slow callback delays no other; where no
 * thread can be had, callbacks run late, never not at all. Timers are no threads: thr_active_count() and thr_enumerate()
 * do not know them. A callback that ends by thr_fail() or pthread_exit() has run: it ends its thread, and the service
 * goes on with another (a repeating timer repeats).
 *
 * The end of the process waits for timers that are armed or running, as it does for threads, unless they are daemons: for
 * a repeating one, and for one of endless delay, until it is cancelled. (A callback that calls exit() or thr_shutdown()
 * does not wait for itself.)
 *
 * In the child of a fork pending timers are gone, as if cancelled; their handles stay valid, and thr_timer_reset() arms
 * them there.
 *
 * Order: everything before the start (or reset) happens-before the callback; the callback happens-before the return of
 * the join, the next run of the same timer, and the return of a cancel that is THR_OK. */

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
    thr_daemon daemon; /**< THR_DAEMON_YES: the end of the process does not wait for it. In a callback
                          THR_DAEMON_INHERIT is what that callback's timer is */
} thr_timer_options;

/* Private: what the macro calls. */
THR_NODISCARD THR_API thr_result thr__timer_new(thr_timer **timer, double seconds, void (*function)(void *),
                                                const thr_timer_options *options);

/** thr_timer_new(thr_timer **t, double seconds, void (*function)(void *), void *arg, options...): makes a timer, not
 * started. Negative seconds count as 0; a one-shot of infinite seconds (or more than the clock can hold) never runs.
 * THR_INVALID for NaN, for a period of 0 or less, or infinite, of a repeating one, and for no function; THR_NO_MEMORY; *t
 * is untouched then. Options: .repeat, .daemon.
 *
 * A repeating timer keeps the times of its start, of one period after it, of two ...: it does not drift. Times that have
 * passed when a run ends are left out, so that a late or slow run is followed by none in haste; the next is at the first
 * of these times that is still to come. Python: Timer(seconds, function, args). */
#define thr_timer_new(t, seconds, function, ...)                                                                       \
    thr__timer_new((t), (seconds), (function), &(thr_timer_options){.arg = __VA_ARGS__})

/** The function under the macro; `options` may be NULL, its arg is not looked at. */
THR_NODISCARD THR_API thr_result thr_timer_new_with(thr_timer **timer, double seconds, void (*function)(void *),
                                                    void *arg, const thr_timer_options *options);

/** Arms it: the callback runs `seconds` from now. THR_STARTED the second time, THR_CANCELLED if it was cancelled before.
 * THR_NO_THREAD if no thread for the service can be had, THR_NO_MEMORY: it can be tried again. Never blocks, but for the
 * start of a thread. Python: timer.start(). */
THR_NODISCARD THR_API thr_result thr_timer_start(thr_timer *timer);

/** THR_OK if the callback is not running, and will not (a one-shot: did not either, since it was armed last); a second
 * cancel gives that again. THR_TOO_LATE if it did run, or is running. A repeating one does not run again in either case,
 * nor does one that was reset during a run. Before the start: THR_OK, and it can no longer be started. Never blocks.
 * Python: timer.cancel(). */
THR_API thr_result thr_timer_cancel(thr_timer *timer);

/** Arms it anew, `seconds` from now (a repeating one: that is its period from now on), at any time: before its time,
 * during a run (it then runs once more, not before that run has ended), after it ran, after a cancel. THR_NOT_STARTED
 * before the start; THR_INVALID as thr_timer_new; THR_NO_THREAD and THR_NO_MEMORY as thr_timer_start: nothing has changed
 * then. Never blocks, but for the start of a thread. */
THR_NODISCARD THR_API thr_result thr_timer_reset(thr_timer *timer, double seconds);

/** Blocks until it is neither armed nor running: its callback has ended, or it was cancelled (a repeating one: it was
 * cancelled, and its last run has ended). THR_OK for both, THR_NOT_STARTED before the start, THR_DEADLOCK from its own
 * callback. Any number of threads may join, any number of times. Python: timer.join(). */
THR_API thr_result thr_timer_join(thr_timer *timer);

/** The same with a deadline: THR_TIMEOUT. Python: timer.join(timeout). */
THR_NODISCARD THR_API thr_result thr_timer_join_until(thr_timer *timer, thr_time deadline);

/** One more reference; returns its argument. */
THR_API thr_timer *thr_timer_ref(thr_timer *timer);

/** One reference less: a timer that is armed still runs, and frees itself when it is done. NULL is allowed. */
THR_API void thr_timer_unref(thr_timer *timer);

THR__END

#endif
