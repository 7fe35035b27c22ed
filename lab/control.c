/* control.c - one thread at a time; the states of a strand are in run.h.
 *
 * C1  Exactly one strand runs: the one that was given the token last. Everything in `struct run`, and all of this file's
 *     state, is touched by it alone; handing the token over orders that.
 * C2  A strand decides who goes on: itself, or another; then it sleeps on its own token until it is decided for it.
 * C3  What is decided depends on the plan and on what happened before in this run, and on nothing else. So the same plan
 *     leads to the same run, as far as the program does the same under the same schedule.
 * C4  Time moves only when nobody can run, to the earliest deadline: or when all who can run only ask and yield; or when
 *     everybody has had many turns (`fair`); or in an early end that was decided for.
 * C5  A thread that was not started here is not part of the run until it comes to an operation of the library: it then
 *     queues in `comers`, the one thing here that is touched without the token.
 *
 * Order: the store of a token is a release and pairs with the acquire load of who wakes up with it. */

#include "lab/control.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lab/clock.h"
#include "lab/record.h"
#include "lab/strategy.h"
#include "lab/unseen.h"

enum {
    ASIDE = 64,       /* wakes by handlers that wait */
    END_ROUNDS = 4,   /* of the C library's thread-end destructors */
    CIRCLE = 1 << 14, /* fair steps after which it is looked whether some wait for each other */
    NUDGE = 64        /* fair steps for each strand after which time moves on */
};

struct run *control_run;
__thread struct strand *control_self;

static pthread_key_t end_key;
static uint64_t arrivals;
static uint64_t daemon_steps;

/* -- The token ---------------------------------------------------------------------------------------------------- */

static void token_give(struct strand *to)
{
    outside_enter();
    store_release(&to->token, 1);
    (void)syscall(SYS_futex, &to->token, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    outside_leave();
}

static void token_await(struct strand *self)
{
    outside_enter();
    while (load_acquire(&self->token) == 0)
        (void)syscall(SYS_futex, &self->token, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    store_relaxed(&self->token, 0);
    outside_leave();
}

/* -- Strands ------------------------------------------------------------------------------------------------------ */

/* The place of one that has ended. */
static struct strand *strand_again(struct run *run)
{
    uint32_t i = 0;
    while (i < STRANDS && run->strand[i].state != STRAND_GONE)
        i++;
    if (i == STRANDS) {
        run->crowded = true;
        control_end(CONTROL_STATUS);
    }
    struct strand *strand = &run->strand[i];
    const struct strand old = *strand;
    memset(strand, 0, sizeof *strand);
    strand->id = old.id;
    strand->turn = old.turn;
    strand->events = old.events;
    return strand;
}

/* A place for one more: a fresh one, or that of one that has ended. */
static struct strand *strand_new(const struct strand *parent)
{
    struct run *run = control_run;
    struct strand *strand;
    if (run->strands < STRANDS) {
        strand = &run->strand[run->strands];
        memset(strand, 0, sizeof *strand);
        strand->id = run->strands++;
    } else {
        strand = strand_again(run);
    }
    strand->state = STRAND_READY;
    strand->parent = parent ? parent->id : 0;
    strand->operation = HOOK_THREAD_BEGIN;
    history_born(strand, parent);
    choose_strategy->born(run, strand);
    return strand;
}

struct start {
    struct strand *strand;
    void *(*function)(void *);
    void *arg;
};

static struct start starts[STRANDS];

static void *begin(void *arg)
{
    const struct start *start = arg;
    control_self = start->strand;
    start->strand->system_id = gettid();
    (void)pthread_setspecific(end_key, start->strand);
    token_await(start->strand);
    return start->function(start->arg);
}

static void gone(struct strand *self)
{
    struct run *run = control_run;
    outside_enter();
    self->state = STRAND_GONE;
    for (uint32_t i = 0; i < run->strands; i++) {
        struct strand *other = &run->strand[i];
        if (other->state == STRAND_JOINING && other->target == self->id) {
            other->state = STRAND_READY;
            history_learn(other, self->hash);
        }
    }
    record_step(self, STEP_GONE, NULL);
    self->operation = STEP_GONE;
    control_decide(self);
    control_self = NULL;
    outside_leave();
}

/* In the last round of the destructors: the library's own are before it. ThreadSanitizer takes its state of the thread down in
 * that round, after which nothing may be called that it looks at: then it is the round before, after the library's key. */
static void at_thread_end(void *arg)
{
    static __thread int rounds;
    if (++rounds < END_ROUNDS - unseen_needed())
        (void)pthread_setspecific(end_key, arg);
    else if (control_self)
        gone(arg);
}

/* -- Those who come from outside ---------------------------------------------------------------------------------- */

struct comer {
    struct strand *strand;
    struct comer *next;
    uint32_t let_in; /* 1: is a strand, 2: is none */
};

static struct comer *comers; /* the newest first; taken whole */

static void let_in(struct comer *comer)
{
    comer->strand = strand_new(NULL);
    comer->strand->foreign = true;
    comer->strand->daemon = true;
    store_release(&comer->let_in, 1);
    (void)syscall(SYS_futex, &comer->let_in, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void let_comers_in(void)
{
    if (load_relaxed(&comers) == NULL)
        return;
    struct comer *comer = __atomic_exchange_n(&comers, NULL, __ATOMIC_ACQUIRE); /* pairs with come */
    while (comer) {
        struct comer *next = comer->next; /* it is on a stack that may be left */
        let_in(comer);
        comer = next;
    }
}

static struct strand *come(void)
{
    struct comer comer = {0};
    comer.next = load_relaxed(&comers);
    while (!cas_release(&comers, &comer.next, &comer)) /* pairs with let_comers_in */
        continue;
    while (load_acquire(&comer.let_in) == 0) /* pairs with let_in */
        (void)syscall(SYS_futex, &comer.let_in, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    outside_note("a thread that was not started under control");
    control_self = comer.strand;
    comer.strand->system_id = gettid();
    (void)pthread_setspecific(end_key, comer.strand);
    token_await(comer.strand);
    return comer.strand;
}

struct strand *control_enter(void)
{
    return control_self ? control_self : come();
}

/* -- Handlers of signals ------------------------------------------------------------------------------------------ */

/* Wakes by a thread that does not have its turn: a handler of a signal that came while it was stopped. Done at the next
 * decision of whoever has. */
static struct {
    const uint32_t *word;
    uint32_t count;
    uint32_t mask;
    uint32_t full; /* 0: free; 1: is filled; 2: to be done */
} aside[ASIDE];

bool control_has_turn(const struct strand *self)
{
    return load_relaxed(&control_run->running) == self->id && !outside_inside();
}

void control_wake_aside(const uint32_t *word, uint32_t count, uint32_t mask)
{
    outside_signals = true;
    for (uint32_t i = 0; i < ASIDE; i++) {
        uint32_t expected = 0;
        if (!cas_acquire(&aside[i].full, &expected, 1))
            continue;
        aside[i].word = word;
        aside[i].count = count;
        aside[i].mask = mask;
        store_release(&aside[i].full, 2); /* pairs with wake_those_aside */
        return;
    }
}

static void wake_those_aside(void)
{
    for (uint32_t i = 0; i < ASIDE; i++) {
        if (load_acquire(&aside[i].full) != 2) /* pairs with control_wake_aside */
            continue;
        (void)control_wake(aside[i].word, aside[i].count, aside[i].mask);
        store_release(&aside[i].full, 0);
    }
}

void control_let_in(void)
{
    let_comers_in();
    if (outside_signals)
        wake_those_aside();
}

/* -- A decision ---------------------------------------------------------------------------------------------------- */

/* Whether somebody that the process would wait for can still go on by itself. */
static bool only_daemons(const struct run *run)
{
    for (uint32_t i = 0; i < run->strands; i++) {
        const struct strand *strand = &run->strand[i];
        bool moves =
            strand->state == STRAND_READY || (strand->state == STRAND_WAITING && strand->deadline != THR_FOREVER);
        if (!strand->daemon && moves)
            return false;
    }
    return true;
}

static void count_step(struct run *run, struct strand *self)
{
    run->steps++;
    self->turn++;
    if (run->steps > run->plan.limit)
        run->fair = true;
    if (run->fair && run->steps % ((uint64_t)NUDGE * run->strands) == 0)
        clock_nudge(run);
    if (run->fair && run->steps % CIRCLE == 0)
        stuck_circle();
    if (run->steps > run->plan.end)
        stuck_running(self);
    daemon_steps = only_daemons(run) ? daemon_steps + 1 : 0;
    if (daemon_steps > run->plan.limit)
        stuck_but_daemons();
}

void control_decide(struct strand *self)
{
    struct run *run = control_run;
    unseen_begin();
    count_step(run, self);
    if (choose_yields(self))
        choose_strategy->yielded(run, self);
    struct strand *next = choose_next(run, self);
    unseen_end();
    if (next == self)
        return;
    run->running = next->id;
    run->switches++;
    bool ends = self->state == STRAND_GONE;
    token_give(next);
    if (!ends)
        token_await(self);
}

void control_point(struct strand *self, uint32_t operation, const void *object)
{
    bool asks = operation == HOOK_LOOK || operation == HOOK_YIELD;
    outside_enter();
    self->idle = asks ? self->idle + 1 : 0;
    self->reads = 0;
    self->operation = operation;
    self->object = object;
    control_decide(self);
    record_step(self, operation, object);
    choose_strategy->stepped(control_run, self, object);
    outside_leave();
}

void control_after(struct strand *self, uint32_t step)
{
    outside_enter();
    self->operation = step;
    self->idle = 0;
    record_step(self, step, NULL);
    control_decide(self);
    outside_leave();
}

/* -- Waiting ------------------------------------------------------------------------------------------------------ */

enum os_wait_end control_wait(struct strand *self, const uint32_t *word, uint32_t mask, thr_time deadline)
{
    struct run *run = control_run;
    if (deadline <= run->now)
        return OS_TIMEOUT;
    self->idle = 0;
    run->timed = run->timed || deadline != THR_FOREVER;
    self->word = word;
    self->mask = mask;
    self->deadline = deadline;
    self->arrival = ++arrivals;
    self->state = STRAND_WAITING;
    outside_enter();
    record_step(self, STEP_WAIT, NULL);
    control_decide(self);
    outside_leave();
    if (self->end == OS_TIMEOUT)
        history_learn(self, (uint64_t)run->now);
    return (enum os_wait_end)self->end;
}

static struct strand *oldest_sleeper(struct run *run, const uint32_t *word, uint32_t mask)
{
    struct strand *oldest = NULL;
    for (uint32_t i = 0; i < run->strands; i++) {
        struct strand *strand = &run->strand[i];
        if (strand->state == STRAND_WAITING && strand->word == word && strand->mask & mask &&
            (!oldest || strand->arrival < oldest->arrival))
            oldest = strand;
    }
    return oldest;
}

uint32_t control_wake(const uint32_t *word, uint32_t count, uint32_t mask)
{
    struct run *run = control_run;
    uint32_t woken = 0;
    while (woken < count) {
        struct strand *strand = oldest_sleeper(run, word, mask);
        if (!strand)
            break;
        strand->state = STRAND_READY;
        strand->end = OS_WOKEN;
        if (control_self)
            history_learn(strand, control_self->hash);
        woken++;
    }
    return woken;
}

/* -- Native threads ----------------------------------------------------------------------------------------------- */

static void name_strand(struct strand *strand, const struct control_thread *what)
{
    const thr_thread *made = what->made;
    strand->thread = made;
    strand->daemon = made && lab_library->daemon(made);
    strand->begun = !made; /* of these nothing tells */
    if (made)
        (void)lab_library->name(made, strand->name, sizeof strand->name);
    else
        (void)snprintf(strand->name, sizeof strand->name, "%s-%u", what->kind, strand->id);
}

thr_result control_start(struct strand *self, os_thread *thread, const struct control_thread *what)
{
    struct strand *strand = strand_new(self);
    starts[strand->id] = (struct start){strand, what->function, what->arg};
    name_strand(strand, what);
    outside_enter();
    thr_result result =
        lab_library->os->start(thread, what->stack_size, what->block_signals, begin, &starts[strand->id]);
    outside_leave();
    if (result != THR_OK) {
        strand->state = STRAND_GONE;
        return result;
    }
    strand->native = *thread;
    control_after(self, STEP_STARTED);
    return THR_OK;
}

void control_start_alarm(const struct control_thread *what)
{
    struct strand *strand = strand_new(NULL);
    starts[strand->id] = (struct start){strand, what->function, what->arg};
    name_strand(strand, what);
    strand->daemon = true;
    outside_enter();
    if (lab_library->os->start(&strand->native, what->stack_size, what->block_signals, begin, &starts[strand->id]) !=
        THR_OK)
        strand->state = STRAND_GONE;
    else
        (void)pthread_detach((pthread_t)strand->native);
    outside_leave();
}

void control_join(struct strand *self, os_thread thread)
{
    struct run *run = control_run;
    for (uint32_t i = 0; i < run->strands; i++) {
        struct strand *other = &run->strand[i];
        if (other->state == STRAND_UNUSED || other->state == STRAND_GONE || other == self || other->native != thread)
            continue;
        self->state = STRAND_JOINING;
        self->target = other->id;
        self->operation = STEP_JOIN;
        outside_enter();
        control_decide(self);
        outside_leave();
        return;
    }
}

/* -- The beginning, and the end ----------------------------------------------------------------------------------- */

/* In a child that the program forks nothing is steered. */
static void in_fork(void)
{
    control_run = NULL;
    control_self = NULL;
    lab_library->hook(HOOK_NOBODY);
    *lab_library->system = lab_library->os;
}

static void before_fork(void)
{
    if (control_run)
        outside_note("fork");
}

void control_begin(struct run *run)
{
    control_run = run;
    arrivals = 0;
    daemon_steps = 0;
    comers = NULL;
    choose_begin(run);
    given_begin(run);
    clock_begin(run);
    record_begin(run);
    outside_begin();
    if (pthread_key_create(&end_key, at_thread_end) != 0 || pthread_atfork(before_fork, NULL, in_fork) != 0)
        control_found(THR_FOUND_HANG, NULL, "no key for thread-specific data is left");
    struct strand *self = strand_new(NULL);
    self->main = true;
    self->begun = true;
    self->native = (os_thread)pthread_self();
    self->system_id = gettid();
    (void)snprintf(self->name, sizeof self->name, "MainThread");
    control_self = self;
    (void)pthread_setspecific(end_key, self);
    *lab_library->system = &lab_system;
    lab_library->hook(HOOK_STEERED);
}

void control_found(thr_finding finding, const struct strand *culprit, const char *format, ...)
{
    struct run *run = control_run;
    outside_enter();
    unseen_begin();
    if (run->finding == THR_FOUND_NOTHING) {
        va_list arguments;
        va_start(arguments, format);
        (void)vsnprintf(run->message, sizeof run->message, format, arguments);
        va_end(arguments);
        run->finding = finding;
        run->culprit = culprit ? culprit->id : STRANDS;
        run->hash = history_state();
        stuck_describe();
        if (run->plan.stop) {
            lab_print("threading: %s\n", run->message);
            (void)raise(SIGTRAP);
        }
    }
    control_end(CONTROL_STATUS);
}

void control_end(int status)
{
    for (;;)
        (void)syscall(SYS_exit_group, status);
}
