/* local.c - values of threads: the calls of local.h; the tables are in local_table.h, the keys in local_keys.h.
 *
 * Order: a key is stored with release and read with acquire, so a thread that sees a new key sees its index free in its
 * own table, where thr_local_destroy cleared it. Values are the thread's own. */

#include "thread/local.h"

#include "thread/local_keys.h"
#include "thread/local_table.h"
#include "threading/condition.h"
#include "wait/wait.h"

enum { ROUNDS = 4, BATCH = 64 };

static __thread unsigned rounds; /* this thread has gone through */

/* L3; with local_lock. */
static thr_condition destroyed = THR_CONDITION_INIT;
static uint32_t waiting;

static uint64_t key_of(thr_local *local)
{
    uint64_t key = load_acquire(&local->key_); /* pairs with the store below */
    if (key != 0)
        return key;
    local_tables_lock();
    key = load_relaxed(&local->key_);
    if (key == 0) {
        key = local_key_new();
        store_release(&local->key_, key);
    }
    local_tables_unlock();
    return key;
}

/* Sees to it that there is a place for the local's value; returns its key, or 0: no memory. */
static uint64_t reserve(thr_local *local)
{
    uint64_t key = key_of(local);
    return key != 0 && local_table_reserve(key) ? key : 0;
}

void *thr__local_get(thr_local *local)
{
    if (!local->make_)
        return NULL;
    int saved = errno;
    void *value = NULL;
    if (reserve(local) != 0) {
        os_errno_restore(saved);
        value = local->make_();
        saved = errno;
        uint64_t key = value ? reserve(local) : 0; /* once more: `make` may have set, or ended, others */
        if (key != 0)
            local_table_put(key, value, local->destroy_);
    }
    os_errno_restore(saved);
    return value;
}

thr_result thr_local_set(thr_local *local, void *value)
{
    int saved = errno;
    uint64_t key = reserve(local);
    os_errno_restore(saved);
    if (key == 0)
        return THR_NO_MEMORY;
    local_table_put(key, value, local->destroy_);
    return THR_OK;
}

/* -- The end of a thread ------------------------------------------------------------------------------------------ */

static void end_value(const struct thr__local_place *place)
{
    if (place->value_ && place->destroy_)
        place->destroy_(place->value_);
}

static void tell_waiting(void)
{
    tsan_release(&destroyed); /* pairs with retire */
    /* Who waits has counted itself before it looked at our table under that one's lock, which we have had since. */
    if (load_relaxed(&waiting) == 0)
        return;
    local_tables_lock();
    (void)thr_condition_notify_all(&destroyed);
    local_tables_unlock();
}

/* Destroys the newest value of the round; false when there is none. */
static bool destroy_one(struct local_table *table)
{
    struct thr__local_place place;
    (void)thr_lock_acquire(&table->lock);
    bool some = table->leaving != 0;
    if (some) {
        table->destroying = table->places.at_[table->leaving].key_;
        (void)local_table_take(table, table->destroying, &place);
    }
    (void)thr_lock_release(&table->lock);
    if (!some)
        return false;

    end_value(&place);

    (void)thr_lock_acquire(&table->lock);
    table->destroying = 0;
    (void)thr_lock_release(&table->lock);
    tell_waiting();
    return true;
}

/* False when there is nothing to destroy. Goes on with a round that a destructor broke off (by thr_fail). */
static bool round_begin(struct local_table *table)
{
    (void)thr_lock_acquire(&table->lock);
    bool broken_off = table->destroying != 0;
    table->destroying = 0;
    if (table->leaving == 0) {
        table->leaving = table->newest;
        table->newest = 0;
        rounds += table->leaving != 0;
    }
    bool some = table->leaving != 0;
    (void)thr_lock_release(&table->lock);
    if (broken_off)
        tell_waiting();
    return some;
}

void local_thread_end(void)
{
    struct local_table *table = local_table;
    if (!table)
        return;
    while (rounds < ROUNDS && round_begin(table)) {
        while (destroy_one(table))
            continue;
    }
    local_table_drop();
}

/* -- The end of a local ------------------------------------------------------------------------------------------- */

struct batch {
    size_t n;
    struct thr__local_place places[BATCH];
};

/* Takes the local's values out of the tables: as many as there is room for. */
static void take_out(uint64_t key, struct batch *batch)
{
    batch->n = 0;
    local_tables_lock();
    for (struct local_table *table = local_tables; table && batch->n < BATCH; table = table->next) {
        (void)thr_lock_acquire(&table->lock);
        batch->n += local_table_take(table, key, &batch->places[batch->n]);
        (void)thr_lock_release(&table->lock);
    }
    local_tables_unlock();
}

/* Whether the end of another thread is destroying a value of this key. */
static bool being_destroyed(uint64_t key)
{
    bool found = false;
    for (struct local_table *table = local_tables; table && !found; table = table->next) {
        (void)thr_lock_acquire(&table->lock);
        found = table != local_table && table->destroying == key;
        (void)thr_lock_release(&table->lock);
    }
    return found;
}

/* No table has the key any more: its index is free. */
static void retire(thr_local *local, uint64_t key)
{
    local_tables_lock();
    (void)add_relaxed(&waiting, 1); /* before the look: see tell_waiting */
    while (being_destroyed(key))
        (void)thr_condition_wait(&destroyed, &local_lock);
    (void)sub_relaxed(&waiting, 1);
    store_relaxed(&local->key_, 0); /* nobody else uses the local */
    local_key_free(key);
    local_tables_unlock();
    tsan_acquire(&destroyed); /* pairs with tell_waiting */
}

void thr_local_destroy(thr_local *local)
{
    uint64_t key = load_acquire(&local->key_); /* pairs with key_of */
    struct batch batch;
    unsigned round = 0;
    if (key == 0)
        return;
    do {
        take_out(key, &batch);
        for (size_t i = 0; i < batch.n; i++)
            end_value(&batch.places[i]);
        round += batch.n < BATCH;
    } while (batch.n > 0 && round < ROUNDS);
    retire(local, key);
}

void local_forked(void)
{
    destroyed = (thr_condition)THR_CONDITION_INIT; /* its waiters are gone */
    waiting = 0;
}
