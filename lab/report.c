/* report.c - what a person reads: the progress of a search, and why it failed. All goes to standard error. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lab/search.h"
#include "lab/symbols.h"
#include "wait/kinds.h"

enum { LAST = 12 /* steps of each thread */, CELL_MAX = 60, TAIL = 2048, NAMED = 64, SHOWN = 8 /* columns */ };

/* No stdio buffers: the children of a search are copies of this process. */
static void say(const char *format, ...) THR_PRINTF(1, 2);

static void say(const char *format, ...)
{
    char line[4096];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (length > 0)
        (void)!write(STDERR_FILENO, line, (size_t)length < sizeof line ? (size_t)length : sizeof line - 1);
}

/* -- Progress ----------------------------------------------------------------------------------------------------- */

void report_progress(struct search *search, bool end)
{
    static int terminal = -1;
    if (!search->progress)
        return;
    if (terminal < 0)
        terminal = isatty(STDERR_FILENO);
    if (!terminal && !end)
        return;
    double seconds = (double)(lab_library->os->now() - search->start) / 1e9;
    say("%s%llu schedules, %.0f a second, %llu distinct, %.1f s%s%s", terminal ? "\r" : "",
        (unsigned long long)search->schedules, seconds > 0 ? (double)search->schedules / seconds : 0.0,
        (unsigned long long)search->distinct, seconds,
        end && search->complete && search->first == 0 ? "; searched completely" : "", end ? "\n" : "   ");
}

/* -- Names -------------------------------------------------------------------------------------------------------- */

static struct {
    const void *address;
    char name[64];
} named[NAMED];

static uint32_t named_count;

/* An object: its symbol, or @1, @2, ... */
static const char *name_of(const void *address)
{
    if (!address)
        return "";
    for (uint32_t i = 0; i < named_count; i++) {
        if (named[i].address == address)
            return named[i].name;
    }
    if (named_count == NAMED)
        return "...";
    char *name = named[named_count].name;
    if (!symbols_object(address, name, sizeof named->name))
        (void)snprintf(name, sizeof named->name, "@%u", named_count + 1);
    named[named_count++].address = address;
    return name;
}

static const char *const kinds[] = {
    WAIT_KIND_NAMES,
    [WAIT_NOTHING] = "an object of pthreads:",
    [WAIT_FUTURES] = "one of the futures in",
    [WAIT_WORK] = "work, from",
};

static const struct event *event_at(const struct run *run, uint64_t number)
{
    return &run->event[(number - 1) % EVENTS];
}

static uint64_t first_event(const struct run *run)
{
    return run->events > EVENTS ? run->events - EVENTS + 1 : 1;
}

/* The last operation of the library, or call of another, that a strand has begun. */
static const struct event *last_operation(const struct run *run, uint32_t strand, uint32_t operation,
                                          const void *object)
{
    for (uint64_t number = run->events; run->events > 0 && number >= first_event(run); number--) {
        const struct event *event = event_at(run, number);
        bool call = event->operation < HOOK_OPERATIONS || event->operation == STEP_OUTSIDE;
        if (event->strand == strand && call &&
            (operation == HOOK_OPERATIONS || (event->operation == operation && event->object == object)))
            return event;
    }
    return NULL;
}

static void resolve_all(const struct run *run)
{
    enum { ADDRESSES = 1 << 16 };
    void **all = calloc(ADDRESSES, sizeof *all);
    size_t n = 0;
    if (!all)
        return;
    uint64_t first = run->events > 400 ? run->events - 400 : 1;
    for (uint64_t number = first > first_event(run) ? first : first_event(run); number <= run->events; number++) {
        const struct event *event = event_at(run, number);
        for (uint32_t i = 0; i < event->depth && n < ADDRESSES; i++)
            all[n++] = event->frames[i];
    }
    for (uint32_t i = 0; i < run->crash_depth && n < ADDRESSES; i++)
        all[n++] = run->crash_frames[i];
    for (uint32_t i = 0; i < run->strands; i++) {
        const struct event *event = last_operation(run, i, HOOK_OPERATIONS, NULL);
        for (uint32_t j = 0; event && j < event->depth && n < ADDRESSES; j++)
            all[n++] = event->frames[j];
    }
    symbols_resolve(all, n);
    free(all);
}

/* -- Threads ------------------------------------------------------------------------------------------------------ */

static const char *strand_name(const struct strand *strand)
{
    if (*strand->name)
        return strand->name;
    return strand->foreign ? "(foreign)" : "(no name)";
}

static void say_place(const struct event *event)
{
    char place[256];
    if (!event)
        return;
    symbols_resolve(event->frames, event->depth);
    if (symbols_call(event->frames, event->depth, place, sizeof place))
        say(", at %s", place);
}

static void say_wait(const struct run *run, const struct strand *strand)
{
    const char *kind = strand->waits_kind < sizeof kinds / sizeof *kinds ? kinds[strand->waits_kind] : NULL;
    const char *by = strand->holder ? strand_name(&run->strand[strand->holder - 1]) : NULL;
    switch (strand->waits_kind) {
    case WAIT_JOIN:
        say("waits for the end of %s", by ? by : "a thread");
        break;
    case WAIT_START:
        say("waits for the first steps of %s", by ? by : "a thread");
        break;
    case WAIT_EXIT:
        say("waits for the non-daemon threads, to end the process");
        return;
    case WAIT_SLEEP:
        say("sleeps");
        break;
    case WAIT_NOTHING:
        if (!strand->waits_object) { /* it was not looked at: the run was ended from outside */
            say("waits");
            return;
        }
        /* fallthrough */
    default:
        say("waits for %s %s", kind ? kind : "something", name_of(strand->waits_object));
        if (by)
            say(", held by %s", by);
    }
    if (strand->since != 0)
        say(", for %.3f s", (double)(run->now - strand->since) / 1e9);
    if (strand->since != 0 && strand->gives_up != THR_FOREVER)
        say(", gives up in %.3f s", (double)(strand->gives_up - run->now) / 1e9);
}

static uint32_t acquire_of(uint32_t kind)
{
    switch (kind) {
    case WAIT_RLOCK:
        return HOOK_RLOCK_ACQUIRE;
    case WAIT_READ:
    case WAIT_WRITE:
        return HOOK_WRITE_ACQUIRE;
    default:
        return HOOK_LOCK_ACQUIRE;
    }
}

/* What others wait for that this one has. */
static void say_held(const struct run *run, const struct strand *strand)
{
    for (uint32_t i = 0; i < run->strands; i++) {
        const struct strand *other = &run->strand[i];
        bool lock = other->owner || other->waits_kind == WAIT_LOCK || other->waits_kind == WAIT_RLOCK ||
                    other->waits_kind == WAIT_WRITE || other->waits_kind == WAIT_READ;
        if (other->holder != strand->id + 1 || !lock)
            continue;
        say("\n  %-18s holds %s %s", "", kinds[other->waits_kind], name_of(other->waits_object));
        say_place(last_operation(run, strand->id, acquire_of(other->waits_kind), other->waits_object));
    }
}

static const char *how_ready(const struct run *run, const struct strand *strand)
{
    if (strand->id == run->running)
        return "runs";
    return strand->begun || strand->main ? "can run" : "has not begun";
}

static void say_threads(const struct run *run)
{
    say("\nThreads\n");
    for (uint32_t i = 0; i < run->strands; i++) {
        const struct strand *strand = &run->strand[i];
        say("  %-18s ", strand_name(strand));
        if (strand->state == STRAND_GONE) {
            say("has ended\n");
            continue;
        }
        if (strand->state == STRAND_READY)
            say("%s", how_ready(run, strand));
        else
            say_wait(run, strand);
        say_place(last_operation(run, i, HOOK_OPERATIONS, NULL));
        if (strand->daemon)
            say(" (daemon)");
        say_held(run, strand);
        say("\n");
    }
}

/* -- Columns ------------------------------------------------------------------------------------------------------ */

static bool is_shown(const struct event *event)
{
    return event->operation != STEP_WAKE && event->operation != STEP_STARTED;
}

/* The number of the step from which on a strand's last steps are shown. */
static uint64_t shown_from(const struct run *run, uint32_t strand)
{
    uint32_t n = 0;
    for (uint64_t number = run->events; run->events > 0 && number >= first_event(run); number--) {
        const struct event *event = event_at(run, number);
        if (event->strand == strand && is_shown(event) && ++n == LAST)
            return number;
    }
    return first_event(run);
}

static void cell(const struct event *event, char *text, size_t size)
{
    char place[256] = "";
    if (event->operation == STEP_WAIT) {
        (void)snprintf(text, size, "  (sleeps)");
        return;
    }
    if (event->operation == STEP_GONE) {
        (void)snprintf(text, size, "  (ends)");
        return;
    }
    if (symbols_call(event->frames, event->depth, place, sizeof place))
        place[strcspn(place, " ")] = '\0';
    const char *name = event->operation == HOOK_THREAD_START || event->operation == HOOK_THREAD_JOIN ||
                               event->operation == HOOK_THREAD_BEGIN || event->operation == HOOK_THREAD_END
                           ? ""
                           : name_of(event->object);
    (void)snprintf(text, size, "%s%s%s %s", event->call ? event->call : operation_name(event->operation),
                   *name ? " " : "", name, place);
}

static void say_trimmed(const char *line, size_t length)
{
    while (length > 0 && line[length - 1] == ' ')
        length--;
    say("%.*s\n", (int)length, line);
}

static void say_row(const struct run *run, const struct event *event, strand_set columns, const int *widths)
{
    char line[4096];
    char text[CELL_MAX + 1];
    size_t length = (size_t)snprintf(line, sizeof line, "  %5llu ", (unsigned long long)event->number);
    for (uint32_t i = 0; i < run->strands && length + CELL_MAX + 2 < sizeof line; i++) {
        if (!(columns >> i & 1))
            continue;
        text[0] = '\0';
        if (event->strand == i)
            cell(event, text, sizeof text);
        length += (size_t)snprintf(line + length, sizeof line - length, " %-*s", widths[i], text);
    }
    say_trimmed(line, length);
}

static strand_set columns_of(const struct run *run)
{
    strand_set columns = 0;
    uint32_t n = 0;
    for (uint32_t i = 0; i < run->strands; i++) {
        const struct strand *strand = &run->strand[i];
        bool live = strand->state != STRAND_GONE || run->strands <= SHOWN || i == run->culprit;
        if (live && n++ < SHOWN)
            columns |= set_of(i);
    }
    return columns;
}

static void say_header(const struct run *run, strand_set columns, const int *widths)
{
    char line[4096] = "        ";
    size_t length = strlen(line);
    say("\nLast steps, one a line; the first column counts all\n");
    for (uint32_t i = 0; i < run->strands && length + CELL_MAX + 2 < sizeof line; i++) {
        if (columns >> i & 1)
            length +=
                (size_t)snprintf(line + length, sizeof line - length, " %-*s", widths[i], strand_name(&run->strand[i]));
    }
    say_trimmed(line, length);
}

/* The steps that are shown, and how wide that makes each column. */
struct shown {
    uint64_t from[STRANDS];
    strand_set columns;
    int widths[STRANDS];
};

static bool in_shown(const struct shown *shown, const struct event *event)
{
    return shown->columns >> event->strand & 1 && event->number >= shown->from[event->strand] && is_shown(event);
}

static void measure(const struct run *run, struct shown *shown)
{
    char text[CELL_MAX + 1];
    shown->columns = columns_of(run);
    for (uint32_t i = 0; i < run->strands; i++) {
        shown->from[i] = shown_from(run, i);
        shown->widths[i] = (int)strlen(strand_name(&run->strand[i]));
    }
    for (uint64_t number = first_event(run); number <= run->events; number++) {
        const struct event *event = event_at(run, number);
        if (!in_shown(shown, event))
            continue;
        cell(event, text, sizeof text);
        int width = (int)strlen(text);
        if (width > shown->widths[event->strand])
            shown->widths[event->strand] = width;
    }
}

static void say_steps(const struct run *run)
{
    static struct shown shown;
    uint64_t last = 0;
    if (run->events == 0)
        return;
    measure(run, &shown);
    say_header(run, shown.columns, shown.widths);
    for (uint64_t number = first_event(run); number <= run->events; number++) {
        const struct event *event = event_at(run, number);
        if (!in_shown(&shown, event))
            continue;
        if (last != 0 && number > last + 4)
            say("    ...\n");
        last = number;
        say_row(run, event, shown.columns, shown.widths);
    }
}

/* -- All of it ---------------------------------------------------------------------------------------------------- */

static void say_output(const struct job *job)
{
    char text[TAIL];
    struct stat about;
    if (job->output < 0 || fstat(job->output, &about) != 0 || about.st_size == 0)
        return;
    off_t from = about.st_size > TAIL ? about.st_size - TAIL : 0;
    ssize_t got = pread(job->output, text, sizeof text, from);
    if (got <= 0)
        return;
    say("\nWhat the program wrote%s\n%.*s%s", from > 0 ? ", its end" : "", (int)got, text,
        text[got - 1] == '\n' ? "" : "\n");
}

static void say_how_often(const struct search *search)
{
    const struct schedule *schedule = search->schedule;
    if (search->first != 0)
        say("Found in schedule %llu; %llu of %llu failed in this way. ", (unsigned long long)search->first,
            (unsigned long long)search->failed, (unsigned long long)search->schedules);
    say("%s schedule differs from the default in %u decision%s, %u of them preemptions.\n",
        search->first != 0 && !search->outcome.late ? "Shortened, the" : "The", schedule->moves,
        schedule->moves == 1 ? "" : "s", schedule->preemptions);
    if (schedule->earlies > 0)
        say("It needs a wait with a deadline that ends, or a sleeper that wakes, before others have moved: a slow "
            "machine "
            "can do that.\n");
    else if (search->failed > 0 && search->early_only == search->failed)
        say("It was seen only where waits with a deadline ended before others had moved.\n");
}

void report_outside(const struct search *search)
{
    if (search->outsides == 0)
        return;
    say("\nNot under control, so that not all orders were tried:");
    for (uint32_t i = 0; i < search->outsides; i++)
        say("%s %s", i > 0 ? "," : "", search->outside[i]);
    say("\n");
}

void report_failure(struct search *search, const char *file)
{
    const struct run *run = search->unsteady ? search->failure : search->job[0].run;
    char place[256];
    (void)unsetenv("LD_PRELOAD"); /* what is asked for symbols is no program under test */
    say("\n%s\n", search->outcome.message);
    if (search->unsteady)
        say("\nThe program does not do the same again under the same schedule: %s.\n"
            "Something that is not controlled decides, too: the time, random numbers, addresses, other processes, or "
            "memory\n"
            "that threads race for. The schedule file may or may not fail.\n",
            search->difference);
    resolve_all(run);
    if (run->crash_depth > 0 && symbols_crash(run->crash_frames, run->crash_depth, place, sizeof place))
        say("at %s\n", place);
    if (run->object)
        say("object: %s\n", name_of(run->object));
    say_how_often(search);
    say_threads(run);
    say_steps(run);
    say_output(&search->job[0]);
    report_outside(search);
    if (file)
        say("\nThe schedule is in %s. To run it again: threading replay %s\n", file, file);
}
