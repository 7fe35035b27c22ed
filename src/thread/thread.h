/* thread.h - what the files of this folder share: the thread, its places, the registry.
 *
 * A thread lives in a place of the pool (pool.c). Places are never unmapped, so that thr_dump and the number in a lock's
 * word may look at one at any time; a place is used again only when the last reference to its thread is gone.
 *
 *  life      meaning                                 left by
 *  FREE      a place without a thread                thread_make -> NEW; foreign ones and main -> ALIVE
 *  NEW       made, not started                       thr_thread_start -> STARTING; the last unref -> FREE
 *  STARTING  thr_thread_start is at work             the new thread or its starter, whoever is first -> ALIVE; a start
 *                                                    that failed -> NEW
 *  ALIVE     it runs                                 the thread itself, as the last thing it does here (end.c) -> ENDED;
 *                                                    foreign ones and main -> GONE
 *  ENDED     no code of the program runs in it any   who reaps it: the joiner with CLAIMED -> GONE; the last unref
 *            more, the native thread may still exist detaches it -> FREE
 *  GONE      nothing is left to join                 the last unref -> FREE
 *
 *  beside it
 *  CLAIMED   one joiner is in os_thread_join, or     that joiner: set with ALIVE or ENDED, cleared with GONE, or where
 *            about to be: nobody else may            the system refuses the join
 *  SLEEPERS  somebody may sleep on the word          who changes the life, which then owes a wake
 *
 * T1  A thread that is STARTING or ALIVE is in the registry's list and holds a reference to itself, so its place stays.
 *     (Hidden ones, see registry.c, are not in the list.)
 * T2  `native` may be joined or detached once, by: the joiner that set CLAIMED; else the last unref, which finds ENDED
 *     without CLAIMED. A joiner has a reference, so the two exclude each other.
 * T3  Off the list => its native thread may not be used by others any more, but for T2. So who wants to name it holds
 *     the registry lock and looks at the list. In the list it may be gone all the same, if nobody saw its end (registry.c):
 *     so it is named by its number.
 * T4  In the child of a fork every thread but one is GONE (fork.c): none of the native threads may be joined there. */

#ifndef THREAD_THREAD_H
#define THREAD_THREAD_H

#include "sync/handoff.h"
#include "threading/thread.h"
#include "wait/wait.h"

enum {
    LIFE_FREE,
    LIFE_NEW,
    LIFE_STARTING,
    LIFE_ALIVE,
    LIFE_ENDED,
    LIFE_GONE,
    LIFE_MASK = 7,
    LIFE_CLAIMED = 8,
    LIFE_SLEEPERS = 16
};

enum thread_origin {
    THREAD_OURS,    /* started by thr_thread_start */
    THREAD_MAIN,    /* the main thread; in the child of a fork, the one that forked */
    THREAD_FOREIGN, /* made elsewhere, and has asked for itself; from here on it may be lost */
    THREAD_HIDDEN   /* made elsewhere, has only blocked: thr_dump shows it, nobody counts it */
};

enum {
    NAME_INLINE = 64,   /* bytes of the name that are kept in the thread, with the 0 */
    MESSAGE_SIZE = 256, /* of a failure, with the 0 */
    NUMBER_LIMIT = 1 << (32 - WAIT_NUMBER_SHIFT)
};

struct thr_thread {
    struct wait_record record; /* first; its number is that of the place */
    struct waiter waiter;      /* for the record; it has lines of its own */

    uint32_t life;
    uint32_t references;
    uint32_t begun;     /* 1: native_id is known; 2: not yet, and somebody sleeps on this word */
    uint8_t origin;     /* enum thread_origin */
    uint8_t daemon;     /* these two are bool, but read by thr_dump */
    uint8_t failed;     /* by thr_fail: code and message are set */
    uint8_t failing;    /* thr_fail is at work; only its own thread looks */
    uint8_t end_rounds; /* only its own thread looks at these */
    uint8_t end_hooked;
    uint8_t unarmed;
    uint8_t in_list; /* under the registry lock */

    thr_target *target;
    void *arg;
    void *result;
    size_t stack_size;
    uint64_t native; /* os_thread */
    uint64_t native_id;

    struct thr_thread *next; /* in the registry's list, in the order of starts; of a free place: in the pool */
    struct thr_thread *previous;
    uint32_t visit; /* exit.c, under the registry lock */

    /* See name.c. */
    uint32_t name_sequence;
    uint64_t name[NAME_INLINE / sizeof(uint64_t)];
    char *long_name;

    int code;
    char message[MESSAGE_SIZE];
};

/* -- pool.c ------------------------------------------------------------------------------------------------------- */

/* A free place, cleaned; life is still FREE. NULL: no memory. */
thr_thread *pool_take(void);

/* The same without allocating: NULL if none is free. */
thr_thread *pool_take_free(void);

void pool_give(thr_thread *thread);

/* Place 1, which is the main thread's from the beginning. */
thr_thread *pool_first(void);

/* The place of this number, or NULL. Async-signal-safe; a place that was never used is FREE. */
thr_thread *pool_find(uint32_t number);

/* No place has this number, or a higher one. */
uint32_t pool_end(void);

/* -- registry.c --------------------------------------------------------------------------------------------------- */

/* Guards the list, names, counts and the pool. May be taken again by who has it. No wait and no call of the program's
 * happens under it. */
void registry_lock(void);
void registry_unlock(void);

/* The lock itself, for the laboratory: it is no object of the program's. */
const void *registry_lock_word(void);

/* Whatever needs the registry calls this first: it is made ready by a constructor, or by the first who comes before. */
void registry_prepare(void);

/* Puts a thread into the list and counts it, under the lock. The other takes it out. */
void registry_link(thr_thread *thread);
void registry_unlink(thr_thread *thread);

/* The first in the list; the others follow by `next`. Under the lock. */
thr_thread *registry_list(void);

/* Makes the calling native thread be this one, and no longer; adopt is false when its end cannot be seen. */
bool registry_adopt(thr_thread *thread);
void registry_abandon(void);

/* Has end_round called at the end of the calling thread, or once more; NULL: no more. */
bool registry_arm(thr_thread *thread);

/* Ends the threads that are lost (see below): those in the list; or in all places, false if there was none. */
void registry_sweep(void);
bool registry_sweep_places(void);

/* For the default names: 1, 2, ... */
uint32_t registry_count(void);

/* Whether the calling thread is the main one for the system. */
bool registry_is_main(void);

/* The main thread, if there is one yet. */
thr_thread *registry_main(void);
void registry_set_main(thr_thread *thread);

/* In a fork's child, with the lock held since before the fork: empties the list. */
void registry_after_fork(void);

/* -- fork.c ------------------------------------------------------------------------------------------------------- */

void fork_prepare(void);

/* -- name.c ------------------------------------------------------------------------------------------------------- */

/* Names the thread; false: no memory. In a place that nobody else has yet, or under no lock. */
bool name_set(thr_thread *thread, const char *name);

/* "Thread-3 (worker)"; without `about` just "Thread-3". */
bool name_number(thr_thread *thread, const char *word, const char *about);

/* Names it without allocating or freeing: a short name, in a fork's child. */
void name_put(thr_thread *thread, const char *name);

/* Frees what the name has allocated. */
void name_drop(thr_thread *thread);

/* The first bytes of the name; false when it kept changing. *sequence then tells a later call whether the name, or the
 * thread in this place, was changed. Async-signal-safe. */
bool name_look(const thr_thread *thread, char text[NAME_INLINE], uint32_t *sequence);

/* Gives the calling thread its name at the system. */
void name_show(thr_thread *thread);

/* -- thread.c ----------------------------------------------------------------------------------------------------- */

/* One more reference, unless there is none any more. */
bool thread_ref_if_any(thr_thread *thread);

/* on_exit, or NULL. */
thr_thread_hook *hook_of_exit(void);

/* -- end.c -------------------------------------------------------------------------------------------------------- */

/* Called at the end of each thread that was adopted, OS_END_ROUNDS times. */
void end_round(void *thread);

/* Called where our function of a thread is left: ends the thread at once if its end cannot be seen otherwise. */
void end_unarmed(void *thread);

/* Sets a new life and wakes whom it concerns. Release: pairs with thread_life. */
void life_set(thr_thread *thread, uint32_t life);

/* -- join.c ------------------------------------------------------------------------------------------------------- */

/* Reaps all threads that have ended and that nobody has joined. */
void join_ended(void);

/* THR_OK if the thread has ended; THR_TIMEOUT if not: with `watch` a watcher of `life` is registered then (wait/watch.h);
 * else what a join would say. */
thr_result thread_watch(thr_thread *thread, bool watch);

static inline uint32_t thread_life(const thr_thread *thread)
{
    return load_acquire(&thread->life) & LIFE_MASK; /* pairs with life_set */
}

/* Whether it was made elsewhere, and is gone without having ended here: registry.c, R3. With a reference, or the registry
 * lock. */
static inline bool registry_lost(const thr_thread *thread)
{
    return load_relaxed(&thread->origin) >= THREAD_FOREIGN && thread_life(thread) == LIFE_ALIVE &&
           !os_thread_exists(load_relaxed(&thread->native_id));
}

#endif
