/* event.h - a flag that threads can wait for. Python: threading.Event.
 *
 *     static thr_event ready = THR_EVENT_INIT;
 *
 *     thr_event_set(&ready);                   // in one thread
 *     thr_event_wait(&ready);                  // in others: passes now and ever after, until a clear
 *
 * A thread that is waiting when set() is called is let go, even if clear() follows at once.
 *
 * Order: everything before a set happens-before the return of every wait that it lets through, and of every is_set
 * that sees it. set is a read-modify-write with release and clear one with acquire, whatever they find, so that
 * hand-shakes of two events lose nothing. */

#ifndef THREADING_EVENT_H
#define THREADING_EVENT_H

#include "base.h"

THR__BEGIN

typedef struct thr_event {
    uint32_t word_;
} thr_event;

/** An event that is not set; the same as zeroed. */
#define THR_EVENT_INIT {0}

/* Private: the out-of-line half of the wait. */
THR_API thr_result thr__event_wait(thr_event *event, thr_time deadline);

/** Sets the flag and lets all waiting threads go. Never blocks; async-signal-safe. Python: event.set(). */
THR_API void thr_event_set(thr_event *event);

/** Clears the flag. Never blocks; async-signal-safe. Python: event.clear(). */
THR_API void thr_event_clear(thr_event *event);

/* Private: is_set, which the laboratory does not see. */
THR_INLINE bool thr__event_up(const thr_event *event)
{
    return (__atomic_load_n(&event->word_, __ATOMIC_ACQUIRE) & 1) != 0;
}

/** Whether the flag is set; acquire order when it is. Never blocks; async-signal-safe. Python: event.is_set(). */
THR_INLINE bool thr_event_is_set(const thr_event *event)
{
    if (thr__steered())
        thr__look(event);
    return thr__event_up(event);
}

/** Blocks until the flag is set. Always THR_OK. Python: event.wait(). */
THR_INLINE thr_result thr_event_wait(thr_event *event)
{
    if (!thr__steered() && THR__LIKELY(thr__event_up(event)))
        return THR_OK;
    return thr__event_wait(event, THR_FOREVER);
}

/** The same with a deadline: THR_TIMEOUT. Python: event.wait(timeout), which returns False. */
THR_NODISCARD THR_INLINE thr_result thr_event_wait_until(thr_event *event, thr_time deadline)
{
    if (!thr__steered() && THR__LIKELY(thr__event_up(event)))
        return THR_OK;
    return thr__event_wait(event, deadline);
}

THR__END

#endif
