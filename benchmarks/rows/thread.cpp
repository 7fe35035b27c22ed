/* Threads that do nothing, and threads that only wait. */

#include <cstdio>
#include <memory>

#include "harness/team.hpp"
#include "peers/apr.hpp"
#include "peers/bare.hpp"
#include "peers/c11.hpp"
#include "peers/glib.hpp"
#include "peers/ours.hpp"
#include "peers/posix.hpp"
#include "peers/sdl.hpp"
#include "peers/std.hpp"
#include "peers/uv.hpp"

using namespace peers;
using all = bench::list<ours::thread, bare::thread, posix::thread, c11::thread, glib::thread, sdl::thread, uv::thread,
                        apr::thread, cxx::thread>;

static void *nothing(void *)
{
    return nullptr;
}

static auto start_and_join = []<class Thread>(bench::effort effort) {
    auto once = [] {
        Thread thread;
        thread.start(nothing);
        thread.join();
    };
    return bench::sample{bench::each(effort, once, 1000)};
};

/* Ours wait for our event, the others for a bare futex. */
static thr_event our_gate = THR_EVENT_INIT;
static bare::futex_event bare_gate;
static std::atomic<unsigned> arrived;

static void *wait_at_ours(void *)
{
    arrived++;
    thr_event_wait(&our_gate);
    return nullptr;
}

static void *wait_at_bare(void *)
{
    arrived++;
    bare_gate.wait();
    return nullptr;
}

static double resident_kib()
{
    long pages = 0;
    std::FILE *file = std::fopen("/proc/self/statm", "r");
    if (!file || std::fscanf(file, "%*s %ld", &pages) != 1)
        std::abort();
    std::fclose(file);
    return double(pages) * double(sysconf(_SC_PAGESIZE)) / 1024;
}

static auto block = []<class Thread>(bench::effort effort) {
    constexpr bool is_ours = std::is_same_v<Thread, ours::thread>;
    unsigned n = effort.quick ? 500 : 10000;
    std::unique_ptr<Thread[]> threads(new Thread[n]);
    double before = resident_kib();
    int64_t began = bench::now();
    for (unsigned i = 0; i < n; i++)
        threads[i].start(is_ours ? wait_at_ours : wait_at_bare);
    bench::await(arrived, n);
    double each = (resident_kib() - before) / n;
    thr_event_set(&our_gate);
    bare_gate.set();
    for (unsigned i = 0; i < n; i++)
        threads[i].join();
    return bench::sample{double(bench::now() - began) / 1e9 / n * 10000, each};
};

static bench::row thread("thread", "thread start + join, on one processor", "us", all(), start_and_join);
static bench::row blocked("threads-10000", "10,000 blocked threads: create + join", "s", all(), block,
                          {"resident memory each, KiB"});
