/* access.h - what the two halves of the entry points share. */

#ifndef LAB_TSAN_ACCESS_H
#define LAB_TSAN_ACCESS_H

#include "threading/lab.h"

/* An access to this address is about to be made. */
void tsan_step(const volatile void *address);

#endif
