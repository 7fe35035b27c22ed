/* A timer is armed and cancelled, while 100,000 are armed (10,000, if quick). (The peers' timers never run here; ours
 * have their service.) */

#include <mutex>

#include "harness/team.hpp"
#include "peers/bare.hpp"
#include "peers/ours.hpp"
#include "peers/posix.hpp"
#include "peers/uv.hpp"

using namespace peers;

static std::size_t armed(bench::effort effort)
{
    return effort.quick ? 10000 : 100000;
}
constexpr unsigned SPARE = 16; /* timers that each thread arms and cancels */

static auto alone = []<class Timers>(bench::effort effort) {
    Timers timers(armed(effort));
    uint32_t random = 1;
    auto pair = [&] {
        random = random * 1664525 + 1013904223;
        std::size_t i = (random >> 16) % SPARE;
        timers.arm(i, 10 + (random >> 20));
        timers.cancel(i);
    };
    return bench::sample{bench::each(effort, pair)};
};

/* What belongs to one thread, for several. */
template <class Timers> struct locked : Timers {
    using Timers::Timers;
    std::mutex lock;
    void arm(std::size_t i, unsigned seconds)
    {
        std::lock_guard held(lock);
        Timers::arm(i, seconds);
    }
    void cancel(std::size_t i)
    {
        std::lock_guard held(lock);
        Timers::cancel(i);
    }
};

/* Two threads for a while, each on its processor; nanoseconds for each pair of one thread. */
static auto together = []<class Timers>(bench::effort effort) {
    Timers timers(armed(effort));
    std::atomic<uint64_t> pairs{0};
    std::atomic<int64_t> took{0};
    int64_t start = bench::now() + 1000000, end = start + int64_t(effort.seconds * 1e9);
    auto work = [&](unsigned which) {
        bench::stay_on(which);
        while (bench::now() < start)
            ;
        int64_t began = bench::now();
        uint64_t done = 0;
        do {
            std::size_t i = which * SPARE + done % SPARE;
            timers.arm(i, 10 + unsigned(done * 7 % 4096));
            timers.cancel(i);
        } while (++done % SPARE != 0 || bench::now() < end);
        took += bench::now() - began;
        pairs += done;
    };
    {
        bench::team team(2, work);
    }
    return bench::sample{double(took.load()) / double(pairs.load())};
};

using thread_safe = bench::list<ours::timers, locked<bare::timers>, posix::timers, locked<uv::timers>>;

static bench::row one("timer", "timer: arm + cancel, 100,000 armed", "ns",
                      bench::list<ours::timers, bare::timers, posix::timers, uv::timers>(), alone);
static bench::row two("timer-2", "the same from two threads at once", "ns", thread_safe(), together);
