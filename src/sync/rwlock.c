/* rwlock.c - phase-fair: readers and writers take turns.
 *
 *  bits of word_     meaning                                set by                   cleared by
 *  0  WRITER         a writer holds it                      acquire_write            release_write
 *  1  QUEUED         somebody is in a queue                 who queues               who takes the last one out
 *  3..31 readers     how many hold it for reading; bit 31   acquire_read             release_read
 *                    stops new ones before it overflows
 *  3..31 number      while WRITER: the writer's number, 0   acquire_write            release_write
 *                    if it has none: a hint for thr_dump
 *
 *  queue_      a bitlock (wait/bitlock.h) whose data is the ring of waiting writers
 *  readers_    the ring of waiting readers; under the bitlock
 *  owner_      thr__identity() of the writer, 0 otherwise; as in rlock.c, written by that thread alone
 *
 *  state of a waiter  meaning                                          left by
 *  WAITING            it is awake                                      itself: -> ASLEEP; others: -> LOOK, GRANTED
 *  ASLEEP             it sleeps on the state                           others: -> LOOK or GRANTED, then wake it
 *  LOOK               (writers) the lock came free; it was not         itself, under the bitlock: takes the lock, or
 *                     handed over, so others may be faster             -> WAITING
 *  GRANTED            it holds the lock; the waiter is its own alone   -
 *
 * I1  QUEUED is set exactly while a ring is not empty. Rings and QUEUED change only under the bitlock.
 * I2  While QUEUED is set, the inline paths fail, and word_ changes only under the bitlock, but for a reader that leaves
 *     others behind. So who holds the bitlock and sees word_ free, or itself as the only holder, may store it.
 * I3  Readers are queued => a writer holds the lock or is queued.
 * I4  word_ is just QUEUED: free => a writer is queued, and the oldest one is in LOOK.
 * I5  A waiter is in its ring exactly while `queued` is true; both change only under the bitlock. Who takes another one out
 *     has given it the lock and will set GRANTED.
 * R1  GRANTED is set after the bitlock was freed, LOOK before: a waiter in LOOK is in its ring and may leave it at once,
 *     one that was taken out stays until it sees GRANTED. So each is there as long as others use it.
 * R2  A waiter whose time is up and that is in LOOK looks; it leaves its ring only under I4, so no wake is lost:
 *
 *         last reader                         writer, oldest in its ring
 *         takes the bitlock                   the deadline ends its sleep
 *         word_ = QUEUED; state = LOOK        waits for the bitlock
 *         frees the bitlock                   withdraw: in LOOK, so it stays
 *                                             look: takes the free lock
 *
 * R3  The last writer to leave its ring lets the readers go, unless a writer holds the lock.
 * R4  A holder that finds QUEUED takes the bitlock while it still holds the lock, and the swap that frees the bitlock is the
 *     last that it does to the lock. Nobody can come by, or give up, and free the lock's memory in between:
 *
 *         reader                              writer
 *         word_ = QUEUED (without bitlock)    the deadline ends its sleep
 *                                             withdraws, returns, finds it free, frees the memory
 *         takes the bitlock: too late
 *
 * Fairness. A writer that is queued holds new readers back (QUEUED). A writer that leaves gives the lock to all queued
 * readers, if there are any; the last reader to leave, to the oldest queued writer. That one is only told to LOOK, and a
 * writer that is running may be faster; but if it finds the lock taken after PATIENCE, it is STARVED, and is handed it.
 *
 * Order: an inline or out-of-line release is a release on word_, and the next acquire of word_ reads it or a
 * read-modify-write after it. A reader that stores word_ (I2) has read it with acquire, so it passes on what the readers
 * before it did. GRANTED and LOOK are stored with release and read with acquire. */

#include "threading/rwlock.h"

#include "wait/bitlock.h"
#include "wait/spin.h"

#define WRITER 1u
#define QUEUED 2u
#define READER 8u
#define FULL 0x80000000u

_Static_assert(FULL == THR_RWLOCK_READERS_MAX * READER, "the last reader sets bit 31");

enum {
    PATIENCE = 1000000 /* nanoseconds after which a waiting writer is handed the lock */
};

enum state { WAITING, ASLEEP, LOOK, GRANTED };

struct waiter {
    struct waiter *next; /* in the ring, the next younger one; once detached, the next one to grant, or NULL */
    struct waiter *previous;
    uint32_t state;
    uint32_t writer; /* what it will store in the word; 0: a reader */
    bool queued;
    thr_time since;
};

/* -- The rings, under the bitlock --------------------------------------------------------------------------------- */

/* A ring is its youngest waiter, whose next is the oldest; or NULL. */
static struct waiter *ring_add(struct waiter *youngest, struct waiter *waiter)
{
    waiter->queued = true;
    if (youngest) {
        waiter->next = youngest->next;
        waiter->previous = youngest;
        waiter->next->previous = waiter;
        youngest->next = waiter;
    } else {
        waiter->next = waiter;
        waiter->previous = waiter;
    }
    return waiter;
}

static struct waiter *ring_remove(struct waiter *youngest, struct waiter *waiter)
{
    waiter->queued = false;
    if (waiter->next == waiter)
        return NULL;
    waiter->next->previous = waiter->previous;
    waiter->previous->next = waiter->next;
    return waiter == youngest ? waiter->previous : youngest;
}

/* Takes the bitlock; returns the ring of the writers. */
static struct waiter *queue_acquire(thr_rwlock *lock)
{
    return (struct waiter *)(uintptr_t)bitlock_acquire(&lock->queue_);
}

static void queue_release(thr_rwlock *lock, const struct waiter *writers)
{
    bitlock_release(&lock->queue_, (uint64_t)(uintptr_t)writers);
}

static uint32_t queued_bit(const thr_rwlock *lock, const struct waiter *writers)
{
    return writers || lock->readers_ ? QUEUED : 0;
}

/* Whether the oldest writer has waited for so long that nobody may pass it. */
static bool impatient(const struct waiter *writers, thr_time now)
{
    return now - writers->next->since > PATIENCE;
}

/* Takes all readers out, as a list; returns it and adds them to *word. */
static struct waiter *detach_readers(thr_rwlock *lock, uint32_t *word)
{
    struct waiter *youngest = lock->readers_;
    if (!youngest)
        return NULL;
    struct waiter *oldest = youngest->next;
    youngest->next = NULL;
    lock->readers_ = NULL;
    for (struct waiter *reader = oldest; reader; reader = reader->next) {
        reader->queued = false;
        *word += READER;
    }
    (void)add_relaxed(&lock->arriving_, *word / READER);
    return oldest;
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
static void leave(thr_rwlock *lock, struct waiter *writers, bool wrote)
{
    uint32_t word = 0;
    struct waiter *granted = wrote ? detach_readers(lock, &word) : NULL;
    const uint32_t *sleeper = NULL;
    if (!granted && impatient(writers, wait_system->now())) {
        granted = writers->next;
        writers = ring_remove(writers, granted);
        granted->next = NULL;
        word = granted->writer;
    } else if (!granted && swap_release(&writers->next->state, LOOK) == ASLEEP) {
        sleeper = &writers->next->state;
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
            return THR_NOT_LOCKED;
        if (!(word & QUEUED) || word >= 2 * READER) {
            if (cas_release(&lock->word_, &word, word - READER))
                return THR_OK;
            continue;
        }
        struct waiter *writers = queue_acquire(lock);
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
        return load_relaxed(&lock->word_) & WRITER ? THR_NOT_OWNER : THR_NOT_LOCKED;
    store_relaxed(&lock->owner_, 0);
    tsan_release(lock);
    for (;;) {
        uint32_t word = load_relaxed(&lock->word_);
        if (!(word & QUEUED)) {
            if (cas_release(&lock->word_, &word, 0))
                return THR_OK;
            continue;
        }
        struct waiter *writers = queue_acquire(lock);
        if (load_relaxed(&lock->word_) & QUEUED) {
            leave(lock, writers, true);
            return THR_OK;
        }
        queue_release(lock, writers);
    }
}

/* -- Waiting ------------------------------------------------------------------------------------------------------ */

/* Takes the lock for reading, if that is possible now: THR_OK, THR_TIMEOUT, or THR_TOO_MANY. `pass`: who is queued does not
 * matter; under the bitlock only. */
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

/* Whether one who comes may pass those who are queued: nobody who is awake has to wait longer for that. */
static bool may_pass(const thr_rwlock *lock, const struct waiter *writers, thr_time now)
{
    if (!writers || impatient(writers, now))
        return false;
    return load_relaxed(&lock->word_) == QUEUED || load_relaxed(&lock->arriving_) != 0;
}

/* Queues the waiter, or takes the lock after all. */
static thr_result join(thr_rwlock *lock, struct waiter *waiter)
{
    thr_result result;
    struct waiter *writers = queue_acquire(lock);
    bool pass = may_pass(lock, writers, waiter->since);
    do {
        result = waiter->writer ? try_write(lock, waiter->writer, pass) : try_read(lock, pass);
    } while (result == THR_TIMEOUT && !mark_queued(lock, waiter->writer != 0));
    if (result == THR_TIMEOUT && waiter->writer)
        writers = ring_add(writers, waiter);
    else if (result == THR_TIMEOUT)
        lock->readers_ = ring_add(lock->readers_, waiter);
    queue_release(lock, writers);
    return result;
}

/* A queued writer, in LOOK, looks whether the lock is still free. */
static bool look(thr_rwlock *lock, struct waiter *waiter)
{
    struct waiter *writers = queue_acquire(lock);
    bool taken = load_acquire(&lock->word_) == QUEUED;
    if (taken) {
        writers = ring_remove(writers, waiter);
        store_relaxed(&lock->word_, waiter->writer | queued_bit(lock, writers));
    } else {
        store_relaxed(&waiter->state, WAITING);
    }
    queue_release(lock, writers);
    return taken;
}

/* Leaves the ring. False: not any more, the lock has been given to us, or it came free (R2). */
static bool withdraw(thr_rwlock *lock, struct waiter *waiter, struct wait *wait)
{
    struct waiter *readers = NULL;
    struct waiter *writers = queue_acquire(lock);
    bool leaves = waiter->queued && load_relaxed(&waiter->state) != LOOK;
    if (leaves) {
        uint32_t add = 0;
        if (waiter->writer)
            writers = ring_remove(writers, waiter);
        else
            lock->readers_ = ring_remove(lock->readers_, waiter);
        if (!writers && !(load_relaxed(&lock->word_) & WRITER))
            readers = detach_readers(lock, &add);
        /* One step, since other readers may leave meanwhile (I2). Acquire: what the writers before them did, which the
         * word's release sequence brings, is passed on to the readers by the grant. */
        (void)add_acq_rel(&lock->word_, queued_bit(lock, writers) ? add : add - QUEUED);
    } else if (!waiter->queued) {
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
    struct waiter waiter = {.writer = writer, .since = wait_system->now()};
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

thr_result thr__rwlock_acquire_read(thr_rwlock *lock, thr_time deadline)
{
    hook_point(HOOK_READ_ACQUIRE, lock);
    if (load_relaxed(&lock->owner_) == thr__identity())
        return THR_DEADLOCK;
    thr_result result = try_read(lock, false);
    if (result == THR_TIMEOUT)
        result = wait_for(lock, 0, deadline);
    if (result == THR_OK)
        tsan_acquire(lock);
    return result;
}

bool thr__rwlock_try_acquire_read(thr_rwlock *lock)
{
    return thr__rwlock_acquire_read(lock, 0) == THR_OK;
}

thr_result thr__rwlock_acquire_write(thr_rwlock *lock, thr_time deadline)
{
    hook_point(HOOK_WRITE_ACQUIRE, lock);
    if (load_relaxed(&lock->owner_) == thr__identity())
        return THR_DEADLOCK;
    thr_result result = try_write(lock, thr__me, false);
    if (result == THR_TIMEOUT)
        result = wait_for(lock, thr__me, deadline);
    if (result == THR_OK) {
        store_relaxed(&lock->owner_, thr__identity());
        tsan_acquire(lock);
    }
    return result;
}

bool thr__rwlock_try_acquire_write(thr_rwlock *lock)
{
    return thr__rwlock_acquire_write(lock, 0) == THR_OK;
}
