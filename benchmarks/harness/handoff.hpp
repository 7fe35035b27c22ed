/* handoff.hpp - two threads pass a ball to and fro, by semaphores, events, or a condition. */

#ifndef HARNESS_HANDOFF_HPP
#define HARNESS_HANDOFF_HPP

#include "harness/team.hpp"

namespace bench {

/* Where the two run. */
enum class court {
    across,      /* each on its processor */
    together,    /* both on one */
    alternating, /* 20 ms across, 20 ms together, and so on */
    crowded      /* across, with a third thread beside the second that never sleeps */
};

constexpr double CHANGE = 0.02; /* seconds */

/* Whether they run across now. Nobody but the bare limit is told. */
inline std::atomic<bool> running_across{false};

/* hop(i) waits until the ball is at player i, and passes it on. It lies at player 0 at the start. */
template <class Semaphore> struct by_semaphore : like<Semaphore> {
    Semaphore has[2];
    by_semaphore()
    {
        has[0].release();
    }
    void hop(unsigned i)
    {
        has[i].acquire();
        has[1 - i].release();
    }
};

template <class Event> struct by_event : like<Event> {
    Event has[2];
    by_event()
    {
        has[0].set();
    }
    void hop(unsigned i)
    {
        has[i].wait();
        has[i].clear();
        has[1 - i].set();
    }
};

template <class Monitor> struct by_condition : like<Monitor> {
    Monitor monitor;
    unsigned at = 0;
    void hop(unsigned i)
    {
        monitor.acquire();
        while (at != i)
            monitor.wait();
        at = 1 - i;
        monitor.notify();
        monitor.release();
    }
};

/* Plays for a while; gives {thousand round trips a second}. */
template <class Ball> sample play(effort effort, court court)
{
    /* In lines of their own: the ball's are not written by anybody who has not got it, wherever the stack lies. */
    alignas(64) Ball ball;
    alignas(64) std::atomic<uint64_t> trips{0};
    alignas(64) std::atomic<uint64_t> end{UINT64_MAX};
    std::atomic<bool> time_is_up{false};
    auto work = [&](unsigned i) {
        if (i == 2) /* the crowd */
            while (end.load(std::memory_order_relaxed) == UINT64_MAX)
                ;
        /* Player 0 says how many hops they make before either can have made them. */
        for (uint64_t hops = 0; i != 2 && hops < end.load(std::memory_order_relaxed); hops++) {
            if (i == 0) {
                trips.store(hops, std::memory_order_relaxed);
                if (time_is_up.load(std::memory_order_relaxed) && end.load(std::memory_order_relaxed) == UINT64_MAX)
                    end.store(hops + 2, std::memory_order_relaxed);
            }
            ball.hop(i);
        }
    };
    bool across = court != court::together;
    running_across = across;
    team team(court == court::crowded ? 3 : 2, work);
    team.keep_on(0, 0);
    team.keep_on(1, across);
    if (court == court::crowded)
        team.keep_on(2, 1);
    pause(0.002);
    uint64_t first = trips.load();
    int64_t start = now();
    if (court == court::alternating) {
        for (double past = 0; past < std::max(effort.seconds, 2 * CHANGE); past += CHANGE) {
            pause(CHANGE);
            across = !across;
            running_across = across;
            team.keep_on(1, across);
        }
    } else {
        pause(std::max(effort.seconds, court == court::crowded ? CHANGE : 0));
    }
    uint64_t passed = trips.load() - first;
    int64_t took = now() - start;
    time_is_up = true;
    return {double(passed) / double(took) * 1e6};
}

} // namespace bench

#endif
