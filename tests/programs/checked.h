/* checked.h - what the programs share that are checked: a lock, and threads that run a function. */

#ifndef PROGRAMS_CHECKED_H
#define PROGRAMS_CHECKED_H

#include <stdlib.h>

#include "cases.h"

/* The reports name it. */
static thr_lock a;

static inline void both(thr_lock *first, thr_lock *second)
{
    THR_HOLD(first);
    THR_HOLD(second);
}

static inline void *in_thread_target(void *arg)
{
    void (*function)(void);
    memcpy(&function, arg, sizeof function);
    function();
    return NULL;
}

static inline thr_thread *begin(void (**function)(void), const char *name)
{
    thr_thread *t;
    if (thr_spawn(&t, in_thread_target, function, .name = name) != THR_OK)
        exit(3);
    return t;
}

static inline void end(thr_thread *t)
{
    thr_thread_join(t, NULL);
    thr_thread_unref(t);
}

/* Runs it in a thread, to its end. */
static inline void in_thread(void (*function)(void))
{
    end(begin(&function, "helper"));
}

#endif
