/* rwlock.h - many readers or one writer.
 *
 *     static thr_rwlock table = THR_RWLOCK_INIT;
 *
 *     (void)thr_rwlock_acquire_read(&table);   (void)thr_rwlock_acquire_write(&table);
 *     ... look ...                             ... change ...
 *     (void)thr_rwlock_release_read(&table);   (void)thr_rwlock_release_write(&table);
 *
 * Nobody starves: a writer that waits holds new readers back, and when a writer leaves, all the readers that waited go
 * before the next writer. A writer that gives up lets the readers go that it held back. Only while those whose turn it
 * is are still waking up, others that come may pass a waiting writer; one that has waited for more than about a
 * millisecond when it wakes up, and finds that it was passed, is passed no more.
 *
 * Therefore it is not recursive: reading again while a writer waits blocks, and for ever if that writer waits for the
 * caller. Readers are not recorded one by one: any thread may release a read lock, and a thread that asks for the
 * write lock under its own read lock waits for itself. A write lock is released by the thread that acquired it.
 *
 * 32 bytes; zeroed is free. In the child of a fork, one that other threads waited for has to be initialised again.
 *
 * Order: everything before a release_write happens-before the return of the next acquires; everything before a
 * release_read happens-before the return of the next acquire_write. */

#ifndef THREADING_RWLOCK_H
#define THREADING_RWLOCK_H

#include "base.h"
#include "rlock.h" /* thr__identity */

THR__BEGIN

typedef struct thr_rwlock {
    uint32_t word_;     /* readers << 3, or the writer's thr__me; 2: somebody waits */
    uint32_t arriving_; /* readers that were let go but have not woken up yet */
    uint64_t queue_;    /* the waiting writers, behind a bitlock */
    void *readers_;     /* the waiting readers */
    uint64_t owner_;    /* thr__identity() of the writer; 0: none */
} thr_rwlock;

/** A free rwlock; the same as zeroed. */
#define THR_RWLOCK_INIT {0, 0, 0, THR__NULL, 0}

/** How many can read at a time. */
#define THR_RWLOCK_READERS_MAX 0x10000000u

/* Private: the out-of-line halves. */
THR_API thr_result thr__rwlock_acquire_read(thr_rwlock *lock, thr_time deadline);
THR_API bool thr__rwlock_try_acquire_read(thr_rwlock *lock);
THR_API thr_result thr__rwlock_release_read(thr_rwlock *lock);
THR_API thr_result thr__rwlock_acquire_write(thr_rwlock *lock, thr_time deadline);
THR_API bool thr__rwlock_try_acquire_write(thr_rwlock *lock);
THR_API thr_result thr__rwlock_release_write(thr_rwlock *lock);

/* Private: the uncontended ways. Bit 0: written, bit 1: somebody waits, bit 31: no more readers. */
THR_INLINE bool thr__rwlock_read(thr_rwlock *lock)
{
    uint32_t word = __atomic_load_n(&lock->word_, __ATOMIC_RELAXED);
    return !thr__steered() && THR__LIKELY((word & 0x80000003u) == 0) &&
           THR__LIKELY(thr__cas_acquire(&lock->word_, word, word + 8));
}

THR_INLINE bool thr__rwlock_write(thr_rwlock *lock)
{
    uint32_t me = thr__me;
    if (thr__asks(me) || !THR__LIKELY(thr__cas_acquire(&lock->word_, 0, me)))
        return false;
    __atomic_store_n(&lock->owner_, thr__identity(), __ATOMIC_RELAXED);
    return true;
}

/** Takes the lock for reading; blocks while a writer holds it or waits for it. THR_DEADLOCK if the caller itself holds
 * it for writing, THR_TOO_MANY above THR_RWLOCK_READERS_MAX readers. */
THR_INLINE thr_result thr_rwlock_acquire_read(thr_rwlock *lock)
{
    return THR__LIKELY(thr__rwlock_read(lock)) ? THR_OK : thr__rwlock_acquire_read(lock, THR_FOREVER);
}

/** The same with a deadline: THR_TIMEOUT. */
THR_NODISCARD THR_INLINE thr_result thr_rwlock_acquire_read_until(thr_rwlock *lock, thr_time deadline)
{
    return THR__LIKELY(thr__rwlock_read(lock)) ? THR_OK : thr__rwlock_acquire_read(lock, deadline);
}

/** Takes the lock for reading if nobody writes or waits to write, and there are not too many readers. Never blocks. */
THR_NODISCARD THR_INLINE bool thr_rwlock_try_acquire_read(thr_rwlock *lock)
{
    return THR__LIKELY(thr__rwlock_read(lock)) || thr__rwlock_try_acquire_read(lock);
}

/** Undoes one acquire_read; the last reader lets a writer go. THR_NOT_LOCKED if nobody reads. Never blocks. */
THR_INLINE thr_result thr_rwlock_release_read(thr_rwlock *lock)
{
    uint32_t word = __atomic_load_n(&lock->word_, __ATOMIC_RELAXED);
    if (!thr__steered() && THR__LIKELY(word != 0 && (word & 3) == 0) &&
        THR__LIKELY(thr__cas_release(&lock->word_, word, word - 8)))
        return THR_OK;
    return thr__rwlock_release_read(lock);
}

/** Takes the lock for writing; blocks while others hold it. THR_DEADLOCK if the caller holds it for writing already;
 * under the caller's own read lock it blocks for ever. */
THR_INLINE thr_result thr_rwlock_acquire_write(thr_rwlock *lock)
{
    return THR__LIKELY(thr__rwlock_write(lock)) ? THR_OK : thr__rwlock_acquire_write(lock, THR_FOREVER);
}

/** The same with a deadline: THR_TIMEOUT. */
THR_NODISCARD THR_INLINE thr_result thr_rwlock_acquire_write_until(thr_rwlock *lock, thr_time deadline)
{
    return THR__LIKELY(thr__rwlock_write(lock)) ? THR_OK : thr__rwlock_acquire_write(lock, deadline);
}

/** Takes the lock for writing if nobody holds it or waits for it. Never blocks. */
THR_NODISCARD THR_INLINE bool thr_rwlock_try_acquire_write(thr_rwlock *lock)
{
    return THR__LIKELY(thr__rwlock_write(lock)) || thr__rwlock_try_acquire_write(lock);
}

/** Frees the lock, and lets the readers go that wait, or else a writer. THR_NOT_LOCKED if nobody writes, THR_NOT_OWNER
 * if another thread does. Never blocks. */
THR_INLINE thr_result thr_rwlock_release_write(thr_rwlock *lock)
{
    uint32_t me = thr__me;
    if (!thr__asks(me) && THR__LIKELY(__atomic_load_n(&lock->owner_, __ATOMIC_RELAXED) == thr__identity())) {
        __atomic_store_n(&lock->owner_, 0, __ATOMIC_RELAXED);
        if (THR__LIKELY(thr__cas_release(&lock->word_, me, 0)))
            return THR_OK;
        __atomic_store_n(&lock->owner_, thr__identity(), __ATOMIC_RELAXED);
    }
    return thr__rwlock_release_write(lock);
}

THR__END

#endif
