/* attach.c - the laboratory's one entry: what the library calls when it has loaded it (src/lab/load.c).
 *
 * Called at the start of a program, it does what the environment asks for: the mode's function. Called by thr_explore, it
 * only hands back its own functions. The options are copied: what the program starts must not find them. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lab/lab.h"

const struct lab_link *lab_library;

/* What can be asked for. Each is called before the program's main, and returns. */
static const struct {
    const char *name;
    void (*run)(void);
} modes[] = {
    {"explore", explore_program},
    {"replay", replay_program},
    {"check", check_program},
};

/* -- Options ------------------------------------------------------------------------------------------------------ */

static char options[1 << 15];

bool option_text(const char *name, char *value, size_t size)
{
    const char *line = options;
    size_t length = strlen(name);
    while (line && *line) {
        const char *end = strchr(line, '\n');
        size_t whole = end ? (size_t)(end - line) : strlen(line);
        if (whole > length && strncmp(line, name, length) == 0 && line[length] == '=') {
            (void)snprintf(value, size, "%.*s", (int)(whole - length - 1), line + length + 1);
            return true;
        }
        line = end ? end + 1 : NULL;
    }
    return false;
}

uint64_t option_count(const char *name, uint64_t otherwise)
{
    char value[32];
    return option_text(name, value, sizeof value) ? strtoull(value, NULL, 10) : otherwise;
}

double option_seconds(const char *name, double otherwise)
{
    char value[64];
    return option_text(name, value, sizeof value) ? strtod(value, NULL) : otherwise;
}

/* -- Attaching ---------------------------------------------------------------------------------------------------- */

/* In memory that the command shares: a file might be closed by the program. */
void attach_tell(char byte)
{
    static char *told;
    int file = (int)option_count("attached", 0);
    if (!told && byte == ATTACH_THERE && file > STDERR_FILENO) {
        void *memory = mmap(NULL, ATTACH_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        told = memory != MAP_FAILED ? memory : NULL;
        (void)close(file);
    }
    if (told)
        told[byte == ATTACH_STOPPED] = byte;
}

/* -- Where messages go -------------------------------------------------------------------------------------------- */

static int kept = -1;
static struct stat kept_is;

void lab_error_keep(void)
{
    enum { HIGH = 200 }; /* out of the program's way */
    kept = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, HIGH);
    if (kept >= 0 && fstat(kept, &kept_is) != 0)
        kept = -1;
}

/* The program may have closed that one, too, and opened another. */
int lab_error(void)
{
    struct stat now;
    bool same = kept >= 0 && fstat(kept, &now) == 0 && now.st_dev == kept_is.st_dev && now.st_ino == kept_is.st_ino;
    return same ? kept : STDERR_FILENO;
}

/* What the program starts is not under the laboratory. */
static void forget_environment(void)
{
    (void)unsetenv(LAB_MODE_VARIABLE);
    (void)unsetenv(LAB_OPTIONS_VARIABLE);
    const char *preloaded = getenv("LD_PRELOAD");
    const char *others = preloaded ? strchr(preloaded, ':') : NULL; /* see preload() in cli/launch.c */
    if (others)
        (void)setenv("LD_PRELOAD", others + 1, 1);
    else
        (void)unsetenv("LD_PRELOAD");
}

static void run_mode(void)
{
    char mode[32] = "";
    const char *asked = getenv(LAB_MODE_VARIABLE);
    if (asked)
        lab_copy(mode, sizeof mode, asked);
    asked = getenv(LAB_OPTIONS_VARIABLE);
    if (asked)
        lab_copy(options, sizeof options, asked);
    forget_environment();
    attach_tell(ATTACH_THERE);
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        if (strcmp(mode, modes[i].name) == 0) {
            modes[i].run();
            return;
        }
    }
    fprintf(stderr, "threading: the laboratory cannot do `%s`\n", mode);
    _exit(2);
}

__attribute__((visibility("default"))) lab_attach thr_lab_attach;

const struct lab_entry *thr_lab_attach(const struct lab_link *link, bool asked)
{
    static const struct lab_entry entry = {lab_fail, explore_function};
    if (link->version != LAB_LINK_VERSION || link->size != sizeof *link)
        return NULL;
    lab_library = link;
    if (asked) {
        run_mode();
    }
    return &entry;
}
