/* stretches.h - a run as a list of stretches: which strand goes on, and until which of its turns. It is what is changed to
 * make a schedule shorter: stretches can be put together, which moves cannot. */

#ifndef LAB_STRETCHES_H
#define LAB_STRETCHES_H

#include "lab/run.h"

/* Those of a run that has ended; 0: there are too many, or waits ended early in it, which this does not know. */
uint32_t stretches_of(const struct run *run, struct stretch *stretch);

/* In `to`, all stretches of a strand that begin in from[at .. at + size) are one, in the place of the first or of the last of
 * them. Returns how many there are then. */
uint32_t stretches_join(const struct stretch *from, uint32_t n, uint32_t at, uint32_t size, bool last,
                        struct stretch *to);

/* The same for the one at `at` and the next one of its strand; n: there is none. */
uint32_t stretches_join_next(const struct stretch *from, uint32_t n, uint32_t at, bool last, struct stretch *to);

#endif
