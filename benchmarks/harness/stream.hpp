/* stream.hpp - producers and consumers at one queue of CAPACITY places. */

#ifndef HARNESS_STREAM_HPP
#define HARNESS_STREAM_HPP

#include <memory>

#include "harness/team.hpp"

namespace bench {

constexpr std::size_t CAPACITY = 1024;
constexpr uintptr_t LAST = 1; /* the item that ends a consumer */

struct alignas(128) tally {
    std::atomic<uint64_t> count{0}; /* written by its thread only */
};

/* {million items a second}. One of each stay on a processor each; more share the two. Items are numbers from 2 on, and all
 * of them must come out. */
template <class Queue> sample stream(effort effort, unsigned each)
{
    auto queue = std::make_unique<Queue>(CAPACITY);
    std::atomic<bool> time_is_up{false};
    std::atomic<unsigned> producing{each};
    std::atomic<uint64_t> in{0}, out{0};
    std::vector<tally> taken(each);
    auto produce = [&] {
        uint64_t sum = 0;
        for (uintptr_t item = 2; !time_is_up.load(std::memory_order_relaxed); item++) {
            queue->put(reinterpret_cast<void *>(item));
            sum += item;
        }
        in += sum;
        if (--producing == 0)
            for (unsigned i = 0; i < each; i++)
                queue->put(reinterpret_cast<void *>(LAST));
    };
    auto consume = [&](tally &mine) {
        uint64_t sum = 0, count = 0;
        for (;;) {
            auto item = reinterpret_cast<uintptr_t>(queue->get());
            if (item == LAST)
                break;
            sum += item;
            mine.count.store(++count, std::memory_order_relaxed);
        }
        out += sum;
    };
    auto total = [&] {
        uint64_t sum = 0;
        for (tally &one : taken)
            sum += one.count.load(std::memory_order_relaxed);
        return sum;
    };
    double rate;
    {
        team team(2 * each, [&](unsigned i) {
            if (each == 1)
                stay_on(i);
            if (i < each)
                produce();
            else
                consume(taken[i - each]);
        });
        pause(0.002);
        uint64_t first = total();
        int64_t start = now();
        pause(std::max(effort.seconds, 0.02));
        rate = double(total() - first) / double(now() - start) * 1e3;
        time_is_up = true;
    }
    if (in != out)
        std::abort();
    return {rate};
}

} // namespace bench

#endif
