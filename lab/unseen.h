/* unseen.h - what ThreadSanitizer, where the program was built with it, must not see.
 *
 * The laboratory itself is not instrumented, but it calls functions that are: the library's, and memcpy() and its like. One
 * strand runs at a time, so nothing of that is a race; but the sanitizer must not learn of the order that this makes, or it
 * would find none of the program's own races any more. So it does not look at all. */

#ifndef LAB_UNSEEN_H
#define LAB_UNSEEN_H

/* The names are the sanitizer's. NOLINTBEGIN(bugprone-reserved-identifier, readability-identifier-naming) */
void __tsan_ignore_thread_begin(void) __attribute__((weak));
void __tsan_ignore_thread_end(void) __attribute__((weak));
/* NOLINTEND(bugprone-reserved-identifier, readability-identifier-naming) */

/* Whether it is there. */
static inline int unseen_needed(void)
{
    return __tsan_ignore_thread_begin != 0;
}

/* The two nest. */
static inline void unseen_begin(void)
{
    if (__tsan_ignore_thread_begin)
        __tsan_ignore_thread_begin();
}

static inline void unseen_end(void)
{
    if (__tsan_ignore_thread_end)
        __tsan_ignore_thread_end();
}

#endif
