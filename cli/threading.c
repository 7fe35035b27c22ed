/* threading.c - the command: finds the subcommand. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"

static const struct command commands[] = {
    {"explore", "run a program under many schedules until one fails", command_explore},
    {"replay", "run one schedule again, from a file that explore has written", command_replay},
    {"check", "run a program once, and report what could become a deadlock", command_check},
};

enum { COMMANDS = sizeof commands / sizeof *commands };

static void usage(FILE *to)
{
    fputs("Usage: threading COMMAND [OPTION...] [-- PROGRAM [ARGUMENT...]]\n\n"
          "Finds bugs in threaded programs that were built with the library `threading`, and plays them back.\n\n",
          to);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].about);
    fputs(
        "\n  -h, --help, -V, --version\n\n"
        "threading COMMAND --help lists the options of a command. The exit status is 0 when nothing was found, 1 when\n"
        "something was, 2 when the command could not do what was asked. See also: man threading.\n",
        to);
}

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

static bool is(const char *argument, const char *brief, const char *full)
{
    return strcmp(argument, brief) == 0 || strcmp(argument, full) == 0;
}

/* What we open must not become the program's standard input, output or error, where these are closed. */
static void open_standard_files(void)
{
    for (int file = open("/dev/null", O_RDWR); file >= 0; file = dup(file)) {
        if (file > STDERR_FILENO) {
            (void)close(file);
            return;
        }
    }
}

int main(int argc, char **argv)
{
    char name[64];
    open_standard_files();
    argp_err_exit_status = STATUS_USAGE;
    if (argc < 2) {
        usage(stderr);
        return STATUS_USAGE;
    }
    if (is(argv[1], "-h", "--help") || strcmp(argv[1], "help") == 0) {
        usage(stdout);
        return STATUS_OK;
    }
    if (is(argv[1], "-V", "--version")) {
        puts("threading " THREADING_VERSION);
        return STATUS_OK;
    }
    const struct command *command = find(argv[1]);
    if (!command) {
        complain("there is no command `%s`; see threading --help", argv[1]);
        return STATUS_USAGE;
    }
    (void)snprintf(name, sizeof name, "threading %s", command->name);
    argv[1] = name;
    return command->run(argc - 1, argv + 1);
}
