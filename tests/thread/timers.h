/* timers.h - what the tests of timers share: callbacks that count their runs, and may block in them. */

#ifndef THREAD_TIMERS_H
#define THREAD_TIMERS_H

#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "thread/crew.h"
#include "wait/atomic.h"

#define MS 1000000 /* nanoseconds */

/* A callback that counts its runs, and may block in them. */
struct runs {
    struct support_count begun;
    struct support_count ended;
    thr_time not_before;
    thr_event go; /* set from the beginning, unless the callback should block */
    uint32_t inside;
};

static struct support_count all_begun;

static inline void runs_init(struct runs *runs, bool block)
{
    *runs = (struct runs){.go = THR_EVENT_INIT};
    if (!block)
        thr_event_set(&runs->go);
}

static inline void run(void *arg)
{
    struct runs *runs = arg;
    CHECK_PASSED(runs->not_before);
    CHECK_EQUAL(add_acq_rel(&runs->inside, 1), 0); /* one run at a time */
    support_count_add(&runs->begun);
    support_count_add(&all_begun);
    CHECK_OK(thr_event_wait(&runs->go));
    CHECK_EQUAL(sub_acq_rel(&runs->inside, 1), 1);
    support_count_add(&runs->ended);
}

static inline thr_timer *timer_of(struct runs *runs, double seconds, bool repeat)
{
    thr_timer *timer;
    CHECK_OK(thr_timer_new(&timer, seconds, run, runs, .repeat = repeat));
    return timer;
}

static inline thr_timer *started(struct runs *runs, double seconds, bool repeat)
{
    thr_timer *timer = timer_of(runs, seconds, repeat);
    CHECK_OK(thr_timer_start(timer));
    return timer;
}

struct again {
    thr_timer *timer;
    unsigned left;
};

#endif
