/* explore.c - `threading explore`: the options, which the laboratory in the program gets as they are. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"

enum key { KEY_HANG = 256, KEY_ALLOW_MISUSE, KEY_NO_EARLY, KEY_PREEMPTIONS, KEY_SHORTEN };

static const struct argp_option options[] = {
    {"schedules", 'n', "N", 0, "run at most N schedules (10000)", 0},
    {"seconds", 't', "S", 0, "and not for longer than S seconds", 0},
    {"seed", 's', "N", 0, "of the random strategies (1): the same seed tries the same schedules", 0},
    {"strategy", 'S', "NAME", 0, "random, pct, pos, surw or exhaustive, instead of all in turn", 0},
    {"preemptions", KEY_PREEMPTIONS, "N", 0, "exhaustive: at most N preemptions in a schedule", 0},
    {"output", 'o', "FILE", 0, "where the schedule that fails is written (PROGRAM.schedule)", 0},
    {"jobs", 'j', "N", 0, "run N schedules at a time, 16 at most (one a processor)", 0},
    {"hang", KEY_HANG, "S", 0, "a schedule hangs when it takes no step for S seconds (10)", 0},
    {"shorten", KEY_SHORTEN, "S", 0,
     "look for a shorter one that fails until its runs have used S seconds of processor time (60)", 0},
    {"allow-misuse", KEY_ALLOW_MISUSE, NULL, 0, "mistaken calls (release of a free lock, ...) are no failures", 0},
    {"no-early-timeouts", KEY_NO_EARLY, NULL, 0, "deadlines pass only when nobody can run", 0},
    {"quiet", 'q', NULL, 0, "no progress line", 0},
    {0},
};

struct request {
    struct launch_options launch;
    char **program;
};

static void count(struct argp_state *state, struct request *request, const char *name, const char *text)
{
    if (parse_count(state, name, text) == 0 && strcmp(name, "seed") != 0)
        argp_error(state, "--%s wants a number above 0", name);
    launch_option(&request->launch, name, text);
}

static void seconds(struct argp_state *state, struct request *request, const char *name, const char *text)
{
    (void)parse_seconds(state, name, text);
    launch_option(&request->launch, name, text);
}

/* A file is named from where the command runs; the program may go elsewhere. */
static void file(struct request *request, const char *name)
{
    char folder[4096];
    char path[8192];
    if (name[0] == '/' || !getcwd(folder, sizeof folder))
        (void)snprintf(path, sizeof path, "%s", name);
    else
        (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    launch_option(&request->launch, "file", path);
}

static void strategy(struct argp_state *state, struct request *request, const char *name)
{
    static const char *const names[] = {"random", "pct", "pos", "surw", "exhaustive"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) == 0) {
            launch_option(&request->launch, "strategy", name);
            return;
        }
    }
    argp_error(state, "there is no strategy `%s`", name);
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct request *request = state->input;
    switch (key) {
    case 'n':
        count(state, request, "schedules", text);
        return 0;
    case 't':
        seconds(state, request, "seconds", text);
        return 0;
    case 's':
        count(state, request, "seed", text);
        return 0;
    case 'S':
        strategy(state, request, text);
        return 0;
    case KEY_PREEMPTIONS:
        count(state, request, "preemptions", text);
        return 0;
    case 'o':
        file(request, text);
        return 0;
    case 'j':
        count(state, request, "jobs", text);
        return 0;
    case KEY_HANG:
        seconds(state, request, "hang", text);
        return 0;
    case KEY_SHORTEN:
        seconds(state, request, "shorten", text);
        return 0;
    case KEY_ALLOW_MISUSE:
        launch_option(&request->launch, "allow_misuse", "1");
        return 0;
    case KEY_NO_EARLY:
        launch_option(&request->launch, "no_early_timeout", "1");
        return 0;
    case 'q':
        launch_option(&request->launch, "progress", "0");
        return 0;
    case ARGP_KEY_ARGS:
        request->program = state->argv + state->next;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which program?");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int command_explore(int argc, char **argv)
{
    static const struct argp argp = {
        options,
        parse,
        "[--] PROGRAM [ARGUMENT...]",
        "Runs a program that uses the library `threading` under many schedules, until one fails; then says why, and "
        "writes a file with which `threading replay` plays it back.",
        NULL,
        NULL,
        NULL};
    static struct request request;
    char name[4096];
    if (argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &request) != 0)
        return STATUS_USAGE;
    if (!strstr(request.launch.text, "file=")) {
        const char *slash = strrchr(request.program[0], '/');
        (void)snprintf(name, sizeof name, "%s.schedule", slash ? slash + 1 : request.program[0]);
        file(&request, name);
    }
    return launch("explore", &request.launch, request.program, NULL);
}
