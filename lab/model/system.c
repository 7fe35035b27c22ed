/* system.c - what the library's wait layer stands on, as the search has it: os/os.h, and the registry of records.
 *
 * os_wait compares and falls asleep in one step; it may compare with an older value, but not with one older than what
 * somebody knew who has called os_wake for the word. A sleeper may wake at any time for no reason, and at any time after
 * its deadline. What was known to who wakes it is not known to it by that alone. */

#include "model/step.h"
#include "os/os.h"
#include "wait/wait.h"

#define HERE __builtin_extract_return_addr(__builtin_return_address(0))

enum os_wait_end os_wait(const uint32_t *word, uint32_t expected, uint32_t mask, thr_time deadline)
{
    struct pending *pending = step_pending();
    pending->operation = OPERATION_WAIT;
    pending->at = (uintptr_t)word;
    pending->size = sizeof *word;
    pending->value = expected;
    pending->mask = mask;
    pending->deadline = deadline;
    pending->site = HERE;
    return (enum os_wait_end)step_wait();
}

void os_wake(const uint32_t *word, uint32_t count, uint32_t mask)
{
    struct pending *pending = step_pending();
    pending->operation = OPERATION_WAKE;
    pending->at = (uintptr_t)word;
    pending->size = sizeof *word;
    pending->value = count;
    pending->mask = mask;
    pending->site = HERE;
    (void)step_wait();
}

thr_time os_now(void)
{
    return (thr_time)world.clock * TICK;
}

unsigned os_processor(void)
{
    return 0;
}

void os_yield(void)
{
}

/* -- Barriers ----------------------------------------------------------------------------------------------------- */

bool os_barrier_far = true;

void os_barrier_all(void)
{
    step_barrier(OPERATION_LIGHT);
    step_barrier(OPERATION_FAR);
    step_barrier(OPERATION_LIGHT);
}

/* -- What is not searched: threads are there from the start, and nothing is hooked --------------------------------- */

thr_result os_thread_start(os_thread *thread, size_t stack_size, bool block_signals, void *(*function)(void *),
                           void *arg)
{
    (void)thread, (void)stack_size, (void)block_signals, (void)function, (void)arg;
    return THR_NO_THREAD;
}

bool os_thread_join(os_thread thread)
{
    (void)thread;
    return false;
}

void thr__look(const void *object)
{
    (void)object;
}

/* -- Spinning: see spin.c ----------------------------------------------------------------------------------------- */

bool step_choose(void)
{
    step_pending()->operation = OPERATION_CHOOSE;
    step_pending()->value = 2;
    step_pending()->site = HERE;
    return step_wait() != 0;
}

/* -- The registry: every thread has a record ---------------------------------------------------------------------- */

struct wait_record *wait_stranger(void)
{
    return NULL;
}

struct wait_record *wait_find(uint32_t number)
{
    return number >= 1 && number <= THREADS ? &world.records[number - 1] : NULL;
}
