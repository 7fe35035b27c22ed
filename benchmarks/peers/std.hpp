/* std.hpp - the C++ standard library. */

#ifndef PEERS_STD_HPP
#define PEERS_STD_HPP

#include <atomic>
#include <barrier>
#include <condition_variable>
#include <mutex>
#include <semaphore>
#include <thread>

#include "harness/row.hpp"
#include "peers/flag_event.hpp"

namespace peers::cxx {

using name = bench::peer<"C++">;

struct lock : name {
    std::mutex inner;
    void acquire()
    {
        inner.lock();
    }
    void release()
    {
        inner.unlock();
    }
};

struct rlock : name {
    std::recursive_mutex inner;
    void acquire()
    {
        inner.lock();
    }
    void release()
    {
        inner.unlock();
    }
};

struct semaphore : name {
    std::counting_semaphore<> inner{0};
    void acquire()
    {
        inner.acquire();
    }
    void release(unsigned n = 1)
    {
        inner.release(n);
    }
};

struct monitor : lock {
    std::condition_variable changed;
    void wait()
    {
        std::unique_lock<std::mutex> held(inner, std::adopt_lock);
        changed.wait(held);
        held.release();
    }
    void notify()
    {
        changed.notify_one();
    }
    void notify_all()
    {
        changed.notify_all();
    }
};

using event = flag_event<monitor>;

struct atomic_event : bench::peer<"std::atomic"> {
    std::atomic<int> flag{0};
    void set()
    {
        flag.store(1);
        flag.notify_all();
    }
    void clear()
    {
        flag.store(0);
    }
    void wait()
    {
        flag.wait(0);
    }
};

struct barrier : name {
    std::barrier<> inner;
    explicit barrier(unsigned parties) : inner(parties)
    {
    }
    void wait()
    {
        inner.arrive_and_wait();
    }
};

struct thread : name {
    std::thread inner;
    void start(void *(*function)(void *))
    {
        inner = std::thread(function, nullptr);
    }
    void join()
    {
        inner.join();
    }
};

} // namespace peers::cxx

#endif
