/* crew.h - the threads of the timer service.
 *
 * All of this is called by holders of the service's lock, unless it says otherwise. */

#ifndef THREAD_CREW_H
#define THREAD_CREW_H

#include "thread/service.h"

/* -- crew.c: who looks at the queue ------------------------------------------------------------------------------- */

/* What a thread of the service sits on. Seats are never freed, so a late wake of one does no harm. */
struct seat {
    uint32_t word; /* grows to wake its thread */
    bool parked;
    struct seat *below; /* in the stack of parked ones */
    thr_timer *timer;   /* whose callback it runs */
};

/* There is a thread, or there is one now; else THR_NO_THREAD. */
thr_result crew_ready(void);

/* Sees to it that somebody looks at the queue at this time, or earlier. */
void crew_expect(thr_time when);

/* For the thread of the seat. True: it has a timer to run; false: it should end. May give up the lock for a time. */
bool crew_next(struct seat *seat);

/* Its timer's callback has ended. */
void crew_finish(struct seat *seat);

/* It ends. With `urgent` it sees to it that another looks at the queue, whatever that takes. */
void crew_leave(struct seat *seat, bool urgent);

/* In a fork's child: there are no threads; `gone` is called with each timer that they were running. */
void crew_sweep(void (*gone)(thr_timer *timer));

/* How many threads there are. */
unsigned crew_threads(void);

/* -- serve.c: what a thread does; without the lock ---------------------------------------------------------------- */

/* The function of the threads. */
void *serve(void *seat);

/* The timer whose callback runs on the calling thread, or NULL. */
thr_timer *serve_current(void);

/* In a fork's child, at once: what the calling thread does is no callback any more. */
void serve_forked(void);

#endif
