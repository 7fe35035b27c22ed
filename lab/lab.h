/* lab.h - what the files of the laboratory share: the library that it stands beside, and its options. */

#ifndef LAB_LAB_H
#define LAB_LAB_H

#include <string.h>

#include "lab/link.h"

/* The library in this process; NULL before it has attached. */
extern const struct lab_link *lab_library;

/* Copies as much as there is room for, and a 0. */
static inline void lab_copy(char *to, size_t size, const char *from)
{
    size_t length = strlen(from);
    if (length >= size)
        length = size - 1;
    memcpy(to, from, length);
    to[length] = '\0';
}

/* -- attach.c: options that the command has handed over ----------------------------------------------------------- */

/* Copies an option's value; false if it was not given. */
bool option_text(const char *name, char *value, size_t size);
uint64_t option_count(const char *name, uint64_t otherwise);
double option_seconds(const char *name, double otherwise);

/* Where reports go: to standard error as it was before main, once that was kept, or, where the program has closed it, to the
 * command, which writes them when all has ended. No stdio buffers: the children of a search are copies of this process. */
void lab_error_keep(void);
void lab_write(const char *text, size_t length);
void lab_print(const char *format, ...) THR_PRINTF(1, 2);
bool lab_writes_to_terminal(void);

/* Gives the file a number out of the program's way, where there is one. */
int lab_out_of_the_way(int file);

/* Tell the command: this process is about to start a thread (false: another one of the program is explored already); what has
 * come of the search; `check` has reported something. */
bool news_stopped(void);
void news_ended(int status);
void news_reported(void);

/* -- What can be asked for ---------------------------------------------------------------------------------------- */

/* `threading explore`, `threading replay`. Called before main, and return. */
void explore_program(void);
void replay_program(void);

/* `threading check`: returns, and the program goes on to main. */
void check_program(void);

/* thr_explore. */
thr_result explore_function(void (*body)(void *arg), const thr_explore_options *options, thr_verdict *verdict);

/* thr_lab_fail; returns where nothing is explored. */
void lab_fail(const char *message);

#endif
