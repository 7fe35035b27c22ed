/* contention.hpp - several threads want one lock, again and again. */

#ifndef HARNESS_CONTENTION_HPP
#define HARNESS_CONTENTION_HPP

#include <memory>

#include "harness/busy.hpp"
#include "harness/histogram.hpp"
#include "harness/team.hpp"

namespace bench {

constexpr double WINDOW = 0.01;  /* seconds for each thread that shares a processor: shares are taken in these */
constexpr double SETTLING = 0.2; /* seconds until the system has given each processor its part of new threads */

struct contender {
    alignas(128) std::atomic<uint64_t> count{0}; /* written by its thread only */
    histogram waits;
};

/* The largest share of a window divided by the smallest; 1000 if that, or more. */
inline double share_of(const std::vector<uint64_t> &before, const std::vector<uint64_t> &after)
{
    uint64_t most = 1, least = UINT64_MAX;
    for (std::size_t i = 0; i < before.size(); i++) {
        uint64_t count = after[i] - before[i];
        most = std::max(most, count);
        least = std::min(least, std::max<uint64_t>(count, 1));
    }
    return std::min(double(most) / double(least), 1000.0);
}

/* Lengths between half and one and a half times as long as asked for, in a chain of chance. (With equal ones two threads
 * fall into step: each comes when the other has just left, and no lock is ever contended.) */
class lengths {
  public:
    explicit lengths(unsigned seed) : x(seed)
    {
    }
    unsigned operator()(unsigned turns)
    {
        x = x * 1664525u + 1013904223u;
        return turns / 2 + unsigned((uint64_t(turns) * (x >> 16)) >> 16);
    }

  private:
    uint32_t x;
};

/* {million acquisitions a second, share (the median window's), p99.99 of waits in ms, the longest wait in ms}. First the
 * threads are only counted, in windows, once they run where they will stay; then, for half as long, every wait is timed
 * as well. Two threads stay on a processor each, more share the two. `inside` and `outside` are turns of busy(), in the
 * mean. */
template <class Lock> sample contend(effort effort, unsigned threads, unsigned inside, unsigned outside)
{
    struct alignas(128) { /* nothing else is on the lines of the lock */
        Lock lock;
    } own;
    Lock &lock = own.lock;
    double window = std::min(WINDOW * std::max(threads / 2, 1u), effort.seconds);
    std::atomic<int> phase{0}; /* 0: not yet; 1: counted; 2: timed; 3: the end */
    std::vector<contender> all(threads);
    auto once = [&](lengths &length) {
        lock.acquire();
        busy(length(inside));
        lock.release();
        busy(length(outside));
    };
    auto work = [&](unsigned i) {
        contender &me = all[i];
        lengths length(i);
        if (threads == 2)
            stay_on(i);
        while (phase.load(std::memory_order_relaxed) == 0)
            once(length);
        while (phase.load(std::memory_order_relaxed) == 1) {
            once(length);
            me.count.store(me.count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        }
        while (phase.load(std::memory_order_relaxed) == 2) {
            int64_t start = now();
            lock.acquire();
            me.waits.add(uint64_t(now() - start));
            busy(length(inside));
            lock.release();
            busy(length(outside));
        }
    };
    auto counts = [&] {
        std::vector<uint64_t> seen;
        for (contender &one : all)
            seen.push_back(one.count.load(std::memory_order_relaxed));
        return seen;
    };
    std::vector<double> shares;
    double rate;
    {
        team team(threads, work);
        pause(threads > 2 && !effort.quick ? SETTLING : 0.002);
        phase = 1;
        int64_t start = now();
        std::vector<uint64_t> before = counts(), first = before;
        for (int64_t end = start + int64_t(effort.seconds * 1e9); now() < end;) {
            pause(window);
            std::vector<uint64_t> after = counts();
            shares.push_back(share_of(before, after));
            before = after;
        }
        int64_t took = now() - start;
        phase = 2;
        pause(effort.seconds / 2);
        phase = 3;
        uint64_t total = 0;
        for (std::size_t i = 0; i < first.size(); i++)
            total += before[i] - first[i];
        rate = double(total) / double(took) * 1e3;
    }
    histogram waits;
    for (contender &one : all)
        waits.add(one.waits);
    std::nth_element(shares.begin(), shares.begin() + std::ptrdiff_t(shares.size() / 2), shares.end());
    return {rate, shares[shares.size() / 2], waits.quantile(0.9999) / 1e6, waits.longest() / 1e6};
}

} // namespace bench

#endif
