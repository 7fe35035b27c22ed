/* absence.c - see absence.h. */

#include "work/absence.h"

#include "work/executor.h"

#define RETRY ((thr_time)10000000) /* nanoseconds */

void absence_begin(struct absence *absence)
{
    struct worker *worker = thr__here.worker;
    absence->worker = worker && worker->begun ? worker : NULL;
    absence->covered = !absence->worker || crew_absent(worker);
}

void absence_end(struct absence *absence)
{
    if (absence->worker)
        crew_back(absence->worker);
}

thr_time absence_before(const struct absence *absence, struct wait *wait)
{
    thr_time deadline = wait->deadline;
    thr_time soon = absence->covered ? THR_FOREVER : wait_system->now() + RETRY;
    if (soon < deadline)
        wait->deadline = soon;
    return deadline;
}

thr_result absence_after(struct absence *absence, struct wait *wait, thr_time deadline, thr_result result)
{
    wait->deadline = deadline;
    if (absence->covered || result != THR_TIMEOUT || wait_expired(deadline))
        return result;
    crew_back(absence->worker);
    absence->covered = crew_absent(absence->worker);
    return THR_OK;
}

thr_result absence_block(struct absence *absence, struct wait *wait, const uint32_t *word, uint32_t expected)
{
    thr_time deadline = absence_before(absence, wait);
    return absence_after(absence, wait, deadline, wait_block(wait, word, expected, OS_ANY));
}
