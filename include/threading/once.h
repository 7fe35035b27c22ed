/* once.h - something that is done once, by whoever comes first. pthread_once, with an argument.
 *
 *     static thr_once loaded = THR_ONCE_INIT;
 *
 *     (void)thr_once_run(&loaded, load_tables, "tables.bin");
 *
 * 8 bytes; zeroed is not done. In the child of a fork, a function that another thread was running will not come to its
 * end: who asks for it waits for ever, unless the child initialises the once again.
 *
 * Order: everything in the function happens-before the return of every thr_once_run on the same once that is THR_OK,
 * and everything in one that did not come to its end happens-before the next. */

#ifndef THREADING_ONCE_H
#define THREADING_ONCE_H

#include "base.h"

THR__BEGIN

typedef struct thr_once {
    uint64_t word_; /* 1: done; the identity of the thread that runs the function */
} thr_once;

/** A once that has not run; the same as zeroed. */
#define THR_ONCE_INIT {0}

/* Private: the out-of-line half. */
THR_API thr_result thr__once_run(thr_once *once, void (*function)(void *), void *arg);

/* Private: done, which the laboratory does not see asked for. */
THR_INLINE bool thr__once_is_done(const thr_once *once)
{
    return __atomic_load_n(&once->word_, __ATOMIC_ACQUIRE) == 1;
}

/** Whether it has been done; acquire order when it has. Never blocks. */
THR_INLINE bool thr_once_done(const thr_once *once)
{
    if (thr__steered())
        thr__look(once);
    return thr__once_is_done(once);
}

/** Runs function(arg) if none has run to its end yet; blocks while another thread runs one. THR_OK when it has been
 * done. THR_DEADLOCK from inside the function itself. A function that ends by thr_fail() or pthread_exit(), or by a
 * C++ exception, leaves it not done: a thread that waits, or the next that comes, runs its own. (With musl an exception
 * does not: it leaves it running for ever, as longjmp() does everywhere.) */
THR_INLINE thr_result thr_once_run(thr_once *once, void (*function)(void *), void *arg)
{
    if (!thr__steered() && THR__LIKELY(thr__once_is_done(once)))
        return THR_OK;
    return thr__once_run(once, function, arg);
}

THR__END

#endif
