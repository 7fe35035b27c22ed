/* replay.c - `threading replay`: a schedule file says which program, with which arguments, in which folder. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"

enum { KEY_GDB = 256, KEY_ALLOW_MISUSE, KEY_HANG };

static const struct argp_option options[] = {
    {"gdb", KEY_GDB, NULL, 0, "run it under the debugger gdb", 0},
    {"hang", KEY_HANG, "S", 0, "it hangs when it takes no step for S seconds (10)", 0},
    {"allow-misuse", KEY_ALLOW_MISUSE, NULL, 0, "mistaken calls (release of a free lock, ...) are no failures", 0},
    {0},
};

struct request {
    struct launch_options launch;
    const char *file;
    char **program;
    bool gdb;
    char **recorded; /* program and arguments, from the file; ended by NULL */
    char *folder;
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct request *request = state->input;
    switch (key) {
    case KEY_GDB:
        request->gdb = true;
        launch_option(&request->launch, "here", "1");
        return 0;
    case KEY_HANG:
        (void)parse_seconds(state, "hang", text);
        launch_option(&request->launch, "hang", text);
        return 0;
    case KEY_ALLOW_MISUSE:
        launch_option(&request->launch, "allow_misuse", "1");
        return 0;
    case ARGP_KEY_ARG:
        if (request->file)
            return ARGP_ERR_UNKNOWN; /* then ARGP_KEY_ARGS comes */
        request->file = text;
        return 0;
    case ARGP_KEY_ARGS:
        request->program = state->argv + state->next;
        if (*request->program && strcmp(*request->program, "--") == 0)
            request->program++;
        return 0;
    case ARGP_KEY_END:
        if (!request->file)
            argp_error(state, "which schedule file?");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* As the laboratory has written it (lab/schedule.c): \n is a newline, and \\ a backslash. In place. */
static char *plain(char *text)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        bool escaped = *from == '\\' && from[1] != '\0';
        from += escaped;
        *to++ = (char)(escaped && *from == 'n' ? '\n' : *from);
    }
    *to = '\0';
    return text;
}

/* What follows the word and a space; NULL if the line does not begin so. */
static char *rest(const char *line, const char *word)
{
    size_t length = strlen(word);
    if (strncmp(line, word, length) != 0 || line[length] != ' ')
        return NULL;
    char *text = strdup(line + length + 1);
    return text ? plain(text) : NULL;
}

/* How a schedule file begins; its version follows, which the laboratory looks at. */
#define FIRST "threading schedule "

static bool add_recorded(struct request *request, size_t n, char *text)
{
    char **more = realloc(request->recorded, (n + 2) * sizeof *more);
    if (!more) {
        complain("no memory for the arguments in %s", request->file);
        free(text);
        return false;
    }
    request->recorded = more;
    more[n] = text;
    more[n + 1] = NULL;
    return true;
}

static bool read_lines(struct request *request, FILE *file)
{
    char *line = NULL;
    size_t room = 0;
    size_t n = 0;
    bool read = getline(&line, &room, file) > 0 && strncmp(line, FIRST, strlen(FIRST)) == 0;
    if (!read)
        complain("%s is no schedule file: it does not begin with `%s`", request->file, FIRST);
    while (read && getline(&line, &room, file) > 0) {
        char *text;
        line[strcspn(line, "\n")] = '\0';
        if ((text = rest(line, "program")) != NULL || (text = rest(line, "argument")) != NULL)
            read = add_recorded(request, n++, text);
        else if ((text = rest(line, "folder")) != NULL)
            request->folder = text;
    }
    free(line);
    return read;
}

/* The laboratory reads the moves; here only what is to be run matters. */
static bool read_program(struct request *request)
{
    FILE *file = fopen(request->file, "r");
    if (!file) {
        complain("%s: %s", request->file, strerror(errno));
        return false;
    }
    bool read = read_lines(request, file);
    (void)fclose(file);
    return read;
}

static bool go_to_folder(const struct request *request)
{
    if (!request->folder || chdir(request->folder) == 0)
        return true;
    complain("the program ran in %s, which cannot be entered: %s", request->folder, strerror(errno));
    return false;
}

int command_replay(int argc, char **argv)
{
    static const struct argp argp = {options,
                                     parse,
                                     "FILE [[--] PROGRAM [ARGUMENT...]]",
                                     "Runs the schedule of FILE again; the program and its arguments as they are "
                                     "written there, in the same folder, unless others are given.",
                                     NULL,
                                     NULL,
                                     NULL};
    static char gdb[] = "gdb";
    static char quiet[] = "-q";
    static char arguments[] = "--args";
    static struct request request;
    char *const wrapper[] = {gdb, quiet, arguments, NULL};
    if (argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &request) != 0 || !read_program(&request))
        return STATUS_USAGE;
    char *absolute = realpath(request.file, NULL);
    launch_option(&request.launch, "file", absolute ? absolute : request.file);
    free(absolute);
    char **program = request.program && *request.program ? request.program : NULL;
    if (!program && !go_to_folder(&request))
        return STATUS_USAGE;
    program = program ? program : request.recorded;
    if (!program || !*program) {
        complain("%s does not say which program; give it after --", request.file);
        return STATUS_USAGE;
    }
    return launch("replay", &request.launch, program, request.gdb ? wrapper : NULL);
}
