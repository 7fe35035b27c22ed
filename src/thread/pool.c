/* pool.c - the places of threads, and their numbers.
 *
 * Chunks of 64, 128, 256 ... places, found through a small static directory. The first is static, so that main and the
 * first 62 others need no memory; the others are allocated when they are first needed, and never freed. So a number
 * leads to its place with two loads and no lock, at any time.
 *
 *  place of a number    state
 *  0                    nobody: never given out
 *  1                    main's
 *  2 .. used - 1        given out at least once; on the free list when its thread is gone
 *  used ..              fresh
 *
 * P1  A chunk's pointer is set once, before any number in it is given out.
 * P2  The free list is a queue, and fresh places of the first chunk are taken before it: a number comes back as late as
 *     is cheap, since a lock that was held at its thread's end goes on showing it.
 * P3  So who takes a place finds it out of the cache. The next one is fetched then, while the system makes the thread. */

#include <stdlib.h>
#include <string.h>

#include "thread/thread.h"

enum { FIRST = 64, CHUNKS = 21 };

_Static_assert(((uint64_t)FIRST << CHUNKS) - FIRST <= NUMBER_LIMIT, "numbers fit into a lock's word");
_Static_assert(sizeof(struct thr_thread) <= 768, "a thread costs little");

static struct thr_thread first[FIRST];
static struct thr_thread *chunks[CHUNKS] = {first};

/* Under the registry lock; pool_end reads `used` without. */
static uint32_t used = 2;
static struct thr_thread *free_first;
static struct thr_thread *free_last;

static unsigned chunk_of(uint32_t number)
{
    return 31 - (unsigned)__builtin_clz(number / FIRST + 1);
}

static uint32_t chunk_start(unsigned chunk)
{
    return FIRST * ((UINT32_C(1) << chunk) - 1);
}

thr_thread *pool_find(uint32_t number)
{
    if (number == 0 || number >= pool_end())
        return NULL;
    unsigned chunk = chunk_of(number);
    thr_thread *places = load_acquire(&chunks[chunk]); /* pairs with grow */
    return places ? &places[number - chunk_start(chunk)] : NULL;
}

uint32_t pool_end(void)
{
    return load_acquire(&used); /* pairs with fresh */
}

/* Once in the life of a place: who uses it next may find that the waiter is not in the record any more, since somebody
 * went away who waited (a fork, say), and must not have it (sync/condition.c). */
static thr_thread *begin(thr_thread *thread, uint32_t number)
{
    thread->record.waiter = &thread->waiter;
    store_relaxed(&thread->record.number, number);
    return thread;
}

thr_thread *pool_first(void)
{
    return first[1].record.number == 1 ? &first[1] : begin(&first[1], 1);
}

/* Allocates without the lock: that may block, and may be the program's own code. */
static bool grow(unsigned chunk)
{
    if (chunk >= CHUNKS)
        return false;
    int saved = errno;
    thr_thread *made = aligned_alloc(_Alignof(thr_thread), ((size_t)FIRST << chunk) * sizeof *made);
    thr_thread *spare = made;
    registry_lock();
    if (made && !chunks[chunk]) {
        tsan_release(&chunks[chunk]);
        store_release(&chunks[chunk], made); /* pairs with pool_find */
        spare = NULL;
    }
    registry_unlock();
    free(spare); /* another was faster */
    os_errno_restore(saved);
    return made != NULL;
}

static thr_thread *fresh(void)
{
    unsigned chunk = chunk_of(used);
    thr_thread *places = chunk < CHUNKS ? chunks[chunk] : NULL;
    if (!places)
        return NULL;
    tsan_acquire(&chunks[chunk]);
    thr_thread *thread = &places[used - chunk_start(chunk)];
    memset(thread, 0, sizeof *thread);
    (void)begin(thread, used);
    store_release(&used, used + 1); /* pairs with pool_end */
    return thread;
}

/* P3 */
static void fetch(const thr_thread *thread)
{
    enum { LINE = 64 };
    for (const char *at = (const char *)thread; at < (const char *)&thread->long_name; at += LINE)
        prefetch_to_write(at);
}

static thr_thread *free_take(void)
{
    thr_thread *thread = free_first;
    if (thread) {
        tsan_acquire(&thread->next);
        free_first = thread->next;
        if (free_first)
            fetch(free_first);
        else
            free_last = NULL;
    }
    return thread;
}

/* Relaxed stores: thr_dump may look, and sees by name_sequence that the place has a new thread. */
static void clean(thr_thread *thread)
{
    store_relaxed(&thread->record.kind, (uint32_t)WAIT_NOTHING);
    thread->record.interrupt = NULL;
    thread->record.interrupt_arg = NULL;
    store_relaxed(&thread->references, 0);
    store_relaxed(&thread->begun, 0);
    store_relaxed(&thread->origin, THREAD_OURS);
    store_relaxed(&thread->daemon, false);
    store_relaxed(&thread->failed, false);
    thread->failing = false;
    thread->end_rounds = 0;
    thread->end_hooked = false;
    thread->unarmed = false;
    thread->in_list = false;
    thread->target = NULL;
    thread->arg = NULL;
    thread->result = NULL;
    thread->stack_size = 0;
    store_relaxed(&thread->native, 0);
    store_relaxed(&thread->native_id, 0);
    thread->next = NULL;
    thread->previous = NULL;
    thread->visit = 0;
    thread->code = 0;
}

thr_thread *pool_take_free(void)
{
    registry_lock();
    thr_thread *thread = used < FIRST ? fresh() : NULL; /* P2 */
    if (!thread)
        thread = free_take();
    if (!thread)
        thread = fresh();
    registry_unlock();
    if (thread)
        clean(thread);
    return thread;
}

thr_thread *pool_take(void)
{
    thr_thread *thread = pool_take_free();
    while (!thread) {
        if (!registry_sweep_places() && !grow(chunk_of(pool_end())))
            return NULL;
        thread = pool_take_free();
    }
    return thread;
}

void pool_give(thr_thread *thread)
{
    registry_lock();
    tsan_release(&thread->next);
    store_release(&thread->life, LIFE_FREE); /* nobody pairs with it: a fork's child and thr_dump look */
    thread->next = NULL;
    if (free_last)
        free_last->next = thread;
    else
        free_first = thread;
    free_last = thread;
    registry_unlock();
}
