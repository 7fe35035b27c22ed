/* known.h - what the tests of threads share. */

#ifndef THREAD_KNOWN_H
#define THREAD_KNOWN_H

#include "support/support.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "threading.h"
#include "wait/wait.h"

enum { NAME_SIZE = 512 };

static inline void *return_arg(void *arg)
{
    return arg;
}

static inline void *wait_for_event(void *arg)
{
    (void)thr_event_wait(arg);
    return arg;
}

static inline void end(thr_thread *thread)
{
    CHECK_OK(thr_thread_join(thread, NULL));
    thr_thread_unref(thread);
}

static inline void check_name(const thr_thread *thread, const char *expected)
{
    char name[NAME_SIZE];
    CHECK_EQUAL(thr_thread_name(thread, name, sizeof name), strlen(expected));
    if (strcmp(name, expected) != 0)
        support_fail(__FILE__, __LINE__, "the name is %s, not %s", name, expected);
}

#endif
