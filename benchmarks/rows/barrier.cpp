/* Threads cross a barrier, again and again. Two stay on a processor each, more share the two. */

#include "harness/team.hpp"
#include "peers/bare.hpp"
#include "peers/omp.hpp"
#include "peers/ours.hpp"
#include "peers/posix.hpp"
#include "peers/std.hpp"
#include "peers/uv.hpp"

using namespace peers;

/* One thread of the team; the first watches the clock, and says before a crossing that it is the last. */
template <class Cross>
static void cross_until(int64_t end, std::atomic<bool> &last, uint64_t &crossed, bool first, Cross cross)
{
    for (bool mine = false; !mine;) {
        if (first) {
            last.store(crossed % 8 == 0 && bench::now() >= end, std::memory_order_relaxed);
            crossed++;
        }
        cross();
        mine = last.load(std::memory_order_relaxed);
        cross(); /* so that `last` is not written while others still read it */
    }
}

static auto crossings = [](unsigned n) {
    return [=]<class Barrier>(bench::effort effort) {
        std::atomic<bool> last{false};
        uint64_t crossed = 0;
        Barrier barrier(n);
        int64_t start = bench::now(), end = start + int64_t(effort.seconds * 1e9);
        auto part = [&](unsigned i) {
            if (n == 2)
                bench::stay_on(i);
            cross_until(end, last, crossed, i == 0, [&] {
                barrier.wait();
            });
        };
        Barrier::run(n, part);
        return bench::sample{double(2 * crossed) / double(bench::now() - start) * 1e6};
    };
};

template <class Inner> struct in_team : Inner {
    using Inner::Inner;
    template <class Part> static void run(unsigned n, Part part)
    {
        bench::team team(n, part);
    }
};

/* OpenMP's barrier is that of its own threads. */
struct omp_barrier : omp::name {
    explicit omp_barrier(unsigned)
    {
    }
    void wait()
    {
#pragma omp barrier
    }
    template <class Part> static void run(unsigned n, Part part)
    {
#pragma omp parallel num_threads(n)
        part(unsigned(omp_get_thread_num()));
    }
};

using all = decltype(bench::wrapped<in_team>(bench::list<ours::barrier, bare::yield_barrier, bare::futex_barrier,
                                                         posix::barrier, uv::barrier, cxx::barrier>()) +
                     bench::list<omp_barrier>());

static bench::row two("barrier-2", "barrier, 2 threads", "k/s", all(), crossings(2));
static bench::row eight("barrier-8", "barrier, 8 threads", "k/s", all(), crossings(8));
static bench::row sixty_four("barrier-64", "barrier, 64 threads", "k/s", all(), crossings(64));
