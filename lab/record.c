/* record.c - see record.h.
 *
 * Where each step was made (the stack) is written down only in runs that are made for a report: the unwinder takes a
 * multiple of the time of all else. */

#include "lab/record.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unwind.h>

#include "lab/control.h"
#include "lab/strategy.h"

/* -- Places ------------------------------------------------------------------------------------------------------- */

struct walk {
    void **frames;
    uint32_t n;
    uint32_t limit;
};

static _Unwind_Reason_Code walk_on(struct _Unwind_Context *context, void *arg)
{
    struct walk *walk = arg;
    if (walk->n == walk->limit)
        return _URC_END_OF_STACK;
    int before = 0;
    uintptr_t address = _Unwind_GetIPInfo(context, &before);
    /* The call, not where it returns to: that may be another line. */
    walk->frames[walk->n++] = (void *)(address - (before ? 0 : 1)); // NOLINT(performance-no-int-to-ptr)
    return _URC_NO_REASON;
}

uint32_t record_frames(void **frames, uint32_t limit)
{
    struct walk walk = {frames, 0, limit};
    (void)_Unwind_Backtrace(walk_on, &walk);
    return walk.n;
}

/* -- Steps -------------------------------------------------------------------------------------------------------- */

static void count(struct run *run, const struct strand *strand, const void *object)
{
    for (uint32_t i = 0; i < OBJECTS; i++) {
        struct tally *tally = &run->tally[i];
        if (i == run->tallies) {
            run->tallies++;
            memset(tally, 0, sizeof *tally);
            tally->object = object;
        }
        if (tally->object == object) {
            tally->total++;
            tally->by[strand->id]++;
            return;
        }
    }
}

void record_step(struct strand *strand, uint32_t operation, const void *object)
{
    struct run *run = control_run;
    if (operation != STEP_WAIT)
        history_step(strand, operation, object);
    if (operation < HOOK_OPERATIONS) {
        strand->touched++;
        if (object)
            count(run, strand, object);
    }
    run->events++;
    if (!run->plan.record)
        return;
    struct event *event = &run->event[strand->id][strand->events++ % EVENTS];
    event->number = run->events;
    event->strand = strand->id;
    event->operation = operation;
    event->object = object;
    event->call = operation == STEP_OUTSIDE ? strand->call : NULL;
    event->time = run->now;
    event->depth = record_frames(event->frames, FRAMES);
}

void record_decision(struct run *run, const struct strand *self, const struct strand *next, strand_set candidates,
                     uint32_t flags)
{
    if (flags & DECIDED_PREEMPTION)
        run->preemptions++;
    if (run->decisions == DECISIONS) {
        run->fair = true; /* no more can be written down: what follows needs none */
        return;
    }
    run->decision[run->decisions++] = (struct decision){
        .candidates = candidates,
        .turn = self->turn,
        .strand = (uint8_t)self->id,
        .chosen = (uint8_t)next->id,
        .operation = (uint8_t)self->operation,
        .flags = (uint8_t)flags,
    };
}

/* -- Crashes ------------------------------------------------------------------------------------------------------ */

static void crashed(int signal)
{
    struct run *run = control_run;
    if (run && control_self) {
        outside_enter(); /* the unwinder's own calls are no steps of the program */
        run->culprit = control_self->id;
        run->crash_depth = record_frames(run->crash_frames, FRAMES);
        stuck_describe();
    }
    (void)raise(signal); /* the handler is the default again */
}

static void watch(int signal)
{
    struct sigaction action;
    if (sigaction(signal, NULL, &action) != 0 || action.sa_handler != SIG_DFL)
        return;
    memset(&action, 0, sizeof action);
    action.sa_handler = crashed;
    action.sa_flags = (int)(SA_RESETHAND | SA_NODEFER);
    (void)sigaction(signal, &action, NULL);
}

void record_begin(struct run *run)
{
    static const int deadly[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    run->culprit = STRANDS;
    if (!run->plan.record)
        return;
    for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++)
        watch(deadly[i]);
}
