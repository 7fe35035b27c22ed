/* control.h - one thread at a time: the strands of a run, and who of them goes on. */

#ifndef LAB_CONTROL_H
#define LAB_CONTROL_H

#include "lab/run.h"

/* The run that this process is; NULL where nothing is explored. */
extern struct run *control_run;

/* The strand that the calling thread is; NULL before it is under control, and after its end. */
extern __thread struct strand *control_self;

/* From now on the calling thread, the only one, is strand 0 of this run, and every operation of the library comes here. */
void control_begin(struct run *run);

/* The calling thread's strand. One that was not started under control waits here for its first turn. NULL: there are too
 * many threads, or it is inside this laboratory already. */
struct strand *control_enter(void);

/* Decides who goes on, and returns when that is the calling strand again. */
void control_decide(struct strand *self);

/* The calling strand is about to do this: decides, then writes the step down. */
void control_point(struct strand *self, uint32_t operation, const void *object);

/* The calling strand has done this, and others may go on now. */
void control_after(struct strand *self, uint32_t step);

/* Sleeps until a wake of the word, or the deadline. */
enum os_wait_end control_wait(struct strand *self, const uint32_t *word, uint32_t mask, thr_time deadline);

/* Wakes sleepers of the word, longest asleep first; how many. Decides nothing. */
uint32_t control_wake(const uint32_t *word, uint32_t count, uint32_t mask);

/* A native thread to be started, as os_thread_start() has it. */
struct control_thread {
    size_t stack_size;
    bool block_signals;
    void *(*function)(void *);
    void *arg;
    const thr_thread *made; /* by the library for the program; NULL: by the program itself, or for the library */
    const char *kind;       /* what it is called then, before a number */
};

/* Starts one under control. */
thr_result control_start(struct strand *self, os_thread *thread, const struct control_thread *what);

/* The same for a thread in which an alarm goes off; decides nothing. */
void control_start_alarm(const struct control_thread *what);

/* Blocks until the native thread takes no step any more. */
void control_join(struct strand *self, os_thread thread);

/* Ends the process of this run: this was found. The first finding counts. */
_Noreturn void control_found(thr_finding finding, const struct strand *culprit, const char *format, ...)
    THR_PRINTF(3, 4);

/* Ends the process of this run at once: a sanitizer would look at _exit() for what the program has left, in the middle of it. */
_Noreturn void control_end(int status);

/* The status of a process that ends so. */
enum { CONTROL_STATUS = 121 };

/* Whether the strand may take steps. If not, this is a handler of a signal: its operations are no decisions, and what it wakes
 * is woken soon. */
bool control_has_turn(const struct strand *self);
void control_wake_aside(const uint32_t *word, uint32_t count, uint32_t mask);

static inline bool control_has(strand_set set, const struct strand *strand)
{
    return (set >> strand->id & 1) != 0;
}

/* Those who came from outside, or were woken by a handler, since the last decision are among those who can go on. */
void control_let_in(void);

/* -- choose.c: who goes on ------------------------------------------------------------------------------------------ */

struct strategy;
extern const struct strategy *choose_strategy; /* the plan's */

/* A run begins. */
void choose_begin(const struct run *run);

/* Whether it lets others go first. */
bool choose_yields(const struct strand *self);

/* Who goes on now; time has moved on where it had to. */
struct strand *choose_next(struct run *run, struct strand *self);

/* -- system.c: the library's side ---------------------------------------------------------------------------------- */

extern const struct wait_system lab_system;

/* The program comes to its end: what has to be said of it then. */
void system_check_end(void);

/* -- outside.c: calls that are not the library's ------------------------------------------------------------------- */

/* Notes a call that is not under control. */
void outside_note(const char *name);

/* A run begins: notes what was so before it. */
void outside_begin(void);

/* Signals were sent, whose handlers may still be on their way. */
extern bool outside_signals;

/* Between the two, the calling thread's calls of the C library are the laboratory's own. */
void outside_enter(void);
void outside_leave(void);

/* Whether the calling thread is in the laboratory's own code, or stopped there. */
bool outside_inside(void);

/* -- history.c: what has happened before, as hashes ---------------------------------------------------------------- */

void history_born(struct strand *strand, const struct strand *parent);
/* The strand has done this to this object (NULL: to none). */
void history_step(struct strand *strand, uint32_t operation, const void *object);
/* Something of `from` is known to the strand now: it was woken by it, or has joined it. */
void history_learn(struct strand *strand, uint64_t from);
/* All of it, up to the order of independent steps. */
uint64_t history_state(void);
uint64_t history_mix(uint64_t a, uint64_t b);

/* -- stuck.c ------------------------------------------------------------------------------------------------------- */

/* Nobody can move, and no deadline is left. Returns if somebody may come from outside. */
void stuck_check(void);
/* All had many turns: returns if none of them wait for each other since the last call. */
void stuck_circle(void);
/* Only daemons have moved, for long. */
_Noreturn void stuck_but_daemons(void);
/* It takes too many steps. */
_Noreturn void stuck_running(struct strand *self);
/* What a strand waits for that waits in a call that is not the library's. */
const char *stuck_outside_kind(const struct strand *strand);
/* Writes down what each strand waits for. */
void stuck_describe(void);

#endif
