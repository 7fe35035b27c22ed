/* tasks.hpp - thread pools, and fork-join, of everybody: each pool has two workers.
 *
 *     pool       made with room for n tasks; submit(function, arg); finish() waits for all that was submitted
 *     fork_join  fib(n), each call a task of its own but for the right one */

#ifndef PEERS_TASKS_HPP
#define PEERS_TASKS_HPP

#include <cstdlib>
#include <vector>

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_invoke.h>
#include <oneapi/tbb/task_group.h>

#include "peers/bare.hpp"
#include "peers/glib.hpp"
#include "peers/omp.hpp"
#include "peers/ours.hpp"
#include "peers/tbb.hpp"
#include "peers/uv.hpp"

namespace peers {

constexpr unsigned workers = 2;

using function = void *(*)(void *);

namespace ours {

struct pool : bench::ours {
    thr_executor *executor = nullptr;
    explicit pool(std::size_t)
    {
        thr_executor_options options = {};
        options.max_workers = workers;
        if (thr_executor_new_with(&executor, &options) != THR_OK)
            std::abort();
    }
    void submit(function f, void *arg)
    {
        if (thr_executor_submit(executor, nullptr, f, arg) != THR_OK)
            std::abort();
    }
    void finish()
    {
        thr_executor_shutdown(executor, true, false);
    }
};

struct fork_join : bench::ours {
    static inline thr_executor *executor;
    struct call {
        long n;
        long result;
    };
    fork_join()
    {
        executor = pool(0).executor;
    }
    static long fib(long n)
    {
        if (n < 2)
            return n;
        call left = {n - 1, 0};
        thr_group group = THR_GROUP_INIT(executor);
        thr_task task;
        if (thr_group_spawn(&group, &task, run, &left) != THR_OK)
            std::abort();
        long right = fib(n - 2);
        thr_group_wait(&group);
        return left.result + right;
    }
    static void *run(void *arg)
    {
        call *c = static_cast<call *>(arg);
        c->result = fib(c->n);
        return nullptr;
    }
    long operator()(long n)
    {
        call whole = {n, 0};
        thr_future *future;
        if (thr_executor_submit(executor, &future, run, &whole) != THR_OK)
            std::abort();
        thr_future_result(future, nullptr);
        thr_future_unref(future);
        return whole.result;
    }
};

} // namespace ours

namespace bare {

/* No pool at all: calls. */
struct pool : bench::limit<"a call"> {
    explicit pool(std::size_t)
    {
    }
    void submit(function f, void *arg)
    {
        asm volatile("" : "+r"(f));
        f(arg);
    }
    void finish()
    {
    }
};

struct fork_join : bench::limit<"serial"> {
    static long fib(long n)
    {
        return n < 2 ? n : fib(n - 1) + fib(n - 2);
    }
    long operator()(long n)
    {
        asm volatile("" : "+r"(n));
        return fib(n);
    }
};

} // namespace bare

namespace glib {

struct pool : name {
    struct job {
        function f;
        void *arg;
    };
    std::vector<job> jobs;
    std::size_t next = 0;
    GThreadPool *inner;
    static void run(gpointer data, gpointer)
    {
        job *j = static_cast<job *>(data);
        j->f(j->arg);
    }
    explicit pool(std::size_t n) : jobs(n), inner(g_thread_pool_new(run, nullptr, workers, TRUE, nullptr))
    {
    }
    void submit(function f, void *arg)
    {
        jobs[next] = {f, arg};
        g_thread_pool_push(inner, &jobs[next++ % jobs.size()], nullptr);
        if (next == jobs.size())
            next = 0;
    }
    void finish()
    {
        g_thread_pool_free(inner, FALSE, TRUE);
    }
};

} // namespace glib

namespace uv {

struct pool : name {
    struct job {
        uv_work_t work;
        function f;
        void *arg;
    };
    uv_loop_t loop;
    std::vector<job> jobs;
    std::size_t next = 0;
    static void run(uv_work_t *work)
    {
        job *j = reinterpret_cast<job *>(work);
        j->f(j->arg);
    }
    static void done(uv_work_t *, int)
    {
    }
    explicit pool(std::size_t n) : jobs(n)
    {
        setenv("UV_THREADPOOL_SIZE", "2", 1);
        uv_loop_init(&loop);
    }
    void submit(function f, void *arg)
    {
        job *j = &jobs[next++];
        j->f = f;
        j->arg = arg;
        uv_queue_work(&loop, &j->work, run, done);
    }
    void finish()
    {
        uv_run(&loop, UV_RUN_DEFAULT);
    }
};

} // namespace uv

namespace tbb {

struct pool : name {
    ::tbb::global_control control{::tbb::global_control::max_allowed_parallelism, workers};
    ::tbb::task_group group;
    explicit pool(std::size_t)
    {
    }
    void submit(function f, void *arg)
    {
        group.run([f, arg] {
            f(arg);
        });
    }
    void finish()
    {
        group.wait();
    }
};

struct fork_join : name {
    ::tbb::global_control control{::tbb::global_control::max_allowed_parallelism, workers};
    static long fib(long n)
    {
        if (n < 2)
            return n;
        long left;
        long right;
        ::tbb::parallel_invoke(
            [&] {
                left = fib(n - 1);
            },
            [&] {
                right = fib(n - 2);
            });
        return left + right;
    }
    long operator()(long n)
    {
        return fib(n);
    }
};

} // namespace tbb

namespace omp {

/* Its tasks belong to a parallel region: so a burst is one call. */
struct burst : name {
    static void run(std::size_t n, function f, void *arg)
    {
#pragma omp parallel num_threads(workers)
#pragma omp single
        for (std::size_t i = 0; i < n; i++) {
#pragma omp task
            f(arg);
        }
    }
};

struct fork_join : name {
    static long fib(long n)
    {
        if (n < 2)
            return n;
        long left;
#pragma omp task shared(left)
        left = fib(n - 1);
        long right = fib(n - 2);
#pragma omp taskwait
        return left + right;
    }
    long operator()(long n)
    {
        long result = 0;
#pragma omp parallel num_threads(workers)
#pragma omp single
        result = fib(n);
        return result;
    }
};

} // namespace omp

} // namespace peers

#endif
