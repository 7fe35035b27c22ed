/* holders.h - who has what others wait for. */

#ifndef LAB_HOLDERS_H
#define LAB_HOLDERS_H

#include "lab/run.h"

static inline bool holders_waits_for_ever(const struct strand *strand)
{
    return strand->state == STRAND_JOINING || (strand->state == STRAND_WAITING && strand->deadline == THR_FOREVER);
}

/* The strand has got an rwlock to read; one reader has given it back, whoever calls that. */
void holders_read(struct strand *self, const void *lock);
void holders_read_end(struct strand *self, const void *lock);

/* Whether it reads there. */
bool holders_reads(const struct strand *strand, const void *lock);

/* Fills in who the strand waits for, once it is written down what each waits for. */
void holders_find(const struct run *run, struct strand *strand);

/* The strands of a circle in which each waits for the next, for ever, if `first` is in one; how many. */
uint32_t holders_circle(const struct run *run, uint32_t first, uint32_t *circle);

/* Who lets it wait: "a", "a and b", "a, b and itself". */
void holders_names(const struct run *run, const struct strand *strand, char *text, size_t size);

#endif
