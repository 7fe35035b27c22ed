/* team.hpp - threads that do the same thing: plain ones, whoever is measured. */

#ifndef HARNESS_TEAM_HPP
#define HARNESS_TEAM_HPP

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "harness/timing.hpp"

namespace bench {

/* n threads run work(0) .. work(n - 1); the end of the team joins them. */
class team {
  public:
    template <class Work> team(unsigned n, Work work)
    {
        for (unsigned i = 0; i < n; i++)
            threads.emplace_back([work, i] {
                work(i);
            });
    }
    ~team()
    {
        for (std::thread &thread : threads)
            thread.join();
    }
    team(const team &) = delete;
    team &operator=(const team &) = delete;

    void keep_on(unsigned member, unsigned processor)
    {
        bench::keep_on(threads[member].native_handle(), processor);
    }

  private:
    std::vector<std::thread> threads;
};

inline void pause(double seconds)
{
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

/* Waits for a number to get there, at leisure. */
template <class T> void await(const std::atomic<T> &number, T value)
{
    while (number.load() != value)
        std::this_thread::sleep_for(std::chrono::microseconds(50));
}

} // namespace bench

#endif
