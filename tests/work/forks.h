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

/* Whether this is the child, which does not live for long; in the parent that has ended, as it should. */
static inline bool forks(void)
{
    pid_t child = fork();
    if (child != 0) {
        child_end(child);
        return false;
    }
    (void)alarm(20);
    return true;
}

#endif
