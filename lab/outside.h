/* outside.h - what the files share that stand in for calls of the C library (outside.c). */

#ifndef LAB_OUTSIDE_H
#define LAB_OUTSIDE_H

#include <poll.h>
#include <stdint.h>
#include <time.h>

#include "lab/control.h"
#include "lab/real.h"

#define EXPORT __attribute__((visibility("default")))
#define NANOSECONDS ((thr_time)1000000000)

/* The calling strand; NULL: this call is none of ours. */
struct strand *outside_self(void);

/* A deadline by the wall clock or the monotonic one, whichever it is: in a run they are decades apart. */
thr_time outside_deadline(const struct timespec *until);

static inline bool outside_is_time(const struct timespec *time)
{
    return time->tv_nsec >= 0 && time->tv_nsec < NANOSECONDS;
}

/* What sleepers for this object sleep on: its address, whatever is there. */
static inline const uint32_t *outside_word(const void *object)
{
    return object;
}

/* The strand is about to make this call, which may be steered: others may go on before it. */
void outside_point(struct strand *self, const char *name, const void *object);

/* Others go on until one of the files is ready, the deadline has passed, or nobody else can move. The call itself has then
 * to be made. */
void outside_await(const char *name, struct pollfd *files, nfds_t n, thr_time deadline);
void outside_await_input(const char *name, int file);
thr_time outside_after(int milliseconds);

/* Sleeps until the object may be free, in which the C library writes down who has it. */
static inline enum os_wait_end outside_wait_for(struct strand *self, const void *object, const int *owner,
                                                thr_time deadline)
{
    self->owner = owner;
    enum os_wait_end end = control_wait(self, outside_word(object), OS_ANY, deadline);
    self->owner = NULL;
    return end;
}

/* Gives the handlers of a signal that was sent a moment. */
void outside_let_handlers_run(int signal);

void outside_alarms_begin(void);

/* Others may go on before this call, which may block; during it nobody can. */
void outside_passes(const char *name);

#endif
