/* check.c - threading check: runs a program once, with somebody looking on. */

#include "cli/command.h"

static const char doc[] = "Runs PROGRAM once, at nearly its full speed, and reports what could become a deadlock, or "
                          "has: locks that are taken "
                          "in two orders (even by one thread, at different times), a lock taken again by the thread "
                          "that holds it, threads that "
                          "wait for each other, and threads that are still blocked at the end."
                          "\vA report comes before the thread blocks, on standard error. A program in which nobody can "
                          "go on is ended. The exit "
                          "status is 1 when something was reported, else that of the program. PROGRAM is not "
                          "recompiled: it only has to use the "
                          "library.";

static error_t parse(int key, char *argument, struct argp_state *state)
{
    char ***program = state->input;
    (void)argument;
    switch (key) {
    case ARGP_KEY_ARGS:
        *program = state->argv + state->next;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which program?");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int command_check(int argc, char **argv)
{
    static const struct argp argp = {NULL, parse, "[--] PROGRAM [ARGUMENT...]", doc, NULL, NULL, NULL};
    struct launch_options options = {.length = 0};
    char **program = NULL;
    if (argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &program) != 0)
        return STATUS_USAGE;
    return launch("check", &options, program, NULL);
}
