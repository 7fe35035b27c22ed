/* schedule.c - the schedule of a run, and its file:
 *
 *     threading schedule 2
 *     # deadlock: ...
 *     program ./dining
 *     argument 5
 *     folder /home/me/dining
 *     finding deadlock
 *     limit 12000 112000
 *     # at the 14th turn of strand 1 (worker), before lock_acquire, strand 2 (eater) goes on
 *     at 1 14 lock_acquire run 2
 *     at 2 3 wait wake 1
 *     end
 *
 * `wake` is a wait that ends before its time. Lines that begin with # are for people. In the program's name, its arguments and
 * the folder a newline is written as \n, and a backslash as two. A file without its last line was cut, and is refused. */

#include "lab/schedule.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { VERSION = 2, LINE = 8192 };

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

static void put_char(FILE *file, int c)
{
    if (c == '\n' || c == '\\')
        (void)fputc('\\', file);
    (void)fputc(c == '\n' ? 'n' : c, file);
}

/* What the system says of it: each argument ends with a 0. */
static void put_arguments(FILE *file)
{
    FILE *from = fopen("/proc/self/cmdline", "re");
    const char *what = "program";
    if (!from)
        return;
    for (int c = fgetc(from); c != EOF; c = fgetc(from)) {
        fprintf(file, "%s ", what);
        for (; c != EOF && c != '\0'; c = fgetc(from))
            put_char(file, c);
        (void)fputc('\n', file);
        what = "argument";
    }
    (void)fclose(from);
}

static char folder[4096];

void schedule_begin(void)
{
    if (!getcwd(folder, sizeof folder))
        folder[0] = '\0';
}

static void put_program(FILE *file)
{
    put_arguments(file);
    if (!*folder)
        return;
    fprintf(file, "folder ");
    for (const char *c = folder; *c; c++)
        put_char(file, *c);
    (void)fputc('\n', file);
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
    fprintf(file, "end\n");
    bool written = ferror(file) == 0;
    return fclose(file) == 0 && written;
}

/* -- Reading ------------------------------------------------------------------------------------------------------ */

/* The next word of a line, and in *line what comes after it; false: there is none, or it is too long. */
static bool read_word(const char **line, char *word, size_t size)
{
    *line += strspn(*line, " ");
    size_t length = strcspn(*line, " ");
    if (length == 0 || length >= size)
        return false;
    memcpy(word, *line, length);
    word[length] = '\0';
    *line += length;
    return true;
}

static bool read_number(const char **line, uint64_t most, uint64_t *number)
{
    char word[32];
    char *end;
    if (!read_word(line, word, sizeof word) || word[0] < '0' || word[0] > '9')
        return false;
    errno = 0;
    *number = strtoull(word, &end, 10);
    return errno == 0 && *end == '\0' && *number <= most;
}

static bool read_number_32(const char **line, uint64_t most, uint32_t *number)
{
    uint64_t wide;
    if (!read_number(line, most, &wide))
        return false;
    *number = (uint32_t)wide;
    return true;
}

/* at STRAND TURN OPERATION run|wake STRAND */
static bool read_move(struct schedule *schedule, const char *line)
{
    struct move move = {0};
    char operation[64];
    char what[8];
    line += strlen("at");
    if (schedule->moves == MOVES || !read_number_32(&line, STRANDS - 1, &move.strand) ||
        !read_number_32(&line, UINT32_MAX, &move.turn) || !read_word(&line, operation, sizeof operation) ||
        !read_word(&line, what, sizeof what) || !read_number_32(&line, STRANDS - 1, &move.next) || *line != '\0')
        return false;
    move.operation = operation_of(operation);
    move.early = strcmp(what, "wake") == 0;
    if (!move.early && strcmp(what, "run") != 0)
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

/* What the command reads, or people. */
static bool is_for_others(const char *line)
{
    return *line == '#' || *line == '\0' || strncmp(line, "program ", 8) == 0 || strncmp(line, "argument ", 9) == 0 ||
           strncmp(line, "folder ", 7) == 0;
}

static bool read_line(struct schedule *schedule, const char *line)
{
    if (strncmp(line, "at ", 3) == 0)
        return read_move(schedule, line);
    if (strncmp(line, "finding ", 8) == 0)
        return read_finding(schedule, line + 8);
    if (strncmp(line, "limit ", 6) != 0)
        return false;
    line += strlen("limit");
    return read_number(&line, UINT64_MAX, &schedule->limit) && read_number(&line, UINT64_MAX, &schedule->end) &&
           *line == '\0';
}

static bool read_head(const char *line, const char *name, char *error, size_t size)
{
    static const char head[] = "threading schedule";
    const char *after = line + strlen(head);
    uint64_t version;
    if (strncmp(line, head, strlen(head)) != 0 || !read_number(&after, UINT32_MAX, &version)) {
        (void)snprintf(error, size, "%s is not a schedule", name);
        return false;
    }
    if (version != VERSION)
        (void)snprintf(error, size, "%s is of version %u; this laboratory reads version %d: explore the program again",
                       name, (unsigned)version, VERSION);
    return version == VERSION;
}

/* The next line, without its end; what does not fit of an argument is left out. */
static bool next_line(FILE *file, char *line)
{
    if (!fgets(line, LINE, file))
        return false;
    size_t length = strcspn(line, "\n");
    int c = line[length] == '\n' ? '\n' : fgetc(file);
    line[length] = '\0';
    while (c != '\n' && c != EOF)
        c = fgetc(file);
    return true;
}

/* From the second line on; false: line *n is not understood, or there is none, and the file was cut. */
static bool read_rest(struct schedule *schedule, FILE *file, char *line, unsigned *n)
{
    bool ended = false;
    while (next_line(file, line)) {
        ++*n;
        if (is_for_others(line))
            continue;
        if (ended || (strcmp(line, "end") != 0 && !read_line(schedule, line)))
            return false;
        ended = strcmp(line, "end") == 0;
    }
    *line = '\0';
    return ended;
}

static bool read_lines(struct schedule *schedule, FILE *file, const char *name, char *error, size_t size)
{
    char line[LINE];
    unsigned n = 1;
    if (!next_line(file, line)) {
        (void)snprintf(error, size, "%s is empty", name);
        return false;
    }
    if (!read_head(line, name, error, size))
        return false;
    bool read = read_rest(schedule, file, line, &n);
    qsort(schedule->move, schedule->moves, sizeof *schedule->move, compare);
    if (!read && *line)
        (void)snprintf(error, size, "%s:%u: not understood: %s", name, n, line);
    else if (!read)
        (void)snprintf(error, size, "%s was cut: its last line, `end`, is missing", name);
    return read;
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
