/* shorten.c - a schedule that fails is run again, and made as short as it can be.
 *
 * First the stretches of the run (stretches.h) are put together: in all of it those of each strand, then in its halves,
 * quarters, down to two neighbours; then each with the next one of its strand, wherever that is. What still fails in the same
 * way, with no more preemptions, is kept. That takes whole threads out of the way, of which there may be many.
 *
 * Then moves are left out in chunks, halves first, then smaller ones, down to single moves: what still fails in the same way is
 * kept. A schedule of which a move was left out goes on with the default there (given.c), and may fail or not. In the end no
 * single move can be left out.
 *
 * There may still be another schedule, with fewer preemptions. So those with none are tried, then those with one, and so on,
 * some of them, with what the exhaustive search has (frontier.c).
 *
 * How much is tried is a matter of work, not of time (S4 of search.c). */

#include <stdio.h>
#include <string.h>

#include "lab/frontier.h"
#include "lab/search.h"
#include "lab/seen.h"
#include "lab/strategy.h"
#include "lab/stretches.h"

enum { TRIES = 2000, FEWEST_TRIES = 1500, ROUNDS = 4 };

#define TRY_WORK ((uint64_t)5000000)
#define FEWEST_WORK ((uint64_t)3000000)

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

/* -- Fewer stretches ---------------------------------------------------------------------------------------------- */

/* What is known of the schedule that is the shortest so far. */
static struct {
    struct stretch *stretch; /* of its run */
    struct stretch *spare;
    uint32_t n;
    uint64_t end; /* no more tries after so much work */
} known;

static bool is_enough(struct search *search)
{
    return search->work > known.end || search_is_over(search);
}

/* Runs the spare list, of n. 0: it fails as well, and is the known one now; 1: in a process of a run; -1: none could be had;
 * 2: it is no better. */
static int try_stretches(struct search *search, uint32_t n)
{
    struct job *job = &search->job[0];
    struct outcome outcome;
    search_plan_replay(search, search->schedule, false);
    job->run->plan.strategy = STRATEGY_STRETCHES;
    job->run->plan.stretches = n;
    memcpy(job->run->plan.stretch, known.spare, n * sizeof *known.spare);
    int done = search_try(search, &outcome);
    if (done != 0)
        return done;
    uint32_t after = stretches_of(job->run, known.spare);
    if (outcome.finding != search->outcome.finding || job->run->preemptions > search->schedule->preemptions ||
        after == 0 || (job->run->preemptions == search->schedule->preemptions && after >= known.n))
        return 2;
    schedule_of(job->run, outcome.finding, search->schedule);
    memcpy(known.stretch, known.spare, after * sizeof *known.spare);
    known.n = after;
    return 0;
}

/* In chunks of this size. Returns as search_run. */
static int join_chunks(struct search *search, uint32_t size)
{
    for (uint32_t at = 0; at + 1 < known.n && !is_enough(search); at += size) {
        int done = 2;
        for (int last = 0; last <= 1 && done == 2; last++) {
            uint32_t n = stretches_join(known.stretch, known.n, at, size, last, known.spare);
            done = n < known.n ? try_stretches(search, n) : 2;
        }
        if (done == 1 || done == -1)
            return done;
    }
    return 0;
}

static int join_pairs(struct search *search)
{
    for (uint32_t at = 0; at < known.n && !is_enough(search);) {
        int done = 2;
        for (int last = 0; last <= 1 && done == 2; last++) {
            uint32_t n = stretches_join_next(known.stretch, known.n, at, last, known.spare);
            done = n < known.n ? try_stretches(search, n) : 2;
        }
        if (done == 1 || done == -1)
            return done;
        at += done == 2;
    }
    return 0;
}

/* The list of the schedule as it is. Returns as search_run. */
static int know(struct search *search)
{
    struct outcome outcome;
    int done = search_replay(search, search->schedule, false, &outcome);
    known.n =
        done == 0 && outcome.finding == search->outcome.finding ? stretches_of(search->job[0].run, known.stretch) : 0;
    return done;
}

static int fewer_stretches(struct search *search)
{
    uint32_t before;
    int done = know(search);
    do {
        before = known.n;
        for (uint32_t size = known.n; done == 0 && size > 1; size = size == 2 ? 1 : (size + 1) / 2)
            done = join_chunks(search, size);
        if (done == 0)
            done = join_pairs(search);
    } while (done == 0 && known.n < before && search->schedule->preemptions > 0 && !is_enough(search));
    return done;
}

/* -- Shorter ------------------------------------------------------------------------------------------------------ */

static void without(const struct schedule *from, uint32_t at, uint32_t n, struct schedule *to)
{
    memcpy(to, from, offsetof(struct schedule, move));
    to->moves = from->moves - n;
    memcpy(to->move, from->move, at * sizeof *to->move);
    memcpy(to->move + at, from->move + at + n, (from->moves - at - n) * sizeof *to->move);
}

/* Tries all chunks of n moves. 2: that is enough. */
static int try_chunks(struct search *search, struct schedule *spare, uint32_t n, uint32_t *tries)
{
    for (uint32_t at = 0; at < search->schedule->moves;) {
        struct outcome outcome;
        uint32_t size = search->schedule->moves - at < n ? search->schedule->moves - at : n;
        if (++*tries > TRIES || is_enough(search))
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

static int fewer_moves(struct search *search, struct schedule *spare)
{
    uint32_t tries = 0;
    int done = 0;
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
    seen_clear();
    return frontier_begin(search->schedule->preemptions - 1);
}

static int fewest(struct search *search)
{
    struct job *job = &search->job[0];
    struct outcome outcome = {0};
    known.end = search->work + FEWEST_WORK;
    if (search->schedule->preemptions < 2 || search->schedule->earlies > 0 || !begin_again(search))
        return 0;
    for (uint32_t i = 0; i < FEWEST_TRIES && !is_enough(search); i++) {
        search_plan_replay(search, search->schedule, false);
        if (!frontier_next(&job->run->plan))
            return 0;
        int done = search_try(search, &outcome);
        if (done != 0)
            return done;
        if (outcome.finding == search->outcome.finding) {
            schedule_of(job->run, outcome.finding, search->schedule);
            return 0;
        }
        frontier_add(job->run);
    }
    return 0;
}

/* One after the other, as long as that helps: what the one has left out makes room for the other, which has at least half of
 * the work that is left. */
static int shorter(struct search *search, struct schedule *spare)
{
    int done = 0;
    uint32_t before = UINT32_MAX;
    uint64_t end = search->work + TRY_WORK;
    known.end = end;
    for (int i = 0; i < ROUNDS && done == 0 && search->schedule->preemptions < before && !is_enough(search); i++) {
        before = search->schedule->preemptions;
        known.end = search->work + (end - search->work) / 2;
        if (search->schedule->earlies == 0)
            done = fewer_stretches(search);
        known.end = end;
        if (done == 0)
            done = fewer_moves(search, spare);
    }
    return done;
}

/* What the watchdog ends takes long: it is not tried again and again. */
static int improve(struct search *search)
{
    int done = search->outcome.late ? 0 : confirm(search);
    if (done != 0 || search->unsteady || search->outcome.late)
        return done;
    struct schedule *spare = job_shared(sizeof *spare);
    known.stretch = job_shared(STRETCHES * sizeof *known.stretch);
    known.spare = job_shared(STRETCHES * sizeof *known.spare);
    if (!spare || !known.stretch || !known.spare)
        return -1;
    done = shorter(search, spare);
    uint32_t preemptions = search->schedule->preemptions;
    if (done == 0)
        done = fewest(search);
    if (done == 0 && search->schedule->preemptions < preemptions)
        done = shorter(search, spare);
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
