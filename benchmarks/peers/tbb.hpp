/* tbb.hpp - oneTBB. */

#ifndef PEERS_TBB_HPP
#define PEERS_TBB_HPP

#include <oneapi/tbb/concurrent_queue.h>
#include <oneapi/tbb/enumerable_thread_specific.h>
#include <oneapi/tbb/mutex.h>
#include <oneapi/tbb/spin_mutex.h>

#include "harness/row.hpp"

namespace peers::tbb {

using name = bench::peer<"oneTBB">;

struct lock : name {
    ::tbb::mutex inner;
    void acquire()
    {
        inner.lock();
    }
    void release()
    {
        inner.unlock();
    }
};

struct spin_lock : bench::other<"oneTBB spin"> {
    ::tbb::spin_mutex inner;
    void acquire()
    {
        inner.lock();
    }
    void release()
    {
        inner.unlock();
    }
};

struct key : name {
    ::tbb::enumerable_thread_specific<void *> inner;
    void *get()
    {
        return inner.local();
    }
    void set(void *value)
    {
        inner.local() = value;
    }
};

struct queue : name {
    ::tbb::concurrent_bounded_queue<void *> inner;
    explicit queue(std::size_t n)
    {
        inner.set_capacity(std::ptrdiff_t(n));
    }
    void put(void *item)
    {
        inner.push(item);
    }
    void *get()
    {
        void *item;
        inner.pop(item);
        return item;
    }
};

} // namespace peers::tbb

#endif
