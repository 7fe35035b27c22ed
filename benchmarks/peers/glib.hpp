/* glib.hpp - GLib. */

#ifndef PEERS_GLIB_HPP
#define PEERS_GLIB_HPP

#include <glib.h>

#include "harness/row.hpp"
#include "peers/flag_event.hpp"

namespace peers::glib {

using name = bench::peer<"GLib">;

struct lock : name {
    GMutex inner = {};
    void acquire()
    {
        g_mutex_lock(&inner);
    }
    void release()
    {
        g_mutex_unlock(&inner);
    }
};

struct rlock : name {
    GRecMutex inner = {};
    void acquire()
    {
        g_rec_mutex_lock(&inner);
    }
    void release()
    {
        g_rec_mutex_unlock(&inner);
    }
};

struct monitor : lock {
    GCond changed = {};
    void wait()
    {
        g_cond_wait(&changed, &inner);
    }
    void notify()
    {
        g_cond_signal(&changed);
    }
    void notify_all()
    {
        g_cond_broadcast(&changed);
    }
};

using event = flag_event<monitor>;

struct thread : name {
    GThread *handle = nullptr;
    void start(void *(*function)(void *))
    {
        handle = g_thread_new("worker", function, nullptr);
    }
    void join()
    {
        g_thread_join(handle);
    }
};

struct key : name {
    GPrivate inner = {};
    void *get()
    {
        return g_private_get(&inner);
    }
    void set(void *value)
    {
        g_private_set(&inner, value);
    }
};

struct self : name {
    static GThread *get()
    {
        return g_thread_self();
    }
};

/* Has no bound: where it gets longer, memory is what it pays with. */
struct queue : name {
    GAsyncQueue *inner = g_async_queue_new();
    explicit queue(std::size_t)
    {
    }
    ~queue()
    {
        g_async_queue_unref(inner);
    }
    void put(void *item)
    {
        g_async_queue_push(inner, item);
    }
    void *get()
    {
        return g_async_queue_pop(inner);
    }
};

} // namespace peers::glib

#endif
