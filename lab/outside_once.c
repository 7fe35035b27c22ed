/* outside_once.c - pthread_once and call_once (outside.c). That of C++ comes here too.
 *
 * The C library's own call is made, but not while another strand is in it: who finds it so waits for its end here. That end
 * may be an exception of C++, so this file is compiled with -fexceptions. Where it is over already, nobody else goes on: the
 * unwinder asks so, which a sanitizer's report uses while it holds a lock of its own. */

#include <pthread.h>
#include <threads.h>

#include "lab/outside.h"
#include "wait/atomic.h"

enum { BEGUN = 1, DONE = 2 }; /* the C library's bits */

static void *next_pthread_once;

static void wake_others(const pthread_once_t *const *once)
{
    (void)control_wake(outside_word(*once), UINT32_MAX, OS_ANY);
}

static int call(pthread_once_t *once, void (*function)(void))
{
    __attribute__((cleanup(wake_others), unused)) const pthread_once_t *ends = once;
    return REAL(pthread_once)(once, function);
}

EXPORT int pthread_once(pthread_once_t *once, void (*function)(void))
{
    struct strand *self = outside_self();
    if (!self || load_acquire(once) & DONE)
        return REAL(pthread_once)(once, function);
    outside_point(self, "pthread_once", once);
    while ((load_acquire(once) & (BEGUN | DONE)) == BEGUN)
        (void)control_wait(self, outside_word(once), OS_ANY, THR_FOREVER);
    return call(once, function);
}

EXPORT void call_once(once_flag *once, void (*function)(void))
{
    (void)pthread_once((pthread_once_t *)once, function);
}
