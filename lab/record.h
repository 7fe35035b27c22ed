/* record.h - writes down what is decided and done in a run. */

#ifndef LAB_RECORD_H
#define LAB_RECORD_H

#include "lab/run.h"

void record_begin(struct run *run);

/* The strand does this now. */
void record_step(struct strand *strand, uint32_t operation, const void *object);

void record_decision(struct run *run, const struct strand *self, const struct strand *next, strand_set candidates,
                     uint32_t flags);

/* The places in the program that the calling thread came through, innermost first. Returns how many. */
uint32_t record_frames(void **frames, uint32_t limit);

#endif
