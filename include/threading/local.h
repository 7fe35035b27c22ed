/* local.h - a value of its own for each thread. Python: threading.local.
 *
 *     static void *make_buffer(void) { return calloc(1, 4096); }
 *     static thr_local buffer = THR_LOCAL_INIT(make_buffer, free);
 *
 *     char *mine = thr_local_get(&buffer);     // made at the thread's first get, freed at its end
 *
 * There may be any number of them, as statics or inside other objects. A local that goes away before its threads do is
 * ended with thr_local_destroy(). One initialised anew at the same address inherits nothing; the values that were there
 * are destroyed with their threads, as `destroy` was at their time.
 *
 * At the end of a thread its values are destroyed, newest first. Destructors may get and set locals, this one and
 * others; what they leave is destroyed in turn, in at most 4 rounds. So is what other destructors set (those of
 * pthread_setspecific), while there are rounds left; after that values are kept as ever, but no one destroys them. A
 * value that is replaced by set or by NULL is not destroyed.
 *
 * Main's values are destroyed when main ends the process, after the wait for threads; exit() in another thread leaves
 * them. In the child of a fork the thread that forked is main; the values of the other threads are gone there, not
 * destroyed.
 *
 * No value is shared, so there is no order to speak of. */

#ifndef THREADING_LOCAL_H
#define THREADING_LOCAL_H

#include "base.h"

THR__BEGIN

typedef struct thr_local {
    void *(*make_)(void);
    void (*destroy_)(void *);
    uint64_t key_; /* 0: not used yet */
} thr_local;

/** `make` gives a thread's first value (NULL: it is NULL), `destroy` ends a value that is not NULL (NULL: nothing). */
#define THR_LOCAL_INIT(make, destroy) {(make), (destroy), 0}

/* Private: the calling thread's values, by the low half of the key; the whole key says whether it is this one's. */
struct thr__local_place {
    uint64_t key_;
    void *value_;
    void (*destroy_)(void *);
    uint32_t older_; /* the order in which they were set, by index; 0 is none */
    uint32_t newer_;
};
struct thr__local_places {
    struct thr__local_place *at_;
    uint32_t n_;
};
extern THR_API __thread struct thr__local_places thr__locals __attribute__((tls_model("initial-exec")));
THR_API void *thr__local_get(thr_local *local);

/** The calling thread's value; made now if it has none: then `make` runs. (If that gives NULL, the result is NULL, and
 * the next get tries again.) NULL also if memory for the value's place cannot be had: it is not made then. Never blocks,
 * but for what `make` does. Python: local.x. */
THR_INLINE void *thr_local_get(thr_local *local)
{
    uint64_t key = __atomic_load_n(&local->key_, __ATOMIC_ACQUIRE);
    uint32_t index = (uint32_t)key;
    if (THR__LIKELY(index < thr__locals.n_ && thr__locals.at_[index].key_ == key))
        return thr__locals.at_[index].value_;
    return thr__local_get(local);
}

/** Sets the calling thread's value, which may be NULL; the old one is not destroyed. THR_NO_MEMORY. Never blocks.
 * Python: local.x = value. */
THR_NODISCARD THR_API thr_result thr_local_set(thr_local *local, void *value);

/** Destroys every thread's value, on the calling thread; the local is then as new, and may go away. The other threads
 * must be done with it, but for those that are ending: the values that they are destroying just then are waited for. (So
 * do not hold a lock that `destroy` takes.) */
THR_API void thr_local_destroy(thr_local *local);

THR__END

#endif
