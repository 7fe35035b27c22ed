/* several.c - waiting for some of several futures, and getting them as they are done.
 *
 * Whoever waits has an observer in each future (future.h). They count under the futures' locks, and wake by address: when
 * all observers are out again (future_forget), nobody will touch what they count in. */

#include <errno.h>
#include <stdlib.h>

#include "threading/lock.h"
#include "wait/spin.h"
#include "work/absence.h"
#include "work/executor.h"
#include "work/future.h"
#include "work/help.h"

enum { ON_STACK = 16 };

static bool any_null(thr_future *const *futures, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!futures[i])
            return true;
    }
    return false;
}

/* -- thr_future_wait ---------------------------------------------------------------------------------------------- */

/* How many more have to be done before the waiter goes on. */
struct tally {
    size_t missing;
    thr_when when;
    uint32_t word; /* 1: it may go on */
};

struct teller {
    struct observer observer;
    struct tally *tally; /* NULL: it is in no list */
};

static bool has_failed(const thr_future *future)
{
    uint32_t state = future_state(future);
    return state == FUTURE_FAILED || state == FUTURE_BROKEN;
}

/* One is done. Any number of threads do this at once. */
static void count(struct tally *tally, const thr_future *future)
{
    bool last =
        sub_acq_rel(&tally->missing, 1) == 1; /* acquire, release: whoever is last passes on what the others did */
    bool enough = last || (tally->when == THR_FIRST_FAILED && has_failed(future));
    if (enough && swap_release(&tally->word, 1) == 0) { /* pairs with sleep_until_enough */
        spin_waker(tally);
        wait_wake(&tally->word, 1, OS_ANY);
    }
}

static void notify(struct observer *observer, thr_future *future)
{
    count(((struct teller *)observer)->tally, future);
}

static thr_result sleep_until_enough(struct tally *tally, thr_time deadline)
{
    struct wait wait;
    struct absence absence;
    thr_result result = THR_OK;
    if (wait_spin(&tally->word, UINT32_MAX, 0, tally))
        return THR_OK;
    wait_begin(&wait, WAIT_FUTURES, tally, deadline);
    absence_begin(&absence);
    while (result == THR_OK && load_acquire(&tally->word) == 0) /* pairs with count */
        result = absence_block(&absence, &wait, &tally->word, 0);
    absence_end(&absence);
    wait_end(&wait);
    return load_acquire(&tally->word) != 0 ? THR_OK : result;
}

static bool enough_done(thr_future *const *futures, size_t n, thr_when when)
{
    size_t done = 0;
    for (size_t i = 0; i < n; i++) {
        if (!thr_future_done(futures[i]))
            continue;
        if (when == THR_FIRST_COMPLETED || (when == THR_FIRST_FAILED && has_failed(futures[i])))
            return true;
        done++;
    }
    return done == n;
}

static thr_result wait_with(struct teller *tellers, thr_future *const *futures, size_t n, thr_when when,
                            thr_time deadline)
{
    struct tally tally = {when == THR_FIRST_COMPLETED ? 1 : n, when, 0};
    for (size_t i = 0; i < n; i++) {
        tellers[i] = (struct teller){{NULL, notify, false}, &tally};
        if (!future_observe(futures[i], &tellers[i].observer)) {
            tellers[i].tally = NULL;
            count(&tally, futures[i]);
        }
    }
    thr_result result = sleep_until_enough(&tally, deadline);
    for (size_t i = 0; i < n; i++) {
        if (tellers[i].tally)
            future_forget(futures[i], &tellers[i].observer);
    }
    return result;
}

/* Of all futures: one after the other, so that those which have not begun can be run thr__here. */
static thr_result wait_in_turn(thr_future *const *futures, size_t n, thr_time deadline)
{
    for (size_t i = 0; i < n; i++) {
        if (thr_future_done(futures[i]))
            continue;
        thr_result result = thr_future_result_until(futures[i], deadline, NULL);
        if (!thr_future_done(futures[i]))
            return result;
    }
    return THR_OK;
}

thr_result thr_future_wait(thr_future *const *futures, size_t n, thr_when when, thr_time deadline)
{
    struct teller on_stack[ON_STACK];
    hook_point(HOOK_FUTURE_WAIT, NULL);
    if ((unsigned)when > THR_ALL_COMPLETED || any_null(futures, n))
        return THR_INVALID;
    if (enough_done(futures, n, when))
        return THR_OK;
    if (wait_expired(deadline))
        return THR_TIMEOUT;
    if (when == THR_ALL_COMPLETED)
        return wait_in_turn(futures, n, deadline);
    int saved = errno;
    struct teller *tellers = n <= ON_STACK ? on_stack : calloc(n, sizeof *tellers);
    os_errno_restore(saved);
    if (!tellers)
        return THR_NO_MEMORY;
    thr_result result = wait_with(tellers, futures, n, when, deadline);
    if (tellers != on_stack)
        free(tellers);
    for (size_t i = 0; i < n && result == THR_OK; i++)
        (void)thr_future_done(futures[i]); /* for ThreadSanitizer */
    return result;
}

/* -- thr_as_completed --------------------------------------------------------------------------------------------- */

struct entry {
    struct observer observer;
    struct thr_as_completed *order; /* NULL: the observer is in no list */
    thr_future *future;
    struct entry *next; /* among those that are done */
    bool given;
};

/* `word` grows with each that is done; in the list are those of them that have not been given out. */
struct thr_as_completed {
    uint32_t forks; /* executors_forks() when it was filled */
    thr_lock lock;
    uint32_t word;
    uint32_t given;
    uint32_t n;
    struct entry *first;
    struct entry *last;
    struct entry entries[];
};

static void append(struct thr_as_completed *order, struct entry *entry)
{
    (void)thr_lock_acquire(&order->lock);
    entry->next = NULL;
    if (order->last)
        order->last->next = entry;
    else
        order->first = entry;
    order->last = entry;
    (void)thr_lock_release(&order->lock);
    (void)add_release(&order->word, 1); /* pairs with sleep_for_next */
    wait_wake(&order->word, 1, OS_ANY);
}

static void notify_entry(struct observer *observer, thr_future *future)
{
    struct entry *entry = (struct entry *)observer;
    (void)future;
    append(entry->order, entry);
}

/* A future, and where it stands in the array. */
struct place {
    thr_future *future;
    size_t at;
};

static int compare(const void *a, const void *b)
{
    const struct place *x = a;
    const struct place *y = b;
    uintptr_t first = (uintptr_t)x->future;
    uintptr_t second = (uintptr_t)y->future;
    if (first != second)
        return first < second ? -1 : 1;
    return x->at < y->at ? -1 : 1;
}

/* Fills the entries, in the order of the array, each future once. */
static uint32_t fill(struct entry *entries, thr_future *const *futures, size_t n, struct place *places)
{
    uint32_t left = 0;
    for (size_t i = 0; i < n; i++)
        places[i] = (struct place){futures[i], i};
    if (n > 1)
        qsort(places, n, sizeof *places, compare);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || places[i].future != places[i - 1].future)
            entries[places[i].at].future = places[i].future;
    }
    for (size_t i = 0; i < n; i++) {
        if (entries[i].future)
            entries[left++].future = thr_future_ref(entries[i].future);
    }
    return left;
}

static void observe(struct thr_as_completed *order, struct entry *entry)
{
    entry->order = order;
    entry->observer = (struct observer){NULL, notify_entry, false};
    if (future_observe(entry->future, &entry->observer))
        return;
    entry->order = NULL;
    if (!entry->given)
        append(order, entry);
}

static void observe_all(struct thr_as_completed *order)
{
    order->forks = executors_forks();
    for (uint32_t i = 0; i < order->n; i++)
        observe(order, &order->entries[i]);
}

/* In a fork's child it is filled anew: threads that are gone may have been in the middle of a change. */
static void renew(struct thr_as_completed *order)
{
    order->lock = (thr_lock)THR_LOCK_INIT;
    order->first = NULL;
    order->last = NULL;
    observe_all(order);
}

thr_result thr_as_completed_new(thr_as_completed **handle, thr_future *const *futures, size_t n)
{
    if (any_null(futures, n) || n > UINT32_MAX)
        return THR_INVALID;
    int saved = errno;
    struct thr_as_completed *order = calloc(1, sizeof *order + n * sizeof *order->entries);
    struct place *places = calloc(n + 1, sizeof *places);
    if (order && places)
        order->n = fill(order->entries, futures, n, places);
    bool made = order && places;
    free(places);
    if (!made)
        free(order);
    os_errno_restore(saved);
    if (!made)
        return THR_NO_MEMORY;
    observe_all(order);
    *handle = order;
    return THR_OK;
}

/* The first that is done and was not given out, or NULL; *seen is the word before. */
static thr_future *take(struct thr_as_completed *order, uint32_t *seen)
{
    *seen = load_acquire(&order->word); /* pairs with append */
    (void)thr_lock_acquire(&order->lock);
    struct entry *entry = order->first;
    if (entry) {
        order->first = entry->next;
        if (!order->first)
            order->last = NULL;
        order->given++;
        entry->given = true;
    }
    (void)thr_lock_release(&order->lock);
    return entry ? entry->future : NULL;
}

static thr_result sleep_for_next(struct thr_as_completed *order, thr_time deadline, thr_future **future)
{
    uint32_t seen;
    struct wait wait;
    struct absence absence;
    thr_result result = THR_OK;
    wait_begin(&wait, WAIT_FUTURES, order, deadline);
    absence_begin(&absence);
    while (!(*future = take(order, &seen)) && result == THR_OK)
        result = absence_block(&absence, &wait, &order->word, seen);
    absence_end(&absence);
    wait_end(&wait);
    return *future ? THR_OK : result;
}

thr_result thr_as_completed_next_until(thr_as_completed *order, thr_time deadline, thr_future **future)
{
    uint32_t seen;
    thr_result result = THR_OK;
    hook_point(HOOK_FUTURE_WAIT, order);
    *future = NULL;
    if (order->forks != executors_forks())
        renew(order);
    if (order->given == order->n)
        return THR_EMPTY;
    *future = take(order, &seen);
    if (!*future) {
        if (wait_expired(deadline))
            return THR_TIMEOUT;
        (void)wait_spin(&order->word, UINT32_MAX, seen, order);
        result = sleep_for_next(order, deadline, future);
    }
    if (*future)
        tsan_acquire(*future);
    return result;
}

thr_result thr_as_completed_next(thr_as_completed *order, thr_future **future)
{
    return thr_as_completed_next_until(order, THR_FOREVER, future);
}

void thr_as_completed_free(thr_as_completed *order)
{
    if (!order)
        return;
    for (uint32_t i = 0; i < order->n; i++) {
        struct entry *entry = &order->entries[i];
        if (entry->order && order->forks == executors_forks()) /* else no list that anybody looks at */
            future_forget(entry->future, &entry->observer);
        thr_future_unref(entry->future);
    }
    free(order);
}
