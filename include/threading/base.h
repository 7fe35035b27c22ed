/* base.h - time, results, version: what every other part of the library speaks.
 *
 * A deadline is a point on the monotonic clock, in nanoseconds, so that one deadline can be handed through several
 * waits without drift, and a change of the wall clock breaks nothing:
 *
 *     thr_time deadline = thr_after(2.0);
 *     while (!done && thr_condition_wait_until(&changed, &lock, deadline) == THR_OK)
 *         ...
 *
 * A deadline that has passed means: try, do not block. */

#ifndef THREADING_BASE_H
#define THREADING_BASE_H

#include "detail.h"

THR__BEGIN

/** Version of this header. thr_version() gives the version of the library that is linked. */
#define THR_VERSION_MAJOR 0
#define THR_VERSION_MINOR 1
#define THR_VERSION_PATCH 0

/** What a call that can fail returns. A call that fails has changed nothing. */
typedef enum thr_result {
    THR_OK = 0,      /**< done */
    THR_TIMEOUT,     /**< the deadline passed first */
    THR_INTERRUPTED, /**< a signal ended the wait: only in threads of a language front that asks for it, as Python's */
    THR_NOT_LOCKED,  /**< release of, or wait with, a lock that nobody holds */
    THR_NOT_OWNER,   /**< the lock is held by another thread */
    THR_DEADLOCK,    /**< the call would wait for itself */
    THR_BROKEN,      /**< the barrier is broken, or was reset or aborted while waiting; an executor is broken */
    THR_TOO_MANY,    /**< more than the bound, or more than can be counted */
    THR_TOO_LATE,    /**< it did run, or is running, already */
    THR_STARTED,     /**< only possible before the start */
    THR_NOT_STARTED, /**< only possible after the start */
    THR_FAILED,      /**< the thread, task or function failed */
    THR_CANCELLED,   /**< it was cancelled */
    THR_EMPTY,       /**< nothing there in time */
    THR_FULL,        /**< no room in time */
    THR_CLOSED,      /**< shut down */
    THR_INVALID,     /**< an argument makes no sense */
    THR_NO_MEMORY,   /**< memory could not be had */
    THR_NO_THREAD    /**< the system would not start a thread */
} thr_result;

/** A point in time: nanoseconds on the monotonic clock. */
typedef int64_t thr_time;

/** The deadline that never passes. */
#define THR_FOREVER INT64_MAX

/** The time now. Never blocks; async-signal-safe. Python: time.monotonic_ns(). */
THR_API thr_time thr_now(void);

/** The deadline `seconds` from now. Negative seconds and NaN give one that has passed; infinity, and more than the
 * clock can hold, THR_FOREVER. Never blocks; async-signal-safe. */
THR_API thr_time thr_after(double seconds);

/** Blocks for at least `seconds`; 0, less, or NaN gives up the processor once. Signals do not shorten it.
 * Python: time.sleep(). */
THR_API void thr_sleep(double seconds);

/** Blocks until the deadline; one that has passed gives up the processor once. */
THR_API void thr_sleep_until(thr_time deadline);

/** A sentence for a result: a constant string, for any value. Never blocks; async-signal-safe. */
THR_API const char *thr_strerror(thr_result result);

/** The library's version, "major.minor.patch". */
THR_API const char *thr_version(void);

THR__END

#endif
