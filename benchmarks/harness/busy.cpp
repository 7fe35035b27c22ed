/* busy.cpp - see busy.hpp. */

#include "harness/busy.hpp"

#include "harness/timing.hpp"

namespace bench {

static double nanoseconds_a_turn;

void calibrate_busy()
{
    constexpr unsigned TURNS = 20000;
    double best = 1e18;
    int64_t end = now() + 5000000;
    do
        best = std::min(best, double(burst(1, [] {
                            busy(TURNS);
                        })));
    while (now() < end);
    nanoseconds_a_turn = best / TURNS;
}

unsigned turns_for(double nanoseconds)
{
    return unsigned(nanoseconds / nanoseconds_a_turn + 0.5);
}

} // namespace bench
