/* Nobody else wants the lock. */

#include "harness/timing.hpp"
#include "peers/locks.hpp"

using namespace peers;
using all = decltype(bench::list<ours::lock, bare::lock>() + all_locks() + spin_locks());

static auto measure = []<class Lock>(bench::effort effort) {
    static Lock lock;
    auto pair = [] {
        lock.acquire();
        lock.release();
    };
    return bench::sample{bench::each(effort, pair)};
};

static bench::row lock("lock", "lock + unlock", "ns", all(), measure);
