/* local_table.c - see local_table.h. */

#include "thread/local_table.h"

#include <stdlib.h>
#include <string.h>

#include "os/os.h"
#include "thread/exit.h"
#include "thread/local.h"
#include "thread/thread.h"
#include "wait/wait.h"

enum { FIRST_SIZE = 16 };

__thread struct thr__local_places thr__locals;
__thread struct local_table *local_table;

thr_lock local_lock = THR_LOCK_INIT;
struct local_table *local_tables;

static os_end_key end_key;
static bool prepared;
static bool at_exit_armed; /* under the lock */

/* -- The lists of a table, under its lock ------------------------------------------------------------------------- */

static void unlink_place(struct local_table *table, uint32_t index)
{
    struct thr__local_place *at = table->places.at_;
    uint32_t older = at[index].older_;
    uint32_t newer = at[index].newer_;
    if (older != 0)
        at[older].newer_ = newer;
    if (newer != 0)
        at[newer].older_ = older;
    else if (table->newest == index)
        table->newest = older;
    else
        table->leaving = older;
}

static void link_newest(struct local_table *table, uint32_t index)
{
    struct thr__local_place *at = table->places.at_;
    at[index].newer_ = 0;
    at[index].older_ = table->newest;
    if (table->newest != 0)
        at[table->newest].newer_ = index;
    table->newest = index;
}

/* -- The calling thread's table ----------------------------------------------------------------------------------- */

static void publish(const struct local_table *table)
{
    thr__locals = table ? table->places : (struct thr__local_places){NULL, 0};
}

/* At the exit of a process in which exit.c has nothing to wait for, its handler has to come all the same: it ends main's
 * values. If it is registered already, it comes after this one. */
static void at_exit(void)
{
    if (exit_hold() == THR_OK)
        exit_release();
}

static void enlist(struct local_table *table)
{
    table->next = local_tables;
    table->previous = NULL;
    if (local_tables)
        local_tables->previous = table;
    local_tables = table;
}

static struct local_table *table_new(void)
{
    /* A thread that first blocked in its destructors would become known to the registry too late to end there in time. */
    if (!wait_self)
        (void)wait_stranger();
    struct local_table *table = prepared ? calloc(1, sizeof *table) : NULL;
    if (!table || os_thread_end_arm(end_key, table) != THR_OK) {
        free(table);
        return NULL;
    }
    local_tables_lock();
    at_exit_armed = at_exit_armed || os_at_exit(at_exit) == THR_OK;
    bool armed = at_exit_armed;
    if (armed)
        enlist(table);
    local_tables_unlock();
    if (armed)
        return table;
    free(table);
    return NULL;
}

void local_table_drop(void)
{
    struct local_table *table = local_table;
    local_tables_lock();
    if (table->next)
        table->next->previous = table->previous;
    if (table->previous)
        table->previous->next = table->next;
    else
        local_tables = table->next;
    local_tables_unlock();
    local_table = NULL;
    publish(NULL);
    free(table->places.at_);
    free(table);
}

static bool table_grow(struct local_table *table, uint32_t index)
{
    uint32_t n = table->places.n_ == 0 ? FIRST_SIZE : table->places.n_;
    while (n <= index)
        n = n > UINT32_MAX / 2 ? UINT32_MAX : n * 2;
    struct thr__local_place *places = calloc(n, sizeof *places);
    if (!places)
        return false;
    struct thr__local_place *old = table->places.at_;
    (void)thr_lock_acquire(&table->lock);
    if (old)
        memcpy(places, old, table->places.n_ * sizeof *places);
    places[0].key_ = UINT64_MAX; /* a local without a key, 0, finds this, not its own */
    table->places.at_ = places;
    table->places.n_ = n;
    (void)thr_lock_release(&table->lock);
    publish(table);
    free(old);
    return true;
}

bool local_table_reserve(uint64_t key)
{
    uint32_t index = (uint32_t)key;
    if (!local_table)
        local_table = table_new();
    return local_table && (index < local_table->places.n_ || table_grow(local_table, index));
}

void local_table_put(uint64_t key, void *value, local_destroy *destroy)
{
    uint32_t index = (uint32_t)key;
    struct thr__local_place *place = &local_table->places.at_[index];
    (void)thr_lock_acquire(&local_table->lock);
    if (place->key_ != 0)
        unlink_place(local_table, index);
    place->key_ = key;
    place->value_ = value;
    place->destroy_ = destroy;
    link_newest(local_table, index);
    (void)thr_lock_release(&local_table->lock);
}

bool local_table_take(struct local_table *table, uint64_t key, struct thr__local_place *out)
{
    uint32_t index = (uint32_t)key;
    if (index >= table->places.n_ || table->places.at_[index].key_ != key)
        return false;
    *out = table->places.at_[index];
    unlink_place(table, index);
    table->places.at_[index].key_ = 0;
    return true;
}

/* -- Forks -------------------------------------------------------------------------------------------------------- */

static void before_fork(void)
{
    local_tables_lock();
}

static void in_parent(void)
{
    local_tables_unlock();
}

/* The tables of the other threads go; their values may point into their stacks, so nobody can destroy them. */
static void in_child(void)
{
    local_lock = (thr_lock)THR_LOCK_INIT; /* its sleepers are gone */
    local_forked();
    struct local_table *table = local_tables;
    local_tables = NULL;
    while (table) {
        struct local_table *next = table->next;
        if (table == local_table) {
            enlist(table);
        } else {
            free(table->places.at_);
            free(table);
        }
        table = next;
    }
}

/* The end of any thread but main, whose values live until the process ends (exit.c). */
static void at_thread_end(void *table)
{
    (void)table;
    if (!thr__self || thr__self != registry_main())
        local_thread_end();
}

/* In a constructor, before there are threads; after the registry's handlers (fork.c, F2). */
__attribute__((constructor)) static void prepare(void)
{
    registry_prepare();
    prepared =
        os_thread_end_key(&end_key, at_thread_end) == THR_OK && os_at_fork(before_fork, in_parent, in_child) == THR_OK;
}
