/* local_keys.h - the keys of thr_locals.
 *
 *  bits of a key   meaning
 *  0..31           the index of the values in each thread's table; never 0
 *  32..63          how often this index has been given out: no key is ever the same as one before
 *
 * An index is free for another local after thr_local_destroy. One that has been given out 2^32 - 1 times is not used any
 * more. The caller's lock protects all of this. */

#ifndef THREAD_LOCAL_KEYS_H
#define THREAD_LOCAL_KEYS_H

#include <stdint.h>

/* A new key, or 0: no memory. */
uint64_t local_key_new(void);

/* Its index may be given out again. */
void local_key_free(uint64_t key);

#endif
