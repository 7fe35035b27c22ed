/* litmus.h - the search tried on small programs of which C11 says what they may do. */

#ifndef MODEL_LITMUS_H
#define MODEL_LITMUS_H

#include <stdbool.h>

/* Searches each program, and compares what it can end with with what it should. Prints a line for each; false: something
 * was found that must not be, or not found that should be. */
bool litmus_check(void);

#endif
