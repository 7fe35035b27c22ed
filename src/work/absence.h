/* absence.h - a worker that sleeps in a task, for a future or a group, gives its place to another for that time.
 *
 *     wait_begin(&wait, ...);
 *     absence_begin(&absence);
 *     ... absence_block(&absence, &wait, &word, expected) as long as it must ...
 *     absence_end(&absence);
 *     wait_end(&wait);
 *
 * In a thread that is no worker these do nothing more than wait_block does; nor in an initializer: whoever came instead would
 * have to run that first, and wait in it as well. */

#ifndef WORK_ABSENCE_H
#define WORK_ABSENCE_H

#include "wait/wait.h"

struct absence {
    struct worker *worker; /* that is absent; NULL: none */
    bool covered;          /* somebody does its work, or there is none */
};

void absence_begin(struct absence *absence);

/* As wait_block. Where no other worker could be had, it wakes now and then to try again. */
thr_result absence_block(struct absence *absence, struct wait *wait, const uint32_t *word, uint32_t expected);

/* The two halves of it, for who sleeps otherwise: before, *wait gets an earlier deadline if it must, and the one that it
 * had is returned; after, that is put back. */
thr_time absence_before(const struct absence *absence, struct wait *wait);
thr_result absence_after(struct absence *absence, struct wait *wait, thr_time deadline, thr_result result);

void absence_end(struct absence *absence);

#endif
