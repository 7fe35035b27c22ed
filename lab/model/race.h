/* race.h - accesses that no order of the program's keeps apart, and accesses to what is gone. */

#ifndef MODEL_RACE_H
#define MODEL_RACE_H

#include "model/world.h"

/* The running thread accesses `size` bytes: fails if another's access, one of the two not atomic and one a write, is not
 * ordered before it; if the memory was freed; or if it is in a frame of another thread that has returned. */
void race_access(uintptr_t at, size_t size, enum access kind);

/* Frees memory of `shared`: an access to all of it, and the last. */
void race_free(uintptr_t at, size_t size);

bool race_freed(uintptr_t at);

/* What the running thread did up to now is known to whoever learns what it knows, what it does later is not. */
void race_release(int thread);

/* Forgets accesses that everybody knows, and numbers the epochs anew. */
void race_tidy(void);

/* Forgets accesses to [at, at + size). */
void race_forget(uintptr_t at, size_t size);

uint64_t race_hash(void);

#endif
