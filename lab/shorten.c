/* shorten.c - a schedule that fails is run again, and made as short as it can be.
 *
 * Moves are left out in chunks, halves first, then smaller ones, down to single moves: what still fails in the same way is
 * kept. A schedule of which a move was left out goes on with the default there (given.c), and may fail or not. In the end no
 * single move can be left out.
 *
 * There may still be another schedule, with fewer preemptions. So those with none are tried, then those with one, and so on,
 * for a while, with what the exhaustive search has (frontier.c). */

#include <stdio.h>
#include <string.h>

#include "lab/frontier.h"
#include "lab/search.h"
#include "lab/strategy.h"

enum { TRIES = 2000, FEWEST_TRIES = 1500 };

#define TRY_TIME ((thr_time)10000000000)
#define FEWEST_TIME ((thr_time)10000000000)

/* -- The same again ----------------------------------------------------------------------------------------------- */

static void tell_difference(struct search *search, const struct run *again, const struct outcome *outcome)
{
    const struct run *before = search->failure;
    uint32_t n = before->decisions < again->decisions ? before->decisions : again->decisions;
    uint32_t i = 0;
    while (i < n && before->decision[i].strand == again->decision[i].strand &&
           before->decision[i].turn == again->decision[i].turn &&
           before->decision[i].operation == again->decision[i].operation)
        i++;
    search->unsteady = true;
    if (i == n) {
        (void)snprintf(search->difference, sizeof search->difference, "after the same decisions: %.400s",
                       outcome->finding == THR_FOUND_NOTHING ? "it did not fail" : outcome->message);
        return;
    }
    const struct decision *one = &before->decision[i];
    const struct decision *two = &again->decision[i];
    (void)snprintf(search->difference, sizeof search->difference,
                   "at decision %u: %s was to do %s (its turn %u), and the second time %s was to do %s (its turn %u)",
                   i + 1, before->strand[one->strand].name, operation_name(one->operation), one->turn,
                   again->strand[two->strand].name, operation_name(two->operation), two->turn);
}

static int confirm(struct search *search)
{
    struct outcome outcome;
    int done = search_replay(search, search->schedule, true, &outcome);
    if (done != 0)
        return done;
    if (outcome.finding != search->outcome.finding || outcome.finding == THR_FOUND_NOTHING)
        tell_difference(search, search->job[0].run, &outcome);
    return 0;
}

/* -- Shorter ------------------------------------------------------------------------------------------------------ */

static void without(const struct schedule *from, uint32_t at, uint32_t n, struct schedule *to)
{
    memcpy(to, from, offsetof(struct schedule, move));
    to->moves = from->moves - n;
    memcpy(to->move, from->move, at * sizeof *to->move);
    memcpy(to->move + at, from->move + at + n, (from->moves - at - n) * sizeof *to->move);
}

/* Tries all chunks of n moves. 2: the time is up. */
static int try_chunks(struct search *search, struct schedule *spare, uint32_t n, uint32_t *tries)
{
    thr_time end = search->start + TRY_TIME;
    for (uint32_t at = 0; at < search->schedule->moves;) {
        struct outcome outcome;
        uint32_t size = search->schedule->moves - at < n ? search->schedule->moves - at : n;
        if (++*tries > TRIES || lab_library->os->now() > end)
            return 2;
        without(search->schedule, at, size, spare);
        int done = search_replay(search, spare, false, &outcome);
        if (done != 0)
            return done;
        const struct run *run = search->job[0].run;
        spare->preemptions = run->preemptions;
        if (outcome.finding == search->outcome.finding && run->preemptions <= search->schedule->preemptions)
            memcpy(search->schedule, spare, sizeof *spare);
        else
            at += size;
    }
    return 0;
}

static int shorten_moves(struct search *search)
{
    struct schedule *spare = job_shared(sizeof *spare);
    uint32_t tries = 0;
    int done = 0;
    if (!spare)
        return -1;
    search->start = lab_library->os->now();
    for (uint32_t n = search->schedule->moves; n > 0 && done == 0; n = n == 1 ? 0 : (n + 1) / 2)
        done = try_chunks(search, spare, n, &tries);
    /* Once more, as long as single ones go. */
    for (uint32_t before = UINT32_MAX; done == 0 && search->schedule->moves < before;) {
        before = search->schedule->moves;
        done = try_chunks(search, spare, 1, &tries);
    }
    return done == 2 ? 0 : done;
}

/* -- Fewer preemptions -------------------------------------------------------------------------------------------- */

static bool begin_again(const struct search *search)
{
    job_clear(exhaustive_seen, EXHAUSTIVE_SEEN * sizeof *exhaustive_seen);
    return frontier_begin(search->schedule->preemptions - 1);
}

static int fewest(struct search *search)
{
    struct job *job = &search->job[0];
    struct outcome outcome = {0};
    thr_time end = lab_library->os->now() + FEWEST_TIME;
    if (search->schedule->preemptions < 2 || search->schedule->earlies > 0 || !begin_again(search))
        return 0;
    for (uint32_t i = 0; i < FEWEST_TRIES && lab_library->os->now() < end; i++) {
        search_plan_replay(search, search->schedule, false);
        if (!frontier_next(&job->run->plan))
            return 0;
        int forked = job_fork(job);
        if (forked != 0)
            return forked;
        if (!job_wait(job))
            return -1;
        job_outcome(job, &outcome);
        if (outcome.finding == search->outcome.finding) {
            schedule_of(job->run, outcome.finding, search->schedule);
            return 0;
        }
        frontier_add(job->run);
    }
    return 0;
}

/* What the watchdog ends takes long: it is not tried again and again. */
static int improve(struct search *search)
{
    int done = search->outcome.late ? 0 : confirm(search);
    if (done != 0 || search->unsteady || search->outcome.late)
        return done;
    done = shorten_moves(search);
    uint32_t preemptions = search->schedule->preemptions;
    if (done == 0)
        done = fewest(search);
    if (done == 0 && search->schedule->preemptions < preemptions)
        done = shorten_moves(search);
    return done;
}

int shorten(struct search *search)
{
    struct outcome outcome;
    int done = improve(search);
    if (done == 0)
        done = search_replay(search, search->schedule, true, &outcome);
    if (done != 0)
        return done;
    if (outcome.finding != search->outcome.finding) {
        if (!search->unsteady)
            tell_difference(search, search->job[0].run, &outcome);
        return 0;
    }
    search->outcome = outcome;
    schedule_of(search->job[0].run, outcome.finding, search->schedule);
    return 0;
}
