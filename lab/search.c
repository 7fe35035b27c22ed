/* search.c - the loop of the search.
 *
 * S1  Runs are looked at in the order of their numbers, and run n is planned when run n - WINDOW has been looked at and no
 *     later one (but the first, and others where no plan can be made before). So what is known when a plan is made depends on
 *     the seed alone, not on who is faster, nor on how many run at a time.
 * S2  After the first failure, some more runs are made, to say how often it happens; not where each would take as long as
 *     the watchdog waits. The simplest of those that fail in the same way is the one that is made shorter, and shown.
 * S3  Nothing is allocated on the heap before the last fork (job.h).
 * S4  How many runs follow on the first failure is a matter of their number and their work, which are the same each time: not
 *     of the clock. Only for a program that does much between its operations an end is put to it, by the processor time that
 *     its runs have used; the report says so. */

#include "lab/search.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lab/control.h"
#include "lab/unseen.h"

enum { SEEN = 1 << 20, PROBES = 32, MORE = 400 /* S2 */ };

/* What a run takes, in microseconds on some machine. */
enum { PROCESS = 300, PROCESS_SANITIZED = 20000, STRAND = 50, SWITCH = 4, STEPS = 4 /* for one */ };

#define MORE_WORK ((uint64_t)1000000)

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

static uint64_t work_of(const struct run *run)
{
    uint64_t process = unseen_needed() || dlsym(RTLD_DEFAULT, "__asan_init") ? PROCESS_SANITIZED : PROCESS;
    return process + (uint64_t)STRAND * run->strands + SWITCH * run->switches + run->steps / STEPS;
}

static void count_work(struct search *search, const struct job *job)
{
    search->work += work_of(job->run);
    search->used += job->ended.used;
}

bool search_is_over(struct search *search)
{
    search->broken_off = search->broken_off || search->used > search->patience;
    return stop || search->broken_off;
}

static void look_at(struct search *search, const struct job *job)
{
    const struct run *run = job->run;
    struct outcome outcome;
    job_outcome(job, &outcome);
    search->schedules++;
    if (search->first != 0)
        count_work(search, job);
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

/* Looks at the next one. False: no process could be had. */
static bool look_at_next(struct search *search)
{
    static const thr_time moment = 200000000;
    static thr_time shown;
    struct job *job = &search->job[(search->schedules + 1) % WINDOW];
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

static bool is_late(const struct search *search)
{
    return search->options.seconds > 0 &&
           (double)(lab_library->os->now() - search->start) > search->options.seconds * 1e9;
}

static bool enough(struct search *search)
{
    uint64_t number = search->begun;
    if (search_is_over(search) || search->crowded || number >= search->options.schedules)
        return true;
    if (number == 0) /* what ran no schedule has found nothing */
        return false;
    if (is_late(search))
        return true;
    return search->first != 0 && (search->outcome.late || number >= search->first + MORE || search->work > MORE_WORK);
}

static bool make(struct search *search)
{
    seen = job_shared(SEEN * sizeof *seen);
    search->failure = job_shared(sizeof *search->failure);
    search->schedule = job_shared(sizeof *search->schedule);
    for (uint32_t i = 0; i < WINDOW; i++) {
        if (!job_make(&search->job[i]))
            return false;
    }
    for (uint32_t i = 0; i < search->jobs; i++) {
        if (!job_make_server(&search->server[i], i))
            return false;
    }
    return seen && search->failure && search->schedule && portfolio_begin(search);
}

/* S1; and all others know what the first has shown. */
static bool is_time_to_look(const struct search *search)
{
    return search->begun == search->schedules + (search->begun == 1 ? 1 : WINDOW);
}

static int loop(struct search *search)
{
    while (!enough(search)) {
        uint64_t number = search->begun + 1;
        struct job *job = &search->job[number % WINDOW];
        if (is_time_to_look(search) || !portfolio_next(search, number, &job->run->plan)) {
            if (search->begun == search->schedules)
                break;
            if (!look_at_next(search))
                return -1;
            continue;
        }
        search->begun++;
        job->server = &search->server[number % search->jobs];
        int forked = job_fork(job);
        if (forked != 0)
            return forked;
    }
    while (search->schedules < search->begun) {
        if (!look_at_next(search))
            return -1;
    }
    return 0;
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

int search_try(struct search *search, struct outcome *outcome)
{
    struct job *job = &search->job[0];
    job->server = &search->server[0];
    int forked = job_fork(job);
    if (forked != 0)
        return forked;
    if (!job_wait(job))
        return -1;
    count_work(search, job);
    job_outcome(job, outcome);
    return 0;
}

int search_replay(struct search *search, const struct schedule *schedule, bool record, struct outcome *outcome)
{
    search_plan_replay(search, schedule, record);
    return search_try(search, outcome);
}
