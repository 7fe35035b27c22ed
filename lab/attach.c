/* attach.c - the laboratory's one entry: what the library calls when it has loaded it (src/lab/load.c).
 *
 * Called at the start of a program, it does what the environment asks for: the mode's function. Called by thr_explore, it
 * only hands back its own functions. The options are copied: what the program starts must not find them. */

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lab/lab.h"
#include "wait/atomic.h"

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

/* -- News for the command ----------------------------------------------------------------------------------------- */

static struct lab_news *news;

static void news_open(void)
{
    int file = (int)option_count("news", 0);
    if (file <= STDERR_FILENO)
        return;
    void *memory = mmap(NULL, sizeof *news, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    (void)close(file);
    if (memory == MAP_FAILED)
        return;
    news = memory;
    news->there = 1;
}

bool news_stopped(void)
{
    int none = 0;
    if (!news || cas_relaxed(&news->stopped, &none, getpid())) /* of the two nothing else is asked */
        return true;
    news->others = 1;
    return false;
}

void news_ended(int status)
{
    if (news)
        news->ended = status + 1;
}

void news_reported(void)
{
    if (news)
        news->reported = 1;
}

static void news_add(const char *text, size_t length)
{
    size_t at =
        __atomic_fetch_add(&news->length, (uint32_t)length, __ATOMIC_RELAXED); /* the command looks at the end */
    size_t room = at < NEWS_TEXT ? NEWS_TEXT - at : 0;
    if (room > 0)
        memcpy(news->text + at, text, length < room ? length : room);
}

/* -- Where messages go -------------------------------------------------------------------------------------------- */

static int kept = -1;
static struct stat kept_is;

int lab_out_of_the_way(int file)
{
    enum { HIGH = 200 };
    int high = file >= 0 ? fcntl(file, F_DUPFD_CLOEXEC, HIGH) : -1;
    if (high < 0)
        return file;
    (void)close(file);
    return high;
}

void lab_error_keep(void)
{
    kept = lab_out_of_the_way(dup(STDERR_FILENO));
    if (kept >= 0 && fstat(kept, &kept_is) != 0)
        kept = -1;
}

static bool is_kept(int file)
{
    struct stat now;
    return fstat(file, &now) == 0 && now.st_dev == kept_is.st_dev && now.st_ino == kept_is.st_ino;
}

/* The program may have closed both, and opened others; -1: it has. */
static int error_file(void)
{
    if (kept < 0 || is_kept(STDERR_FILENO))
        return STDERR_FILENO;
    if (is_kept(kept))
        return kept;
    return news ? -1 : STDERR_FILENO;
}

void lab_write(const char *text, size_t length)
{
    int file = error_file();
    if (file < 0) {
        news_add(text, length);
        return;
    }
    while (length > 0) {
        ssize_t written = write(file, text, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return;
        text += written;
        length -= (size_t)written;
    }
}

void lab_print(const char *format, ...)
{
    char line[4096];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (length > 0)
        lab_write(line, (size_t)length < sizeof line ? (size_t)length : sizeof line - 1);
}

bool lab_writes_to_terminal(void)
{
    int file = error_file();
    return file >= 0 && isatty(file);
}

/* -- Attaching ---------------------------------------------------------------------------------------------------- */

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
    news_open();
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
