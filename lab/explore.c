/* explore.c - the two ways in: a whole program, stopped before its main, and a function of a test program. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lab/control.h"
#include "lab/record.h"
#include "lab/search.h"
#include "lab/zygote.h"

enum { SCHEDULES = 10000, SEED = 1 };

#define HANG 10.0
#define PATIENCE 60.0
#define CROWDED "the program has more than 127 threads at a time besides main: they cannot be steered"

_Static_assert(STRANDS == 128, "what CROWDED says");

static struct search search;

static uint32_t jobs(void)
{
    uint32_t n = server_processors();
    return n > JOBS ? JOBS : n;
}

/* The number of a strategy, STRATEGIES for all in turn; false: there is none of this name. */
static bool strategy_named(const char *name, uint32_t *kind)
{
    static const char *const names[STRATEGIES] = {
        [STRATEGY_RANDOM] = "random",         [STRATEGY_PCT] = "pct", [STRATEGY_POS] = "pos", [STRATEGY_SURW] = "surw",
        [STRATEGY_EXHAUSTIVE] = "exhaustive",
    };
    *kind = STRATEGIES;
    for (uint32_t i = 0; name && i < STRATEGIES; i++) {
        if (names[i] && strcmp(names[i], name) == 0)
            *kind = i;
    }
    return !name || *kind != STRATEGIES;
}

static bool prepare(const thr_explore_options *options)
{
    void *frames[1];
    (void)record_frames(frames, 1); /* what the unwinder does once is done now: see outside_once.c */
    memset(&search, 0, sizeof search);
    search.options = *options;
    if (search.options.schedules == 0)
        search.options.schedules = SCHEDULES;
    if (search.options.seed == 0)
        search.options.seed = SEED;
    if (search.options.hang == 0)
        search.options.hang = HANG;
    search.jobs = jobs();
    search.patience = (thr_time)(PATIENCE * 1e9);
    return search.options.hang > 0 && search.options.hang < 1e9 && search.options.seconds >= 0 &&
           strategy_named(options->strategy, &search.strategy);
}

/* -- A program ---------------------------------------------------------------------------------------------------- */

/* Registered before main, so it is called last. */
static void at_exit(void)
{
    if (control_run && !control_run->ended)
        system_check_end();
}

static void program_options(thr_explore_options *options, char *strategy, char *file, size_t size)
{
    memset(options, 0, sizeof *options);
    options->schedules = option_count("schedules", 0);
    options->seconds = option_seconds("seconds", 0);
    options->seed = option_count("seed", 0);
    uint64_t preemptions = option_count("preemptions", 0);
    options->preemptions = preemptions < UINT32_MAX ? (uint32_t)preemptions : UINT32_MAX;
    options->hang = option_seconds("hang", 0);
    options->allow_misuse = option_count("allow_misuse", 0) != 0;
    options->no_early_timeout = option_count("no_early_timeout", 0) != 0;
    options->strategy = option_text("strategy", strategy, size) ? strategy : NULL;
    options->file = option_text("file", file, size) ? file : NULL;
}

static _Noreturn void end(int status)
{
    news_ended(status);
    _exit(status);
}

static void write_schedule(const char *file)
{
    if (schedule_write(search.schedule, search.job[0].run, file, search.outcome.message))
        return;
    lab_print("threading: %s cannot be written: %s\n", file, strerror(errno));
    search.options.file = NULL;
}

/* The program is about to start its first thread. Returns in the processes of runs; and where another process of the program
 * was there before. */
static void search_program(void)
{
    static char strategy[64];
    static char file[4096];
    thr_explore_options options;
    program_options(&options, strategy, file, sizeof file);
    if (!prepare(&options)) {
        lab_print("threading: the options make no sense\n");
        end(2);
    }
    uint64_t wish = option_count("jobs", 0);
    if (wish > 0)
        search.jobs = wish > JOBS ? JOBS : (uint32_t)wish;
    search.patience = (thr_time)(option_seconds("shorten", PATIENCE) * 1e9);
    search.program = true;
    search.progress = option_count("progress", 1) != 0;
    if (!news_stopped())
        return;
    alarms_record();
    input_record();
    int done = search_run(&search);
    if (done == 1) {
        control_begin(job_mine());
        return;
    }
    if (done < 0) {
        lab_print("threading: no process, or no memory: %s\n", strerror(errno));
        end(2);
    }
    if (search.first == 0) {
        report_outside(&search);
        if (search.crowded)
            lab_print("threading: %s\n", CROWDED);
        end(search.crowded ? 2 : 0);
    }
    if (search.options.file)
        write_schedule(search.options.file);
    report_failure(&search, search.options.file);
    end(1);
}

static void stop_before_threads(void (*stopped)(void))
{
    if (atexit(at_exit) != 0)
        abort();
    zygote_begin(stopped);
}

void explore_program(void)
{
    lab_error_keep();
    schedule_begin();
    stop_before_threads(search_program);
}

/* -- A recorded schedule ------------------------------------------------------------------------------------------ */

/* In this very process: for a debugger. */
static void replay_here(const struct schedule *schedule)
{
    struct run *run = job_shared(sizeof *run);
    if (!run)
        _exit(2);
    schedule_plan(schedule, &run->plan);
    run->plan.seed = SEED;
    run->plan.hang = THR_FOREVER;
    run->plan.stop = true;
    control_begin(run);
}

static void say_replayed(const struct outcome *outcome, const struct schedule *schedule)
{
    const struct run *run = search.job[0].run;
    search.outcome = *outcome;
    search.schedule = job_shared(sizeof *search.schedule);
    if (search.schedule)
        schedule_of(run, outcome->finding, search.schedule);
    if (run->crowded) {
        lab_print("threading: %s\n", CROWDED);
        end(2);
    }
    if (outcome->finding == THR_FOUND_NOTHING) {
        lab_print("\nThe program came to a good end under this schedule: %u of its %u decisions could be made.\n"
                  "It is not the same program, or something that is not controlled decides, too.\n",
                  run->moved, schedule->moves);
        end(0);
    }
    report_failure(&search, NULL);
    end(1);
}

static void replay_stopped(void)
{
    static char file[4096];
    char error[NOTE];
    struct outcome outcome;
    thr_explore_options options = {.allow_misuse = option_count("allow_misuse", 0) != 0,
                                   .hang = option_seconds("hang", 0)};
    struct schedule *schedule = job_shared(sizeof *schedule);
    if (!news_stopped())
        return;
    if (!schedule || !prepare(&options) || !option_text("file", file, sizeof file))
        end(2);
    if (!schedule_read(schedule, file, error, sizeof error)) {
        lab_print("threading: %s\n", error);
        end(2);
    }
    alarms_record();
    if (option_count("here", 0) != 0) {
        alarms_serve();
        replay_here(schedule);
        return;
    }
    if (!job_make(&search.job[0]) || !job_make_server(&search.server[0], 0))
        end(2);
    search.server[0].output = -1;
    int done = search_replay(&search, schedule, true, &outcome);
    if (done == 1) {
        control_begin(job_mine());
        return;
    }
    if (done < 0)
        end(2);
    say_replayed(&outcome, schedule);
}

void replay_program(void)
{
    lab_error_keep();
    stop_before_threads(replay_stopped);
}

/* -- A function of a test ----------------------------------------------------------------------------------------- */

/* The test program's own handlers would take a crash for one of the test. */
static void forget_handlers(void)
{
    static const int deadly[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++)
        (void)signal(deadly[i], SIG_DFL);
}

static _Noreturn void run_body(void (*body)(void *arg))
{
    forget_handlers();
    control_begin(job_mine());
    body(search.options.arg);
    (void)lab_library->shutdown();
    system_check_end();
    _exit(0);
}

static void fill(thr_verdict *verdict)
{
    verdict->finding = search.outcome.finding;
    verdict->schedules = search.schedules;
    verdict->distinct = search.distinct;
    verdict->failed = search.failed;
    verdict->first = search.first;
    verdict->complete = search.complete && search.first == 0;
    verdict->unsteady = search.unsteady;
    verdict->uncontrolled = search.outsides > 0;
    if (search.first == 0)
        return;
    verdict->preemptions = search.schedule->preemptions;
    verdict->early_timeout = search.schedule->earlies > 0;
    lab_copy(verdict->message, sizeof verdict->message, search.outcome.message);
}

thr_result explore_function(void (*body)(void *arg), const thr_explore_options *options, thr_verdict *verdict)
{
    memset(verdict, 0, sizeof *verdict);
    if (!body || !prepare(options)) {
        (void)snprintf(verdict->message, sizeof verdict->message, "an option makes no sense");
        return THR_INVALID;
    }
    schedule_begin();
    int done = search_run(&search);
    if (done == 1)
        run_body(body);
    if (done == 0) {
        fill(verdict);
        if (search.first != 0 && options->file)
            write_schedule(options->file);
        if (search.first != 0 && options->report)
            report_failure(&search, search.options.file);
    } else {
        (void)snprintf(verdict->message, sizeof verdict->message, "no process, or no memory: %s", strerror(errno));
    }
    for (uint32_t i = 0; i < search.jobs; i++) {
        job_stop(&search.server[i]);
        if (search.server[i].output > 0)
            (void)close(search.server[i].output);
    }
    job_release();
    if (search.first == 0 && search.crowded)
        (void)snprintf(verdict->message, sizeof verdict->message, "%s", CROWDED);
    if (done < 0 || (search.first == 0 && search.crowded))
        return THR_NO_THREAD;
    return search.first != 0 ? THR_FAILED : THR_OK;
}
