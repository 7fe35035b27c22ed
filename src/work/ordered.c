/* ordered.c - the stores of a queue whose next item is not the first that was put: a stack, and a heap (queue.h).
 *
 * Both are one array: a binary heap by the comparison, equal items by the number of their put; without a comparison a
 * stack. Claim and move are one step under the lock, and the claim comes first: it knows whether there is an item, or
 * room. So there are always as many entries as the put side is ahead.
 *
 * O1  No entry is before its parent: entry i's is (i - 1) / 2. */

#include <stdlib.h>

#include "sync/lock.h"
#include "work/queue.h"

enum { ROOM_MIN = 16 };

struct queue_entry {
    void *item;
    uint64_t number; /* position of its put */
};

static size_t entries_now(struct thr_queue *queue)
{
    return (size_t)(queue_position(load_relaxed(&queue->put.word)) - queue_position(load_relaxed(&queue->get.word)));
}

/* -- The heap ----------------------------------------------------------------------------------------------------- */

static bool is_before(const struct thr_queue *queue, const struct queue_entry *a, const struct queue_entry *b)
{
    int order = queue->compare(a->item, b->item);
    return order != 0 ? order < 0 : a->number < b->number;
}

static void heap_add(struct thr_queue *queue, size_t n, struct queue_entry entry)
{
    struct queue_entry *entries = queue->entries;
    size_t at = n;
    while (at > 0 && is_before(queue, &entry, &entries[(at - 1) / 2])) {
        entries[at] = entries[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    entries[at] = entry;
}

/* Of n entries the first is gone: the last one goes down from there. */
static void heap_close(struct thr_queue *queue, size_t n)
{
    struct queue_entry *entries = queue->entries;
    struct queue_entry last = entries[n - 1];
    size_t at = 0;
    for (size_t child = 1; child < n - 1; child = 2 * at + 1) {
        if (child + 1 < n - 1 && is_before(queue, &entries[child + 1], &entries[child]))
            child++;
        if (!is_before(queue, &entries[child], &last))
            break;
        entries[at] = entries[child];
        at = child;
    }
    entries[at] = last;
}

/* -- The array ---------------------------------------------------------------------------------------------------- */

static bool resize(struct thr_queue *queue, size_t room)
{
    int saved = errno;
    struct queue_entry *entries = realloc(queue->entries, room * sizeof *entries);
    os_errno_restore(saved);
    if (!entries)
        return false;
    queue->entries = entries;
    queue->entries_room = room;
    return true;
}

static bool make_room(struct thr_queue *queue, size_t n)
{
    return n < queue->entries_room || resize(queue, n < ROOM_MIN ? ROOM_MIN : 2 * n);
}

/* After a crowd has left. It does not matter if it fails. */
static void give_room_back(struct thr_queue *queue, size_t n)
{
    if (queue->entries_room > ROOM_MIN && n < queue->entries_room / 4)
        (void)resize(queue, queue->entries_room / 2);
}

void queue_ordered_free(struct thr_queue *queue)
{
    free(queue->entries);
}

/* -- The lock ----------------------------------------------------------------------------------------------------- */

/* It is held for a few steps, and no signal ends the wait for it. */
static void lock(struct thr_queue *queue)
{
    if (!thr_lock_try_acquire(&queue->lock))
        lock_retake(&queue->lock);
    tsan_acquire(&queue->lock);
}

static void unlock(struct thr_queue *queue)
{
    tsan_release(&queue->lock);
    (void)thr_lock_release(&queue->lock);
}

/* -- Claim and move ----------------------------------------------------------------------------------------------- */

static enum queue_claim put_locked(struct thr_queue *queue, void *item, struct queue_place *place)
{
    size_t n = entries_now(queue);
    bool has_room = make_room(queue, n);
    enum queue_claim found = has_room ? queue_claim(queue, &queue->put, place, true, false) : QUEUE_LAST;
    if (found != QUEUE_CLAIMED)
        return found;
    struct queue_entry entry = {item, place->position};
    if (queue->compare)
        heap_add(queue, n, entry);
    else
        queue->entries[n] = entry;
    return found;
}

enum queue_claim queue_ordered_put(struct thr_queue *queue, void *item)
{
    struct queue_place place;
    lock(queue);
    enum queue_claim found = put_locked(queue, item, &place);
    unlock(queue);
    if (found == QUEUE_CLAIMED && place.owes)
        queue_wake_other(&queue->put);
    return found;
}

static enum queue_claim get_locked(struct thr_queue *queue, void **item, bool discarded, struct queue_place *place)
{
    size_t n = entries_now(queue);
    enum queue_claim found = queue_claim(queue, &queue->get, place, true, discarded);
    if (found != QUEUE_CLAIMED)
        return found;
    *item = queue->entries[queue->compare ? 0 : n - 1].item;
    if (queue->compare && n > 1)
        heap_close(queue, n);
    give_room_back(queue, n - 1);
    return found;
}

enum queue_claim queue_ordered_get(struct thr_queue *queue, void **item, bool discarded)
{
    struct queue_place place;
    lock(queue);
    enum queue_claim found = get_locked(queue, item, discarded, &place);
    unlock(queue);
    if (found == QUEUE_CLAIMED && place.owes)
        queue_wake_other(&queue->get);
    return found;
}
