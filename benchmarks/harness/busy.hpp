/* busy.hpp - work that takes a known time and touches nothing. */

#ifndef HARNESS_BUSY_HPP
#define HARNESS_BUSY_HPP

namespace bench {

/* Finds out how many turns take how long. Once, before the first sample: all variants of a row then do the same work. */
void calibrate_busy();

/* How many turns take this many nanoseconds on a processor of one's own. */
unsigned turns_for(double nanoseconds);

/* A chain of dependent multiplications. */
inline void busy(unsigned turns)
{
    unsigned long value = turns;
    for (unsigned i = 0; i < turns; i++) {
        value = value * 5 + 1;
        asm volatile("" : "+r"(value));
    }
}

} // namespace bench

#endif
