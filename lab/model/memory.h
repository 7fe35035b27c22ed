/* memory.h - atomic operations on a memory as weak as C11's, without values out of thin air.
 *
 * A load may read any value that is not older than one its thread knows of; a store may go anywhere in the location's
 * order after that; a read-modify-write reads and stores without anything coming between. What a store with release
 * order knows goes to the loads with acquire order that read it, or read a read-modify-write that continues it. Not
 * there: values that depend on themselves, or on a later store of the same thread (C11 allows both, and of what runs
 * on today's processors only the second has been seen). The order of the sequentially
 * consistent operations is that of the steps, and each is an acquire and a release besides; a compare-and-swap that fails
 * counts as one if it were one when it succeeded.
 *
 * os_barrier_all is to be as if each other thread had executed a full barrier at some moment of its own during the call. So
 * it is a step for each other thread, in any order, and others may do something in between. A full barrier that T executes
 * at that moment tells the caller of everything that T has stored, or seen, up to then, and T of everything that the caller
 * has; but which operations of T stand before that moment, and which after, the compiler has a say in as well: it is sure
 * only where os_barrier_light keeps them apart. So what counts of T is what it knew at its last light barrier, which the
 * caller knows from now on; and T knows what the caller knew from its next one on. (A step of T in between goes either way,
 * as it may on the processor: T may read an old value, and what it stores may be missed.) One that is dropped is a barrier that
 * nothing is sure of. The caller's own ends of the call are light barriers. What barriers tell is which stores are seen: they
 * order no plain accesses, as C11's fences would together with relaxed operations around them; and they are in no order
 * with sequentially consistent operations. Both is weaker than what is there.
 *
 * That what a far barrier has learnt from one thread goes on to those that it reaches later needs processors on which a store
 * that is seen by one other is seen by all (x86-64, AArch64). */

#ifndef MODEL_MEMORY_H
#define MODEL_MEMORY_H

#include "model/world.h"

/* Whether an address is part of the world; what is not is the running thread's business alone, or constant. */
bool memory_has(uintptr_t at);

/* In how many ways the pending operation of a thread can go on, and going on in one of them: 0 is the one in which
 * everything happens at once. The operation's result is left in the thread's `result`; of a compare-and-swap that
 * failed, what it read in `*expected`. */
int memory_ways(int thread);
void memory_step(int thread, int way);

/* For os_wait: reads a value to compare with. In how many ways it can, and doing so. */
int memory_looks(int thread);
uint32_t memory_look(int thread, int way);

/* For os_wake: who falls asleep from now on compares with nothing older than the waker knows. */
void memory_woken(int thread);

/* os_barrier_light by a thread; os_barrier_all by a thread reaches another one. */
void memory_light(int thread);
void memory_far(int thread, int other);

/* A plain store is about to be made; what was there before is gone for all. */
void memory_overwrite(uintptr_t at);

/* The memory of [at, at + size) is gone. */
void memory_forget(uintptr_t at, size_t size);

/* Drops what nobody can find out any more. */
void memory_tidy(void);

uint64_t memory_hash(void);

#endif
