/* symbols.c - see symbols.h. It runs when the search is over: here memory may be allocated. */

#include "lab/symbols.h"

#include <dlfcn.h>
#include <elf.h>
#include <limits.h>
#include <link.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab/lab.h"

enum { BATCH = 200, NAME = 128, INLINED = 64 };

extern char **environ;

/* -- Modules ------------------------------------------------------------------------------------------------------ */

struct module {
    uintptr_t address;
    struct symbols_range part; /* that the address is in */
    uintptr_t bias;            /* address in memory - address in the file */
    char file[PATH_MAX];
    bool found;
};

static int match(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct module *module = arg;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + part->p_vaddr;
        if (part->p_type != PT_LOAD || module->address < start || module->address - start >= part->p_memsz)
            continue;
        module->bias = info->dlpi_addr;
        module->part = (struct symbols_range){start, start + part->p_memsz};
        module->found = true;
        const char *name = info->dlpi_name && *info->dlpi_name ? info->dlpi_name : "/proc/self/exe";
        if (!realpath(name, module->file))
            module->found = false;
        return 1;
    }
    return 0;
}

static bool module_of(const void *address, struct module *module)
{
    module->address = (uintptr_t)address;
    module->found = false;
    (void)dl_iterate_phdr(match, module);
    return module->found;
}

/* The laboratory's own code. */
static bool is_ours(const struct module *module)
{
    static struct module ours;
    if (!ours.found)
        (void)module_of(&ours, &ours);
    return ours.found && strcmp(ours.file, module->file) == 0;
}

/* -- Asking ------------------------------------------------------------------------------------------------------- */

/* Runs a program and gives what it prints; NULL where it cannot be run. */
static FILE *ask(const char *const *argv, pid_t *child)
{
    int ends[2];
    posix_spawn_file_actions_t actions;
    if (pipe(ends) != 0)
        return NULL;
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    (void)posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", 1 /* O_WRONLY */, 0);
    (void)posix_spawn_file_actions_addclose(&actions, ends[0]);
    int failed = posix_spawnp(child, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(ends[1]);
    if (failed) {
        (void)close(ends[0]);
        return NULL;
    }
    return fdopen(ends[0], "r");
}

static void answered(FILE *from, pid_t child)
{
    (void)fclose(from);
    (void)waitpid(child, NULL, 0);
}

/* -- Code --------------------------------------------------------------------------------------------------------- */

/* One function that an address is in; of several that were inlined there, the innermost comes first. */
struct place {
    void *address;
    char function[NAME];
    char file[NAME]; /* file:line, without folders */
    bool known;
    bool beside; /* in the file that the library is in */
    char *path;  /* the same with folders; NULL: no memory */
};

static struct place *places;
static size_t place_count;
static size_t place_room;

static struct place *place_add(void *address)
{
    if (place_count == place_room) {
        size_t room = place_room ? place_room * 2 : 256;
        struct place *more = realloc(places, room * sizeof *more);
        if (!more)
            return NULL;
        places = more;
        place_room = room;
    }
    struct place *place = &places[place_count++];
    memset(place, 0, sizeof *place);
    place->address = address;
    return place;
}

static bool is_resolved(const void *address)
{
    for (size_t i = 0; i < place_count; i++) {
        if (places[i].address == address)
            return true;
    }
    return false;
}

static void strip(char *line)
{
    line[strcspn(line, "\n")] = '\0';
    char *discriminator = strstr(line, " (discriminator");
    if (discriminator)
        *discriminator = '\0';
}

static const char *without_folders(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* What is known of the library itself. */
static struct {
    char folder[PATH_MAX]; /* of its sources, with a / at the end; empty: it has no debugging information */
    char file[PATH_MAX];   /* that it is in: its own, or the program */
    bool alone;            /* its own */
    bool seen;             /* some of that file has debugging information */
} library;

static bool in_library(const char *path)
{
    return path && *library.folder && strncmp(path, library.folder, strlen(library.folder)) == 0;
}

/* Without debugging information addr2line says "??:0", or, from a table of symbols that names files, "thread.c:?". */
static bool has_line(const char *line)
{
    size_t length = strlen(line);
    return strncmp(line, "??", 2) != 0 && !(length > 1 && strcmp(line + length - 2, ":?") == 0);
}

/* Blocks of an address, then pairs of lines: function, file:line. */
static void read_places(FILE *from, uintptr_t bias, bool beside)
{
    char function[1024];
    char line[PATH_MAX + 32];
    void *address = NULL;
    while (fgets(function, sizeof function, from)) {
        strip(function);
        if (strncmp(function, "0x", 2) == 0) {
            address = (void *)(strtoull(function, NULL, 16) + bias); // NOLINT(performance-no-int-to-ptr)
            continue;
        }
        if (!fgets(line, sizeof line, from))
            return;
        strip(line);
        struct place *place = place_add(address);
        if (!place)
            return;
        place->known = has_line(line);
        place->beside = beside;
        library.seen = library.seen || (beside && place->known);
        lab_copy(place->function, sizeof place->function, function);
        lab_copy(place->file, sizeof place->file, without_folders(line));
        place->path = strdup(line);
    }
}

static bool is_in(void *const *addresses, size_t n, const void *address)
{
    for (size_t i = 0; i < n; i++) {
        if (addresses[i] == address)
            return true;
    }
    return false;
}

static void resolve_in(const struct module *module, void *const *addresses, size_t n)
{
    static char text[BATCH][24];
    char file[PATH_MAX];
    const char *argv[BATCH + 8] = {"addr2line", "-f", "-i", "-C", "-a", "-e", file};
    size_t count = 7;
    size_t batch = 0;
    pid_t child;
    memcpy(file, module->file, sizeof file);
    for (size_t i = 0; i < n && batch < BATCH; i++) {
        struct module other;
        if (is_in(addresses, i, addresses[i]) || is_resolved(addresses[i]) || !module_of(addresses[i], &other) ||
            strcmp(other.file, module->file) != 0)
            continue;
        (void)snprintf(text[batch], sizeof text[batch], "%#lx",
                       (unsigned long)((uintptr_t)addresses[i] - module->bias));
        argv[count++] = text[batch++];
    }
    argv[count] = NULL;
    FILE *from = batch > 0 ? ask(argv, &child) : NULL;
    if (!from)
        return;
    read_places(from, module->bias, strcmp(module->file, library.file) == 0);
    answered(from, child);
}

static void resolve(void *const *addresses, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct module module;
        if (addresses[i] && !is_resolved(addresses[i]) && module_of(addresses[i], &module) && !is_ours(&module))
            resolve_in(&module, addresses + i, n - i);
        if (!is_resolved(addresses[i]))
            (void)place_add(addresses[i]); /* not known: never asked again */
    }
}

/* Learns where the library is, and its sources, from a function that is known to be one of its. */
static void learn_library(void)
{
    static bool done;
    static char program[PATH_MAX];
    struct module module;
    void *function;
    if (done)
        return;
    done = true;
    memcpy(&function, &lab_library->look, sizeof function);
    if (module_of(function, &module))
        memcpy(library.file, module.file, sizeof library.file);
    library.alone = !realpath("/proc/self/exe", program) || strcmp(program, library.file) != 0;
    resolve(&function, 1);
    for (size_t i = 0; i < place_count; i++) {
        const char *at = places[i].address == function && places[i].path ? strstr(places[i].path, "/src/") : NULL;
        if (at)
            (void)snprintf(library.folder, sizeof library.folder, "%.*s/src/", (int)(at - places[i].path),
                           places[i].path);
    }
}

void symbols_resolve(void *const *addresses, size_t n)
{
    learn_library();
    resolve(addresses, n);
}

/* The functions of a stack, inlined ones apart, innermost first. */
static size_t flatten(void *const *frames, size_t n, const struct place **out, size_t room)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < place_count && count < room; j++) {
            if (places[j].address == frames[i])
                out[count++] = &places[j];
        }
    }
    return count;
}

/* In a library without debugging information. Where it is in the program, that is told from the program's own functions only
 * if these have some. */
static bool is_bare_library(const struct place *place)
{
    return place->beside && !place->known && !*library.folder && (library.alone || library.seen);
}

static bool is_library(const struct place *place)
{
    return in_library(place->path) || is_bare_library(place) || strncmp(place->function, "thr_", 4) == 0 ||
           strncmp(place->function, "__tsan_", 7) == 0 || strcmp(place->function, "tsan_step") == 0;
}

/* That of C, or of C++. */
static bool in_libc(const struct place *place)
{
    struct module module;
    if (!module_of(place->address, &module))
        return false;
    const char *file = without_folders(module.file);
    return strncmp(file, "libc.", 5) == 0 || strncmp(file, "libstdc++.", 10) == 0;
}

/* In a header of the system, such as that of std::mutex: who called it is meant. */
static bool in_header(const struct place *place)
{
    static const char system[] = "/usr/include/";
    return place->path && (strncmp(place->path, system, strlen(system)) == 0 || strstr(place->path, "/include/c++/"));
}

static void put(const struct place *place, char *text, size_t size)
{
    if (place->known)
        (void)snprintf(text, size, "%s in %s", place->file, place->function);
    else
        (void)snprintf(text, size, "%s", place->function);
}

bool symbols_call(void *const *frames, size_t n, char *text, size_t size)
{
    const struct place *stack[INLINED];
    size_t count = flatten(frames, n, stack, INLINED);
    size_t i = 0;
    while (i < count && !is_library(stack[i]))
        i++;
    if (i == count) { /* a call that is not the library's */
        i = 0;
        while (i < count && (!stack[i]->known || in_header(stack[i]) || in_libc(stack[i])))
            i++;
    }
    while (i < count && is_library(stack[i]))
        i++;
    if (i >= count || !*stack[i]->function || strcmp(stack[i]->function, "??") == 0 || in_libc(stack[i]))
        return false;
    put(stack[i], text, size);
    return true;
}

static const char public[] = "thr_";

/* The outermost function of the library before the program's; NULL: it is not known. */
static const struct place *entry_of(void *const *frames, size_t n)
{
    const struct place *stack[INLINED];
    const struct place *entry = NULL;
    size_t count = flatten(frames, n, stack, INLINED);
    for (size_t i = 0; i < count && (!entry || is_library(stack[i])); i++)
        entry = is_library(stack[i]) ? stack[i] : entry;
    return entry;
}

bool symbols_entry(void *const *frames, size_t n, char *text, size_t size)
{
    const struct place *entry = entry_of(frames, n);
    if (!entry || strncmp(entry->function, public, strlen(public)) != 0 || entry->function[strlen(public)] == '_')
        return false;
    lab_copy(text, size, entry->function + strlen(public));
    return true;
}

/* Called by the thread's own first function, or by one of another object. */
bool symbols_internal(void *const *frames, size_t n)
{
    static const char *const others[] = {"thr_executor",     "thr_future",     "thr_group",
                                         "thr_queue",        "thr_lifo_queue", "thr_priority_queue",
                                         "thr_parallel_for", "thr_wait_any",   "thr_as_completed"};
    const struct place *entry = entry_of(frames, n);
    if (!entry || !*entry->function || strcmp(entry->function, "??") == 0)
        return false;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (strncmp(entry->function, others[i], strlen(others[i])) == 0)
            return true;
    }
    return strncmp(entry->function, public, strlen(public)) != 0;
}

bool symbols_crash(void *const *frames, size_t n, char *text, size_t size)
{
    const struct place *stack[INLINED];
    size_t count = flatten(frames, n, stack, INLINED);
    for (size_t i = 0; i < count; i++) {
        struct module module;
        if (!stack[i]->known || !module_of(stack[i]->address, &module) || is_ours(&module) || is_library(stack[i]) ||
            in_header(stack[i]) || in_libc(stack[i]))
            continue;
        put(stack[i], text, size);
        return true;
    }
    return false;
}

bool symbols_place(void *address, char *text, size_t size)
{
    const struct place *stack[INLINED];
    symbols_resolve(&address, 1);
    size_t count = flatten(&address, 1, stack, INLINED);
    size_t i = 0;
    while (i + 1 < count && (is_library(stack[i]) || in_header(stack[i])))
        i++;
    if (i >= count || !*stack[i]->function || strcmp(stack[i]->function, "??") == 0)
        return false;
    put(stack[i], text, size);
    return true;
}

void symbols_stack(void *const *frames, size_t n, const char *indent, char *text, size_t size)
{
    const struct place *stack[INLINED];
    size_t count = flatten(frames, n, stack, INLINED);
    size_t i = 0;
    *text = '\0';
    while (i < count && (!*stack[i]->function || is_library(stack[i]))) /* the laboratory's, and the library's */
        i++;
    for (; i < count && *stack[i]->function && !in_libc(stack[i]); i++) {
        char line[2 * NAME + 8];
        size_t used = strlen(text);
        if (is_library(stack[i]) || in_header(stack[i]) || strcmp(stack[i]->function, "??") == 0)
            continue;
        put(stack[i], line, sizeof line);
        (void)snprintf(text + used, size - used, "%s%s\n", indent, line);
        if (strcmp(stack[i]->function, "main") == 0)
            break;
    }
}

/* -- Data --------------------------------------------------------------------------------------------------------- */

/* A line of nm. */
struct symbol {
    uintptr_t start;
    uintptr_t size;
    char type;
    char name[NAME];
};

static bool read_symbol(FILE *from, struct symbol *symbol)
{
    char line[1024];
    while (fgets(line, sizeof line, from)) {
        unsigned long start;
        unsigned long size;
        /* What nm prints is a number. NOLINTNEXTLINE(cert-err34-c) */
        if (sscanf(line, "%lx %lx %c %127[^\n]", &start, &size, &symbol->type, symbol->name) == 4) {
            symbol->start = start;
            symbol->size = size;
            return true;
        }
    }
    return false;
}

static FILE *ask_symbols(const struct module *module, pid_t *child)
{
    const char *const argv[] = {"nm", "-C", "-S", "--defined-only", module->file, NULL};
    return ask(argv, child);
}

/* The variables of the module that was asked about last: nm is slow. */
static struct {
    char file[PATH_MAX];
    struct symbol *all;
    size_t count;
    size_t room;
} variables;

static bool add_variable(const struct symbol *symbol)
{
    if (variables.count == variables.room) {
        size_t room = variables.room ? variables.room * 2 : 1024;
        struct symbol *more = realloc(variables.all, room * sizeof *more);
        if (!more)
            return false;
        variables.all = more;
        variables.room = room;
    }
    variables.all[variables.count++] = *symbol;
    return true;
}

static void read_variables(const struct module *module)
{
    struct symbol symbol;
    pid_t child;
    if (strcmp(variables.file, module->file) == 0)
        return;
    lab_copy(variables.file, sizeof variables.file, module->file);
    variables.count = 0;
    FILE *from = ask_symbols(module, &child);
    if (!from)
        return;
    while (read_symbol(from, &symbol)) {
        if (strchr("bBdDgGsSrRvV", symbol.type) && !add_variable(&symbol))
            break;
    }
    answered(from, child);
}

bool symbols_object(const void *address, char *text, size_t size)
{
    struct module module;
    learn_library();
    if (!module_of(address, &module) || (library.alone && strcmp(module.file, library.file) == 0))
        return false; /* the library's own variables say nothing to the program's author */
    read_variables(&module);
    uintptr_t at = (uintptr_t)address - module.bias;
    for (size_t i = 0; i < variables.count; i++) {
        const struct symbol *symbol = &variables.all[i];
        if (at < symbol->start || at - symbol->start >= symbol->size)
            continue;
        if (at == symbol->start)
            (void)snprintf(text, size, "%s", symbol->name);
        else
            (void)snprintf(text, size, "%s+%lu", symbol->name, (unsigned long)(at - symbol->start));
        return true;
    }
    return false;
}

size_t symbols_functions(const void *address, const char *prefix, struct symbols_range *part,
                         struct symbols_range *functions, size_t room)
{
    struct module module;
    struct symbol symbol;
    pid_t child;
    size_t n = 0;
    *part = (struct symbols_range){0, 0};
    FILE *from = module_of(address, &module) ? ask_symbols(&module, &child) : NULL;
    if (!from)
        return 0;
    *part = module.part;
    while (read_symbol(from, &symbol)) {
        uintptr_t start = symbol.start + module.bias;
        if (n < room && strchr("tTwWi", symbol.type) && strncmp(symbol.name, prefix, strlen(prefix)) == 0)
            functions[n++] = (struct symbols_range){start, start + symbol.size};
    }
    answered(from, child);
    return n;
}
