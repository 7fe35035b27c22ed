/* histogram.hpp - counts of times, in classes 1/16 apart from their neighbours. */

#ifndef HARNESS_HISTOGRAM_HPP
#define HARNESS_HISTOGRAM_HPP

#include <algorithm>
#include <cstdint>
#include <vector>

namespace bench {

class histogram {
  public:
    void add(uint64_t nanoseconds)
    {
        counts[place(nanoseconds)]++;
        most = std::max(most, nanoseconds);
    }

    void add(const histogram &other)
    {
        for (std::size_t i = 0; i < counts.size(); i++)
            counts[i] += other.counts[i];
        most = std::max(most, other.most);
    }

    /* The time that this part of all is not above, rounded up to its class. */
    double quantile(double part) const
    {
        uint64_t all = 0, passed = 0;
        for (uint64_t count : counts)
            all += count;
        for (std::size_t i = 0; i < counts.size(); i++) {
            passed += counts[i];
            if (double(passed) >= part * double(all))
                return std::min(upper(i), double(most));
        }
        return double(most);
    }

    double longest() const
    {
        return double(most);
    }

  private:
    /* Below 16 exact; above, four bits after the highest one. */
    static std::size_t place(uint64_t value)
    {
        if (value < 16)
            return value;
        unsigned shift = 59 - unsigned(__builtin_clzll(value));
        return (shift + 1) * 16 + ((value >> shift) & 15);
    }
    static double upper(std::size_t i)
    {
        return i < 16 ? double(i) : double((16 + i % 16 + 1) << (i / 16 - 1)) - 1;
    }

    std::vector<uint64_t> counts = std::vector<uint64_t>(62 * 16);
    uint64_t most = 0;
};

} // namespace bench

#endif
