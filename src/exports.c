/* exports.c - every inline function of the public headers as a symbol of the library, and the sizes of its objects, for
 * other languages. The list of all exported symbols is exports.map, beside this file. */

#define THR_INLINE __attribute__((visibility("default")))

#include "threading.h"
#include "threading/ffi.h"

size_t thr_sizeof_lock(void)
{
    return sizeof(thr_lock);
}

size_t thr_sizeof_rlock(void)
{
    return sizeof(thr_rlock);
}

size_t thr_sizeof_condition(void)
{
    return sizeof(thr_condition);
}

size_t thr_sizeof_semaphore(void)
{
    return sizeof(thr_semaphore);
}

size_t thr_sizeof_bounded_semaphore(void)
{
    return sizeof(thr_bounded_semaphore);
}

size_t thr_sizeof_event(void)
{
    return sizeof(thr_event);
}

size_t thr_sizeof_barrier(void)
{
    return sizeof(thr_barrier);
}

size_t thr_sizeof_latch(void)
{
    return sizeof(thr_latch);
}

size_t thr_sizeof_once(void)
{
    return sizeof(thr_once);
}

size_t thr_sizeof_rwlock(void)
{
    return sizeof(thr_rwlock);
}

size_t thr_sizeof_local(void)
{
    return sizeof(thr_local);
}
