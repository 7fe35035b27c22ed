/* load.c - puts a program under the laboratory.
 *
 * At the start of a program the library looks at one environment variable. Where it is set, the laboratory's shared object
 * is loaded and handed a table of what it needs; it sets thr__hooked, before any thread was started. Where that cannot be
 * done, the program is not run: it would be without what was asked for. Where the variable is not set, that was all.
 * thr_explore loads the laboratory by itself.
 *
 * A program that is linked statically with the C library has no loader of shared objects, or one that would bring a second C
 * library along: it is told from others by its headers, which name no interpreter. */

#include <dlfcn.h>
#include <link.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lab/link.h"
#include "thread/service.h"

enum { MESSAGE = 512, STANDARD_ERROR = 2, UNUSABLE = 2 /* a status of the command: it could not be done */ };

/* Where timers are not used, a static library does not bring them in for this. */
extern __typeof__(service) service __attribute__((weak));

extern __typeof__(dlopen) dlopen __attribute__((weak));
extern __typeof__(dlsym) dlsym __attribute__((weak));
extern __typeof__(dlerror) dlerror __attribute__((weak));

static const struct lab_entry *lab;

/* -- What is handed over ------------------------------------------------------------------------------------------ */

static struct wait_record *record(void)
{
    return wait_self;
}

static bool has_failed(const thr_thread *thread)
{
    return load_acquire(&thread->failed); /* pairs with thr_fail */
}

static const struct lab_link *link_fill(void)
{
    static struct lab_link link;
    link = (struct lab_link){
        .version = LAB_LINK_VERSION,
        .size = sizeof link,
        .library_version = thr_version(),
        .hook = hook_set,
        .system = &wait_system,
        .os = &wait_system_os,
        .internal = {registry_lock_word(), &service ? &service.lock : NULL},
        .record = record,
        .look = sight_look,
        .holder = sight_holder,
        .name = thr_thread_name,
        .daemon = thr_thread_daemon,
        .failed = has_failed,
        .failure = thr_thread_failure,
        .shutdown = thr_shutdown,
        .stranger = wait_stranger,
        .peek = os_peek,
    };
    return &link;
}

/* -- Loading ------------------------------------------------------------------------------------------------------ */

static void say(const char *format, ...) THR_PRINTF(1, 2);

static void say(const char *format, ...)
{
    char line[MESSAGE];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (length > 0)
        os_write(STANDARD_ERROR, line, (size_t)length < sizeof line ? (size_t)length : sizeof line - 1);
}

/* The first of the objects is the program. */
static int see_interpreter(struct dl_phdr_info *program, size_t size, void *found)
{
    (void)size;
    for (int i = 0; i < program->dlpi_phnum; i++) {
        if (program->dlpi_phdr[i].p_type == PT_INTERP)
            *(bool *)found = true;
    }
    return 1;
}

static bool is_static(void)
{
    bool interpreted = false;
    (void)dl_iterate_phdr(see_interpreter, &interpreted);
    return !interpreted || !dlopen || !dlsym;
}

static lab_attach *find(const char *file)
{
    if (is_static()) {
        say("threading: %s cannot be loaded into a program that is linked statically\n", file);
        return NULL;
    }
    void *object = dlopen(file, RTLD_NOW);
    void *function = object ? dlsym(object, LAB_ATTACH) : NULL;
    if (!function) {
        const char *why = dlerror ? dlerror() : NULL;
        say("threading: the laboratory cannot be loaded: %s\n", why ? why : file);
        return NULL;
    }
    lab_attach *attach;
    memcpy(&attach, &function, sizeof attach);
    return attach;
}

static void load(const char *file, bool asked)
{
    lab_attach *attach = lab ? NULL : find(file);
    if (!attach)
        return;
    lab = attach(link_fill(), asked);
    if (!lab)
        say("threading: %s does not fit this library, version %s\n", file, thr_version());
}

void hook_load(void)
{
    const char *file = secure_getenv(LAB_VARIABLE);
    if (!file || !*file || !secure_getenv(LAB_MODE_VARIABLE))
        return;
    load(file, true);
    if (!lab)
        _exit(UNUSABLE);
}

/* -- The program's side ------------------------------------------------------------------------------------------- */

void thr__yield_point(void)
{
    hook_point(HOOK_YIELD_POINT, NULL);
}

void thr__access(const void *address)
{
    hook_point(HOOK_ACCESS, address);
}

void thr__look(const void *object)
{
    hook_point(HOOK_LOOK, object);
}

void thr_lab_fail(const char *format, ...)
{
    char message[MESSAGE];
    va_list arguments;
    va_start(arguments, format);
    if (vsnprintf(message, sizeof message, format, arguments) < 0)
        message[0] = '\0';
    va_end(arguments);
    if (lab)
        lab->fail(message);
    say("thr_lab_fail: %s\n", message);
    abort();
}

thr_result thr__explore(void (*body)(void *arg), const thr_explore_options *options, thr_verdict *verdict)
{
    const char *file = secure_getenv(LAB_VARIABLE);
    if (thr__hooked)
        return THR_DEADLOCK;
    load(file && *file ? file : "libthreading_lab.so.0", false);
    return lab ? lab->explore(body, options, verdict) : THR_NOT_STARTED;
}
