/* uv.hpp - libuv. */

#ifndef PEERS_UV_HPP
#define PEERS_UV_HPP

#include <cstdlib>
#include <vector>

#include <uv.h>

#include "harness/row.hpp"
#include "peers/flag_event.hpp"

namespace peers::uv {

using name = bench::peer<"libuv">;

struct lock : name {
    uv_mutex_t inner;
    lock()
    {
        uv_mutex_init(&inner);
    }
    void acquire()
    {
        uv_mutex_lock(&inner);
    }
    void release()
    {
        uv_mutex_unlock(&inner);
    }
};

struct rlock : name {
    uv_mutex_t inner;
    rlock()
    {
        uv_mutex_init_recursive(&inner);
    }
    void acquire()
    {
        uv_mutex_lock(&inner);
    }
    void release()
    {
        uv_mutex_unlock(&inner);
    }
};

struct semaphore : name {
    uv_sem_t inner;
    semaphore()
    {
        uv_sem_init(&inner, 0);
    }
    void acquire()
    {
        uv_sem_wait(&inner);
    }
    void release(unsigned n = 1)
    {
        while (n-- > 0)
            uv_sem_post(&inner);
    }
};

struct monitor : lock {
    uv_cond_t changed;
    monitor()
    {
        uv_cond_init(&changed);
    }
    void wait()
    {
        uv_cond_wait(&changed, &inner);
    }
    void notify()
    {
        uv_cond_signal(&changed);
    }
    void notify_all()
    {
        uv_cond_broadcast(&changed);
    }
};

using event = flag_event<monitor>;

struct barrier : name {
    uv_barrier_t inner;
    explicit barrier(unsigned parties)
    {
        uv_barrier_init(&inner, parties);
    }
    void wait()
    {
        uv_barrier_wait(&inner);
    }
};

struct thread : name {
    uv_thread_t handle;
    void *(*function)(void *) = nullptr;
    static void run(void *self)
    {
        static_cast<thread *>(self)->function(nullptr);
    }
    void start(void *(*f)(void *))
    {
        function = f;
        if (uv_thread_create(&handle, run, this) != 0)
            std::abort();
    }
    void join()
    {
        uv_thread_join(&handle);
    }
};

struct key : name {
    uv_key_t inner;
    key()
    {
        if (uv_key_create(&inner) != 0)
            std::abort();
    }
    void *get()
    {
        return uv_key_get(&inner);
    }
    void set(void *value)
    {
        uv_key_set(&inner, value);
    }
};

/* The timers of one loop, which belongs to one thread; it does not run meanwhile. */
struct timers : name {
    uv_loop_t loop;
    std::vector<uv_timer_t> all;
    static void ring(uv_timer_t *)
    {
    }
    explicit timers(std::size_t n) : all(n)
    {
        uv_loop_init(&loop);
        for (std::size_t i = 0; i < n; i++) {
            uv_timer_init(&loop, &all[i]);
            arm(i, 1000 + unsigned(i));
        }
    }
    void arm(std::size_t i, unsigned seconds)
    {
        uv_timer_start(&all[i], ring, uint64_t(seconds) * 1000, 0);
    }
    void cancel(std::size_t i)
    {
        uv_timer_stop(&all[i]);
    }
};

} // namespace peers::uv

#endif
