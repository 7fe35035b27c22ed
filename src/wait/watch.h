/* watch.h - sleeping until something happens to one of several objects, on a system that can wait on one word only.
 *
 * An object has a bit that says that somebody may sleep on it; who changes the object and finds the bit calls wait_wake
 * with the address of its word. A watcher sets that bit as a sleeper does, but sleeps elsewhere: on `watch_generation`,
 * one word for all. Addresses fall into classes; wait_wake looks whether the address's class is watched, and if so moves
 * the generation on and wakes those who sleep with the class in their mask, who then look at their objects.
 *
 *     watch_begin(classes);                     all the classes of my objects
 *     do {
 *         generation = watch_now();
 *         for each object: set its bit, or leave because it is ready
 *     } while (watch_sleep(&wait, generation, classes) == THR_OK);
 *     watch_end(classes);
 *
 * Nothing is allocated or locked, and no list is walked: so event_set and semaphore_release stay async-signal-safe. Who
 * changes an object that nobody waits for pays nothing at all, since it never comes to wait_wake; who wakes somebody, a
 * load in front of a system call. Watchers of different objects of one class wake each other without need; a wake that
 * was meant for a sleeper is never spent on a watcher.
 *
 * W1  A watcher is counted in its classes before it sets any object's bit.
 * W2  Who finds the bit of a watched object moves the generation on after it changed the object. So a watcher that read
 *     the generation before it looked has seen the change, or finds another generation, or is woken:
 *
 *         watcher                              changer
 *         counts itself
 *         reads generation g
 *         sets the bit: not ready
 *                                              changes the object, finds the bit
 *                                              reads the count: somebody (W1)
 *                                              generation = g + 1, wakes the class
 *         sleeps while it is g: it is not
 *
 * W3  The watcher sets the bit by a read-modify-write with release, even where it is set already, and the change that finds
 *     it is one with acquire. So of the two, the watcher's comes first, and then the load of the count that follows the
 *     change sees it; or the change comes first, and the watcher has seen that. (A bit that another had set, only read,
 *     would order nothing.) That orders the generation as well: where the watcher's comes first, its load of the generation
 *     happens-before the change's step of it, and cannot have read that.
 *
 * A fork leaves the counts of threads that do not exist in the child: a wake there may cost one needless system call. */

#ifndef WAIT_WATCH_H
#define WAIT_WATCH_H

#include <stdint.h>

#include "threading/base.h"
#include "wait/atomic.h"

struct wait;

/* Bits 0 .. 15, so that none is BITLOCK_MASK. */
enum { WATCH_CLASSES = 16 };

extern uint32_t watch_counts[WATCH_CLASSES]; /* of watchers */
extern uint32_t watch_generation;            /* how often somebody was woken; who sleeps here is a watcher */

/* By all bits of the address but the lowest, which are the same in all words. */
static inline unsigned watch_class(const void *word)
{
    return (unsigned)(((uint64_t)(uintptr_t)word * 0x9e3779b97f4a7c15u) >> 60);
}

/* Each of `classes` is 1 << watch_class(word) of some object. */
void watch_begin(uint32_t classes);
void watch_end(uint32_t classes);

uint32_t watch_now(void);

/* As wait_block. */
thr_result watch_sleep(struct wait *wait, uint32_t generation, uint32_t classes);

/* Wakes who watches words of this class. Async-signal-safe. */
void watch_wake(unsigned class_of_word);

/* For wait_wake. */
static inline void watch_notify(const void *word)
{
    unsigned class_of_word = watch_class(word);
    if (load_relaxed(&watch_counts[class_of_word]) != 0)
        watch_wake(class_of_word);
}

#endif
