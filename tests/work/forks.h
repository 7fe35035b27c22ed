/* forks.h - what the tests that fork share. */

#ifndef WORK_FORKS_H
#define WORK_FORKS_H

#include "support/support.h"

#include <sys/wait.h>
#include <unistd.h>

/* Blocks until the child has ended, as it should. */
static inline void child_end(pid_t child)
{
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

#endif
