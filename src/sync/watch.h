/* watch.h - what wait_any needs of an event and a semaphore: see wait/watch.h. */

#ifndef SYNC_WATCH_H
#define SYNC_WATCH_H

#include "threading/event.h"
#include "threading/semaphore.h"

/* Registers a watcher. True: it is set, or was set since *joined, which is 0 at the first call. Acquire order then. */
bool event_watch(thr_event *event, uint32_t *joined);

/* The same. True: there is a permit. */
bool semaphore_watch(thr_semaphore *semaphore);

#endif
