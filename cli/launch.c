/* launch.c - runs a program with the laboratory loaded into it.
 *
 * The program is started as it is, with environment variables that the library looks at before main (src/lab/link.h). The
 * laboratory is preloaded too, so that it sees blocking calls that do not go through the library. In memory that is
 * shared (struct lab_news) stands whether the library was there at all, and which process came to a thread.
 *
 * A program may become a daemon: its first process ends, another goes on, and is the one that is explored. This command becomes
 * its parent (PR_SET_CHILD_SUBREAPER), and so can wait for it.
 *
 * Addresses are the same in every run, where the system lets us ask for that: then a schedule that is replayed later finds
 * the same ones. */

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/command.h"
#include "lab/link.h"

void complain(const char *format, ...)
{
    va_list arguments;
    fputs("threading: ", stderr);
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

/* -- Options ------------------------------------------------------------------------------------------------------ */

void launch_option(struct launch_options *options, const char *name, const char *value)
{
    size_t room = sizeof options->text - options->length;
    int length = snprintf(options->text + options->length, room, "%s=%s\n", name, value);
    if (length < 0 || (size_t)length >= room || strchr(value, '\n')) {
        complain("the value of %s is too long, or has a newline in it", name);
        exit(STATUS_USAGE);
    }
    options->length += (size_t)length;
}

uint64_t parse_count(struct argp_state *state, const char *option, const char *text)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || *text == '-')
        argp_error(state, "--%s wants a number, not `%s`", option, text);
    return value;
}

double parse_seconds(struct argp_state *state, const char *option, const char *text)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value > 0) || value > 1e9)
        argp_error(state, "--%s wants a number of seconds above 0, not `%s`", option, text);
    return value;
}

/* -- The laboratory's file ---------------------------------------------------------------------------------------- */

static bool readable(char *path, size_t size, const char *folder, const char *below)
{
    int length = snprintf(path, size, "%s%s/%s", folder, below, LAB_FILE);
    return length > 0 && (size_t)length < size && access(path, R_OK) == 0;
}

/* Beside the command (in a build folder), or where it is installed with it. */
static bool find_lab(char *path, size_t size)
{
    char folder[PATH_MAX];
    const char *given = getenv(LAB_VARIABLE);
    if (given && *given)
        return snprintf(path, size, "%s", given) < (int)size;
    ssize_t length = readlink("/proc/self/exe", folder, sizeof folder - 1);
    if (length <= 0)
        return false;
    folder[length] = '\0';
    *strrchr(folder, '/') = '\0';
    return readable(path, size, folder, "") || readable(path, size, folder, "/" LAB_FROM_BIN);
}

/* -- The program -------------------------------------------------------------------------------------------------- */

static void preload(const char *file)
{
    char all[2 * PATH_MAX];
    const char *others = getenv("LD_PRELOAD");
    (void)snprintf(all, sizeof all, "%s%s%s", file, others && *others ? ":" : "", others ? others : "");
    (void)setenv("LD_PRELOAD", all, 1);
    /* AddressSanitizer wants to be first, and says so; it works all the same. */
    const char *asan = getenv("ASAN_OPTIONS");
    (void)snprintf(all, sizeof all, "%s%sverify_asan_link_order=0", asan ? asan : "", asan && *asan ? ":" : "");
    (void)setenv("ASAN_OPTIONS", all, 1);
}

static _Noreturn void become(const char *file, const char *mode, const char *options, char **argv)
{
    int now = personality(0xffffffff);
    if (now != -1)
        (void)personality((unsigned)now | ADDR_NO_RANDOMIZE); /* where it is not allowed, it is not */
    (void)setenv(LAB_VARIABLE, file, 1);
    (void)setenv(LAB_MODE_VARIABLE, mode, 1);
    (void)setenv(LAB_OPTIONS_VARIABLE, options, 1);
    preload(file);
    (void)execvp(argv[0], argv); // NOLINT(clang-analyzer-core.NonNullParamChecker): commands want a program
    int error = errno;
    (void)unsetenv("LD_PRELOAD");
    complain("%s: %s", argv[0], strerror(error));
    _exit(STATUS_USAGE);
}

/* The wrapper's arguments, then the program's. */
static char **wrapped(char *const *wrapper, char **argv)
{
    size_t n = 0;
    size_t m = 0;
    while (wrapper && wrapper[n])
        n++;
    while (argv[m])
        m++;
    char **all = calloc(n + m + 1, sizeof *all);
    if (!all)
        abort();
    if (n > 0)
        memcpy(all, wrapper, n * sizeof *all);
    memcpy(all + n, argv, m * sizeof *all);
    return all;
}

/* It ended by itself, and not in the laboratory. */
static int status_alone(int status, const char *program)
{
    if (WIFSIGNALED(status)) {
        complain("%s: %s, before it started a thread", program, strsignal(WTERMSIG(status)));
        return STATUS_FOUND;
    }
    if (WEXITSTATUS(status) != 0) {
        complain("%s ended with status %d, before it started a thread", program, WEXITSTATUS(status));
        return STATUS_FOUND;
    }
    complain("%s ended well, and started no thread: there is only one schedule", program);
    return STATUS_OK;
}

static bool await(pid_t child, int *status)
{
    while (waitpid(child, status, 0) < 0) {
        if (errno != EINTR)
            return false;
    }
    return true;
}

/* What a debugger did with the program has been seen on the spot. */
static int status_wrapped(pid_t child)
{
    int status;
    return await(child, &status) && WIFEXITED(status) ? WEXITSTATUS(status) : STATUS_USAGE;
}

static const struct lab_news *news;

/* Ctrl-C ends the search of a daemon, too, or else the wait for one. */
static void pass_on(int signal)
{
    if (news->stopped == 0)
        _exit(STATUS_USAGE);
    (void)kill(news->stopped, signal);
}

/* The program's first process has ended, and was not explored itself: waits for those that it has left, until one of them was
 * explored, and then has its status. */
static void await_daemon(const char *program, int *status)
{
    int last;
    pid_t ended = waitpid(-1, &last, WNOHANG);
    if (ended == 0)
        complain("%s goes on in another process", program);
    (void)signal(SIGINT, pass_on);
    while (ended >= 0 || errno == EINTR) {
        if (ended > 0 && ended == news->stopped) {
            *status = last;
            return;
        }
        ended = waitpid(-1, &last, 0);
    }
}

static int status_of(pid_t child, const char *program)
{
    int status;
    if (!await(child, &status))
        return STATUS_USAGE;
    bool there = news->there != 0;
    bool well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (there && news->stopped != child && (well || news->stopped != 0))
        await_daemon(program, &status);
    if (news->ended != 0)
        return news->ended - 1;
    bool stopped = news->stopped != 0;
    if (!there && WIFSIGNALED(status)) {
        complain("%s: %s, before the library was there", program, strsignal(WTERMSIG(status)));
        return STATUS_USAGE;
    }
    if (!there) {
        if (!(WIFEXITED(status) && WEXITSTATUS(status) == STATUS_USAGE))
            complain("%s does not use the library `threading` (or a version of it without the laboratory)", program);
        return STATUS_USAGE;
    }
    if (!stopped && !(WIFEXITED(status) && WEXITSTATUS(status) == STATUS_USAGE))
        return status_alone(status, program);
    if (WIFSIGNALED(status)) {
        complain("%s: %s", program, strsignal(WTERMSIG(status)));
        return STATUS_USAGE;
    }
    return WEXITSTATUS(status);
}

/* What the laboratory could not say itself. */
static void say_the_rest(const char *program)
{
    size_t length = news->length < NEWS_TEXT ? news->length : NEWS_TEXT;
    (void)fflush(stderr);
    (void)!write(STDERR_FILENO, news->text, length);
    if (news->others)
        complain("more than one process of %s came to a thread: the first was explored, and the others ran as ever",
                 program);
}

int launch(const char *mode, const struct launch_options *options, char **argv, char *const *wrapper)
{
    char file[PATH_MAX];
    char text[sizeof options->text + 64];
    if (!find_lab(file, sizeof file)) {
        complain("%s is not beside this command, nor where it is installed", LAB_FILE);
        return STATUS_USAGE;
    }
    int shared = memfd_create("news", 0);
    void *memory = shared >= 0 && ftruncate(shared, sizeof *news) == 0
                       ? mmap(NULL, sizeof *news, PROT_READ, MAP_SHARED, shared, 0)
                       : MAP_FAILED;
    if (memory == MAP_FAILED) {
        complain("no memory: %s", strerror(errno));
        return STATUS_USAGE;
    }
    news = memory;
    (void)snprintf(text, sizeof text, "%snews=%d\n", options->text, shared);
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t child = fork();
    if (child == 0)
        become(file, mode, text, wrapped(wrapper, argv));
    (void)close(shared);
    if (child < 0) {
        complain("no process: %s", strerror(errno));
        return STATUS_USAGE;
    }
    /* Ctrl-C is for the program; the laboratory in it ends the search with a summary. */
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGQUIT, SIG_IGN);
    int status = wrapper ? status_wrapped(child) : status_of(child, argv[0]);
    say_the_rest(argv[0]);
    return news->reported ? STATUS_FOUND : status;
}
