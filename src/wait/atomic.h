/* atomic.h - atomic operations with the memory order in the name.
 *
 * Only the orders that somebody needs are here, so that each weak one is a decision. They work on plain integers and
 * pointers of 4 or 8 bytes: the public structs are plain, to be the same in C and in C++. */

#ifndef WAIT_ATOMIC_H
#define WAIT_ATOMIC_H

#include <stdbool.h>

#define load_relaxed(at) __atomic_load_n((at), __ATOMIC_RELAXED)
#define load_acquire(at) __atomic_load_n((at), __ATOMIC_ACQUIRE)
#define store_relaxed(at, value) __atomic_store_n((at), (value), __ATOMIC_RELAXED)
#define store_release(at, value) __atomic_store_n((at), (value), __ATOMIC_RELEASE)
#define swap_acquire(at, value) __atomic_exchange_n((at), (value), __ATOMIC_ACQUIRE)
#define swap_release(at, value) __atomic_exchange_n((at), (value), __ATOMIC_RELEASE)
#define swap_acq_rel(at, value) __atomic_exchange_n((at), (value), __ATOMIC_ACQ_REL)
#define add_relaxed(at, value) __atomic_fetch_add((at), (value), __ATOMIC_RELAXED)
#define add_acquire(at, value) __atomic_fetch_add((at), (value), __ATOMIC_ACQUIRE)
#define add_release(at, value) __atomic_fetch_add((at), (value), __ATOMIC_RELEASE)
#define add_acq_rel(at, value) __atomic_fetch_add((at), (value), __ATOMIC_ACQ_REL)
#define sub_relaxed(at, value) __atomic_fetch_sub((at), (value), __ATOMIC_RELAXED)
#define sub_release(at, value) __atomic_fetch_sub((at), (value), __ATOMIC_RELEASE)
#define sub_acq_rel(at, value) __atomic_fetch_sub((at), (value), __ATOMIC_ACQ_REL)
#define or_relaxed(at, value) __atomic_fetch_or((at), (value), __ATOMIC_RELAXED)
#define or_acq_rel(at, value) __atomic_fetch_or((at), (value), __ATOMIC_ACQ_REL)
#define and_relaxed(at, value) __atomic_fetch_and((at), (value), __ATOMIC_RELAXED)
#define and_acquire(at, value) __atomic_fetch_and((at), (value), __ATOMIC_ACQUIRE)
#define and_release(at, value) __atomic_fetch_and((at), (value), __ATOMIC_RELEASE)

/* Compare and swap. `expected` is a pointer: on failure it receives what was found, read relaxed. These may fail
 * for no reason and stand in loops, but for the strong ones. */
#define cas_relaxed(at, expected, desired)                                                                             \
    __atomic_compare_exchange_n((at), (expected), (desired), true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)
#define cas_acquire(at, expected, desired)                                                                             \
    __atomic_compare_exchange_n((at), (expected), (desired), true, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)
#define cas_release(at, expected, desired)                                                                             \
    __atomic_compare_exchange_n((at), (expected), (desired), true, __ATOMIC_RELEASE, __ATOMIC_RELAXED)
#define cas_strong(at, expected, desired)                                                                              \
    __atomic_compare_exchange_n((at), (expected), (desired), false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)
#define cas_strong_seq_cst(at, expected, desired)                                                                      \
    __atomic_compare_exchange_n((at), (expected), (desired), false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)
#define cas_acq_rel(at, expected, desired)                                                                             \
    __atomic_compare_exchange_n((at), (expected), (desired), true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)

/* Brings the line here as one that will be written; nothing where there is none. (The compiler's own brings it to be read
 * only, where it may not count on more than the first x86-64.) */
static inline void prefetch_to_write(const void *at)
{
#if defined(__x86_64__)
    __asm__ volatile("prefetchw %0" : : "m"(*(const char *)at));
#else
    __builtin_prefetch(at, 1);
#endif
}

#endif
