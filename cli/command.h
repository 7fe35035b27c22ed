/* command.h - what the files of the command `threading` share: one file a subcommand, found through the table in
 * threading.c. */

#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The exit statuses of all subcommands. */
enum { STATUS_OK = 0, STATUS_FOUND = 1, STATUS_USAGE = 2 };

/* A subcommand gets the arguments after its name, argv[0] being "threading NAME"; returns an exit status. */
struct command {
    const char *name;
    const char *about; /* one line, for --help */
    int (*run)(int argc, char **argv);
};

int command_explore(int argc, char **argv);
int command_replay(int argc, char **argv);
int command_check(int argc, char **argv);

/* -- launch.c: a program under the laboratory --------------------------------------------------------------------- */

/* Options for the laboratory: NAME=VALUE, separated by newlines. */
struct launch_options {
    char text[16384];
    size_t length;
};

/* Adds one; ends the command with an error where the text becomes too long, or has a newline in it. */
void launch_option(struct launch_options *options, const char *name, const char *value);

/* Runs the program argv, found as the shell finds it, with the laboratory in this mode (see lab/attach.c), and returns
 * the exit status for the command: STATUS_FOUND where `check` has reported something. Says so where the program cannot be
 * run, or does not use the library. `wrapper` (may be NULL) is a command that runs the program, such as a debugger, ended
 * by NULL. */
int launch(const char *mode, const struct launch_options *options, char **argv, char *const *wrapper);

/* Prints "threading: ..." to standard error. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Parses a number for argp, ends with a usage error if it is none. */
uint64_t parse_count(struct argp_state *state, const char *option, const char *text);
double parse_seconds(struct argp_state *state, const char *option, const char *text);

#endif
