/* clock.c - virtual time.
 *
 * It begins at the same moment in each run: so whatever a program makes of the time, it makes again. */

#include "lab/clock.h"

#include "lab/alarms.h"
#include "lab/control.h"

#define START ((thr_time)1000000000000)            /* 1000 s after the system came up */
#define WALL_AHEAD ((thr_time)1767225600000000000) /* 2026-01-01, less START */
#define NUDGE_FIRST ((thr_time)1000000)
#define NUDGE_LAST ((thr_time)1000000000000000)

static thr_time nudge;

thr_time clock_start(void)
{
    return START;
}

void clock_begin(struct run *run)
{
    run->now = START;
    run->pushed = 0;
    nudge = NUDGE_FIRST;
}

thr_time clock_wall(const struct run *run)
{
    return run->now + WALL_AHEAD;
}

static void time_out(struct strand *strand)
{
    strand->state = STRAND_READY;
    strand->end = OS_TIMEOUT;
}

static void end_waits(struct run *run)
{
    for (uint32_t i = 0; i < run->strands; i++) {
        struct strand *strand = &run->strand[i];
        if (strand->state == STRAND_WAITING && strand->deadline <= run->now)
            time_out(strand);
    }
}

/* To this time. */
static void move_on(struct run *run, thr_time time)
{
    if (time > run->now)
        run->now = time;
    end_waits(run);
    alarms_go_off(run);
}

bool clock_advance(struct run *run)
{
    thr_time next = THR_FOREVER;
    for (uint32_t i = 0; i < run->strands; i++) {
        const struct strand *strand = &run->strand[i];
        if (strand->state == STRAND_WAITING && strand->deadline < next)
            next = strand->deadline;
    }
    thr_time alarm = alarms_next(next == THR_FOREVER);
    if (alarm < next)
        next = alarm;
    if (next == THR_FOREVER)
        return false;
    move_on(run, next);
    return true;
}

void clock_nudge(struct run *run)
{
    if (clock_advance(run))
        return;
    if (run->now < THR_FOREVER / 2)
        run->now += nudge;
    run->pushed = run->now;
    if (nudge < NUDGE_LAST)
        nudge *= 2;
}

void clock_end_early(struct run *run, struct strand *strand)
{
    thr_time deadline = strand->deadline;
    if (deadline < run->now)
        strand->deadline = run->now;
    run->earlies++;
    move_on(run, deadline);
}
