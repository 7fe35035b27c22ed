/* broken.h - what the programs of this folder share: threads that are started and joined in one line, and something to
 * do that takes a moment. */

#ifndef BROKEN_H
#define BROKEN_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threading.h>
#include <threading/lab.h>

/* A thread with the name of its function. Ends the program with status 2 where there is no thread to be had. */
#define START(target, arg) start((target), (arg), #target)

static inline thr_thread *start(thr_target *target, void *arg, const char *name)
{
    thr_thread *t;
    if (thr_spawn(&t, target, arg, .name = name) != THR_OK) {
        fputs("no thread for this\n", stderr);
        exit(2);
    }
    return t;
}

static inline void finish(thr_thread *t)
{
    (void)thr_thread_join(t, NULL);
    thr_thread_unref(t);
}

/* Computes for a while: some microseconds for each turn. */
static inline void compute(int turns)
{
    volatile unsigned sum = 0;
    for (int i = 0; i < 5000 * turns; i++)
        sum += (unsigned)i;
    (void)sum;
}

#endif
