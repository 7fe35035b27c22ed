/* trace.c - see trace.h. */

#include "model/trace.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/scenario.h"

enum { LINES_MOST = 2000, TEXT = 96, COLUMN = 58 };

struct line {
    int thread;
    const void *site;
    char text[TEXT];
    char place[40];
};

bool tracing;
static struct line lines[LINES_MOST];
static int lines_used;

/* -- Names -------------------------------------------------------------------------------------------------------- */

const char *trace_name(uintptr_t at)
{
    static char names[4][64];
    static int next;
    char *name = names[next++ % 4];
    size_t offset = at - (uintptr_t)world.shared;
    size_t in_stack = at - (uintptr_t)stacks;
    (void)snprintf(name, sizeof names[0], "%p", (void *)at);
    if (in_stack < sizeof stacks) {
        size_t thread = in_stack / STACK_SIZE;
        (void)snprintf(name, sizeof names[0], "stack%zu-%zx", thread + 1, STACK_SIZE - in_stack % STACK_SIZE);
    }
    for (int i = 0; i < THREADS; i++) {
        if (at == (uintptr_t)&world.records[i].pending)
            (void)snprintf(name, sizeof names[0], "record%d.pending", i + 1);
        if (at == (uintptr_t)&world.records[i].notified)
            (void)snprintf(name, sizeof names[0], "record%d.notified", i + 1);
    }
    if (at - (uintptr_t)watch_counts < sizeof watch_counts)
        return "watch_counts";
    if (at == (uintptr_t)&watch_generation)
        return "watch_generation";
    if (at - (uintptr_t)handoff_crowds < sizeof handoff_crowds)
        return "crowd";
    if (offset >= sizeof world.shared)
        return name;
    for (const struct named_field *field = scenario.object->fields; field->name; field++) {
        if (offset - field->offset < field->size)
            return field->name;
    }
    (void)snprintf(name, sizeof names[0], "shared+%zx", offset);
    return name;
}

static const char *order_name(int order)
{
    static const char *const names[] = {"relaxed", "consume", "acquire", "release", "acq_rel", "seq_cst"};
    return names[order];
}

static const char *operation_name(int operation)
{
    static const char *const names[] = {
        [OPERATION_LOAD] = "load", [OPERATION_STORE] = "store", [OPERATION_SWAP] = "swap",
        [OPERATION_ADD] = "add",   [OPERATION_SUB] = "sub",     [OPERATION_AND] = "and",
        [OPERATION_OR] = "or",     [OPERATION_XOR] = "xor",     [OPERATION_CAS] = "cas",
    };
    return names[operation];
}

/* -- Recording ---------------------------------------------------------------------------------------------------- */

static struct line *new_line(int thread)
{
    if (lines_used == LINES_MOST)
        lines_used--;
    struct line *line = &lines[lines_used++];
    *line = (struct line){.thread = thread};
    if (thread >= 0)
        line->site = world.threads[thread].pending.site;
    return line;
}

void trace_operation(int thread, uint64_t old, uint64_t stored, bool stores, int newer)
{
    if (!tracing)
        return;
    const struct pending *pending = &world.threads[thread].pending;
    struct line *line = new_line(thread);
    char values[40] = "";
    char age[24] = "";
    if (pending->operation == OPERATION_STORE)
        (void)snprintf(values, sizeof values, "%llx", (unsigned long long)stored);
    else if (stores)
        (void)snprintf(values, sizeof values, "%llx->%llx", (unsigned long long)old, (unsigned long long)stored);
    else
        (void)snprintf(values, sizeof values, "%s%llx", pending->operation == OPERATION_CAS ? "fails: " : "= ",
                       (unsigned long long)old);
    if (newer > 0)
        (void)snprintf(age, sizeof age, " (%d newer)", newer);
    (void)snprintf(line->text, sizeof line->text, "%s_%s %s %s%s", operation_name(pending->operation),
                   order_name(pending->order), trace_name(pending->at), values, age);
}

void trace_note(int thread, const char *format, ...)
{
    if (!tracing)
        return;
    struct line *line = new_line(thread);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line->text, sizeof line->text, format, arguments);
    va_end(arguments);
}

void trace_clear(void)
{
    lines_used = 0;
}

/* -- Printing ----------------------------------------------------------------------------------------------------- */

/* Asks addr2line, of the tools that come with the compiler, for the place of each site. */
static void find_places(void)
{
    Dl_info info;
    char command[64 + LINES_MOST * 12];
    int used = snprintf(command, sizeof command, "addr2line -s -e /proc/%d/exe", (int)getpid());
    if (!dladdr((void *)(uintptr_t)find_places, &info))
        return;
    for (int i = 0; i < lines_used && used < (int)sizeof command - 16; i++) {
        uintptr_t at = lines[i].site ? (uintptr_t)lines[i].site - 1 - (uintptr_t)info.dli_fbase : 0;
        used += snprintf(command + used, sizeof command - (size_t)used, " %lx", (unsigned long)at);
    }
    FILE *places = popen(command, "r"); /* of numbers only. NOLINT(cert-env33-c) */
    if (!places)
        return;
    for (int i = 0; i < lines_used && fgets(lines[i].place, sizeof lines[i].place, places); i++) {
        lines[i].place[strcspn(lines[i].place, " \n")] = 0;
        if (lines[i].place[0] == '?' || !lines[i].site)
            lines[i].place[0] = 0;
    }
    (void)pclose(places);
}

void trace_print(void)
{
    find_places();
    for (int i = 0; i < lines_used; i++) {
        const struct line *line = &lines[i];
        if (line->thread < 0) {
            printf("%s\n", line->text);
            continue;
        }
        printf("%*s%s  %s\n", line->thread * COLUMN, "", line->text, line->place);
    }
}
