/* threading.h - threads for C, with the names that Python's `threading` gave them.
 *
 *     #include <stdio.h>
 *     #include <threading.h>
 *
 *     static void *worker(void *arg)
 *     {
 *         printf("Worker: %s\n", (const char *)arg);
 *         return NULL;
 *     }
 *
 *     int main(void)
 *     {
 *         thr_thread *t;
 *         if (thr_spawn(&t, worker, "foo", .name = "w") != THR_OK)
 *             return 1;
 *         thr_result joined = thr_thread_join(t, NULL);
 *         thr_thread_unref(t);
 *         return joined == THR_OK ? 0 : 1;
 *     }
 *
 * Four rules hold everywhere:
 *
 *  - A name is thr_ + Python's class + Python's method. Two underscores (thr__) are private.
 *  - What blocks has two forms: x() waits for ever, x_until() until a deadline made by thr_after(seconds).
 *  - What can fail returns a thr_result; a failed call changes nothing. There is no errno: every call keeps it.
 *  - Locks, conditions, semaphores, events, barriers, latches, onces and rwlocks are plain small structs: zeroed or
 *    initialised with THR_*_INIT, nothing allocated, nothing to destroy. One may be freed as soon as every waiting
 *    call on it has returned, even while the call that let the last waiter go is still returning.
 *
 * Objects are private to a process (not shared memory), not robust (a thread that ends holding a lock leaves it
 * held), and do no priority inheritance. No call is a cancellation point of pthreads. In the child of a fork the calling
 * thread is the only one and the main one; an object that another thread held or waited for at the fork has to be
 * initialised again there. */

#ifndef THREADING_H
#define THREADING_H

#include "threading/barrier.h"
#include "threading/base.h"
#include "threading/condition.h"
#include "threading/event.h"
#include "threading/executor.h"
#include "threading/future.h"
#include "threading/group.h"
#include "threading/hold.h"
#include "threading/lab.h"
#include "threading/latch.h"
#include "threading/local.h"
#include "threading/lock.h"
#include "threading/once.h"
#include "threading/queue.h"
#include "threading/rlock.h"
#include "threading/rwlock.h"
#include "threading/semaphore.h"
#include "threading/thread.h"
#include "threading/timer.h"
#include "threading/wait_any.h"

#endif
