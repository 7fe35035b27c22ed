/* unchecked.hpp - the inline paths of the public header without their look at thr__hooked: the same text, read once more
 * in a namespace of its own, in which that check is constantly false. */

#ifndef PEERS_UNCHECKED_HPP
#define PEERS_UNCHECKED_HPP

#include <cstdlib>

#include <threading.h>

#undef THR__BEGIN
#undef THR__END
#define THR__BEGIN
#define THR__END
#define thr__steered() false
#define thr__asks(me) false
#undef THREADING_LOCK_H
#undef THREADING_SEMAPHORE_H
#undef THREADING_EVENT_H

namespace unchecked {
#include <threading/event.h>
#include <threading/lock.h>
#include <threading/semaphore.h>

/* Nobody gets there. */
inline thr_result thr__lock_acquire(thr_lock *, thr_time)
{
    std::abort();
}
inline thr_result thr__lock_release(thr_lock *)
{
    std::abort();
}
inline thr_result thr__semaphore_acquire(thr_semaphore *, thr_time)
{
    std::abort();
}
inline thr_result thr__semaphore_release(thr_semaphore *, uint32_t, uint32_t)
{
    std::abort();
}
inline thr_result thr__event_wait(thr_event *, thr_time)
{
    std::abort();
}
} // namespace unchecked

#undef thr__steered
#undef thr__asks

#endif
