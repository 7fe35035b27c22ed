/* apr.hpp - the Apache Portable Runtime. */

#ifndef PEERS_APR_HPP
#define PEERS_APR_HPP

#include <cstdlib>

#include <apr_general.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <apr_thread_proc.h>

#include "harness/row.hpp"
#include "peers/flag_event.hpp"

namespace peers::apr {

using name = bench::peer<"APR">;

/* Everything comes from a pool. */
inline apr_pool_t *pool()
{
    static apr_pool_t *made = [] {
        apr_pool_t *root;
        if (apr_initialize() != APR_SUCCESS || apr_pool_create(&root, nullptr) != APR_SUCCESS)
            std::abort();
        return root;
    }();
    return made;
}

struct mutex {
    apr_thread_mutex_t *inner;
    explicit mutex(unsigned type)
    {
        apr_thread_mutex_create(&inner, type, pool());
    }
    void acquire()
    {
        apr_thread_mutex_lock(inner);
    }
    void release()
    {
        apr_thread_mutex_unlock(inner);
    }
};

struct lock : name, mutex {
    lock() : mutex(APR_THREAD_MUTEX_UNNESTED)
    {
    }
};

struct rlock : name, mutex {
    rlock() : mutex(APR_THREAD_MUTEX_NESTED)
    {
    }
};

struct monitor : lock {
    apr_thread_cond_t *changed;
    monitor()
    {
        apr_thread_cond_create(&changed, pool());
    }
    void wait()
    {
        apr_thread_cond_wait(changed, inner);
    }
    void notify()
    {
        apr_thread_cond_signal(changed);
    }
    void notify_all()
    {
        apr_thread_cond_broadcast(changed);
    }
};

using event = flag_event<monitor>;

/* A pool for each thread: the memory of a thread is given back with its pool. */
struct thread : name {
    apr_pool_t *own = nullptr;
    apr_thread_t *handle = nullptr;
    void *(*function)(void *) = nullptr;
    static void *APR_THREAD_FUNC run(apr_thread_t *handle, void *self)
    {
        static_cast<thread *>(self)->function(nullptr);
        apr_thread_exit(handle, APR_SUCCESS);
        return nullptr;
    }
    void start(void *(*f)(void *))
    {
        function = f;
        if (apr_pool_create(&own, pool()) != APR_SUCCESS ||
            apr_thread_create(&handle, nullptr, run, this, own) != APR_SUCCESS)
            std::abort();
    }
    void join()
    {
        apr_status_t status;
        apr_thread_join(&status, handle);
        apr_pool_destroy(own);
    }
};

struct key : name {
    apr_threadkey_t *inner;
    key()
    {
        if (apr_threadkey_private_create(&inner, nullptr, pool()) != APR_SUCCESS)
            std::abort();
    }
    void *get()
    {
        void *value = nullptr;
        apr_threadkey_private_get(&value, inner);
        return value;
    }
    void set(void *value)
    {
        apr_threadkey_private_set(value, inner);
    }
};

} // namespace peers::apr

#endif
