/* absence.c - see absence.h. */

#include "work/absence.h"

#include "work/executor.h"

#define RETRY ((thr_time)10000000) /* nanoseconds */

void absence_begin(struct absence *absence)
{
    absence->worker = here.worker;
    absence->covered = !here.worker || crew_absent(here.worker);
}

void absence_end(struct absence *absence)
{
    if (absence->worker)
        crew_back(absence->worker);
}

thr_result absence_block(struct absence *absence, struct wait *wait, const uint32_t *word, uint32_t expected)
{
    if (absence->covered)
        return wait_block(wait, word, expected, OS_ANY);
    thr_time deadline = wait->deadline;
    thr_time soon = wait_system->now() + RETRY;
    if (soon < deadline)
        wait->deadline = soon;
    thr_result result = wait_block(wait, word, expected, OS_ANY);
    wait->deadline = deadline;
    if (result != THR_TIMEOUT || wait_expired(deadline))
        return result;
    crew_back(absence->worker);
    absence->covered = crew_absent(absence->worker);
    return THR_OK;
}
