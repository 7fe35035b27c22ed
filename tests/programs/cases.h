/* cases.h - a program that is several: PROGRAM CASE runs the case of that name.
 *
 *     static const struct program_case cases[] = {{CASE(two_orders)}, {"return", in_return}};
 *
 *     int main(int argc, char **argv)
 *     {
 *         return CASE_RUN(argc, argv, cases);
 *     } */

#ifndef PROGRAMS_CASES_H
#define PROGRAMS_CASES_H

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "threading.h"

struct program_case {
    const char *name;
    void (*run)(void);
};

#define CASE(function) #function, function

/* Returns 0 after the case, 2 without one. */
#define CASE_RUN(argc, argv, cases) program_run((argc), (argv), (cases), sizeof(cases) / sizeof *(cases))

static inline int program_run(int argc, char **argv, const struct program_case *cases, size_t n)
{
    for (size_t i = 0; argc == 2 && i < n; i++) {
        if (strcmp(argv[1], cases[i].name) == 0) {
            cases[i].run();
            return 0;
        }
    }
    /* The version: so that the library is in the program also where no case needs it. */
    fprintf(stderr, "usage: %s CASE (threading %s)\n", argv[0], thr_version());
    return 2;
}

#endif
