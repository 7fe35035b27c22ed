/* Several threads want one lock, again and again. The limit is one thread with a bare lock that nobody else wants. */

#include "harness/contention.hpp"
#include "peers/locks.hpp"

using namespace peers;

/* Shows what the scheduler does alone. */
struct no_lock : bench::other<"no lock"> {
    void acquire()
    {
    }
    void release()
    {
    }
};

using all = decltype(bench::list<ours::lock, bare::lock, bare::futex_lock, no_lock>() + all_locks() + spin_locks());

static auto contended = [](unsigned threads, double inside, double outside) {
    return [=]<class Lock>(bench::effort effort) {
        unsigned n = std::is_same_v<Lock, bare::lock> ? 1 : threads;
        return bench::contend<Lock>(effort, n, bench::turns_for(inside), bench::turns_for(outside));
    };
};
static const std::vector<std::string> figures = {"share, x", "p99.99 of waits, ms", "longest wait, ms"};

static bench::row two_empty("contended-2-empty", "2 threads, an empty section", "M/s", all(), contended(2, 0, 0),
                            figures);
static bench::row two("contended-2", "2 threads, 50 to 150 ns inside, as much outside", "M/s", all(),
                      contended(2, 100, 100), figures);
static bench::row eight_empty("contended-8-empty", "8 threads, an empty section", "M/s", all(), contended(8, 0, 0),
                              figures);
static bench::row eight("contended-8", "8 threads, 50 to 150 ns inside, as much outside", "M/s", all(),
                        contended(8, 100, 100), figures);
