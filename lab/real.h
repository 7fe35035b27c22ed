/* real.h - the functions that ours stand in for. */

#ifndef LAB_REAL_H
#define LAB_REAL_H

#include <stdint.h>

/* The next one of that name, kept in a variable next_NAME: it is the C library's, or a sanitizer's. */
#define REAL(name) ((__typeof__(&(name)))(uintptr_t)outside_real(&next_##name, #name))

void *outside_real(void **next, const char *name);

#endif
