/* lab.h - the laboratory: runs a threaded program again and again, each time with other threads coming first, until it
 * fails; and plays that back.
 *
 * A whole program needs nothing of this header: `threading explore -- ./program`. A function inside a test:
 *
 *     static void transfer(void *arg) { ... starts threads, joins them, and calls thr_lab_fail() if the sum is wrong ... }
 *
 *     thr_verdict verdict;
 *     thr_result result = thr_explore(&verdict, transfer, &accounts, .schedules = 5000);
 *     if (result == THR_FAILED)
 *         puts(verdict.message);
 *
 * Each schedule runs in a child of its own, forked for it. One of its threads runs at a time, and which one goes on is
 * decided at each operation of the library. Time is virtual there: a sleep costs nothing, and the clock moves on when
 * nobody can run. */

#ifndef THREADING_LAB_H
#define THREADING_LAB_H

#include "base.h"

THR__BEGIN

/* Private: the out-of-line half; and an access to memory, of a program compiled to tell of each (lab/tsan/access.c). */
THR_API void thr__yield_point(void);
THR_API void thr__access(const void *address);

/** One more place where the laboratory may let another thread go on: before an access to plain memory that others use,
 * say. Does nothing otherwise. Never blocks. */
THR_INLINE void thr_yield_point(void)
{
    if (thr__steered())
        thr__yield_point();
}

/** Says that this schedule is wrong, and why; ends the process of the schedule. Outside of the laboratory it prints the
 * message to standard error and aborts. */
THR_API THR_NORETURN void thr_lab_fail(const char *format, ...) THR_PRINTF(1, 2);

/** What was found. */
typedef enum thr_finding {
    THR_FOUND_NOTHING = 0, /**< every schedule that was tried came to a good end */
    THR_FOUND_DEADLOCK,    /**< no thread but daemons can ever move again */
    THR_FOUND_CRASH,       /**< a signal ended it: a bad access, an abort, a failed assertion */
    THR_FOUND_EXIT,        /**< it ended with a status other than 0 */
    THR_FOUND_FAIL,        /**< it called thr_lab_fail() */
    THR_FOUND_LIVELOCK,    /**< it takes step after step and does not end, even when all threads have their turns */
    THR_FOUND_MISUSE,      /**< a call was a mistake: a release of a lock that is free, a wait of oneself, ... */
    THR_FOUND_UNJOINED,    /**< a thread ended by thr_fail(), and nobody joined it */
    THR_FOUND_HANG         /**< a thread ran or blocked, outside of the laboratory's control, for too long */
} thr_finding;

/** The options of a search; zero is the default of each. */
typedef struct thr_explore_options {
    void *arg;             /**< set by the macro */
    uint64_t schedules;    /**< at most so many; 0: 10,000 */
    double seconds;        /**< and not for longer than this; 0: no limit */
    uint64_t seed;         /**< of the random strategies; 0: 1. The same seed tries the same schedules */
    const char *strategy;  /**< "random", "pct", "pos", "surw", "exhaustive"; NULL: all of them in turn */
    uint32_t preemptions;  /**< of exhaustive: at most so many in a schedule; 0: no limit. Fewest first */
    double hang;           /**< seconds without a step after which a schedule counts as hanging; 0: 10 */
    const char *file;      /**< where the schedule that fails is written; NULL: nowhere */
    bool allow_misuse;     /**< results such as THR_NOT_LOCKED are no failures */
    bool no_early_timeout; /**< no wait with a deadline ends before nobody else can run */
    bool report;           /**< writes a report to standard error when it fails */
} thr_explore_options;

/** What came of a search. */
typedef struct thr_verdict {
    thr_finding finding;  /**< what it was */
    uint64_t schedules;   /**< how many were run, those that looked for more after the first failure included */
    uint64_t distinct;    /**< how many of them were different in more than the order of independent steps */
    uint64_t failed;      /**< how many of them failed in the same way */
    uint64_t first;       /**< the number of the first that failed, counted from 1 */
    uint32_t preemptions; /**< how many the shortened schedule needs */
    bool early_timeout;   /**< the failure needs a wait that ended early, or a sleeper that woke before others moved */
    bool complete;        /**< there are no other schedules */
    bool unsteady;        /**< the program does not do the same again under the same schedule */
    bool uncontrolled;    /**< operations were seen that cannot be steered: see the report */
    char message[256];    /**< what happened, in a sentence; why it could not be searched, if so */
} thr_verdict;

/* Private: what the macro calls. */
THR_NODISCARD THR_API thr_result thr__explore(void (*body)(void *arg), const thr_explore_options *options,
                                              thr_verdict *verdict);

/** thr_explore(thr_verdict *verdict, void (*body)(void *), void *arg, options...): runs body(arg) under many schedules.
 * THR_OK: nothing was found; THR_FAILED: see the verdict; THR_INVALID: an option makes no sense; THR_NOT_STARTED: the
 * laboratory is not installed; THR_DEADLOCK: called inside itself; THR_NO_THREAD, THR_NO_MEMORY. The calling thread must be
 * the only one: the others do not exist in a child. The body ends when the threads that it started, daemons excepted,
 * have ended. Options are designated initialisers. Blocks. */
#define thr_explore(verdict, body, ...) thr__explore((body), &(thr_explore_options){.arg = __VA_ARGS__}, (verdict))

/** The function under the macro, for C++; `options` carries the argument. */
THR_NODISCARD THR_INLINE thr_result thr_explore_with(thr_verdict *verdict, void (*body)(void *arg),
                                                     const thr_explore_options *options)
{
    return thr__explore(body, options, verdict);
}

THR__END

#endif
