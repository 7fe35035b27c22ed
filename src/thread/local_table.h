/* local_table.h - a table of values for each thread that has any.
 *
 *  place->key_    meaning
 *  0              no value
 *  a local's key  its value; in one of the table's two lists
 *  another key    a value of a local that was initialised anew, or that was ended and came back: nobody's
 *
 *  table list  values that                          changed by
 *  newest      were set, newest first               set, get; the begin of a round empties it into `leaving`
 *  leaving     this round destroys, newest first    each of them leaves it before its destructor runs
 *
 * L1  Only its own thread adds to a table and makes it larger, under the table's lock. So that thread reads without.
 * L2  A value leaves its place under the table's lock, and who takes it out destroys it: once, whether at the end of the
 *     thread or in thr_local_destroy.
 * L3  While the end of a thread destroys a value, table->destroying is its key; who clears that tells thr_local_destroy.
 * L4  No lock is held over make or destroy.
 * R1  Locks are taken in the order: that of all tables, then a table's. */

#ifndef THREAD_LOCAL_TABLE_H
#define THREAD_LOCAL_TABLE_H

#include "threading/local.h"
#include "threading/lock.h"
#include "wait/tsan.h"

typedef void local_destroy(void *value);

struct local_table {
    thr_lock lock;
    struct thr__local_places places; /* place 0 is no local's */
    uint32_t newest;
    uint32_t leaving;
    uint64_t destroying;      /* L3 */
    struct local_table *next; /* of all tables */
    struct local_table *previous;
};

/* The calling thread's, or NULL. */
extern __thread struct local_table *local_table __attribute__((tls_model("initial-exec")));

/* Guards the list of all tables, and the keys, whose memory moves: ThreadSanitizer is told, since it sees that. A fork
 * holds it. */
extern thr_lock local_lock;
extern struct local_table *local_tables;

static inline void local_tables_lock(void)
{
    (void)thr_lock_acquire(&local_lock);
    tsan_acquire(&local_lock);
}

static inline void local_tables_unlock(void)
{
    tsan_release(&local_lock);
    (void)thr_lock_release(&local_lock);
}

/* Sees to it that the calling thread has a table with a place for this key; false: no memory. */
bool local_table_reserve(uint64_t key);

/* Puts a value into the place that was reserved. It becomes the newest: it may need what was there before it. */
void local_table_put(uint64_t key, void *value, local_destroy *destroy);

/* Takes a value out; false if the table has none of this key. Under the table's lock. */
bool local_table_take(struct local_table *table, uint64_t key, struct thr__local_place *out);

/* Frees the calling thread's table; values that are left in it are nobody's any more. */
void local_table_drop(void);

/* In a fork's child, under the lock (local.c). */
void local_forked(void);

#endif
