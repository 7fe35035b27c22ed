/* There is always a permit. */

#include "harness/timing.hpp"
#include "peers/events.hpp"

using namespace peers;
using all = decltype(bench::list<ours::semaphore, bare::semaphore>() + semaphores());

static auto measure = []<class Semaphore>(bench::effort effort) {
    static Semaphore permits;
    auto pair = [] {
        permits.release();
        permits.acquire();
    };
    return bench::sample{bench::each(effort, pair)};
};

static bench::row semaphore("semaphore", "semaphore: release + acquire", "ns", all(), measure);
