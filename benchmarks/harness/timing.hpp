/* timing.hpp - the clock, and how long one short operation takes. */

#ifndef HARNESS_TIMING_HPP
#define HARNESS_TIMING_HPP

#include <algorithm>
#include <cstdint>
#include <ctime>

#include "harness/processors.hpp"
#include "harness/row.hpp"

namespace bench {

inline int64_t read_clock(clockid_t clock)
{
    timespec spec;
    clock_gettime(clock, &spec);
    return int64_t(spec.tv_sec) * 1000000000 + spec.tv_nsec;
}

/* Nanoseconds on the monotonic clock. */
inline int64_t now()
{
    return read_clock(CLOCK_MONOTONIC);
}

/* What the calling thread, or all of them, have used of the processors, in nanoseconds. */
inline int64_t thread_time()
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}
inline int64_t process_time()
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

/* Makes the compiler believe that memory changes here, or that a value is looked at. */
inline void opaque()
{
    asm volatile("" ::: "memory");
}
template <class T> void use(const T &value)
{
    asm volatile("" ::"r"(value) : "memory");
}

/* Nanoseconds that n calls of `op` take. */
template <class Op> int64_t burst(uint64_t n, Op op)
{
    int64_t start = now();
    for (uint64_t i = 0; i < n; i++) {
        op();
        opaque();
    }
    return now() - start;
}

/* Nanoseconds of one `op`, on one processor: the fastest of many bursts of 50 us, since what disturbs one makes it
 * slower, never faster. `of` is how many operations an `op` is. */
template <class Op> double each(effort effort, Op op, double of = 1)
{
    stay_on(0);
    uint64_t n = 8;
    while (burst(n, op) < 50000)
        n *= 2;
    double best = 1e18;
    int64_t end = now() + int64_t(effort.seconds / 5 * 1e9);
    do
        best = std::min(best, double(burst(n, op)));
    while (now() < end);
    return best / double(n) / of;
}

} // namespace bench

#endif
