/* work.c - what futures stand on, as the search has it: nobody has a worker to help with or to stand in for, and no task
 * fails. It is compiled as the library is. */

#include <stdlib.h>

#include "thread/thread.h"
#include "wait/moment.h"
#include "work/absence.h"
#include "work/executor.h"
#include "work/frame.h"
#include "work/help.h"

__thread struct thr__here thr__here;

void wait_moment(unsigned *turns)
{
    (void)turns; /* whom it waits for may move at the next look */
}

void help_future(thr_future *future)
{
    (void)future;
}

bool help_is_above(const void *target)
{
    (void)target;
    return false;
}

void absence_begin(struct absence *absence)
{
    (void)absence;
}

thr_time absence_before(const struct absence *absence, struct wait *wait)
{
    (void)absence;
    return wait->deadline;
}

thr_result absence_after(struct absence *absence, struct wait *wait, thr_time deadline, thr_result result)
{
    (void)absence, (void)wait, (void)deadline;
    return result;
}

thr_result absence_block(struct absence *absence, struct wait *wait, const uint32_t *word, uint32_t expected)
{
    (void)absence;
    return wait_block(wait, word, expected, OS_ANY);
}

void absence_end(struct absence *absence)
{
    (void)absence;
}

thr_result thread_watch(thr_thread *thread, bool watch)
{
    (void)thread, (void)watch;
    return THR_INVALID; /* threads are not searched */
}

thr_result executors_prepare(void)
{
    return THR_OK;
}

bool frame_run(struct frame *frame, void *(*function)(void *arg), void *arg, void **result, bool report)
{
    (void)frame, (void)report;
    *result = function(arg);
    return true;
}

void *failure_of(const struct frame *frame)
{
    (void)frame;
    return NULL;
}

struct failure *failure_new(int code, const char *message)
{
    (void)code, (void)message;
    return NULL;
}

int failure_code(const void *failure)
{
    (void)failure;
    return 0;
}

void failure_free(void *failure)
{
    (void)failure;
}

void failure_copy(const void *failure, char *message, size_t size)
{
    (void)failure, (void)message, (void)size;
}
