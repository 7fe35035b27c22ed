/* memory.h - atomic operations on a memory as weak as C11's, without values out of thin air.
 *
 * A load may read any value that is not older than one its thread knows of; a store may go anywhere in the location's
 * order after that; a read-modify-write reads and stores without anything coming between. What a store with release
 * order knows goes to the loads with acquire order that read it, or read a read-modify-write that continues it. Not
 * there: values that depend on themselves, or on a later store of the same thread (C11 allows both, and of what runs
 * on today's processors only the second has been seen). The order of the sequentially
 * consistent operations is that of the steps, and each is an acquire and a release besides; a compare-and-swap that fails
 * counts as one if it were one when it succeeded. */

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

/* A plain store is about to be made; what was there before is gone for all. */
void memory_overwrite(uintptr_t at);

/* The memory of [at, at + size) is gone. */
void memory_forget(uintptr_t at, size_t size);

/* Drops what nobody can find out any more. */
void memory_tidy(void);

uint64_t memory_hash(void);

#endif
