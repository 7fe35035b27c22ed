/* seen.h - the states that runs of the exhaustive search have come to, in memory that is shared with all runs. */

#ifndef LAB_SEEN_H
#define LAB_SEEN_H

#include <stdbool.h>
#include <stdint.h>

/* Makes the table: once, before the first run. False: no memory. */
bool seen_begin(void);
void seen_clear(void);

/* In the searching process: run `number` of those that were looked at came to this state with so many preemptions. */
void seen_add(uint64_t state, uint32_t preemptions, uint32_t number);

/* In a run: whether one of the first `runs` of them came to it with no more. */
bool seen_before(uint64_t state, uint32_t preemptions, uint32_t runs);

#endif
