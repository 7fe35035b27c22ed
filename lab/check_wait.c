/* check_wait.c - who waits for whom.
 *
 * Each thread says in its record what it waits for before it sleeps (src/wait/wait.h), and each lock who holds it. The
 * thread whose wait closes a circle finds all of it there, and reports before it sleeps.
 *
 * W1  A circle is followed twice, and counts if it was the same both times, wait for wait: each of its threads then
 *     waited from the first look to the second, so that all did so at one time.
 * W2  Nobody can go on when every thread of the process sleeps without a deadline on a word that is as it was. Who was
 *     woken, and has not run yet, has had its word changed. They are counted twice, as in W1; by main, while it sleeps
 *     itself: as long as it does not, somebody can go on.
 * W3  A circle is reported once. Two threads that close it together may both see it: who reports marks the wait of each
 *     of its threads, under the lock, and who comes second finds its own wait marked.
 *
 * Order: `sleeping` is stored with release when the fields after it are set, and pairs with the acquire of those who
 * look. The record is written before the holders are read, and each thread does both: a full fence stands between, so
 * that of two threads that close a circle together at least one sees the other. */

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lab/check.h"

enum { CIRCLE_MAX = 64, STEPS_MAX = 10000, SHOWN_MAX = 256 };

static const thr_time heartbeat = 100000000;
static const thr_time patience = 5000000000; /* for a stack that was asked for */

static bool is_lock(uint32_t kind)
{
    return kind == WAIT_LOCK || kind == WAIT_RLOCK || kind == WAIT_READ || kind == WAIT_WRITE;
}

/* -- Circles ------------------------------------------------------------------------------------------------------ */

struct circle {
    struct waiter_seen waiters[CIRCLE_MAX];
    size_t n;
    size_t steps; /* of the search */
};

static bool is_held_by(const struct wait_record *wait, const struct watched *thread)
{
    uint32_t number;
    enum sight_holder holder = lab_library->holder(wait, &number);
    if (holder == HELD_BY)
        return thread->number == number;
    if (holder == FREE && (wait->kind == WAIT_READ || wait->kind == WAIT_WRITE)) {
        const struct held *held = held_find(thread, wait->object);
        return held && held->reads;
    }
    return false;
}

static bool is_in(const struct circle *circle, const struct watched *thread)
{
    for (size_t i = 0; i < circle->n; i++) {
        if (circle->waiters[i].thread == thread)
            return true;
    }
    return false;
}

/* Whether this thread waits, through others, for the first of the circle. */
static bool closes(struct circle *circle, struct watched *thread)
{
    if (circle->n == CIRCLE_MAX || circle->steps++ > STEPS_MAX || is_in(circle, thread))
        return false;
    struct waiter_seen *seen = &circle->waiters[circle->n];
    seen->thread = thread;
    if (!lab_library->look(thread->number, &seen->sight) || !seen->sight.waits)
        return false;
    const struct wait_record *wait = &seen->sight.wait;
    if (wait->deadline != THR_FOREVER || (!is_lock(wait->kind) && wait->kind != WAIT_JOIN))
        return false;
    circle->n++;
    for (struct watched *other = check_threads(); other; other = other->next) {
        if (other->number == 0 || !is_held_by(wait, other))
            continue;
        if (other == circle->waiters[0].thread || closes(circle, other))
            return true;
    }
    circle->n--;
    return false;
}

static bool is_same(const struct circle *one, const struct circle *other)
{
    if (one->n != other->n)
        return false;
    for (size_t i = 0; i < one->n; i++) {
        const struct sight *a = &one->waiters[i].sight;
        const struct sight *b = &other->waiters[i].sight;
        if (a->number != b->number || a->wait.object != b->wait.object || a->wait.since != b->wait.since)
            return false;
    }
    return true;
}

/* -- Stacks of others --------------------------------------------------------------------------------------------- */

/* Gives one's stack to whom has asked. */
static void give_stack(struct watched *me)
{
    uint32_t wanted = load_acquire(&me->wanted); /* pairs with ask_stack */
    if (wanted == load_relaxed(&me->given))
        return;
    check_stack(&me->stack);
    store_release(&me->given, wanted); /* pairs with ask_stack */
}

void check_answer(void)
{
    if (check_self())
        give_stack(check_self());
}

/* Asks a thread that sleeps: it is woken for that, and sleeps again. NULL: it did not answer. */
static const struct stack *ask_stack(struct watched *thread)
{
    static const uint32_t nothing;
    const struct wait_system *os = lab_library->os;
    if (thread == check_self()) {
        check_stack(&thread->stack);
        return &thread->stack;
    }
    uint32_t wanted = add_release(&thread->wanted, 1) + 1;
    thr_time end = os->now() + patience;
    while (load_acquire(&thread->given) != wanted) {
        if (os->now() > end)
            return NULL;
        if (load_acquire(&thread->sleeping) & 1)
            os->wake(load_relaxed(&thread->word), UINT32_MAX, OS_ANY);
        (void)os->wait(&nothing, 0, OS_ANY, os->now() + patience / 5000);
    }
    return &thread->stack;
}

/* W3 */
static bool is_told(const struct waiter_seen *seen)
{
    const struct watched *thread = seen->thread;
    return thread->told_object == seen->sight.wait.object && thread->told_since == seen->sight.wait.since;
}

static void tell(struct circle *circle)
{
    for (size_t i = 0; i < circle->n; i++) {
        struct waiter_seen *seen = &circle->waiters[i];
        seen->stack = ask_stack(seen->thread);
        seen->thread->told_object = seen->sight.wait.object;
        seen->thread->told_since = seen->sight.wait.since;
    }
    report_cycle(circle->waiters, circle->n);
}

static void look_for_circle(struct watched *me)
{
    static struct circle first, second;
    check_enter();
    first.n = first.steps = second.n = second.steps = 0;
    first.waiters[0].thread = second.waiters[0].thread = me;
    if (closes(&first, me) && closes(&second, me) && is_same(&first, &second) && !is_told(&first.waiters[0])) /* W1 */
        tell(&first);
    check_leave();
}

/* -- Before the sleep --------------------------------------------------------------------------------------------- */

/* Whether it is worth to follow the circle: the one that we wait for waits, too. */
static bool may_close(const struct wait_record *wait)
{
    uint32_t number;
    struct sight sight;
    enum sight_holder holder = lab_library->holder(wait, &number);
    if (holder == FREE)
        return wait->kind == WAIT_READ || wait->kind == WAIT_WRITE;
    return holder == HELD_BY && lab_library->look(number, &sight) && sight.waits &&
           sight.wait.deadline == THR_FOREVER && (is_lock(sight.wait.kind) || sight.wait.kind == WAIT_JOIN);
}

/* False: it waits for itself. */
static bool judge_lock(struct watched *me, const struct wait_record *wait)
{
    held_read_mail(me);
    forget_returned(me);
    const struct held *held = held_find(me, wait->object);
    if (held && !me->waits_for_condition) {
        check_enter();
        report_again(me, wait->object, held, wait->kind == WAIT_READ);
        check_leave();
        return false;
    }
    if (me->held_count > 0)
        order_check(me, wait->object, order_id(me, wait->object, NULL));
    return true;
}

/* Once for each wait. */
static void judge(struct watched *me)
{
    const struct wait_record *wait = lab_library->record();
    if (!wait || wait->kind == WAIT_NOTHING || (wait->object == me->judged_object && wait->since == me->judged_since))
        return;
    me->judged_object = wait->object;
    me->judged_since = wait->since;
    if (wait->deadline != THR_FOREVER || check_is_internal(wait->object))
        return;
    if (is_lock(wait->kind) && !judge_lock(me, wait))
        return;
    if (!is_lock(wait->kind) && wait->kind != WAIT_JOIN)
        return;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (may_close(wait))
        look_for_circle(me);
}

/* -- When nobody can go on ---------------------------------------------------------------------------------------- */

static uint32_t count_tasks(void)
{
    uint32_t n = 0;
    DIR *tasks = opendir("/proc/self/task");
    if (!tasks)
        return 0;
    for (struct dirent *entry = readdir(tasks); entry; entry = readdir(tasks))
        n += entry->d_name[0] != '.';
    (void)closedir(tasks);
    return n;
}

static bool sleeps_for_ever(const struct watched *thread)
{
    uint32_t value;
    return load_acquire(&thread->sleeping) & 1 && load_relaxed(&thread->deadline) == THR_FOREVER &&
           lab_library->peek(load_relaxed(&thread->word), &value) && value == load_relaxed(&thread->expected);
}

/* How many sleep so, and a number that tells these sleeps from any others; 0 if somebody does not. */
static uint32_t count_sleepers(uint64_t *which)
{
    uint32_t n = 0;
    *which = 0;
    for (const struct watched *thread = check_threads(); thread; thread = thread->next) {
        if (thread->number == 0)
            continue;
        if (!sleeps_for_ever(thread))
            return 0;
        *which = (*which + load_relaxed(&thread->sleeping)) * 0x9e3779b97f4a7c15u;
        n++;
    }
    return n;
}

static bool nobody_can_go_on(void)
{
    uint64_t first, second;
    uint32_t n = count_sleepers(&first);
    return n > 0 && count_tasks() == n && count_sleepers(&second) == n && first == second; /* W2 */
}

/* A signal that the program catches may still bring it on. */
static bool catches_signals(void)
{
    char line[256];
    unsigned long long caught = 0;
    const unsigned long long of_libc = 3ull << 31; /* 32 and 33 */
    FILE *status = fopen("/proc/self/status", "re");
    if (!status)
        return true;
    while (fgets(line, sizeof line, status)) {
        if (strncmp(line, "SigCgt:", 7) == 0)
            caught = strtoull(line + 7, NULL, 16);
    }
    (void)fclose(status);
    return (caught & ~of_libc) != 0;
}

/* The threads that wait, as far as the program would name them: not the library's own. */
static size_t list_waiters(struct waiter_seen *waiters, bool (*wanted)(const struct sight *sight))
{
    size_t n = 0;
    for (struct watched *thread = check_threads(); thread && n < SHOWN_MAX; thread = thread->next) {
        struct waiter_seen *seen = &waiters[n];
        seen->thread = thread;
        if (thread->number == 0 || thread == check_self() || !sleeps_for_ever(thread) ||
            !lab_library->look(thread->number, &seen->sight) || !seen->sight.waits || !wanted(&seen->sight))
            continue;
        seen->stack = ask_stack(thread);
        n++;
    }
    return n;
}

static bool is_programs(const struct sight *sight)
{
    return sight->origin != THREAD_HIDDEN;
}

static void look_whether_stuck(struct watched *me)
{
    static struct waiter_seen waiters[SHOWN_MAX + 1];
    static bool reported;
    check_enter();
    if (!reported && nobody_can_go_on()) {
        reported = true;
        size_t n = list_waiters(waiters, is_programs);
        waiters[n].thread = me;
        waiters[n].stack = ask_stack(me);
        n += lab_library->look(me->number, &waiters[n].sight);
        report_stuck(waiters, n, false);
        if (!catches_signals()) {
            if (ftrylockfile(stdout) == 0)
                (void)fflush_unlocked(stdout);
            _exit(EXIT_FAILURE);
        }
    }
    check_leave();
}

/* -- Sleeping ----------------------------------------------------------------------------------------------------- */

static enum os_wait_end sleep_on(struct watched *me, const uint32_t *word, uint32_t expected, uint32_t mask,
                                 thr_time deadline)
{
    const struct wait_system *os = lab_library->os;
    if (!me->is_main || deadline != THR_FOREVER)
        return os->wait(word, expected, mask, deadline);
    enum os_wait_end end;
    while ((end = os->wait(word, expected, mask, os->now() + heartbeat)) == OS_TIMEOUT)
        look_whether_stuck(me);
    return end;
}

enum os_wait_end check_wait(const uint32_t *word, uint32_t expected, uint32_t mask, thr_time deadline)
{
    struct watched *me = check_inside() ? NULL : check_here();
    if (!me)
        return lab_library->os->wait(word, expected, mask, deadline);
    judge(me);
    store_relaxed(&me->word, word);
    store_relaxed(&me->expected, expected);
    store_relaxed(&me->deadline, deadline);
    store_release(&me->sleeping, me->sleeping + 1);
    give_stack(me);
    enum os_wait_end end = sleep_on(me, word, expected, mask, deadline);
    give_stack(me);
    store_release(&me->sleeping, me->sleeping + 1);
    return end;
}

/* -- The end of the process --------------------------------------------------------------------------------------- */

/* Who should not be there any more: no daemon, and none that waits for who ends the process. */
static bool is_left_behind(const struct sight *sight)
{
    return sight->origin == THREAD_OURS && !sight->daemon && sight->wait.kind != WAIT_JOIN &&
           sight->wait.kind != WAIT_EXIT;
}

void check_blocked_at_end(void)
{
    static struct waiter_seen waiters[SHOWN_MAX];
    check_enter();
    size_t n = list_waiters(waiters, is_left_behind);
    if (n > 0)
        report_stuck(waiters, n, true);
    check_leave();
}
