/* Items go through a bounded queue, from as many producers as consumers. */

#include "harness/stream.hpp"
#include "peers/aprutil.hpp"
#include "peers/events.hpp"
#include "peers/glib.hpp"
#include "peers/nsync.hpp"
#include "peers/ours.hpp"
#include "peers/queues.hpp"
#include "peers/tbb.hpp"

using namespace peers;

using all =
    bench::list<ours::queue, vyukov_ring, mutex_ring, peers::nsync::queue, peers::tbb::queue, apr::queue, glib::queue>;

static auto streams = [](unsigned each) {
    return [=]<class Queue>(bench::effort effort) {
        return bench::stream<Queue>(effort, each);
    };
};

/* For one of each: they share the condition. */
template <class Monitor> struct monitor_ring : bench::like<Monitor> {
    Monitor monitor;
    plain_ring ring;
    explicit monitor_ring(std::size_t n) : ring(n)
    {
    }
    void put(void *item)
    {
        monitor.acquire();
        while (ring.is_full())
            monitor.wait();
        ring.push(item);
        monitor.notify();
        monitor.release();
    }
    void *get()
    {
        monitor.acquire();
        while (ring.size == 0)
            monitor.wait();
        void *item = ring.pop();
        monitor.notify();
        monitor.release();
        return item;
    }
};

using by_hand = decltype(bench::wrapped<monitor_ring>(bench::list<ours::monitor>()) + bench::list<vyukov_ring>() +
                         bench::wrapped<monitor_ring>(monitors()));

static bench::row one("queue-1", "a queue of 1,024, 1 producer, 1 consumer", "M/s", all(), streams(1));
static bench::row two("queue-2", "2 producers, 2 consumers", "M/s", all(), streams(2));
static bench::row four("queue-4", "4 producers, 4 consumers", "M/s", all(), streams(4));
static bench::row monitored("queue-by-hand", "a ring with a lock and a condition, 1 producer, 1 consumer", "M/s",
                            by_hand(), streams(1));
