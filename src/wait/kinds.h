/* kinds.h - what thr_dump and the laboratory call the things that threads wait for. */

#ifndef WAIT_KINDS_H
#define WAIT_KINDS_H

#include "wait/wait.h"

/* Entries of a table by enum wait_kind. Each user adds its own for those kinds that it puts another way. */
#define WAIT_KIND_NAMES                                                                                                \
    [WAIT_LOCK] = "lock", [WAIT_RLOCK] = "rlock", [WAIT_CONDITION] = "condition", [WAIT_SEMAPHORE] = "semaphore",      \
    [WAIT_EVENT] = "event", [WAIT_BARRIER] = "barrier", [WAIT_LATCH] = "latch", [WAIT_ONCE] = "once",                  \
    [WAIT_READ] = "rwlock (to read)", [WAIT_WRITE] = "rwlock (to write)", [WAIT_TIMER] = "timer",                      \
    [WAIT_PUT] = "queue (to put)", [WAIT_GET] = "queue (to get)", [WAIT_DONE] = "queue (to be done)",                  \
    [WAIT_ANY_OF] = "any of the objects in the array", [WAIT_FUTURE] = "future", [WAIT_GROUP] = "the tasks of group",  \
    [WAIT_EXECUTOR] = "the workers of executor"

#endif
