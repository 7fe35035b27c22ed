/* zygote.c - the process from which all runs of a program are forked.
 *
 * It is stopped as late as can be: what the program does before its first thread is the same in every run, and is done once.
 * Until then its operations go through here. The clock stands.
 *
 *  asked for                         what is done
 *  a lock, a flag, a count           nothing: there is nobody who could come between
 *  a thread, a timer, anything else  the zygote stops; the runs go on from here
 *  a wait, a mistake                 the same: what comes of it is a run's affair */

#include "lab/zygote.h"

#include "lab/clock.h"
#include "lab/control.h"

static void (*stopped_at)(void);

bool zygote_runs(void)
{
    return stopped_at;
}

void zygote_stop(void)
{
    void (*stopped)(void) = stopped_at;
    if (!stopped)
        return;
    stopped_at = NULL;
    /* What is called in here, by handlers of the fork for instance, is nobody's operation. */
    lab_library->hook(HOOK_NOBODY);
    *lab_library->system = lab_library->os;
    stopped();
}

static bool is_harmless(enum hook_operation operation)
{
    return operation < HOOK_THREAD_START || operation == HOOK_LOOK || operation == HOOK_YIELD_POINT ||
           operation == HOOK_ACCESS;
}

static void zygote_point(enum hook_operation operation, const void *object)
{
    if (is_harmless(operation))
        return;
    zygote_stop();
    (*lab_library->system)->point(operation, object);
}

static enum os_wait_end zygote_wait(const uint32_t *word, uint32_t expected, uint32_t mask, thr_time deadline)
{
    zygote_stop();
    return (*lab_library->system)->wait(word, expected, mask, deadline);
}

static void zygote_wake(const uint32_t *word, uint32_t count, uint32_t mask)
{
    (void)word;
    (void)count;
    (void)mask; /* nobody sleeps */
}

static thr_result zygote_start(os_thread *thread, size_t stack_size, bool block_signals, void *(*function)(void *),
                               void *arg)
{
    zygote_stop();
    return (*lab_library->system)->start(thread, stack_size, block_signals, function, arg);
}

static bool zygote_join(os_thread thread)
{
    return lab_library->os->join(thread);
}

static void zygote_misuse(const void *object, thr_result result)
{
    zygote_stop();
    (*lab_library->system)->misuse(object, result);
}

static const struct wait_system zygote_system = {zygote_wait,  zygote_wake, clock_start,   zygote_point,
                                                 zygote_start, zygote_join, zygote_misuse, NULL};

void zygote_begin(void (*stopped)(void))
{
    stopped_at = stopped;
    *lab_library->system = &zygote_system;
    lab_library->hook(HOOK_STEERED);
}
