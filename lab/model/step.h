/* step.h - runs the threads of a world, one operation at a time. */

#ifndef MODEL_STEP_H
#define MODEL_STEP_H

#include "model/world.h"

/* -- On a thread of the world ------------------------------------------------------------------------------------- */

/* Where a thread says what it does next; and waits for the search to do it: its result. */
struct pending *step_pending(void);
uint64_t step_wait(void);

/* True and false: both are tried. */
bool step_choose(void);

/* The light half of a barrier, or its far half. */
void step_barrier(enum operation which);

/* Calls function(a, b) where it leaves nothing on the thread's stack. */
void step_aside(void (*function)(uintptr_t a, size_t b), uintptr_t a, size_t b);

/* Whether a thread of the world runs, and not the search itself. */
bool step_inside(void);

/* -- In the search ------------------------------------------------------------------------------------------------ */

enum event {
    EVENT_STEP,    /* the thread's pending operation, in one of its ways */
    EVENT_STRAY,   /* it wakes for no reason */
    EVENT_TIMEOUT, /* its deadline has passed */
    EVENT_TICK     /* time moves on */
};

struct choice {
    uint8_t event;
    uint8_t thread;
    uint8_t way;
};

/* Once: makes the threads. */
void step_setup(void);

/* An empty world of `count` threads, each of which will run `body`(its number), up to its first operation. */
void step_begin(int count, void (*body)(int thread));

/* Whether what a thread does next concerns nobody else, nor the clock: then nothing else need be tried before it. */
bool step_is_private(int thread);

/* All that can happen next; how many. The first is what the thread that ran last does, if it can. */
int step_choices(struct choice *choices, int capacity, int last);

/* Has it happen. */
void step(struct choice choice);

/* Whether anything but a stray wake can happen now. */
bool step_ended(void);

/* The state, as a number. */
uint64_t step_hash(void);

/* Brings a state into `buffer`, and back. */
size_t step_save(void *buffer);
void step_restore(const void *buffer);
size_t step_save_size(void);

#endif
