/* watch.c - see watch.h.
 *
 * A run hangs when it takes no step for long; or, where all have their turns one after the other (`fair`), no end. A
 * machine that is busy, or stands still for a while, is not the program's fault. So what counts is
 *
 *  the thread whose turn it is      time since the last step
 *  is asleep in the system          real time, at most a second for each look
 *  can run                          processor time that its process has used: it may be waiting for a processor
 *
 * Nothing is allocated here (S3 of search.c). */

#include "lab/watch.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SECOND ((thr_time)1000000000)

void watch_begin(struct watch *watch)
{
    *watch = (struct watch){.looked = lab_library->os->now()};
}

pid_t watch_thread(const struct run *run, pid_t child)
{
    uint32_t running = load_relaxed(&run->running);
    pid_t thread = running < load_relaxed(&run->strands) ? load_relaxed(&run->strand[running].system_id) : 0;
    return thread != 0 ? thread : child;
}

/* The state stands behind the name, which is in parentheses and may have some itself. */
static bool can_run(pid_t child, pid_t thread)
{
    char text[512];
    (void)snprintf(text, sizeof text, "/proc/%d/task/%d/stat", child, thread);
    int file = open(text, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    ssize_t length = read(file, text, sizeof text - 1);
    (void)close(file);
    text[length > 0 ? length : 0] = '\0';
    const char *after = strrchr(text, ')');
    return after && after[1] == ' ' && after[2] == 'R';
}

static thr_time used_by(pid_t child)
{
    clockid_t clock;
    struct timespec used = {0};
    if (clock_getcpuclockid(child, &clock) != 0 || clock_gettime(clock, &used) != 0)
        return 0;
    return (thr_time)used.tv_sec * SECOND + used.tv_nsec;
}

thr_time watch_look(struct watch *watch, const struct run *run, pid_t child)
{
    uint64_t steps = load_relaxed(&run->steps); /* a hint: what it had done at some time before */
    thr_time now = lab_library->os->now();
    thr_time used = used_by(child);
    thr_time passed = now - watch->looked < SECOND ? now - watch->looked : SECOND;
    if (steps != watch->steps && !run->fair)
        watch->idle = 0;
    else
        watch->idle += can_run(child, watch_thread(run, child)) ? used - watch->used : passed;
    watch->steps = steps;
    watch->looked = now;
    watch->used = used;
    return watch->idle;
}
