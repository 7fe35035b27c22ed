/* What the look at thr__hooked costs: the limit is the same inline path without it. */

#include "harness/timing.hpp"
#include "peers/ours.hpp"
#include "peers/unchecked.hpp"

using namespace peers;
using without = bench::limit<"unchecked">;

static auto measure = []<class Lock>(bench::effort effort) {
    static Lock lock;
    auto pair = [] {
        lock.acquire();
        lock.release();
    };
    return bench::sample{bench::each(effort, pair)};
};

struct lock : without {
    unchecked::thr_lock inner = THR_LOCK_INIT;
    void acquire()
    {
        unchecked::thr_lock_acquire(&inner);
    }
    void release()
    {
        unchecked::thr_lock_release(&inner);
    }
};

struct semaphore : without {
    unchecked::thr_semaphore inner = THR_SEMAPHORE_INIT(1);
    void acquire()
    {
        unchecked::thr_semaphore_acquire(&inner);
    }
    void release()
    {
        (void)unchecked::thr_semaphore_release(&inner, 1);
    }
};

/* Starts with a permit: here it is acquired first. */
struct our_semaphore : ours::semaphore {
    our_semaphore()
    {
        release();
    }
};

struct event : without {
    unchecked::thr_event inner = {1};
    void wait()
    {
        unchecked::thr_event_wait(&inner);
    }
};

static auto measure_wait = []<class Event>(bench::effort effort) {
    static Event event;
    if constexpr (std::is_same_v<Event, ours::event>)
        event.set();
    return bench::sample{bench::each(effort, [] {
        event.wait();
    })};
};

static bench::row lock_row("check-lock", "lock + unlock, with the look at the hook", "ns",
                           bench::list<ours::lock, lock>(), measure);
static bench::row semaphore_row("check-semaphore", "semaphore, with the look at the hook", "ns",
                                bench::list<our_semaphore, semaphore>(), measure);
static bench::row event_row("check-event", "wait for a set event, with the look at the hook", "ns",
                            bench::list<ours::event, event>(), measure_wait);
