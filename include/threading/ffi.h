/* ffi.h - for other languages: what a binding needs and C programs do not.
 *
 * Every function that is inline in these headers also exists as a symbol of the library, of the same name and type. The
 * objects are opaque to a binding: it gives each thr_sizeof_x() bytes, zeroed, at an address that suits a uint64_t (a
 * zeroed object is a valid one; barriers and bounded semaphores have values to be given first). */

#ifndef THREADING_FFI_H
#define THREADING_FFI_H

#include "barrier.h"
#include "condition.h"
#include "event.h"
#include "latch.h"
#include "local.h"
#include "lock.h"
#include "once.h"
#include "rlock.h"
#include "rwlock.h"
#include "semaphore.h"

THR__BEGIN

/** The size of each object in bytes. Never block; async-signal-safe. */
THR_API size_t thr_sizeof_lock(void);
THR_API size_t thr_sizeof_rlock(void);
THR_API size_t thr_sizeof_condition(void);
THR_API size_t thr_sizeof_semaphore(void);
THR_API size_t thr_sizeof_bounded_semaphore(void);
THR_API size_t thr_sizeof_event(void);
THR_API size_t thr_sizeof_barrier(void);
THR_API size_t thr_sizeof_latch(void);
THR_API size_t thr_sizeof_once(void);
THR_API size_t thr_sizeof_rwlock(void);
THR_API size_t thr_sizeof_local(void);

THR__END

#endif
