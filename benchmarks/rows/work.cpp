/* Tasks: many empty ones, fork and join, and one for a worker that sleeps. */

#include <thread>

#include "harness/team.hpp"
#include "harness/timing.hpp"
#include "peers/tasks.hpp"

using namespace peers;

static void *nothing(void *arg)
{
    bench::opaque();
    return arg;
}

/* -- 1,000,000 from one thread ------------------------------------------------------------------------------------ */

constexpr std::size_t burst = 1000000;

/* A burst of a pool, as omp::burst is one. */
template <class Pool> struct of_pool : bench::like<Pool> {
    static void run(std::size_t n, function f, void *arg)
    {
        static Pool pool(n);
        for (std::size_t i = 0; i < n; i++)
            pool.submit(f, arg);
        pool.finish();
    }
};

using bursts =
    decltype(bench::wrapped<of_pool>(bench::list<ours::pool, bare::pool, glib::pool, uv::pool, peers::tbb::pool>()) +
             bench::list<omp::burst>());

static bench::row tasks("tasks", "1,000,000 empty tasks from one thread", "M/s", bursts(),
                        []<class Burst>(bench::effort) {
                            int64_t start = bench::now();
                            Burst::run(burst, nothing, nullptr);
                            return bench::sample{double(burst) * 1e3 / double(bench::now() - start)};
                        });

/* -- Fork and join ------------------------------------------------------------------------------------------------ */

using joiners = bench::list<ours::fork_join, bare::fork_join, peers::tbb::fork_join, omp::fork_join>;

static bench::row fork_join("fork-join", "fork-join, fib(32), 2 workers", "ms", joiners(),
                            []<class ForkJoin>(bench::effort effort) {
                                static ForkJoin fib;
                                (void)fib(20); /* the threads are there */
                                double best = 1e18;
                                int64_t end = bench::now() + int64_t(effort.seconds / 2 * 1e9);
                                do {
                                    int64_t start = bench::now();
                                    if (fib(32) != 2178309)
                                        std::abort();
                                    best = std::min(best, double(bench::now() - start) / 1e6);
                                } while (bench::now() < end);
                                return bench::sample{best};
                            });

/* -- For a worker that sleeps ------------------------------------------------------------------------------------- */

/* There and back, on one processor: the task is handed over, and its end to who waits for that. */
struct ours_round : bench::ours {
    thr_executor *executor = ours::pool(0).executor;
    void operator()()
    {
        thr_future *future;
        if (thr_executor_submit(executor, &future, nothing, nullptr) != THR_OK)
            std::abort();
        thr_future_result(future, nullptr);
        thr_future_unref(future);
    }
};

/* One thread that waits for a number, and answers with another. */
struct bare_round : bench::limit<"bare futex"> {
    std::atomic<uint32_t> asked{0};
    std::atomic<uint32_t> answered{0};
    bare_round()
    {
        std::thread([this] {
            for (uint32_t n = 0;; n++) {
                while (asked.load() == n)
                    bare::futex_wait(asked, n);
                nothing(nullptr);
                answered.store(n + 1);
                bare::futex_wake(answered, 1);
            }
        }).detach();
    }
    void operator()()
    {
        uint32_t n = answered.load();
        asked.store(n + 1);
        bare::futex_wake(asked, 1);
        while (answered.load() == n)
            bare::futex_wait(answered, n);
    }
};

/* A pool that has no futures: the task sets a flag, and wakes. (oneTBB has no workers at all on one processor, libuv tells
 * of the end only in its loop.) */
template <class Pool> struct round_of : bench::like<Pool> {
    Pool pool{1};
    std::atomic<uint32_t> done{0};
    static void *finish(void *arg)
    {
        auto *self = static_cast<round_of *>(arg);
        self->done.store(1);
        bare::futex_wake(self->done, 1);
        return nullptr;
    }
    void operator()()
    {
        done.store(0);
        pool.submit(finish, this);
        while (done.load() == 0)
            bare::futex_wait(done, 0);
    }
};

using rounds = bench::list<ours_round, bare_round, round_of<glib::pool>>;

static bench::row task_round("task-round", "a task for a sleeping worker, and its result, one processor", "us",
                             rounds(), []<class Round>(bench::effort effort) {
                                 bench::stay_on(0);
                                 static Round once;
                                 return bench::sample{bench::each(
                                     effort,
                                     [] {
                                         once();
                                     },
                                     1000)};
                             });
