/* outside.c - calls that are not the library's. */

#include <string.h>

#include "lab/control.h"

void outside_note(const char *name)
{
    struct run *run = control_run;
    for (uint32_t i = 0; i < run->outsides; i++) {
        if (strcmp(run->outside[i], name) == 0)
            return;
    }
    if (run->outsides == OUTSIDE)
        return;
    strncpy(run->outside[run->outsides], name, sizeof run->outside[0] - 1);
    run->outsides++;
}
