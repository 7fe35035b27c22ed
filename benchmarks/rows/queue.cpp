/* Items go through a bounded queue, from as many producers as consumers. */

#include "harness/stream.hpp"
#include "peers/aprutil.hpp"
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

static bench::row one("queue-1", "a queue of 1,024, 1 producer, 1 consumer", "M/s", all(), streams(1));
static bench::row two("queue-2", "2 producers, 2 consumers", "M/s", all(), streams(2));
static bench::row four("queue-4", "4 producers, 4 consumers", "M/s", all(), streams(4));
