/* outside.h - what the programs share that call what is not the library's: what has to hold, and two threads. */

#ifndef PROGRAMS_OUTSIDE_H
#define PROGRAMS_OUTSIDE_H

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "cases.h"

/* Ends the program with status 3 if it does not. */
static inline void expect(bool holds)
{
    if (!holds)
        exit(3);
}

/* Runs function(0) and function(1) in a thread each. */
static inline void both(void *(*function)(void *))
{
    static int numbers[2] = {0, 1};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        expect(pthread_create(&threads[i], NULL, function, &numbers[i]) == 0);
    for (int i = 0; i < 2; i++)
        expect(pthread_join(threads[i], NULL) == 0);
}

static inline struct timespec later(clockid_t clock, time_t seconds)
{
    struct timespec time;
    expect(clock_gettime(clock, &time) == 0);
    time.tv_sec += seconds;
    return time;
}

#endif
