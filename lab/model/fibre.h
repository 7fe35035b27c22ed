/* fibre.h - stacks that the search switches between, each with the thread-local storage of a thread of its own.
 *
 * The library knows a thread by its thread-local variables, and by their address. So each fibre borrows those of a
 * system thread that was started for it and sleeps for ever: to switch is to change the stack pointer and the thread
 * pointer. */

#ifndef MODEL_FIBRE_H
#define MODEL_FIBRE_H

#include <stddef.h>
#include <stdint.h>

struct fibre {
    void *stack_pointer; /* while it does not run */
    uintptr_t thread_pointer;
};

/* Starts the system thread whose storage the fibre borrows; `prepare` runs on it once. */
void fibre_new(struct fibre *fibre, void (*prepare)(void *arg), void *arg);

/* Makes the calling thread's own stack a fibre, to come back to. */
void fibre_adopt(struct fibre *fibre);

/* Sets the fibre to the start of `function`, which must not return, on an empty stack that ends at `top`. */
void fibre_reset(struct fibre *fibre, char *top, void (*function)(void));

/* Goes on in `to`, until something switches back to `from`. */
void fibre_switch(struct fibre *from, const struct fibre *to);

/* Calls function(a, b) on another stack, which ends at `top`: nothing of it is left on this one. */
void fibre_call(char *top, void (*function)(uintptr_t a, size_t b), uintptr_t a, size_t b);

#endif
