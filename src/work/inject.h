/* inject.h - the queue of what was submitted: first in, first out, without a bound. Its owner holds a lock.
 *
 * Blocks of jobs in a list. One that is used up is kept as a spare, so a queue that stays short allocates once. */

#ifndef WORK_INJECT_H
#define WORK_INJECT_H

#include <stdbool.h>
#include <stddef.h>

#include "threading/future.h"

/* function(arg), of which nobody will ask; or with function NULL: arg is a future, and one of its references. */
struct job {
    void *(*function)(void *arg);
    void *arg;
};

struct inject_block;

struct inject {
    struct inject_block *first;
    struct inject_block *last;
    struct inject_block *spare;
    size_t taken; /* of the first block */
    size_t put;   /* into the last block */
    size_t count;
};

/* Whether the next put needs a block that is not there: then inject_give one first. */
bool inject_lacks(const struct inject *queue);
struct inject_block *inject_block_new(void); /* without the lock; NULL: no memory */
void inject_give(struct inject *queue, struct inject_block *block);

void inject_put(struct inject *queue, struct job job);
bool inject_take(struct inject *queue, struct job *job);

/* Frees the blocks. */
void inject_free(struct inject *queue);

#endif
