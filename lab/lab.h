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

/* Where reports go: to standard error as it was before main, whatever the program makes of it, once that was kept. */
void lab_error_keep(void);
int lab_error(void);

/* Tells the command how far it has come: the library is there; the program is about to start a thread. */
enum { ATTACH_THERE = 'a', ATTACH_STOPPED = 's' };
void attach_tell(char byte);

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
