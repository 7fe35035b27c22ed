/* dump.c - all threads, for a person with a hanging process before them:
 *
 *     3 threads
 *     number  native id  ident           kind     name               state
 *     1       4711       0x7f30c5a0b740  main     MainThread         waits for lock 0x55d0c0de4014, held by ...
 *     2       4712       0x7f30c59ff6c0  thread   Thread-1 (worker)  waits for lock 0x55d0c0de4010, held by ...
 *     5       4715       0x7f30c41fc6c0  daemon   poll               runs
 *     deadlock: MainThread waits for lock 0x55d0c0de4014, held by Thread-1 (worker); Thread-1 (worker) waits for ...
 *
 * D1  Nothing is locked, allocated or waited for, and no stdio is used: so it works in a signal handler, and in a process
 *     that hangs with the registry's lock held.
 * D2  A cycle is followed twice, and reported if it was the same both times, wait for wait. */

#include <string.h>

#include "thread/line.h"
#include "thread/sight.h"
#include "wait/kinds.h"

enum { CYCLE_MAX = 100, NAME_WIDTH_MAX = 40 };

static const char *const kinds[] = {
    WAIT_KIND_NAMES,
    [WAIT_FUTURES] = "one of several futures,",
    [WAIT_WORK] = "work of executor",
};

/* -- Lines -------------------------------------------------------------------------------------------------------- */

static void put_holder(struct line *line, enum sight_holder holding, uint32_t number, const char *before)
{
    struct sight holder_sight;
    if (holding == FREE)
        return;
    line_text(line, before);
    if (holding == HELD) {
        line_text(line, "a thread without a number");
    } else if (sight_look(number, &holder_sight) && holder_sight.life != LIFE_ENDED) {
        line_text(line, sight_name(&holder_sight));
    } else {
        line_text(line, "thread number ");
        line_number(line, number);
        line_text(line, ", which has ended");
    }
}

static void put_wait(struct line *line, const struct wait_record *wait)
{
    uint32_t number;
    enum sight_holder holding = sight_holder(wait, &number);
    switch (wait->kind) {
    case WAIT_JOIN:
        put_holder(line, holding, number, "waits for the end of ");
        return;
    case WAIT_START:
        put_holder(line, holding, number, "waits for the first steps of ");
        return;
    case WAIT_EXIT:
        line_text(line, "waits for the non-daemon threads, to end the process");
        return;
    case WAIT_SLEEP:
        line_text(line, "sleeps");
        return;
    default:
        break;
    }
    const char *kind = wait->kind < sizeof kinds / sizeof *kinds ? kinds[wait->kind] : NULL;
    line_text(line, "waits for ");
    line_text(line, kind ? kind : "something");
    line_char(line, ' ');
    line_hex(line, (uintptr_t)wait->object);
    put_holder(line, holding, number, ", held by ");
}

static void put_times(struct line *line, const struct wait_record *wait, thr_time now)
{
    line_text(line, ", for ");
    line_seconds(line, now - wait->since);
    if (wait->deadline == THR_FOREVER)
        return;
    line_text(line, ", gives up in ");
    line_seconds(line, wait->deadline - now);
}

static const char *kind_of(const struct sight *sight)
{
    if (sight->origin == THREAD_MAIN)
        return "main";
    if (sight->origin == THREAD_HIDDEN && sight->name[0])
        return "service"; /* of the library: the timers' threads */
    if (sight->origin != THREAD_OURS)
        return "foreign";
    return sight->daemon ? "daemon" : "thread";
}

static const char *state_of(const struct sight *sight)
{
    switch (sight->life) {
    case LIFE_STARTING:
        return "starts";
    case LIFE_ENDED:
        return "has ended, and was not joined";
    case LIFE_GONE:
        return "ends the process";
    default:
        return "runs";
    }
}

/* The columns; the last one's place depends on the names. */
enum { NATIVE_ID = 8, IDENT = 19, KIND = 35, NAME = 44 };

static void put_thread(struct line *line, const struct sight *sight, size_t state_column, thr_time now)
{
    line_number(line, sight->number);
    line_column(line, NATIVE_ID);
    line_number(line, sight->native_id);
    line_column(line, IDENT);
    line_hex(line, sight->native);
    line_column(line, KIND);
    line_text(line, kind_of(sight));
    line_column(line, NAME);
    line_text(line, sight_name(sight));
    line_column(line, state_column);
    if (sight->waits && sight->life != LIFE_ENDED) {
        put_wait(line, &sight->wait);
        put_times(line, &sight->wait, now);
    } else {
        line_text(line, state_of(sight));
    }
    line_end(line);
}

static size_t put_header(struct line *line)
{
    struct sight sight;
    size_t n = 0;
    size_t width = strlen("name");
    for (uint32_t number = 1; number < pool_end(); number++) {
        if (!sight_look(number, &sight))
            continue;
        size_t length = strlen(sight_name(&sight));
        if (length > width)
            width = length < NAME_WIDTH_MAX ? length : NAME_WIDTH_MAX;
        n++;
    }
    line_number(line, n);
    line_text(line, n == 1 ? " thread" : " threads");
    line_end(line);
    line_text(line, "number  native id  ident           kind     name");
    line_column(line, NAME + width + 2);
    line_text(line, "state");
    line_end(line);
    return NAME + width + 2;
}

/* -- Cycles ------------------------------------------------------------------------------------------------------- */

struct cycle {
    uint32_t length; /* 0: there is none */
    bool deadline;   /* one of the waits has one */
    uint64_t waits;  /* all of them, mixed */
};

/* The cycle through `first`, if that is its lowest number. */
static struct cycle follow(uint32_t first)
{
    static const uint64_t odd = 0x9e3779b97f4a7c15u;
    struct cycle cycle = {0};
    struct sight sight;
    uint32_t number = first;
    do {
        uint32_t next = sight_next(number, &sight);
        if (next < first || ++cycle.length > CYCLE_MAX) /* next is 0, another reports it, or it is endless without us */
            return (struct cycle){0};
        cycle.deadline = cycle.deadline || sight.wait.deadline != THR_FOREVER;
        cycle.waits = (cycle.waits ^ number ^ (uint64_t)sight.wait.since ^ (uintptr_t)sight.wait.object) * odd;
        number = next;
    } while (number != first);
    return cycle;
}

static void put_cycle(struct line *line, uint32_t first)
{
    struct cycle cycle = follow(first);
    if (cycle.length == 0 || follow(first).waits != cycle.waits) /* D2 */
        return;
    struct sight sight;
    uint32_t number = first;
    line_text(line, cycle.deadline ? "deadlock, until a deadline passes: " : "deadlock: ");
    do {
        uint32_t next = sight_next(number, &sight);
        if (next == 0)
            break; /* it came undone while we write */
        line_text(line, number == first ? "" : "; ");
        line_text(line, sight_name(&sight));
        line_char(line, ' ');
        put_wait(line, &sight.wait);
        number = next;
    } while (number != first && --cycle.length > 0);
    line_end(line);
}

void thr_dump(int fd)
{
    struct line line = {.fd = fd, .length = 0, .column = 0};
    struct sight sight;
    thr_time now = os_now();
    size_t state_column = put_header(&line);
    for (uint32_t number = 1; number < pool_end(); number++) {
        if (sight_look(number, &sight))
            put_thread(&line, &sight, state_column, now);
    }
    for (uint32_t number = 1; number < pool_end(); number++)
        put_cycle(&line, number);
}
