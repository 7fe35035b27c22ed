/* search.c - the loop of the search.
 *
 * S1  Run n is in job n modulo the number of jobs, and begins when run n - jobs has been looked at. So what is known when a
 *     plan is made depends on the seed and the number of jobs only, not on who is faster.
 * S2  After the first failure, some more runs are made, to say how often it happens; not where each would take as long as
 *     the watchdog waits. The simplest of those that fail in the same way is the one that is made shorter, and shown.
 * S3  Nothing is allocated on the heap before the last fork (job.h). */

#include "lab/search.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lab/control.h"

enum { SEEN = 1 << 20, PROBES = 32, MORE = 400 /* S2 */ };

#define MORE_TIME ((thr_time)500000000)

static uint64_t *seen; /* hashes of runs */
static volatile sig_atomic_t stop;

static void interrupted(int signal)
{
    (void)signal;
    stop = 1;
}

static bool is_new(uint64_t hash)
{
    hash = hash != 0 ? hash : 1;
    for (uint64_t i = 0; i < PROBES; i++) {
        uint64_t *at = &seen[(hash + i) % SEEN];
        if (*at == hash)
            return false;
        if (*at == 0) {
            *at = hash;
            return true;
        }
    }
    return true;
}

static void collect_outside(struct search *search, const struct run *run)
{
    for (uint32_t i = 0; i < run->outsides && i < OUTSIDE; i++) {
        bool known = false;
        for (uint32_t j = 0; j < search->outsides; j++)
            known = known || strcmp(search->outside[j], run->outside[i]) == 0;
        if (!known && search->outsides < OUTSIDE)
            memcpy(search->outside[search->outsides++], run->outside[i], sizeof *run->outside);
    }
}

/* Whether it is nearer to what is to be shown than the one that is kept: without early ends, with fewer preemptions. */
static bool is_simpler(const struct search *search, const struct run *run)
{
    const struct run *kept = search->failure;
    if ((run->earlies > 0) != (kept->earlies > 0))
        return run->earlies == 0;
    return run->preemptions < kept->preemptions;
}

static void keep_failure(struct search *search, const struct run *run, const struct outcome *outcome)
{
    search->outcome = *outcome;
    /* It has no events, and only so many decisions. */
    memcpy(search->failure, run, offsetof(struct run, decision) + run->decisions * sizeof *run->decision);
    schedule_of(run, outcome->finding, search->schedule);
}

static void look_at(struct search *search, const struct job *job)
{
    const struct run *run = job->run;
    struct outcome outcome;
    job_outcome(job, &outcome);
    search->schedules++;
    search->crowded = search->crowded || run->crowded;
    collect_outside(search, run);
    if (run->hash != 0 && !run->skipped)
        search->distinct += is_new(run->hash);
    if (outcome.finding == THR_FOUND_NOTHING || search->first != 0)
        portfolio_learn(search, run);
    if (outcome.finding == THR_FOUND_NOTHING)
        return;
    if (search->first == 0 || (outcome.finding == search->outcome.finding && !outcome.late && is_simpler(search, run)))
        keep_failure(search, run, &outcome);
    if (search->first == 0)
        search->first = run->plan.number;
    if (outcome.finding == search->outcome.finding) {
        search->failed++;
        search->early_only += run->earlies > 0;
    }
}

/* False: no process could be had. */
static bool await(struct search *search, struct job *job)
{
    static const thr_time moment = 200000000;
    static thr_time shown;
    if (!job->busy)
        return true;
    if (!job_wait(job))
        return false;
    look_at(search, job);
    thr_time now = lab_library->os->now();
    if (now - shown > moment) {
        shown = now;
        report_progress(search, false);
    }
    return true;
}

/* All that are still at work, the earliest first. */
static bool await_all(struct search *search)
{
    bool ended = true;
    for (uint32_t i = 1; i <= search->jobs && ended; i++)
        ended = await(search, &search->job[(search->begun + i) % search->jobs]);
    return ended;
}

static bool enough(const struct search *search, thr_time first_at)
{
    thr_time now = lab_library->os->now();
    uint64_t number = search->begun;
    if (stop || search->crowded || number >= search->options.schedules)
        return true;
    if (number == 0) /* what ran no schedule has found nothing */
        return false;
    if (search->options.seconds > 0 && (double)(now - search->start) > search->options.seconds * 1e9)
        return true;
    return search->first != 0 && (search->outcome.late || number >= search->first + MORE || now - first_at > MORE_TIME);
}

static bool make(struct search *search)
{
    seen = job_shared(SEEN * sizeof *seen);
    search->failure = job_shared(sizeof *search->failure);
    search->schedule = job_shared(sizeof *search->schedule);
    for (uint32_t i = 0; i < search->jobs; i++) {
        if (!job_make(&search->job[i], i))
            return false;
    }
    return seen && search->failure && search->schedule && portfolio_begin(search);
}

static int loop(struct search *search)
{
    thr_time first_at = 0;
    while (!enough(search, first_at)) {
        uint64_t number = search->begun + 1;
        struct job *job = &search->job[number % search->jobs];
        /* All others know what the first has shown. */
        if (!await(search, job) || (number == 2 && !await_all(search)))
            return -1;
        if (search->first != 0 && first_at == 0)
            first_at = lab_library->os->now();
        if (!portfolio_next(search, number, &job->run->plan)) {
            if (search->begun == search->schedules)
                break;
            if (!await_all(search))
                return -1;
            continue;
        }
        search->begun++;
        int forked = job_fork(job);
        if (forked != 0)
            return forked;
    }
    return await_all(search) ? 0 : -1;
}

int search_run(struct search *search)
{
    search->start = lab_library->os->now();
    if (!make(search))
        return -1;
    void (*before)(int) = signal(SIGINT, interrupted);
    int done = loop(search);
    if (done == 1) {
        (void)signal(SIGINT, before);
        return 1;
    }
    report_progress(search, true);
    if (done == 0 && search->first != 0)
        done = shorten(search);
    (void)signal(SIGINT, before);
    search->interrupted = stop;
    return done;
}

void search_plan_replay(struct search *search, const struct schedule *schedule, bool record)
{
    struct plan *plan = &search->job[0].run->plan;
    memset(plan, 0, offsetof(struct plan, move));
    plan->seed = 1;
    plan->allow_misuse = search->options.allow_misuse;
    plan->hang = (thr_time)(search->options.hang * 1e9);
    plan->record = record;
    schedule_plan(schedule, plan);
}

int search_replay(struct search *search, const struct schedule *schedule, bool record, struct outcome *outcome)
{
    struct job *job = &search->job[0];
    search_plan_replay(search, schedule, record);
    int forked = job_fork(job);
    if (forked != 0)
        return forked;
    if (!job_wait(job))
        return -1;
    job_outcome(job, outcome);
    return 0;
}
