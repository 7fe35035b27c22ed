/* queue.h - items handed from thread to thread. Python: the module queue, with the shutdown of 3.13.
 *
 *     thr_queue *jobs;
 *     if (thr_queue_new(&jobs, 100) != THR_OK) ...   // at most 100 at a time; 0: no bound
 *
 *     thr_queue_put(jobs, job);                      // in some threads; blocks while it is full
 *
 *     void *job;
 *     while (thr_queue_get(jobs, &job) == THR_OK) {  // in others; blocks while it is empty
 *         ...
 *         thr_queue_task_done(jobs);
 *     }
 *
 *     thr_queue_join(jobs);                          // until every item that was put is done
 *     thr_queue_shutdown(jobs, false);               // now each get, once nothing is left, gives THR_CLOSED
 *     ... join the threads ...
 *     thr_queue_free(jobs);
 *
 * There are three kinds, used by the same calls: first in, first out; last in, first out; and by priority. An item is a
 * pointer, which may be NULL; the queue never looks at what it points to (the comparison of a priority queue does).
 *
 * A put or get that does not have to wait takes no lock in a queue of the first kind, and never sleeps. Each call that
 * fails has moved nothing: a put that is not THR_OK has not taken the item, a get that is not THR_OK has not set *item.
 * Threads that wait are served in no promised order.
 *
 * A queue owns memory: thr_queue_free() when nobody uses it any more. A queue without a bound, or with one above 65,536,
 * takes memory as it fills, and so does one of the other kinds: a put may then give THR_NO_MEMORY. Any other has all of
 * its memory from the beginning (16 to 32 bytes an item).
 *
 * In the child of a fork a queue can be used if no other thread was just moving an item at the fork (waiting does not
 * count).
 *
 * Order: everything before a put happens-before the return of the get that takes its item; everything before a get, the
 * return of the put that found room thanks to it; everything before a task_done, the return of a join that it lets go;
 * everything before a shutdown, the return of a call that gives THR_CLOSED for it. */

#ifndef THREADING_QUEUE_H
#define THREADING_QUEUE_H

#include "base.h"

THR__BEGIN

/** A queue; opaque. */
typedef struct thr_queue thr_queue;

/** Which of two items comes first: less than 0 for a, more than 0 for b, 0 for the one that was put first. Called while
 * the queue is locked: it must return, and must not use the queue. */
typedef int thr_queue_compare(const void *a, const void *b);

/** Makes a queue that gives its items in the order in which they were put, at most maxsize at a time; 0: no bound.
 * THR_NO_MEMORY; THR_INVALID for more than THR_QUEUE_MAX; *queue is untouched then. Python: Queue(maxsize); with 0 also
 * SimpleQueue(). */
THR_NODISCARD THR_API thr_result thr_queue_new(thr_queue **queue, size_t maxsize);

/** The same, but the last that was put comes first. Python: LifoQueue(maxsize). */
THR_NODISCARD THR_API thr_result thr_lifo_queue_new(thr_queue **queue, size_t maxsize);

/** The same, but the first by `compare` comes first, of equal ones the one that was put first. No comparison is
 * THR_INVALID. Python: PriorityQueue(maxsize). */
THR_NODISCARD THR_API thr_result thr_priority_queue_new(thr_queue **queue, size_t maxsize, thr_queue_compare *compare);

/** The highest bound. */
#define THR_QUEUE_MAX ((size_t)1 << 48)

/** Frees it; NULL is allowed. Nobody may be in a call on it. What is still in it is the caller's to take out before. */
THR_API void thr_queue_free(thr_queue *queue);

/** Puts an item in; blocks while the queue is full. THR_CLOSED after a shutdown, also one that comes while it waits;
 * THR_NO_MEMORY as said above. Python: queue.put(item). */
THR_API thr_result thr_queue_put(thr_queue *queue, void *item);

/** The same with a deadline: THR_FULL. Python: queue.put(item, timeout=seconds). */
THR_NODISCARD THR_API thr_result thr_queue_put_until(thr_queue *queue, void *item, thr_time deadline);

/** Puts an item in if there is room: else THR_FULL. Python: queue.put_nowait(item). */
THR_NODISCARD THR_API thr_result thr_queue_try_put(thr_queue *queue, void *item);

/** Takes an item out; blocks while the queue is empty. THR_CLOSED when it has been shut down, and is empty (or was shut
 * down at once). Python: queue.get(). */
THR_NODISCARD THR_API thr_result thr_queue_get(thr_queue *queue, void **item);

/** The same with a deadline: THR_EMPTY. Python: queue.get(timeout=seconds). */
THR_NODISCARD THR_API thr_result thr_queue_get_until(thr_queue *queue, void **item, thr_time deadline);

/** Takes an item out if there is one: else THR_EMPTY. Python: queue.get_nowait(). */
THR_NODISCARD THR_API thr_result thr_queue_try_get(thr_queue *queue, void **item);

/** Says that the work on one item that was put is done. THR_TOO_MANY for more of these than items were put. Never
 * blocks. Python: queue.task_done(). */
THR_API thr_result thr_queue_task_done(thr_queue *queue);

/** Blocks until as many are done as were put. Always THR_OK. Python: queue.join(). */
THR_API thr_result thr_queue_join(thr_queue *queue);

/** The same with a deadline: THR_TIMEOUT. Python has none. */
THR_NODISCARD THR_API thr_result thr_queue_join_until(thr_queue *queue, thr_time deadline);

/** Ends the queue: puts give THR_CLOSED from now on, gets too once nothing is left; who waits in one of them is let go.
 * With `immediate` gets give THR_CLOSED at once, and what is left is discarded: it counts as done, which may let joins go,
 * and thr_queue_discarded() gives it to whom it belongs. A second shutdown can do what the first has not. Never blocks.
 * Python: queue.shutdown(immediate). */
THR_API void thr_queue_shutdown(thr_queue *queue, bool immediate);

/** Takes out one of the items that an immediate shutdown has discarded, in the queue's order: THR_EMPTY if there is none
 * (any more), or no such shutdown was. Never blocks. */
THR_NODISCARD THR_API thr_result thr_queue_discarded(thr_queue *queue, void **item);

/** How many items there are: true a moment ago. 0 after an immediate shutdown. Never blocks; orders nothing, as all that
 * follow. Python: queue.qsize(). */
THR_API size_t thr_queue_size(const thr_queue *queue);

/** Whether there is none; whether there is no room. Python: queue.empty(), queue.full(). */
THR_API bool thr_queue_empty(const thr_queue *queue);
THR_API bool thr_queue_full(const thr_queue *queue);

/** The bound; 0 if there is none. Python: queue.maxsize. */
THR_API size_t thr_queue_maxsize(const thr_queue *queue);

/** Changes the bound. What is there already stays; who waits for room looks again. THR_INVALID above THR_QUEUE_MAX, and
 * where the memory was all taken at the beginning, above what that was for, or 0. Python: queue.maxsize = n. */
THR_NODISCARD THR_API thr_result thr_queue_set_maxsize(thr_queue *queue, size_t maxsize);

/** How many items were put that are not done yet. Python: queue.unfinished_tasks. */
THR_API size_t thr_queue_unfinished(const thr_queue *queue);

/** Whether it has been shut down. Python: queue.is_shutdown. */
THR_API bool thr_queue_is_shutdown(const thr_queue *queue);

THR__END

#endif
