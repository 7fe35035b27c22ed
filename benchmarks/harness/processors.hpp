/* processors.hpp - everything runs on two processors, whatever the machine has: two cores, if it can be had. */

#ifndef HARNESS_PROCESSORS_HPP
#define HARNESS_PROCESSORS_HPP

#include <pthread.h>

namespace bench {

/* The calling thread, and those that it starts, may run on both. */
void use_both_processors();

/* The calling thread, or another, stays on the first (0) or the second (1). */
void stay_on(unsigned which);
void keep_on(pthread_t thread, unsigned which);

} // namespace bench

#endif
