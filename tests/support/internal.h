/* internal.h - what the parts of the support share. */

#ifndef SUPPORT_INTERNAL_H
#define SUPPORT_INTERNAL_H

#include "support.h"

#include "os/os.h"

/* Blocks until *value is at least n; fails the test, with `what`, when that takes too long. */
void internal_wait(const char *file, int line, const char *what, const uint32_t *value, uint32_t n);

/* Raises *value and wakes who waits for that. Async-signal-safe. */
void internal_raise(uint32_t *value);

/* The same as support_limit, but on the system's clock, which does not stop. */
thr_time internal_limit(void);

#endif
