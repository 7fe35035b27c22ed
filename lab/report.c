/* report.c - what a person reads: the progress of a search, and why it failed. All goes to standard error. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lab/control.h"
#include "lab/holders.h"
#include "lab/search.h"
#include "lab/symbols.h"
#include "wait/kinds.h"

enum {
    LAST = 12 /* steps of each thread */,
    LOOKED_AT = 8 * LAST, /* since not all are shown */
    CELL_MAX = 60,
    TAIL = 1 << 14 /* of the program's output: what a sanitizer says is long */,
    NAMED = 64,
    SHOWN = 8 /* columns */
};

/* -- Progress ----------------------------------------------------------------------------------------------------- */

void report_progress(struct search *search, bool end)
{
    static int terminal = -1;
    if (!search->progress)
        return;
    if (terminal < 0)
        terminal = lab_writes_to_terminal();
    if (!terminal && !end)
        return;
    double seconds = (double)(lab_library->os->now() - search->start) / 1e9;
    lab_print("%s%llu schedules, %.0f a second, %llu distinct, %.1f s%s%s", terminal ? "\r" : "",
              (unsigned long long)search->schedules, seconds > 0 ? (double)search->schedules / seconds : 0.0,
              (unsigned long long)search->distinct, seconds,
              end && search->complete && search->first == 0 ? "; searched completely" : "", end ? "\n" : "   ");
}

/* -- Names -------------------------------------------------------------------------------------------------------- */

static const char *strand_name(const struct strand *strand)
{
    if (*strand->name)
        return strand->name;
    return strand->foreign ? "(foreign)" : "(no name)";
}

static struct {
    const void *address;
    char name[64];
} named[NAMED];

static uint32_t named_count;

static const struct strand *strand_of_thread(const struct run *run, const void *address)
{
    for (uint32_t i = run->strands; i > 0; i--) {
        if (run->strand[i - 1].thread == address)
            return &run->strand[i - 1];
    }
    return NULL;
}

/* An object: a thread's name, its symbol, or @1, @2, ... */
static const char *name_of(const struct run *run, const void *address)
{
    const struct strand *thread = address ? strand_of_thread(run, address) : NULL;
    if (!address)
        return "";
    if (thread)
        return strand_name(thread);
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
    [WAIT_FUTURES] = "one of the futures in",
    [WAIT_WORK] = "work, from",
};

/* The n-th last step of a strand that is still known, counted from 0; NULL: there is none. */
static const struct event *event_back(const struct run *run, uint32_t strand, uint64_t n)
{
    uint64_t all = run->strand[strand].events;
    return n < all && n < EVENTS ? &run->event[strand][(all - 1 - n) % EVENTS] : NULL;
}

/* The last operation of the library, or call of another, that a strand has begun. */
static const struct event *last_operation(const struct run *run, uint32_t strand, uint32_t operation,
                                          const void *object)
{
    const struct event *event;
    for (uint64_t n = 0; (event = event_back(run, strand, n)) != NULL; n++) {
        bool call = event->operation < HOOK_OPERATIONS || event->operation == STEP_OUTSIDE;
        if (call && (operation == HOOK_OPERATIONS || (event->operation == operation && event->object == object)))
            return event;
    }
    return NULL;
}

enum { ADDRESSES = 1 << 16 };

static size_t add_frames(void **all, size_t n, void *const *frames, uint32_t depth)
{
    for (uint32_t i = 0; i < depth && n < ADDRESSES; i++)
        all[n++] = frames[i];
    return n;
}

static void resolve_all(const struct run *run)
{
    void **all = calloc(ADDRESSES, sizeof *all);
    size_t n = 0;
    if (!all)
        return;
    n = add_frames(all, n, run->crash_frames, run->crash_depth);
    for (uint32_t i = 0; i < run->strands; i++) {
        const struct event *last = last_operation(run, i, HOOK_OPERATIONS, NULL);
        if (last)
            n = add_frames(all, n, last->frames, last->depth);
        for (uint64_t back = 0; back < LOOKED_AT && event_back(run, i, back); back++)
            n = add_frames(all, n, event_back(run, i, back)->frames, event_back(run, i, back)->depth);
    }
    symbols_resolve(all, n);
    free(all);
}

/* -- Threads ------------------------------------------------------------------------------------------------------ */

static void say_place(const struct event *event)
{
    char place[256];
    if (!event)
        return;
    symbols_resolve(event->frames, event->depth);
    if (symbols_call(event->frames, event->depth, place, sizeof place))
        lab_print(", at %s", place);
}

static const char *kind_of(const struct strand *strand)
{
    const char *kind = strand->waits_kind < sizeof kinds / sizeof *kinds ? kinds[strand->waits_kind] : NULL;
    if (strand->waits_kind == WAIT_NOTHING)
        kind = stuck_outside_kind(strand);
    return kind ? kind : "something";
}

static void say_wait(const struct run *run, const struct strand *strand)
{
    char by[NOTE];
    holders_names(run, strand, by, sizeof by);
    switch (strand->waits_kind) {
    case WAIT_JOIN:
        lab_print("waits for the end of %s", *by ? by : "a thread");
        break;
    case WAIT_START:
        lab_print("waits for the first steps of %s", *by ? by : "a thread");
        break;
    case WAIT_EXIT:
        lab_print("waits for the non-daemon threads, to end the process");
        return;
    case WAIT_SLEEP:
        lab_print("sleeps");
        break;
    case WAIT_NOTHING:
        if (!strand->waits_object) { /* it was not looked at: the run was ended from outside */
            lab_print("waits");
            return;
        }
        /* fallthrough */
    default:
        lab_print("waits for %s %s", kind_of(strand), name_of(run, strand->waits_object));
        if (*by && strand->behind)
            lab_print(", behind %s, which came first", by);
        else if (*by)
            lab_print(", held by %s", by);
    }
    if (strand->since != 0 && strand->since >= run->pushed)
        lab_print(", for %.3f s", (double)(run->now - strand->since) / 1e9);
    if (strand->since != 0 && strand->gives_up != THR_FOREVER)
        lab_print(", gives up in %.3f s", (double)(strand->gives_up - run->now) / 1e9);
}

static bool is_lock(const struct strand *waiter)
{
    switch (waiter->waits_kind) {
    case WAIT_LOCK:
    case WAIT_RLOCK:
    case WAIT_READ:
    case WAIT_WRITE:
        return true;
    default:
        return waiter->owner;
    }
}

static uint32_t acquire_of(uint32_t kind, bool reads)
{
    switch (kind) {
    case WAIT_NOTHING:
        return STEP_OUTSIDE;
    case WAIT_RLOCK:
        return HOOK_RLOCK_ACQUIRE;
    case WAIT_READ:
    case WAIT_WRITE:
        return reads ? HOOK_READ_ACQUIRE : HOOK_WRITE_ACQUIRE;
    default:
        return HOOK_LOCK_ACQUIRE;
    }
}

/* The kind of a lock that somebody waits for, without the way in which it is wanted. */
static void say_kind(const struct strand *waiter)
{
    const char *kind = kind_of(waiter);
    lab_print("%.*s", (int)strcspn(kind, "("), kind);
    if (kind[strcspn(kind, "(")] == '\0')
        lab_print(" ");
}

/* What others wait for that this one has, each once. */
static void say_held(const struct run *run, const struct strand *strand)
{
    const void *said[STRANDS];
    uint32_t n = 0;
    for (uint32_t i = 0; i < run->strands; i++) {
        const struct strand *other = &run->strand[i];
        const void *lock = other->waits_object;
        bool reads = holders_reads(strand, lock);
        bool again = false;
        for (uint32_t j = 0; j < n; j++)
            again = again || said[j] == lock;
        if (again || other->behind || !is_lock(other) || !(other->holders & set_of(strand->id)))
            continue;
        said[n++] = lock;
        lab_print("\n  %-18s holds ", "");
        say_kind(other);
        lab_print("%s%s", name_of(run, lock), reads ? ", to read" : "");
        say_place(last_operation(run, strand->id, acquire_of(other->waits_kind, reads), lock));
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
    lab_print("\nThreads\n");
    for (uint32_t i = 0; i < run->strands; i++) {
        const struct strand *strand = &run->strand[i];
        lab_print("  %-18s ", strand_name(strand));
        if (strand->state == STRAND_GONE)
            lab_print("has ended");
        else if (strand->state == STRAND_READY)
            lab_print("%s", how_ready(run, strand));
        else
            say_wait(run, strand);
        if (strand->state != STRAND_GONE)
            say_place(last_operation(run, i, HOOK_OPERATIONS, NULL));
        if (strand->daemon && strand->state != STRAND_GONE)
            lab_print(" (daemon)");
        say_held(run, strand);
        lab_print("\n");
    }
}

/* -- Columns ------------------------------------------------------------------------------------------------------ */

/* Not what the library does with locks of its own: the call of which that is a part is shown. */
static bool is_shown(const struct event *event)
{
    bool of_lock = event->operation == HOOK_LOCK_ACQUIRE || event->operation == HOOK_LOCK_RELEASE;
    if (event->operation == STEP_WAKE || event->operation == STEP_STARTED)
        return false;
    return !of_lock || !symbols_internal(event->frames, event->depth);
}

/* What was done: a question by the call that it is. */
static void put_operation(const struct event *event, char *text, size_t size)
{
    if (event->operation == HOOK_LOOK && symbols_entry(event->frames, event->depth, text, size))
        return;
    (void)snprintf(text, size, "%s", event->call ? event->call : operation_name(event->operation));
}

static void cell(const struct run *run, const struct event *event, char *text, size_t size)
{
    char place[256] = "";
    char operation[64];
    char all[512];
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
    put_operation(event, operation, sizeof operation);
    bool own = event->operation == HOOK_THREAD_BEGIN || event->operation == HOOK_THREAD_END;
    const char *name = own ? "" : name_of(run, event->object);
    (void)snprintf(all, sizeof all, "%s%s%s %s", operation, *name ? " " : "", name, place);
    lab_copy(text, size, all);
}

static void say_trimmed(const char *line, size_t length)
{
    while (length > 0 && line[length - 1] == ' ')
        length--;
    lab_print("%.*s\n", (int)length, line);
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
            cell(run, event, text, sizeof text);
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
    lab_print("\nLast steps, one a line; the first column counts all\n");
    for (uint32_t i = 0; i < run->strands && length + CELL_MAX + 2 < sizeof line; i++) {
        if (columns >> i & 1)
            length +=
                (size_t)snprintf(line + length, sizeof line - length, " %-*s", widths[i], strand_name(&run->strand[i]));
    }
    say_trimmed(line, length);
}

/* The steps that are shown, in their order, and how wide that makes each column. */
struct shown {
    const struct event *event[STRANDS * LAST];
    size_t events;
    strand_set columns;
    int widths[STRANDS];
};

static int earlier(const void *a, const void *b)
{
    const struct event *x = *(const struct event *const *)a;
    const struct event *y = *(const struct event *const *)b;
    return x->number < y->number ? -1 : x->number > y->number;
}

static void add_shown(const struct run *run, struct shown *shown, uint32_t strand)
{
    const struct event *event;
    char text[CELL_MAX + 1];
    uint32_t added = 0;
    shown->widths[strand] = (int)strlen(strand_name(&run->strand[strand]));
    for (uint64_t n = 0; n < LOOKED_AT && added < LAST && (event = event_back(run, strand, n)) != NULL; n++) {
        if (!is_shown(event))
            continue;
        cell(run, event, text, sizeof text);
        if ((int)strlen(text) > shown->widths[strand])
            shown->widths[strand] = (int)strlen(text);
        shown->event[shown->events++] = event;
        added++;
    }
}

static void say_steps(const struct run *run)
{
    static struct shown shown;
    uint64_t last = 0;
    shown.events = 0;
    shown.columns = columns_of(run);
    for (uint32_t i = 0; i < run->strands; i++) {
        if (shown.columns >> i & 1)
            add_shown(run, &shown, i);
    }
    if (shown.events == 0)
        return;
    /* These are pointers. NOLINTNEXTLINE(bugprone-sizeof-expression) */
    qsort(shown.event, shown.events, sizeof shown.event[0], earlier);
    say_header(run, shown.columns, shown.widths);
    for (size_t i = 0; i < shown.events; i++) {
        if (last != 0 && shown.event[i]->number > last + 4)
            lab_print("    ...\n");
        last = shown.event[i]->number;
        say_row(run, shown.event[i], shown.columns, shown.widths);
    }
}

/* -- All of it ---------------------------------------------------------------------------------------------------- */

static void say_output(const struct server *server)
{
    static char text[TAIL];
    struct stat about;
    if (server->output < 0 || fstat(server->output, &about) != 0 || about.st_size == 0)
        return;
    off_t from = about.st_size > TAIL ? about.st_size - TAIL : 0;
    ssize_t got = pread(server->output, text, sizeof text, from);
    if (got <= 0)
        return;
    lab_print("\nWhat the program wrote%s\n", from > 0 ? ", its end" : "");
    lab_write(text, (size_t)got);
    if (text[got - 1] != '\n')
        lab_print("\n");
}

static void say_how_often(const struct search *search)
{
    const struct schedule *schedule = search->schedule;
    if (search->first != 0)
        lab_print("Found in schedule %llu; %llu of %llu failed in this way. ", (unsigned long long)search->first,
                  (unsigned long long)search->failed, (unsigned long long)search->schedules);
    lab_print("%s schedule differs from the default in %u decision%s, %u of them preemptions.\n",
              search->first != 0 && !search->outcome.late ? "Shortened, the" : "The", schedule->moves,
              schedule->moves == 1 ? "" : "s", schedule->preemptions);
    if (search->broken_off)
        lab_print(
            "The look for a shorter one was broken off when its runs had used %g s of processor time%s: another time "
            "it may come further, or less far.\n",
            (double)search->patience / 1e9, search->program ? " (--shorten)" : "");
    if (schedule->earlies > 0)
        lab_print(
            "It needs a wait with a deadline that ends, or a sleeper that wakes, before others have moved: a slow "
            "machine "
            "can do that.\n");
    else if (search->failed > 0 && search->early_only == search->failed)
        lab_print("It was seen only where waits with a deadline ended before others had moved.\n");
}

void report_outside(const struct search *search)
{
    if (search->outsides == 0)
        return;
    lab_print("\nNot under control, so that not all orders were tried:");
    for (uint32_t i = 0; i < search->outsides; i++)
        lab_print("%s %s", i > 0 ? "," : "", search->outside[i]);
    lab_print("\n");
}

void report_failure(struct search *search, const char *file)
{
    const struct run *run = search->unsteady ? search->failure : search->job[0].run;
    char place[256];
    (void)unsetenv("LD_PRELOAD"); /* what is asked for symbols is no program under test */
    lab_print("\n%s\n", search->outcome.message);
    if (search->unsteady)
        lab_print(
            "\nThe program does not do the same again under the same schedule: %s.\n"
            "Something that is not controlled decides, too: the time, random numbers, addresses, other processes, or "
            "memory\n"
            "that threads race for. The schedule file may or may not fail.\n",
            search->difference);
    resolve_all(run);
    if (run->crash_depth > 0 && symbols_crash(run->crash_frames, run->crash_depth, place, sizeof place))
        lab_print("at %s\n", place);
    if (run->object)
        lab_print("object: %s\n", name_of(run, run->object));
    say_how_often(search);
    say_threads(run);
    say_steps(run);
    say_output(&search->server[0]);
    report_outside(search);
    if (file)
        lab_print("\nThe schedule is in %s. To run it again: threading replay %s\n", file, file);
}
