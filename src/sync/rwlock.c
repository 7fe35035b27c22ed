/* rwlock.c - phase-fair: readers and writers take turns.
 *
 *  bits of word_     meaning                                set by                   cleared by
 *  0  WRITER         a writer holds it                      acquire_write            release_write
 *  1  QUEUED         somebody is in a ring                  who queues               who takes the last one out
 *  3..31 readers     how many hold it for reading; bit 31   acquire_read             release_read
 *                    stops new ones before it overflows
 *  4..31 number      while WRITER: the writer's number, 0   acquire_write            release_write
 *                    if it has none: a hint for thr_dump
 *
 *  queue_      a bitlock (wait/bitlock.h) whose data is the ring of waiting writers
 *  readers_    the ring of waiting readers; under the bitlock
 *  arriving_   readers that were let go and have not woken up yet; a hint
 *  owner_      thr__identity() of the writer, 0 otherwise; as in rlock.c, written by that thread alone
 *
 *  state of a waiter  meaning                                          left by
 *  WAITING            it is awake                                      itself: -> ASLEEP; others: -> LOOK or GRANTED
 *  ASLEEP             it sleeps on the state                           others: -> LOOK or GRANTED, then wake it
 *  LOOK               a writer; the lock came free                     itself, under the bitlock: takes the lock, or
 *                                                                      finds it taken: -> WAITING
 *  GRANTED            a reader; it holds the lock                      -
 *
 * I1  QUEUED is set exactly while a ring is not empty. Rings and QUEUED change only under the bitlock.
 * I2  While QUEUED is set, the inline paths fail, and word_ changes only under the bitlock, but for a reader that
 *     leaves others behind. So who holds the bitlock and sees word_ free, or itself as the only holder, may store it.
 * I3  Readers are queued => a writer holds the lock or is queued.
 * I4  word_ is just QUEUED: free => a writer is queued, and the oldest one is in LOOK.
 * I5  A waiter is in its ring exactly while `queued` is true; both change only under the bitlock. A writer takes only
 *     itself out; who takes readers out has given them the lock, and will set GRANTED.
 * R1  LOOK is set under the bitlock, without which its waiter cannot leave the ring; GRANTED after the bitlock was
 *     freed, and a waiter that was taken out stays until it sees that. So each is there as long as others use it.
 * R2  A writer whose time is up stays while it is in LOOK, and looks (I4); so no wake is lost:
 *
 *         last reader                         oldest writer
 *         takes the bitlock                   the deadline ends its sleep
 *         word_ = QUEUED; state = LOOK        waits for the bitlock
 *         frees the bitlock                   withdraw: in LOOK, so it stays
 *                                             look: takes the free lock
 *
 * R3  The last writer to leave its ring lets the readers go, unless a writer holds the lock.
 * R4  A holder that finds QUEUED takes the bitlock while it still holds the lock, and the swap that frees the bitlock
 *     is the last that it does to the lock. Nobody can come by, or give up, and free the lock's memory in between:
 *
 *         reader                              writer
 *         word_ = QUEUED (without bitlock)    the deadline ends its sleep
 *                                             withdraws, returns, finds it free, frees the memory
 *         takes the bitlock: too late
 *
 * Fairness. A writer that leaves gives the lock to all queued readers; the last reader to leave tells the oldest queued
 * writer, and so does a writer if no readers are queued. QUEUED holds back who comes meanwhile. But to wake up takes
 * far longer than most critical sections; if all had to wait for that, soon all would sleep, and each would hold the
 * lock once for each time that it is woken. So who comes may pass (may_pass):
 *  - a free lock is taken by whoever comes first, until the oldest writer is `starved`: it has looked, in vain, after
 *    it had waited for PATIENCE;
 *  - while readers are arriving, more readers may join them, until the oldest writer has waited for PATIENCE.
 * A queued reader waits for one writer at most, whichever that is: when it leaves, the readers have the lock already
 * before they wake up.
 *
 * Order: each release is a release on word_, and the next acquire of word_ reads it or a read-modify-write after it. A
 * reader that stores word_ (I2) has read it with acquire, so it passes on what the readers before it did. GRANTED and
 * LOOK are stored with release and read with acquire (LOOK for ThreadSanitizer alone: who finds it takes the bitlock first,
 * which orders all, but the sanitizer looks at that access before it learns so). */

#include "threading/rwlock.h"

#include "sync/ring.h"
#include "wait/bitlock.h"
#include "wait/spin.h"

#define WRITER 1u
#define QUEUED 2u
#define READER 8u
#define FULL 0x80000000u

_Static_assert(FULL == THR_RWLOCK_READERS_MAX * READER, "the last reader sets bit 31");

enum {
    PATIENCE = 1000000 /* nanoseconds after which a waiting writer is passed no more */
};

enum state { WAITING, ASLEEP, LOOK, GRANTED };

struct waiter {
    struct ring_node ring;
    struct waiter *next; /* once out of the ring: the next one to grant, or NULL */
    uint32_t state;
    uint32_t writer; /* what it will store in the word; 0: a reader */
    bool starved;
    thr_time since;
};

/* -- The rings, under the bitlock --------------------------------------------------------------------------------- */

/* Takes the bitlock; returns the ring of the writers. */
static struct ring_node *queue_acquire(thr_rwlock *lock)
{
    return (struct ring_node *)(uintptr_t)bitlock_acquire(&lock->queue_);
}

static void queue_release(thr_rwlock *lock, const struct ring_node *writers)
{
    bitlock_release(&lock->queue_, (uint64_t)(uintptr_t)writers);
}

static struct waiter *oldest_of(const struct ring_node *ring)
{
    return (struct waiter *)ring->next;
}

static uint32_t queued_bit(const thr_rwlock *lock, const struct ring_node *writers)
{
    return writers || lock->readers_ ? QUEUED : 0;
}

/* Whether it has waited for so long that nobody may pass it any more. */
static bool impatient(const struct waiter *writer)
{
    return wait_system->now() - writer->since > PATIENCE;
}

/* Takes all readers out, as a list; returns it and adds them to *word. */
static struct waiter *detach_readers(thr_rwlock *lock, uint32_t *word)
{
    struct waiter *list = NULL;
    struct waiter **end = &list;
    struct ring_node *readers = lock->readers_;
    while (readers) {
        struct waiter *oldest = oldest_of(readers);
        readers = ring_remove(readers, &oldest->ring);
        *end = oldest;
        end = &oldest->next;
        *word += READER;
    }
    *end = NULL;
    lock->readers_ = NULL;
    (void)add_relaxed(&lock->arriving_, *word / READER);
    return list;
}

/* -- Letting go --------------------------------------------------------------------------------------------------- */

static void wake(const uint32_t *state, const thr_rwlock *lock)
{
    spin_waker(lock);
    wait_wake(state, 1, OS_ANY);
}

/* Tells detached waiters that they hold the lock. From here on it may be gone, and so is each waiter after its swap. */
static void grant(struct waiter *list, const thr_rwlock *lock)
{
    while (list) {
        struct waiter *first = list;
        list = first->next;
        if (swap_release(&first->state, GRANTED) == ASLEEP)
            wake(&first->state, lock);
    }
}

/* The caller, who holds the bitlock and is the only holder of the lock, leaves; QUEUED is set. */
static void leave(thr_rwlock *lock, struct ring_node *writers, bool wrote)
{
    uint32_t word = 0;
    struct waiter *granted = wrote ? detach_readers(lock, &word) : NULL;
    const uint32_t *sleeper = NULL;
    if (!granted) {
        uint32_t *state = &oldest_of(writers)->state;
        if (load_relaxed(state) != LOOK && swap_release(state, LOOK) == ASLEEP)
            sleeper = state;
    }
    store_release(&lock->word_, word | queued_bit(lock, writers));
    queue_release(lock, writers);
    if (sleeper)
        wake(sleeper, lock);
    grant(granted, lock);
}

thr_result thr__rwlock_release_read(thr_rwlock *lock)
{
    hook_point(HOOK_READ_RELEASE, lock);
    tsan_release(lock);
    for (;;) {
        uint32_t word = load_relaxed(&lock->word_);
        if ((word & WRITER) || word < READER)
            return hook_misuse(lock, THR_NOT_LOCKED);
        if (!(word & QUEUED) || word >= 2 * READER) {
            if (cas_release(&lock->word_, &word, word - READER))
                return THR_OK;
            continue;
        }
        struct ring_node *writers = queue_acquire(lock);
        if (load_acquire(&lock->word_) == (READER | QUEUED)) {
            leave(lock, writers, false);
            return THR_OK;
        }
        queue_release(lock, writers);
    }
}

thr_result thr__rwlock_release_write(thr_rwlock *lock)
{
    hook_point(HOOK_WRITE_RELEASE, lock);
    if (load_relaxed(&lock->owner_) != thr__identity())
        return hook_misuse(lock, load_relaxed(&lock->word_) & WRITER ? THR_NOT_OWNER : THR_NOT_LOCKED);
    store_relaxed(&lock->owner_, 0);
    tsan_release(lock);
    for (;;) {
        uint32_t word = load_relaxed(&lock->word_);
        if (!(word & QUEUED)) {
            if (cas_release(&lock->word_, &word, 0))
                return THR_OK;
            continue;
        }
        struct ring_node *writers = queue_acquire(lock);
        if (load_relaxed(&lock->word_) & QUEUED) {
            leave(lock, writers, true);
            return THR_OK;
        }
        queue_release(lock, writers);
    }
}

/* -- Waiting ------------------------------------------------------------------------------------------------------ */

/* Takes the lock for reading, if that is possible now: THR_OK, THR_TIMEOUT, or THR_TOO_MANY. `pass`, under the bitlock
 * only: who is queued does not matter. */
static thr_result try_read(thr_rwlock *lock, bool pass)
{
    uint32_t word = load_relaxed(&lock->word_);
    while (!(word & WRITER) && (pass || !(word & QUEUED))) {
        if (word & FULL)
            return THR_TOO_MANY;
        if (cas_acquire(&lock->word_, &word, word + READER))
            return THR_OK;
    }
    return THR_TIMEOUT;
}

/* The same for writing. `me` is what is stored. */
static thr_result try_write(thr_rwlock *lock, uint32_t me, bool pass)
{
    uint32_t word = load_relaxed(&lock->word_);
    while (word == 0 || (pass && word == QUEUED)) {
        if (cas_acquire(&lock->word_, &word, me | word))
            return THR_OK;
    }
    return THR_TIMEOUT;
}

/* Sets QUEUED, while others hold the lock. False: nobody does now. */
static bool mark_queued(thr_rwlock *lock, bool for_write)
{
    uint32_t word = load_relaxed(&lock->word_);
    uint32_t held = for_write ? ~QUEUED : WRITER;
    while (!(word & QUEUED)) {
        if (!(word & held))
            return false;
        if (cas_relaxed(&lock->word_, &word, word | QUEUED))
            return true;
    }
    return true;
}

/* Whether one who comes may pass those who are queued. */
static bool may_pass(const thr_rwlock *lock, const struct ring_node *writers)
{
    if (!writers || oldest_of(writers)->starved)
        return false;
    if (load_relaxed(&lock->word_) == QUEUED)
        return true;
    return load_relaxed(&lock->arriving_) != 0 && !impatient(oldest_of(writers));
}

/* Queues the waiter, or takes the lock after all. */
static thr_result join(thr_rwlock *lock, struct waiter *waiter)
{
    thr_result result;
    struct ring_node *writers = queue_acquire(lock);
    bool pass = may_pass(lock, writers);
    do {
        result = waiter->writer ? try_write(lock, waiter->writer, pass) : try_read(lock, pass);
    } while (result == THR_TIMEOUT && !mark_queued(lock, waiter->writer != 0));
    if (result == THR_TIMEOUT) {
        waiter->since = wait_system->now();
        if (waiter->writer)
            writers = ring_add(writers, &waiter->ring);
        else
            lock->readers_ = ring_add(lock->readers_, &waiter->ring);
    }
    queue_release(lock, writers);
    return result;
}

/* A queued writer, in LOOK, looks whether the lock is still free. */
static bool look(thr_rwlock *lock, struct waiter *waiter)
{
    struct ring_node *writers = queue_acquire(lock);
    bool taken = load_relaxed(&lock->word_) == QUEUED; /* who freed it held the bitlock: that orders it */
    if (taken) {
        writers = ring_remove(writers, &waiter->ring);
        store_relaxed(&lock->word_, waiter->writer | queued_bit(lock, writers));
    } else {
        waiter->starved = impatient(waiter);
        store_relaxed(&waiter->state, WAITING);
    }
    queue_release(lock, writers);
    return taken;
}

/* Leaves the ring. False: not any more, the lock has been given to us, or it came free (R2). */
static bool withdraw(thr_rwlock *lock, struct waiter *waiter, struct wait *wait)
{
    struct waiter *readers = NULL;
    struct ring_node *writers = queue_acquire(lock);
    bool leaves = waiter->ring.queued && load_relaxed(&waiter->state) != LOOK;
    if (leaves) {
        uint32_t add = 0;
        if (waiter->writer)
            writers = ring_remove(writers, &waiter->ring);
        else
            lock->readers_ = ring_remove(lock->readers_, &waiter->ring);
        if (!writers && !(load_relaxed(&lock->word_) & WRITER))
            readers = detach_readers(lock, &add);
        /* One step, since other readers may leave meanwhile (I2). Acquire: what the writers before them did, which the
         * word's release sequence brings, is passed on to the readers by the grant. No release: it continues that sequence
         * whatever its order, and what it did to the rings is seen under the bitlock. */
        (void)add_acquire(&lock->word_, queued_bit(lock, writers) ? add : add - QUEUED);
    } else if (!waiter->ring.queued) {
        wait->deadline = THR_FOREVER;
        wait->interruptible = false;
    }
    queue_release(lock, writers);
    grant(readers, lock);
    return leaves;
}

/* Waits until the lock is ours, or the wait ends otherwise. */
static thr_result wait_queued(thr_rwlock *lock, struct waiter *waiter, struct wait *wait)
{
    for (;;) {
        uint32_t state = load_acquire(&waiter->state);
        if (state == WAITING && wait_spin(&waiter->state, UINT32_MAX, WAITING, lock))
            continue;
        if (state == GRANTED || (state == LOOK && look(lock, waiter)))
            return THR_OK;
        if (state == ASLEEP || (state == WAITING && cas_relaxed(&waiter->state, &state, ASLEEP))) {
            thr_result result = wait_block(wait, &waiter->state, ASLEEP, OS_ANY);
            if (result != THR_OK && withdraw(lock, waiter, wait))
                return result;
        }
    }
}

/* What acquires do that find the lock held. `writer` is 0 for a reader. */
static thr_result wait_for(thr_rwlock *lock, uint32_t writer, thr_time deadline)
{
    if (wait_expired(deadline))
        return THR_TIMEOUT;
    struct waiter waiter = {.writer = writer};
    thr_result result = join(lock, &waiter);
    if (result != THR_TIMEOUT)
        return result;
    struct wait wait;
    wait_begin(&wait, writer ? WAIT_WRITE : WAIT_READ, lock, deadline);
    result = wait_queued(lock, &waiter, &wait);
    wait_end(&wait);
    if (result == THR_OK && !writer)
        (void)sub_relaxed(&lock->arriving_, 1);
    return result;
}

static thr_result take_read(thr_rwlock *lock, thr_time deadline)
{
    hook_point(HOOK_READ_ACQUIRE, lock);
    if (load_relaxed(&lock->owner_) == thr__identity())
        return deadline == 0 ? THR_DEADLOCK : hook_misuse(lock, THR_DEADLOCK);
    thr_result result = try_read(lock, false);
    if (result == THR_TIMEOUT)
        result = wait_for(lock, 0, deadline);
    if (result == THR_OK)
        tsan_acquire(lock);
    return result;
}

thr_result thr__rwlock_acquire_read(thr_rwlock *lock, thr_time deadline)
{
    thr_result result = take_read(lock, deadline);
    if (result == THR_OK)
        hook_taken(HOOK_READ_ACQUIRE, lock, deadline, HOOK_SITE);
    return result;
}

bool thr__rwlock_try_acquire_read(thr_rwlock *lock)
{
    bool taken = take_read(lock, 0) == THR_OK;
    if (taken)
        hook_taken(HOOK_READ_ACQUIRE, lock, 0, HOOK_SITE);
    return taken;
}

static thr_result take_write(thr_rwlock *lock, thr_time deadline)
{
    hook_point(HOOK_WRITE_ACQUIRE, lock);
    if (load_relaxed(&lock->owner_) == thr__identity())
        return deadline == 0 ? THR_DEADLOCK : hook_misuse(lock, THR_DEADLOCK);
    thr_result result = try_write(lock, wait_me(), false);
    if (result == THR_TIMEOUT)
        result = wait_for(lock, wait_me(), deadline);
    if (result == THR_OK) {
        store_relaxed(&lock->owner_, thr__identity());
        tsan_acquire(lock);
    }
    return result;
}

thr_result thr__rwlock_acquire_write(thr_rwlock *lock, thr_time deadline)
{
    thr_result result = take_write(lock, deadline);
    if (result == THR_OK)
        hook_taken(HOOK_WRITE_ACQUIRE, lock, deadline, HOOK_SITE);
    return result;
}

bool thr__rwlock_try_acquire_write(thr_rwlock *lock)
{
    bool taken = take_write(lock, 0) == THR_OK;
    if (taken)
        hook_taken(HOOK_WRITE_ACQUIRE, lock, 0, HOOK_SITE);
    return taken;
}
