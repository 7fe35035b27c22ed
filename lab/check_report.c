/* check_report.c - what was found, on standard error; of which the command is told, for its exit status. */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lab/check.h"
#include "lab/symbols.h"

enum { REPORT_SIZE = 65536, STACK_SIZE = 4096, NAME_SIZE = 256 };

/* The report that is being written: under the lock. */
static char text[REPORT_SIZE];
static size_t length;
static thr_time now;

static void put(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void put(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int more = vsnprintf(text + length, sizeof text - length, format, arguments);
    va_end(arguments);
    if (more > 0)
        length += (size_t)more < sizeof text - length ? (size_t)more : sizeof text - length - 1;
}

static void begin(void)
{
    length = 0;
    now = lab_library->os->now();
    put("threading check: ");
}

static void end(void)
{
    lab_write(text, length);
    news_reported();
}

/* -- Parts -------------------------------------------------------------------------------------------------------- */

static void put_lock(const void *lock)
{
    char name[NAME_SIZE];
    if (symbols_object(lock, name, sizeof name))
        put("%s", name);
    else
        put("%p", lock);
}

/* `site` is a return address. */
static void put_place(const void *site)
{
    char place[NAME_SIZE];
    if (site && symbols_place((char *)(uintptr_t)site - 1, place, sizeof place))
        put("%s", place);
    else
        put("a place that is not known");
}

/* The lock, and where it was first taken. */
static void put_first(const void *lock)
{
    put("    ");
    put_lock(lock);
    put(", first taken: ");
    put_place(order_first_site(lock));
    put("\n");
}

static void put_stack(const struct stack *stack, const char *indent)
{
    char lines[STACK_SIZE];
    void *calls[FRAMES];
    if (!stack)
        return;
    for (uint32_t i = 0; i < stack->frames; i++)
        calls[i] = (char *)stack->at[i] - 1; /* the call, not what comes after it */
    symbols_resolve(calls, stack->frames);
    symbols_stack(calls, stack->frames, indent, lines, sizeof lines);
    put("%s", lines);
}

static const char *name_of(const struct sight *sight)
{
    if (sight->name[0])
        return sight->name;
    return sight->origin == THREAD_HIDDEN ? "a foreign thread" : "a thread without a name";
}

static void put_number(uint32_t number)
{
    struct sight sight;
    if (lab_library->look(number, &sight))
        put("%s", name_of(&sight));
    else
        put("a thread that has ended");
}

static const char *const kinds[] = {
    [WAIT_LOCK] = "lock",
    [WAIT_RLOCK] = "rlock",
    [WAIT_CONDITION] = "condition",
    [WAIT_EVENT] = "event",
    [WAIT_SEMAPHORE] = "semaphore",
    [WAIT_BARRIER] = "barrier",
    [WAIT_LATCH] = "latch",
    [WAIT_ONCE] = "once",
    [WAIT_READ] = "rwlock, to read,",
    [WAIT_TIMER] = "timer",
    [WAIT_WRITE] = "rwlock, to write,",
};

/* "waits for lock a, held by first" */
static void put_wait(const struct wait_record *wait)
{
    uint32_t number;
    enum sight_holder holder = lab_library->holder(wait, &number);
    switch (wait->kind) {
    case WAIT_JOIN:
        put("waits for the end of ");
        put_number(number);
        return;
    case WAIT_EXIT:
        put("waits for the others, to end the process");
        return;
    default:
        break;
    }
    const char *kind = wait->kind < sizeof kinds / sizeof *kinds ? kinds[wait->kind] : NULL;
    put("waits for %s ", kind ? kind : "something at");
    put_lock(wait->object);
    if (holder == HELD_BY) {
        put(", held by ");
        put_number(number);
    }
}

/* Not one that was given up for a wait on a condition. */
static bool is_held(const struct watched *thread, const struct held *held)
{
    uint32_t number;
    struct wait_record wait = {.kind = WAIT_LOCK, .object = held->lock};
    return held->reads || held->outside || (lab_library->holder(&wait, &number) == HELD_BY && number == thread->number);
}

static void put_held(const struct watched *thread)
{
    for (uint32_t i = 0; i < thread->held_count; i++) {
        if (!is_held(thread, &thread->held[i]))
            continue;
        put("    holds ");
        put_lock(thread->held[i].lock);
        put(", taken: ");
        put_place(thread->held[i].site);
        put("\n");
    }
}

static void put_waiter(const struct waiter_seen *waiter)
{
    const struct wait_record *wait = &waiter->sight.wait;
    put("  %s ", name_of(&waiter->sight));
    put_wait(wait);
    put(", for %.3f s\n", (double)(now - wait->since) / 1e9);
    put_stack(waiter->stack, "    ");
    put_held(waiter->thread);
}

/* -- Reports ------------------------------------------------------------------------------------------------------ */

static void put_step(const struct step *step)
{
    put("  ");
    put_lock(step->from);
    put(", then ");
    put_lock(step->to);
    put(", by %s:\n    ", step->thread);
    put_lock(step->from);
    put(" taken: ");
    put_place(step->from_site);
    put("\n    ");
    put_lock(step->to);
    put(" taken:\n");
    put_stack(&step->stack, "      ");
}

void report_order(const struct step *steps, size_t n)
{
    begin();
    put(n == 2 ? "two locks are taken in two orders\n" : "%zu locks are taken in a ring of orders\n", n);
    for (size_t i = 0; i < n; i++)
        put_step(&steps[i]);
    for (size_t i = 0; i < n; i++)
        put_first(steps[i].from);
    put("  Threads that do this at the same time can wait for each other for ever.\n");
    end();
}

void report_again(struct watched *me, const void *lock, const struct held *held, bool reads)
{
    struct sight sight;
    struct stack stack;
    bool second_read = reads && held->reads;
    begin();
    put("%s takes ", lab_library->look(me->number, &sight) ? name_of(&sight) : "a thread");
    put_lock(lock);
    put(second_read ? " to read, and reads it already: it waits for a writer that waits for it\n"
                    : " again, and holds it already: it waits for itself\n");
    put("  taken: ");
    put_place(held->site);
    put("\n  again:\n");
    check_stack(&stack);
    put_stack(&stack, "    ");
    end();
}

void report_cycle(const struct waiter_seen *waiters, size_t n)
{
    begin();
    put("deadlock: %zu threads wait for each other\n", n);
    for (size_t i = 0; i < n; i++)
        put_waiter(&waiters[i]);
    end();
}

void report_stuck(const struct waiter_seen *waiters, size_t n, bool at_exit)
{
    begin();
    if (at_exit)
        put("still blocked at the end of the process\n");
    else
        put("no thread can go on\n");
    for (size_t i = 0; i < n; i++)
        put_waiter(&waiters[i]);
    end();
}
