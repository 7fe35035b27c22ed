/* tsan.h - tells ThreadSanitizer of the order that our objects make, when the program was built with it and the
 * library was not. The names are weak: without a sanitizer in the process they are null and nothing is called. Where
 * the library itself is built with it, the sanitizer sees our atomics and is told nothing, so that it checks them.
 *
 * Every out-of-line path that takes an object calls tsan_acquire(object), and every one that gives calls
 * tsan_release(object) before its atomic operation; the inline paths are compiled into the program and seen there. */

#ifndef WAIT_TSAN_H
#define WAIT_TSAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WAIT_UNDER_TSAN 1
#endif
#elif defined(__SANITIZE_THREAD__)
#define WAIT_UNDER_TSAN 1
#endif

/* tsan_here(): whether these do something. */

#ifdef WAIT_UNDER_TSAN

static inline bool tsan_here(void)
{
    return false;
}

static inline void tsan_acquire(const void *object)
{
    (void)object;
}

static inline void tsan_release(const void *object)
{
    (void)object;
}

#else

/* The sanitizer's own interface, so its own names. NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
extern void __tsan_acquire(void *address) __attribute__((weak));
extern void __tsan_release(void *address) __attribute__((weak));

static inline bool tsan_here(void)
{
    return __tsan_acquire != NULL;
}

static inline void tsan_acquire(const void *object)
{
    if (__tsan_acquire)
        __tsan_acquire((void *)(uintptr_t)object);
}

static inline void tsan_release(const void *object)
{
    if (__tsan_release)
        __tsan_release((void *)(uintptr_t)object);
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

#endif

#endif
