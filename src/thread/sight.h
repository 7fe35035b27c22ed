/* sight.h - what can be seen of a thread without a lock, for thr_dump: see there. */

#ifndef THREAD_SIGHT_H
#define THREAD_SIGHT_H

#include "thread/thread.h"

struct sight {
    uint32_t number;
    uint32_t life;
    uint8_t origin;
    bool daemon;
    bool waits;
    uint64_t native;
    uint64_t native_id;
    struct wait_record wait; /* if it waits */
    char name[NAME_INLINE];
};

/* Whether there is a thread of this number that a person wants to see, and what is seen of it. */
bool sight_look(uint32_t number, struct sight *sight);

const char *sight_name(const struct sight *sight);

enum sight_holder { FREE, HELD, HELD_BY };

/* Who holds what a thread waits for: HELD_BY a number; or HELD by whom it is not known. */
enum sight_holder sight_holder(const struct wait_record *wait, uint32_t *number);

/* The thread that this one waits for, or 0. Looks at this one. */
uint32_t sight_next(uint32_t number, struct sight *sight);

#endif
