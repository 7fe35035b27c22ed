/* sight.c - see sight.h.
 *
 * Places are read where they are (pool.c); one that changes under our eyes is read again, and what keeps changing is left
 * out: it does not hang. The object that a thread waits for may be gone: it is read through the system (os_peek). */

#include "thread/sight.h"

#include "threading/rlock.h"
#include "threading/rwlock.h"

enum { ATTEMPTS = 10 };

/* All locks begin with a word that has the writer's, or only, holder above bit 0. */
_Static_assert(offsetof(thr_rlock, lock_) == 0, "an rlock begins with its lock");
_Static_assert(offsetof(thr_rwlock, word_) == 0, "an rwlock begins with its word");

static void look_once(const thr_thread *thread, struct sight *sight)
{
    sight->number = load_relaxed(&thread->record.number);
    sight->life = thread_life(thread);
    sight->origin = load_relaxed(&thread->origin);
    sight->daemon = load_relaxed(&thread->daemon);
    sight->native = load_relaxed(&thread->native);
    sight->native_id = load_relaxed(&thread->native_id);
    sight->waits = wait_look(&thread->record, &sight->wait) && sight->wait.kind != WAIT_NOTHING;
}

bool sight_look(uint32_t number, struct sight *sight)
{
    const thr_thread *thread = pool_find(number);
    if (!thread)
        return false;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        uint32_t sequence;
        if (!name_look(thread, sight->name, &sequence))
            continue;
        look_once(thread, sight);
        if (load_acquire(&thread->name_sequence) != sequence)
            continue; /* another thread's place now */
        if (sight->origin == THREAD_MAIN)
            return thread == registry_main(); /* also at its end */
        if (sight->life == LIFE_ALIVE && sight->origin >= THREAD_FOREIGN)
            return os_thread_exists(sight->native_id); /* registry.c, R3 */
        return sight->life == LIFE_STARTING || sight->life == LIFE_ALIVE || sight->life == LIFE_ENDED;
    }
    return false;
}

const char *sight_name(const struct sight *sight)
{
    if (sight->name[0])
        return sight->name;
    return sight->origin == THREAD_HIDDEN ? "(foreign)" : "(no name)";
}

enum sight_holder sight_holder(const struct wait_record *wait, uint32_t *number)
{
    uint32_t word = 0;
    const void *object = wait->object;
    *number = 0;
    switch (wait->kind) {
    case WAIT_LOCK:
    case WAIT_RLOCK:
    case WAIT_READ:
    case WAIT_WRITE:
        if (!os_peek(object, &word) || !(word & 1))
            return FREE;
        *number = word >> WAIT_NUMBER_SHIFT;
        return *number ? HELD_BY : HELD;
    case WAIT_JOIN:
    case WAIT_START:
        *number = load_relaxed(&((const thr_thread *)object)->record.number);
        return HELD_BY;
    default:
        return FREE;
    }
}

uint32_t sight_next(uint32_t number, struct sight *sight)
{
    uint32_t next;
    if (!sight_look(number, sight) || !sight->waits || sight_holder(&sight->wait, &next) != HELD_BY)
        return 0;
    return next;
}
