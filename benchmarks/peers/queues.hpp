/* queues.hpp - rings that are made of a monitor's lock and two conditions, and the limit. A queue here is made for a
 * number of places; put(item), get(). */

#ifndef PEERS_QUEUES_HPP
#define PEERS_QUEUES_HPP

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include <condition_variable>
#include <mutex>
#include <sched.h>

#include "harness/row.hpp"

namespace peers {

/* The ring itself; whoever uses it keeps it from being over- or underfull. */
struct plain_ring {
    std::vector<void *> places;
    std::size_t first = 0, size = 0;
    explicit plain_ring(std::size_t n) : places(n)
    {
    }
    bool is_full() const
    {
        return size == places.size();
    }
    void push(void *item)
    {
        std::size_t at = first + size++;
        places[at < places.size() ? at : at - places.size()] = item;
    }
    void *pop()
    {
        void *item = places[first];
        first = first + 1 < places.size() ? first + 1 : 0;
        size--;
        return item;
    }
};

/* Vyukov's bounded queue. Who finds it full or empty yields. */
struct vyukov_ring : bench::limit<"Vyukov ring, yields"> {
    struct cell {
        std::atomic<uint64_t> sequence;
        void *item;
    };
    std::unique_ptr<cell[]> cells;
    uint64_t mask;
    alignas(128) std::atomic<uint64_t> tail{0};
    alignas(128) std::atomic<uint64_t> head{0};
    explicit vyukov_ring(std::size_t n) : cells(new cell[n]), mask(n - 1) /* n is a power of two */
    {
        for (std::size_t i = 0; i < n; i++)
            cells[i].sequence = i;
    }
    cell &claim(std::atomic<uint64_t> &side, uint64_t ahead, uint64_t &at)
    {
        at = side.load(std::memory_order_relaxed);
        for (;;) {
            cell &cell = cells[at & mask];
            int64_t early = int64_t(cell.sequence.load(std::memory_order_acquire) - (at + ahead));
            if (early == 0 && side.compare_exchange_weak(at, at + 1, std::memory_order_relaxed))
                return cell;
            if (early < 0)
                sched_yield();
            if (early != 0)
                at = side.load(std::memory_order_relaxed);
        }
    }
    void put(void *item)
    {
        uint64_t at;
        cell &cell = claim(tail, 0, at);
        cell.item = item;
        cell.sequence.store(at + 1, std::memory_order_release);
    }
    void *get()
    {
        uint64_t at;
        cell &cell = claim(head, 1, at);
        void *item = cell.item;
        cell.sequence.store(at + mask + 1, std::memory_order_release);
        return item;
    }
};

/* A ring under a mutex, with two conditions: of the standard library, that is of pthreads. */
struct mutex_ring : bench::peer<"mutex + cond ring"> {
    plain_ring ring;
    std::mutex lock;
    std::condition_variable not_full, not_empty;
    explicit mutex_ring(std::size_t n) : ring(n)
    {
    }
    void put(void *item)
    {
        std::unique_lock held(lock);
        while (ring.is_full())
            not_full.wait(held);
        ring.push(item);
        held.unlock();
        not_empty.notify_one();
    }
    void *get()
    {
        std::unique_lock held(lock);
        while (ring.size == 0)
            not_empty.wait(held);
        void *item = ring.pop();
        held.unlock();
        not_full.notify_one();
        return item;
    }
};

} // namespace peers

#endif
