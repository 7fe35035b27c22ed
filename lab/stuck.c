/* stuck.c - when a run does not go on: a deadlock, or steps without an end.
 *
 * Nobody can run and there is no deadline        a deadlock
 * only daemons have moved for many steps         a deadlock: they do not help
 * some wait for each other in a circle, while     a deadlock: others poll, say
 *   all others had many turns
 * all have had their turns for very long          a livelock
 *
 * The first is certain, but for threads that are outside of control and may still come (stuck_check waits for them, as
 * long as the watchdog lets it). The others are judged by a number of steps that is far above what the program was seen to
 * need, and in which everybody had his turn: a program that polls has ended by then. */

#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lab/control.h"
#include "lab/holders.h"

/* -- What each waits for ------------------------------------------------------------------------------------------ */

/* It waits in a call that is not the library's. */
static void describe_outside(struct strand *strand)
{
    if (strand->state != STRAND_WAITING)
        return;
    strand->waits_kind = strand->operation == HOOK_SLEEP ? WAIT_SLEEP : WAIT_NOTHING;
    strand->waits_object = strand->owner ? (const void *)strand->word : strand->object;
}

static void describe(struct strand *strand)
{
    const struct wait_record *record = strand->record;
    strand->waits_kind = strand->state == STRAND_JOINING ? WAIT_JOIN : WAIT_NOTHING;
    strand->holders = 0;
    if (strand->state != STRAND_WAITING && strand->state != STRAND_JOINING)
        return;
    if (!record || record->kind == WAIT_NOTHING) {
        describe_outside(strand);
        return;
    }
    strand->waits_kind = record->kind;
    strand->waits_object = record->object;
    strand->since = record->since;
    strand->gives_up = record->deadline;
}

void stuck_describe(void)
{
    struct run *run = control_run;
    for (uint32_t i = 0; i < run->strands; i++)
        describe(&run->strand[i]);
    for (uint32_t i = 0; i < run->strands; i++) {
        if (run->strand[i].state == STRAND_WAITING || run->strand[i].state == STRAND_JOINING)
            holders_find(run, &run->strand[i]);
    }
}

/* -- In one line --------------------------------------------------------------------------------------------------- */

static const char *const kinds[] = {
    [WAIT_LOCK] = "a lock",
    [WAIT_RLOCK] = "an rlock",
    [WAIT_CONDITION] = "a condition",
    [WAIT_SEMAPHORE] = "a semaphore",
    [WAIT_EVENT] = "an event",
    [WAIT_BARRIER] = "a barrier",
    [WAIT_LATCH] = "a latch",
    [WAIT_ONCE] = "a once",
    [WAIT_READ] = "an rwlock (to read)",
    [WAIT_WRITE] = "an rwlock (to write)",
    [WAIT_TIMER] = "a timer",
    [WAIT_EXIT] = "the non-daemon threads",
    [WAIT_SLEEP] = "the clock",
    [WAIT_START] = "the first steps of a thread",
    [WAIT_PUT] = "room in a queue",
    [WAIT_GET] = "an item of a queue",
    [WAIT_DONE] = "a queue to be done",
    [WAIT_ANY_OF] = "any of several objects",
    [WAIT_FUTURE] = "a future",
    [WAIT_FUTURES] = "one of several futures",
    [WAIT_GROUP] = "the tasks of a group",
    [WAIT_WORK] = "work",
    [WAIT_EXECUTOR] = "the workers of an executor",
};

const char *stuck_outside_kind(const struct strand *strand)
{
    static const char *const calls[][2] = {
        {"pthread_mutex", "pthread mutex"},
        {"pthread_cond", "pthread condition"},
        {"pthread_rwlock_r", "pthread rwlock (to read)"},
        {"pthread_rwlock_w", "pthread rwlock (to write)"},
        {"pthread_spin", "pthread spin lock"},
        {"pthread_barrier", "pthread barrier"},
        {"pthread_once", "pthread once"},
        {"sem_", "POSIX semaphore"},
        {"futex", "futex"},
    };
    if (strand->owner && strand->call && strncmp(strand->call, "pthread_cond", 12) == 0)
        return calls[0][1]; /* it has been notified, and wants its mutex back */
    for (size_t i = 0; strand->call && i < sizeof calls / sizeof *calls; i++) {
        if (strncmp(strand->call, calls[i][0], strlen(calls[i][0])) == 0)
            return calls[i][1];
    }
    return "something";
}

/* With its article. */
static void kind_of(const struct strand *strand, char *text, size_t size)
{
    const char *kind = strand->waits_kind < sizeof kinds / sizeof *kinds ? kinds[strand->waits_kind] : NULL;
    if (strand->waits_kind == WAIT_NOTHING && strand->call)
        (void)snprintf(text, size, "a %s", stuck_outside_kind(strand));
    else
        (void)snprintf(text, size, "%s", kind ? kind : "something");
}

static void put_wait(const struct run *run, const struct strand *strand, char *text, size_t size)
{
    char by[NOTE / 2];
    char kind[64];
    size_t length = strlen(text);
    kind_of(strand, kind, sizeof kind);
    holders_names(run, strand, by, sizeof by);
    if (strand->waits_kind == WAIT_JOIN)
        (void)snprintf(text + length, size - length, "%s%s waits for the end of %s", length ? "; " : "", strand->name,
                       *by ? by : "another");
    else
        (void)snprintf(text + length, size - length, "%s%s waits for %s%s%s", length ? "; " : "", strand->name, kind,
                       !*by             ? ""
                       : strand->behind ? " behind "
                                        : " held by ",
                       by);
}

/* A circle of some that wait for each other, or else all that wait for ever, main last. */
static const struct strand *say_who_waits(struct run *run, char *text, size_t size)
{
    uint32_t circle[STRANDS];
    uint32_t n = 0;
    const struct strand *culprit = NULL;
    text[0] = '\0';
    stuck_describe();
    for (uint32_t i = 0; i < run->strands && n == 0; i++)
        n = holders_circle(run, i, circle);
    for (uint32_t i = 0; i < n; i++)
        put_wait(run, &run->strand[circle[i]], text, size);
    if (n > 0)
        return &run->strand[circle[0]];
    for (uint32_t i = 1; i <= run->strands; i++) {
        const struct strand *strand = &run->strand[i % run->strands];
        if (!holders_waits_for_ever(strand) || (strand->daemon && strand->begun))
            continue;
        put_wait(run, strand, text, size);
        culprit = culprit ? culprit : strand;
    }
    return culprit;
}

/* -- Verdicts ----------------------------------------------------------------------------------------------------- */

/* ThreadSanitizer has two threads of its own in a process that was forked: one from the fork, one from its first thread. */
static unsigned sanitizer_threads(void)
{
    return dlsym(RTLD_DEFAULT, "__tsan_java_init") ? 2 : 0;
}

/* One of ours, or one that was: it may be a moment after its last step. */
static bool is_strand(const struct run *run, pid_t thread)
{
    for (uint32_t i = 0; i < run->strands; i++) {
        if (run->strand[i].system_id == thread)
            return true;
    }
    return false;
}

/* Strands whose threads have not yet said which they are. */
static unsigned unborn(const struct run *run)
{
    unsigned n = 0;
    for (uint32_t i = 0; i < run->strands; i++)
        n += run->strand[i].state != STRAND_GONE && run->strand[i].system_id == 0;
    return n;
}

/* Whether the process has threads that never came to the library, and so may still do: the C library starts some for
 * timers that were asked to tell by a thread. */
static bool others_may_come(const struct run *run)
{
    unsigned strangers = 0;
    DIR *folder = opendir("/proc/self/task");
    if (!folder)
        return false;
    for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
        strangers += entry->d_name[0] != '.' && !is_strand(run, (pid_t)strtol(entry->d_name, NULL, 10));
    (void)closedir(folder);
    return strangers > unborn(run) + sanitizer_threads();
}

/* A handler may be on its way, and wake somebody: it has a moment. */
static bool signals_come(const struct run *run)
{
    static uint64_t waited; /* at this step */
    const struct timespec moment = {0, 5000000};
    if (waited == run->steps)
        return false;
    waited = run->steps;
    outside_enter();
    (void)nanosleep(&moment, NULL);
    outside_leave();
    return true;
}

void stuck_check(void)
{
    struct run *run = control_run;
    char who[NOTE];
    if (others_may_come(run)) {
        const struct timespec moment = {0, 1000000};
        outside_note("a thread that was not started under control");
        outside_enter();
        (void)nanosleep(&moment, NULL);
        outside_leave();
        return;
    }
    if (outside_signals && signals_come(run))
        return;
    const struct strand *culprit = say_who_waits(run, who, sizeof who);
    const struct strand *main = &run->strand[0];
    if (main->waits_kind == WAIT_EXIT)
        control_found(THR_FOUND_DEADLOCK, culprit, "deadlock at the end of the process, which waits for threads: %s",
                      who);
    control_found(THR_FOUND_DEADLOCK, culprit, "deadlock: %s", who);
}

void stuck_but_daemons(void)
{
    struct run *run = control_run;
    char who[NOTE];
    const struct strand *culprit = say_who_waits(run, who, sizeof who);
    control_found(THR_FOUND_DEADLOCK, culprit, "deadlock, in which only daemons still move: %s", who);
}

void stuck_circle(void)
{
    static uint64_t turns_before;
    struct run *run = control_run;
    uint32_t circle[STRANDS];
    char who[NOTE];
    uint32_t n = 0;
    uint64_t turns = 0;
    stuck_describe();
    for (uint32_t i = 0; i < run->strands && n == 0; i++)
        n = holders_circle(run, i, circle);
    for (uint32_t i = 0; i < n; i++)
        turns += run->strand[circle[i]].turn + ((uint64_t)circle[i] << 40);
    if (n == 0 || turns != turns_before) {
        turns_before = turns;
        return;
    }
    const struct strand *culprit = say_who_waits(run, who, sizeof who);
    control_found(THR_FOUND_DEADLOCK, culprit, "deadlock, beside threads that still move: %s", who);
}

void stuck_running(struct strand *self)
{
    struct run *run = control_run;
    char who[NOTE];
    (void)say_who_waits(run, who, sizeof who);
    control_found(THR_FOUND_LIVELOCK, self, "no end after %llu steps, though all had their turns%s%s",
                  (unsigned long long)run->steps, *who ? ": " : "", who);
}
