/* absl.hpp - Abseil, with the debug mode of its Mutex (it looks for lock cycles; on in builds without NDEBUG) and
 * without. */

#ifndef PEERS_ABSL_HPP
#define PEERS_ABSL_HPP

#include <absl/synchronization/mutex.h>
#include <absl/synchronization/notification.h>

#include "harness/row.hpp"

namespace peers::absl {

using name = bench::peer<"Abseil">;

struct mutex {
    ::absl::Mutex inner;
    explicit mutex(::absl::OnDeadlockCycle mode)
    {
        ::absl::SetMutexDeadlockDetectionMode(mode);
    }
    void acquire()
    {
        inner.Lock();
    }
    void release()
    {
        inner.Unlock();
    }
};

struct lock : name, mutex {
    lock() : mutex(::absl::OnDeadlockCycle::kIgnore)
    {
    }
};

struct debug_lock : bench::peer<"Abseil debug">, mutex {
    debug_lock() : mutex(::absl::OnDeadlockCycle::kAbort)
    {
    }
};

struct monitor : lock {
    ::absl::CondVar changed;
    void wait()
    {
        changed.Wait(&inner);
    }
    void notify()
    {
        changed.Signal();
    }
    void notify_all()
    {
        changed.SignalAll();
    }
};

/* Waits with a condition of the mutex, which needs no condition variable. */
struct event : lock {
    bool flag = false;
    void set()
    {
        acquire();
        flag = true;
        release();
    }
    void clear()
    {
        acquire();
        flag = false;
        release();
    }
    void wait()
    {
        inner.LockWhen(::absl::Condition(&flag));
        release();
    }
};

/* Can be set once. */
struct notification : bench::peer<"Notification"> {
    ::absl::Notification inner;
    void set()
    {
        inner.Notify();
    }
    void wait()
    {
        inner.WaitForNotification();
    }
};

} // namespace peers::absl

#endif
