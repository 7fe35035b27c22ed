/* ours.hpp - the library itself, as every adapter looks. The rows know these shapes:
 *
 *     lock, rlock   acquire(), release()
 *     semaphore     acquire(), release(); starts with no permit
 *     event         set(), clear(), wait()
 *     monitor       a lock and a condition: acquire(), release(), wait(), notify(), notify_all()
 *     barrier       made for n; wait()
 *     thread        start(function), join()
 *     key           get(), set(): a thread-local value
 *     timers        made with n of them armed; arm(i, seconds), cancel(i), for i < n
 *     self          get(): which thread this is
 *     queue         made for n items; put(item), get() */

#ifndef PEERS_OURS_HPP
#define PEERS_OURS_HPP

#include <cstdlib>
#include <vector>

#include <threading.h>

#include "harness/row.hpp"

namespace peers::ours {

struct lock : bench::ours {
    thr_lock lock_ = THR_LOCK_INIT;
    void acquire()
    {
        thr_lock_acquire(&lock_);
    }
    void release()
    {
        thr_lock_release(&lock_);
    }
};

struct rlock : bench::ours {
    thr_rlock lock = THR_RLOCK_INIT;
    void acquire()
    {
        thr_rlock_acquire(&lock);
    }
    void release()
    {
        thr_rlock_release(&lock);
    }
};

struct semaphore : bench::ours {
    thr_semaphore permits = THR_SEMAPHORE_INIT(0);
    void acquire()
    {
        thr_semaphore_acquire(&permits);
    }
    void release(uint32_t n = 1)
    {
        (void)thr_semaphore_release(&permits, n);
    }
};

struct event : bench::ours {
    thr_event flag = THR_EVENT_INIT;
    void set()
    {
        thr_event_set(&flag);
    }
    void clear()
    {
        thr_event_clear(&flag);
    }
    void wait()
    {
        thr_event_wait(&flag);
    }
};

struct monitor : lock {
    thr_condition changed = THR_CONDITION_INIT;
    void wait()
    {
        thr_condition_wait(&changed, &lock_);
    }
    void notify()
    {
        thr_condition_notify(&changed, 1);
    }
    void notify_all()
    {
        thr_condition_notify_all(&changed);
    }
};

struct barrier : bench::ours {
    thr_barrier gate;
    explicit barrier(unsigned parties) : gate THR_BARRIER_INIT(parties, nullptr, nullptr)
    {
    }
    void wait()
    {
        (void)thr_barrier_wait(&gate, nullptr);
    }
};

struct thread : bench::ours {
    thr_thread *handle = nullptr;
    void start(void *(*function)(void *))
    {
        if (thr_spawn_with(&handle, function, nullptr, nullptr) != THR_OK)
            std::abort();
    }
    void join()
    {
        (void)thr_thread_join(handle, nullptr);
        thr_thread_unref(handle);
    }
};

struct key : bench::ours {
    thr_local local = THR_LOCAL_INIT(nullptr, nullptr);
    void *get()
    {
        return thr_local_get(&local);
    }
    void set(void *value)
    {
        if (thr_local_set(&local, value) != THR_OK)
            std::abort();
    }
};

struct self : bench::ours {
    static thr_thread *get()
    {
        return thr_current_thread();
    }
};

struct timers : bench::ours {
    std::vector<thr_timer *> all;
    static void ring(void *)
    {
    }
    explicit timers(std::size_t n) : all(n)
    {
        for (std::size_t i = 0; i < n; i++)
            if (thr_timer_new_with(&all[i], 1000 + double(i), ring, nullptr, nullptr) != THR_OK ||
                thr_timer_start(all[i]) != THR_OK)
                std::abort();
    }
    void arm(std::size_t i, unsigned seconds)
    {
        (void)thr_timer_reset(all[i], seconds);
    }
    void cancel(std::size_t i)
    {
        thr_timer_cancel(all[i]);
    }
};

struct queue : bench::ours {
    thr_queue *inner;
    explicit queue(std::size_t n)
    {
        if (thr_queue_new(&inner, n) != THR_OK)
            std::abort();
    }
    ~queue()
    {
        thr_queue_free(inner);
    }
    void put(void *item)
    {
        if (thr_queue_put(inner, item) != THR_OK)
            std::abort();
    }
    void *get()
    {
        void *item;
        if (thr_queue_get(inner, &item) != THR_OK)
            std::abort();
        return item;
    }
};

} // namespace peers::ours

#endif
