/* say.h - lines that come out at once, and in order, whatever the process does next. */

#ifndef PROGRAMS_SAY_H
#define PROGRAMS_SAY_H

#include <stdio.h>
#include <unistd.h>

#include "threading.h"

static inline void say(const char *text)
{
    char line[128];
    int length = snprintf(line, sizeof line, "%s\n", text);
    if (write(STDOUT_FILENO, line, (size_t)length) != length)
        _exit(99);
}

static inline void must(thr_result result)
{
    if (result == THR_OK)
        return;
    say(thr_strerror(result));
    _exit(98);
}

#endif
