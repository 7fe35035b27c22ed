/* wait.c - sleeping, deadlines and records; see wait.h. */

#include "wait/wait.h"

#include "wait/spin.h"
#include "wait/watch.h"

int thr__hooked;

/* Nanoseconds. The system wakes a sleeper for a signal, not who is about to sleep. */
enum { LOOK = 5000000 };

__thread uint32_t thr__me = THR__ASK | 1; /* number 0, held */
__thread struct wait_record *wait_self;

static void no_point(enum hook_operation operation, const void *object)
{
    (void)operation;
    (void)object;
}

static void no_misuse(const void *object, thr_result result)
{
    (void)object;
    (void)result;
}

const struct wait_system wait_system_os = {os_wait,         os_wake,        os_now,    no_point,
                                           os_thread_start, os_thread_join, no_misuse, NULL};
const struct wait_system *wait_system = &wait_system_os;

void hook_set(enum hook_purpose purpose)
{
    thr__me |= THR__ASK;
    store_relaxed(&thr__hooked, (int)purpose);
}

/* A seqlock with one writer, the thread itself (a signal handler that waits nests whole). The fields are relaxed
 * atomics; the release store of the even sequence pairs with the reader's acquire loads. The first store must not sink
 * below the fields: they are stored with release, which is free on x86 and a cheap stlr on AArch64. */
static void record_set(struct wait_record *record, uint32_t kind, const void *object, thr_time since, thr_time deadline)
{
    uint32_t sequence = record->sequence;
    store_relaxed(&record->sequence, sequence + 1);
    store_release(&record->kind, kind);
    store_release(&record->object, object);
    store_release(&record->since, since);
    store_release(&record->deadline, deadline);
    store_release(&record->sequence, sequence + 2);
}

bool wait_look(const struct wait_record *record, struct wait_record *copy)
{
    for (int attempt = 0; attempt < 1000; attempt++) {
        uint32_t before = load_acquire(&record->sequence);
        copy->number = record->number;
        copy->kind = load_acquire(&record->kind);
        copy->object = load_acquire(&record->object);
        copy->since = load_acquire(&record->since);
        copy->deadline = load_acquire(&record->deadline);
        if ((before & 1) == 0 && load_relaxed(&record->sequence) == before)
            return true;
    }
    return false;
}

void wait_begin(struct wait *wait, enum wait_kind kind, const void *object, thr_time deadline)
{
    struct wait_record *record = wait_self ? wait_self : wait_stranger();
    wait->record = record;
    wait->object = object;
    wait->since = wait_system->now();
    wait->deadline = deadline;
    wait->interruptible = record && record->interrupt;
    wait->look = wait->since + LOOK;
    if (!record)
        return;
    wait->outer_kind = record->kind;
    wait->outer_object = record->object;
    wait->outer_since = record->since;
    wait->outer_deadline = record->deadline;
    record_set(record, kind, object, wait->since, deadline);
}

void wait_end(struct wait *wait)
{
    if (wait->record)
        record_set(wait->record, wait->outer_kind, wait->outer_object, wait->outer_since, wait->outer_deadline);
}

/* Asks whether the wait shall end, and once more at `look`. */
static thr_result ask(struct wait *wait, thr_time look)
{
    wait->look = look;
    return wait->interruptible && wait->record->interrupt(wait->record->interrupt_arg) ? THR_INTERRUPTED : THR_OK;
}

thr_result wait_block(struct wait *wait, const uint32_t *word, uint32_t expected, uint32_t mask)
{
    bool looks = wait->interruptible && wait->look < wait->deadline;
    switch (wait_system->wait(word, expected, mask, looks ? wait->look : wait->deadline)) {
    case OS_TIMEOUT:
        return looks ? ask(wait, THR_FOREVER) : THR_TIMEOUT;
    case OS_INTERRUPTED:
        return ask(wait, wait_system->now() + LOOK);
    case OS_WOKEN:
    default:
        spin_woken(wait->object, wait->since);
        return THR_OK;
    }
}

void wait_wake(const uint32_t *word, uint32_t count, uint32_t mask)
{
    wait_system->wake(word, count, mask);
    watch_notify(word);
}

bool wait_expired(thr_time deadline)
{
    if (deadline == THR_FOREVER)
        return false;
    return deadline <= 0 || deadline <= wait_system->now();
}
