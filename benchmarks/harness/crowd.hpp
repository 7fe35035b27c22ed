/* crowd.hpp - many threads wait for one thing; how long until all have run? */

#ifndef HARNESS_CROWD_HPP
#define HARNESS_CROWD_HPP

#include "harness/team.hpp"

namespace bench {

/* Waits until those who are about to block sleep, every one: nobody uses the processor any more. (Some libraries spin and
 * yield for milliseconds first, where a thousand come at once. Who never sleeps is not waited for longer than 0.3 s.) */
inline void settle()
{
    int64_t end = now() + 300000000;
    int64_t used;
    do {
        used = process_time();
        pause(0.0005);
        used = process_time() - used;
    } while (used > 50000 && now() < end);
}

/* What all wait for, and how they are let go. enter() blocks; `ready` is raised just before. */
template <class Event> struct crowd_event : like<Event> {
    Event gates[2]; /* rounds take turns: one is cleared when nobody is in it */
    void enter(unsigned round, std::atomic<unsigned> &ready)
    {
        ready++;
        gates[round % 2].wait();
    }
    void let_go(unsigned round, unsigned)
    {
        gates[round % 2].set();
    }
    void tidy(unsigned round)
    {
        gates[round % 2].clear();
    }
};

template <class Monitor> struct crowd_condition : like<Monitor> {
    Monitor monitor;
    unsigned open = 0;
    void enter(unsigned round, std::atomic<unsigned> &ready)
    {
        monitor.acquire();
        ready++;
        while (open == round)
            monitor.wait();
        monitor.release();
    }
    void let_go(unsigned round, unsigned)
    {
        monitor.acquire();
        open = round + 1;
        monitor.notify_all();
        monitor.release();
    }
    void tidy(unsigned)
    {
    }
};

template <class Semaphore> struct crowd_semaphore : like<Semaphore> {
    Semaphore permits[2];
    void enter(unsigned round, std::atomic<unsigned> &ready)
    {
        ready++;
        permits[round % 2].acquire();
    }
    void let_go(unsigned round, unsigned n)
    {
        permits[round % 2].release(n);
    }
    void tidy(unsigned)
    {
    }
};

/* Who is let go takes the lock and gives it to the next. */
template <class Lock> struct crowd_lock : like<Lock> {
    Lock gates[2];
    crowd_lock()
    {
        gates[0].acquire();
        gates[1].acquire();
    }
    void enter(unsigned round, std::atomic<unsigned> &ready)
    {
        ready++;
        gates[round % 2].acquire();
        gates[round % 2].release();
    }
    void let_go(unsigned round, unsigned)
    {
        gates[round % 2].release();
    }
    void tidy(unsigned round)
    {
        gates[round % 2].acquire();
    }
};

/* {microseconds from letting n threads go to the last one's return}, the median round of some. A quick run has no more
 * than 200 threads. */
template <class Crowd> sample gather(effort effort, unsigned n)
{
    n = effort.quick ? std::min(n, 200u) : n;
    Crowd crowd;
    std::vector<double> took;
    std::atomic<unsigned> ready{0}, through{0};
    std::atomic<int64_t> last{0};
    std::atomic<unsigned> rounds{UINT32_MAX};
    auto work = [&](unsigned) {
        for (unsigned round = 0; round < rounds.load(); round++) {
            crowd.enter(round, ready);
            int64_t mine = now();
            for (int64_t seen = last.load(); seen < mine && !last.compare_exchange_weak(seen, mine);)
                ;
            through++;
        }
    };
    team team(n, work);
    int64_t end = now() + int64_t(effort.seconds * 1e9);
    for (unsigned round = 0; round < rounds.load(); round++) {
        await(ready, n * (round + 1));
        settle();
        if (took.size() >= 2 && now() >= end)
            rounds = round + 1;
        int64_t start = now();
        crowd.let_go(round, n);
        await(through, n * (round + 1));
        took.push_back(double(last.load() - start) / 1e3);
        crowd.tidy(round);
    }
    std::nth_element(took.begin(), took.begin() + std::ptrdiff_t(took.size() / 2), took.end());
    return {took[took.size() / 2]};
}

} // namespace bench

#endif
