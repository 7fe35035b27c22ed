/* schedule.c - the schedule of a run, and its file:
 *
 *     threading schedule 1
 *     # deadlock: ...
 *     program ./dining
 *     argument 5
 *     folder /home/me/dining
 *     finding deadlock
 *     limit 12000 112000
 *     # at the 14th turn of strand 1 (worker), before lock_acquire, strand 2 (eater) goes on
 *     at 1 14 lock_acquire run 2
 *     at 2 3 wait wake 1
 *
 * `wake` is a wait that ends before its time. Lines that begin with # are for people. */

#include "lab/schedule.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { VERSION = 1, LINE = 8192 };

static const char *const operations[STEP_KINDS] = {
    [HOOK_LOCK_ACQUIRE] = "lock_acquire",
    [HOOK_LOCK_RELEASE] = "lock_release",
    [HOOK_RLOCK_ACQUIRE] = "rlock_acquire",
    [HOOK_RLOCK_RELEASE] = "rlock_release",
    [HOOK_CONDITION_WAIT] = "condition_wait",
    [HOOK_CONDITION_NOTIFY] = "condition_notify",
    [HOOK_SEMAPHORE_ACQUIRE] = "semaphore_acquire",
    [HOOK_SEMAPHORE_RELEASE] = "semaphore_release",
    [HOOK_EVENT_SET] = "event_set",
    [HOOK_EVENT_CLEAR] = "event_clear",
    [HOOK_EVENT_WAIT] = "event_wait",
    [HOOK_BARRIER_WAIT] = "barrier_wait",
    [HOOK_BARRIER_RESET] = "barrier_reset",
    [HOOK_BARRIER_ABORT] = "barrier_abort",
    [HOOK_LATCH_COUNT_DOWN] = "latch_count_down",
    [HOOK_LATCH_WAIT] = "latch_wait",
    [HOOK_ONCE_RUN] = "once_run",
    [HOOK_READ_ACQUIRE] = "rwlock_acquire_read",
    [HOOK_READ_RELEASE] = "rwlock_release_read",
    [HOOK_WRITE_ACQUIRE] = "rwlock_acquire_write",
    [HOOK_WRITE_RELEASE] = "rwlock_release_write",
    [HOOK_THREAD_START] = "thread_start",
    [HOOK_THREAD_BEGIN] = "thread_begin",
    [HOOK_THREAD_END] = "thread_end",
    [HOOK_THREAD_JOIN] = "thread_join",
    [HOOK_TIMER_START] = "timer_start",
    [HOOK_TIMER_CANCEL] = "timer_cancel",
    [HOOK_TIMER_JOIN] = "timer_join",
    [HOOK_SLEEP] = "sleep",
    [HOOK_YIELD] = "yield",
    [HOOK_YIELD_POINT] = "yield_point",
    [HOOK_LOOK] = "look",
    [HOOK_QUEUE_PUT] = "queue_put",
    [HOOK_QUEUE_GET] = "queue_get",
    [HOOK_QUEUE_TASK_DONE] = "queue_task_done",
    [HOOK_QUEUE_JOIN] = "queue_join",
    [HOOK_QUEUE_SHUTDOWN] = "queue_shutdown",
    [HOOK_WAIT_ANY] = "wait_any",
    [HOOK_SUBMIT] = "submit",
    [HOOK_EXECUTOR_SHUTDOWN] = "executor_shutdown",
    [HOOK_TASK_BEGIN] = "task_begin",
    [HOOK_TASK_END] = "task_end",
    [HOOK_FUTURE_CANCEL] = "future_cancel",
    [HOOK_FUTURE_WAIT] = "future_wait",
    [HOOK_GROUP_SPAWN] = "group_spawn",
    [HOOK_GROUP_WAIT] = "group_wait",
    [HOOK_GROUP_CANCEL] = "group_cancel",
    [STEP_WAIT] = "wait",
    [STEP_WAKE] = "wake",
    [STEP_STARTED] = "started",
    [STEP_JOIN] = "join",
    [STEP_GONE] = "gone",
    [STEP_TIMEOUT] = "timeout",
    [STEP_EARLY] = "early",
    [HOOK_ACCESS] = "access",
    [STEP_OUTSIDE] = "outside",
};

const char *operation_name(uint32_t operation)
{
    const char *name = operation < STEP_KINDS ? operations[operation] : NULL;
    return name ? name : "operation";
}

static uint32_t operation_of(const char *name)
{
    for (uint32_t i = 0; i < STEP_KINDS; i++) {
        if (operations[i] && strcmp(operations[i], name) == 0)
            return i;
    }
    return STEP_KINDS;
}

static const char *const findings[] = {
    [THR_FOUND_NOTHING] = "nothing", [THR_FOUND_DEADLOCK] = "deadlock", [THR_FOUND_CRASH] = "crash",
    [THR_FOUND_EXIT] = "exit",       [THR_FOUND_FAIL] = "fail",         [THR_FOUND_LIVELOCK] = "livelock",
    [THR_FOUND_MISUSE] = "misuse",   [THR_FOUND_UNJOINED] = "unjoined", [THR_FOUND_HANG] = "hang",
};

enum { FINDINGS = sizeof findings / sizeof *findings };

/* -- Of a run ----------------------------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    const struct move *x = a;
    const struct move *y = b;
    if (x->strand != y->strand)
        return x->strand < y->strand ? -1 : 1;
    return x->turn < y->turn ? -1 : x->turn > y->turn;
}

void schedule_of(const struct run *run, thr_finding finding, struct schedule *schedule)
{
    schedule->moves = 0;
    schedule->preemptions = run->preemptions;
    schedule->earlies = 0;
    schedule->limit = run->plan.limit;
    schedule->end = run->plan.end;
    schedule->finding = finding;
    for (uint32_t i = 0; i < run->decisions && schedule->moves < MOVES; i++) {
        const struct decision *decision = &run->decision[i];
        bool early = decision->flags & DECIDED_EARLY;
        if (decision->flags & (DECIDED_DEFAULT | DECIDED_FAIR))
            continue;
        schedule->earlies += early;
        schedule->move[schedule->moves++] =
            (struct move){decision->strand, decision->turn, decision->chosen, early, decision->operation};
    }
    qsort(schedule->move, schedule->moves, sizeof *schedule->move, compare);
}

void schedule_plan(const struct schedule *schedule, struct plan *plan)
{
    plan->strategy = STRATEGY_GIVEN;
    plan->limit = schedule->limit;
    plan->end = schedule->end;
    plan->early = 0;
    plan->moves = schedule->moves;
    memcpy(plan->move, schedule->move, schedule->moves * sizeof *schedule->move);
}

/* -- Writing ------------------------------------------------------------------------------------------------------ */

static void put_program(FILE *file)
{
    char arguments[1 << 16];
    char folder[4096];
    FILE *from = fopen("/proc/self/cmdline", "re");
    size_t length = from ? fread(arguments, 1, sizeof arguments - 1, from) : 0;
    arguments[length] = '\0';
    for (size_t at = 0; at < length; at += strlen(arguments + at) + 1)
        fprintf(file, "%s %s\n", at == 0 ? "program" : "argument", arguments + at);
    if (from)
        (void)fclose(from);
    if (getcwd(folder, sizeof folder))
        fprintf(file, "folder %s\n", folder);
}

static void put_move(FILE *file, const struct run *run, const struct move *move)
{
    const char *name = operation_name(move->operation);
    const char *one = move->strand < run->strands ? run->strand[move->strand].name : "";
    const char *other = move->next < run->strands ? run->strand[move->next].name : "";
    fprintf(file, "# turn %u of %s, %s %s: %s %s\n", move->turn, *one ? one : "a thread",
            move->operation < HOOK_OPERATIONS ? "before" : "after", name, *other ? other : "a thread",
            move->early ? "gives up waiting" : "goes on");
    fprintf(file, "at %u %u %s %s %u\n", move->strand, move->turn, name, move->early ? "wake" : "run", move->next);
}

bool schedule_write(const struct schedule *schedule, const struct run *run, const char *name, const char *message)
{
    FILE *file = fopen(name, "we");
    if (!file)
        return false;
    fprintf(file, "threading schedule %d\n# %s\n", VERSION, message);
    put_program(file);
    fprintf(file, "finding %s\n", findings[schedule->finding]);
    fprintf(file, "limit %llu %llu\n", (unsigned long long)schedule->limit, (unsigned long long)schedule->end);
    for (uint32_t i = 0; i < schedule->moves; i++)
        put_move(file, run, &schedule->move[i]);
    return fclose(file) == 0;
}

/* -- Reading ------------------------------------------------------------------------------------------------------ */

static bool read_move(struct schedule *schedule, const char *line)
{
    struct move move = {0};
    char operation[64];
    char what[8];
    if (schedule->moves == MOVES ||
        sscanf(line, "at %u %u %63s %7s %u", &move.strand, &move.turn, operation, what, &move.next) != 5)
        return false;
    move.operation = operation_of(operation);
    move.early = strcmp(what, "wake") == 0;
    if (move.strand >= STRANDS || move.next >= STRANDS || (!move.early && strcmp(what, "run") != 0))
        return false;
    schedule->earlies += move.early;
    schedule->move[schedule->moves++] = move;
    return true;
}

static bool read_finding(struct schedule *schedule, const char *name)
{
    for (size_t i = 0; i < FINDINGS; i++) {
        if (strcmp(findings[i], name) == 0) {
            schedule->finding = (thr_finding)i;
            return true;
        }
    }
    return false;
}

static bool read_line(struct schedule *schedule, const char *line)
{
    unsigned long long limit;
    unsigned long long end;
    if (*line == '#' || *line == '\0' || strncmp(line, "program ", 8) == 0 || strncmp(line, "argument", 8) == 0 ||
        strncmp(line, "folder ", 7) == 0)
        return true;
    if (strncmp(line, "at ", 3) == 0)
        return read_move(schedule, line);
    if (strncmp(line, "finding ", 8) == 0)
        return read_finding(schedule, line + 8);
    if (sscanf(line, "limit %llu %llu", &limit, &end) == 2) {
        schedule->limit = limit;
        schedule->end = end;
        return true;
    }
    return false;
}

static bool read_lines(struct schedule *schedule, FILE *file, const char *name, char *error, size_t size)
{
    char line[LINE];
    int version = 0;
    for (unsigned n = 1; fgets(line, sizeof line, file); n++) {
        line[strcspn(line, "\n")] = '\0';
        if (n == 1 && (sscanf(line, "threading schedule %d", &version) != 1 || version != VERSION)) {
            (void)snprintf(error, size,
                           version != 0 ? "%s is of version %d, which this laboratory does not know"
                                        : "%s is not a schedule",
                           name, version);
            return false;
        }
        if (n > 1 && !read_line(schedule, line)) {
            (void)snprintf(error, size, "%s:%u: not understood: %s", name, n, line);
            return false;
        }
    }
    qsort(schedule->move, schedule->moves, sizeof *schedule->move, compare);
    if (version == 0)
        (void)snprintf(error, size, "%s is empty", name);
    return version != 0;
}

bool schedule_read(struct schedule *schedule, const char *name, char *error, size_t size)
{
    FILE *file = fopen(name, "re");
    memset(schedule, 0, offsetof(struct schedule, move));
    schedule->limit = UINT64_MAX;
    schedule->end = UINT64_MAX;
    if (!file) {
        (void)snprintf(error, size, "%s: %s", name, strerror(errno));
        return false;
    }
    bool read = read_lines(schedule, file, name, error, size);
    (void)fclose(file);
    return read;
}
