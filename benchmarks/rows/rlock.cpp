/* The recursive lock, free, and held already. */

#include "harness/timing.hpp"
#include "peers/locks.hpp"

using namespace peers;
using all = decltype(bench::list<ours::rlock, bare::rlock>() + rlocks());

static auto measure = [](bool held) {
    return [held]<class Lock>(bench::effort effort) {
        static Lock lock;
        if (held)
            lock.acquire();
        auto pair = [] {
            lock.acquire();
            lock.release();
        };
        return bench::sample{bench::each(effort, pair)};
    };
};

static bench::row outermost("rlock", "recursive lock + unlock, the outermost", "ns", all(), measure(false));
static bench::row again("rlock-again", "recursive lock + unlock by who holds it", "ns", all(), measure(true));
