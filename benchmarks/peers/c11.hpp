/* c11.hpp - <threads.h> of the C library. */

#ifndef PEERS_C11_HPP
#define PEERS_C11_HPP

#include <cstdlib>

#include <threads.h>

#include "harness/row.hpp"
#include "peers/flag_event.hpp"

namespace peers::c11 {

using name = bench::peer<"C11">;

struct mutex {
    mtx_t inner;
    explicit mutex(int type)
    {
        mtx_init(&inner, type);
    }
    void acquire()
    {
        mtx_lock(&inner);
    }
    void release()
    {
        mtx_unlock(&inner);
    }
};

struct lock : name, mutex {
    lock() : mutex(mtx_plain)
    {
    }
};

struct rlock : name, mutex {
    rlock() : mutex(mtx_plain | mtx_recursive)
    {
    }
};

struct monitor : lock {
    cnd_t changed;
    monitor()
    {
        cnd_init(&changed);
    }
    void wait()
    {
        cnd_wait(&changed, &inner);
    }
    void notify()
    {
        cnd_signal(&changed);
    }
    void notify_all()
    {
        cnd_broadcast(&changed);
    }
};

using event = flag_event<monitor>;

struct thread : name {
    thrd_t handle;
    void *(*function)(void *) = nullptr;
    static int run(void *self)
    {
        static_cast<thread *>(self)->function(nullptr);
        return 0;
    }
    void start(void *(*f)(void *))
    {
        function = f;
        if (thrd_create(&handle, run, this) != thrd_success)
            std::abort();
    }
    void join()
    {
        thrd_join(handle, nullptr);
    }
};

struct key : name {
    tss_t inner;
    key()
    {
        if (tss_create(&inner, nullptr) != thrd_success)
            std::abort();
    }
    void *get()
    {
        return tss_get(inner);
    }
    void set(void *value)
    {
        tss_set(inner, value);
    }
};

struct self : name {
    static thrd_t get()
    {
        return thrd_current();
    }
};

} // namespace peers::c11

#endif
