/* queue.c - the calls of a queue, over its sides and its store; see queue.h. */

#include "work/queue.h"

#include <stdlib.h>

/* -- Making and freeing ------------------------------------------------------------------------------------------- */

static uint64_t slack_of(size_t maxsize)
{
    return maxsize > 0 ? maxsize : QUEUE_NO_BOUND;
}

static struct thr_queue *allocate(size_t maxsize)
{
    struct thr_queue *queue = aligned_alloc(QUEUE_LINE, sizeof *queue);
    if (queue) {
        *queue = (struct thr_queue){.lock = THR_LOCK_INIT};
        queue->put.slack = slack_of(maxsize);
        queue->put.patience = 1;
        queue->get.patience = 1;
    }
    return queue;
}

static thr_result new_cells(thr_queue **queue, size_t maxsize)
{
    struct thr_queue *made = allocate(maxsize);
    if (!made)
        return THR_NO_MEMORY;
    bool ring = maxsize > 0 && maxsize <= QUEUE_RING_MAX;
    thr_result result = ring ? queue_ring_init(made, maxsize) : queue_segments_init(made);
    if (result == THR_OK)
        *queue = made;
    else
        free(made);
    return result;
}

static thr_result new_ordered(thr_queue **queue, size_t maxsize, thr_queue_compare *compare)
{
    struct thr_queue *made = allocate(maxsize);
    if (!made)
        return THR_NO_MEMORY;
    made->store = QUEUE_ORDERED;
    made->compare = compare;
    *queue = made;
    return THR_OK;
}

thr_result thr_queue_new(thr_queue **queue, size_t maxsize)
{
    if (maxsize > THR_QUEUE_MAX)
        return THR_INVALID;
    int saved = errno;
    thr_result result = new_cells(queue, maxsize);
    os_errno_restore(saved);
    return result;
}

thr_result thr_lifo_queue_new(thr_queue **queue, size_t maxsize)
{
    if (maxsize > THR_QUEUE_MAX)
        return THR_INVALID;
    int saved = errno;
    thr_result result = new_ordered(queue, maxsize, NULL);
    os_errno_restore(saved);
    return result;
}

thr_result thr_priority_queue_new(thr_queue **queue, size_t maxsize, thr_queue_compare *compare)
{
    if (maxsize > THR_QUEUE_MAX || !compare)
        return THR_INVALID;
    int saved = errno;
    thr_result result = new_ordered(queue, maxsize, compare);
    os_errno_restore(saved);
    return result;
}

void thr_queue_free(thr_queue *queue)
{
    if (!queue)
        return;
    int saved = errno;
    queue_ring_free(queue);
    queue_segments_free(queue);
    queue_ordered_free(queue);
    free(queue);
    os_errno_restore(saved);
}

/* -- Put and get -------------------------------------------------------------------------------------------------- */

static enum queue_claim try_put(struct thr_queue *queue, void **item)
{
    switch (queue->store) {
    case QUEUE_RING:
        return queue_ring_put(queue, *item);
    case QUEUE_SEGMENTS:
        return queue_segments_put(queue, *item);
    case QUEUE_ORDERED:
    default:
        return queue_ordered_put(queue, *item);
    }
}

static enum queue_claim take(struct thr_queue *queue, void **item, bool discarded)
{
    switch (queue->store) {
    case QUEUE_RING:
        return queue_ring_get(queue, item, discarded);
    case QUEUE_SEGMENTS:
        return queue_segments_get(queue, item, discarded);
    case QUEUE_ORDERED:
    default:
        return queue_ordered_get(queue, item, discarded);
    }
}

static enum queue_claim try_get(struct thr_queue *queue, void **item)
{
    return take(queue, item, false);
}

static thr_result result_of(const struct thr_queue *queue, enum queue_claim found, thr_result nothing)
{
    switch (found) {
    case QUEUE_CLAIMED:
        return THR_OK;
    case QUEUE_CLOSED:
        tsan_acquire(queue);
        return THR_CLOSED;
    case QUEUE_LAST:
        return THR_NO_MEMORY;
    case QUEUE_NOTHING:
    case QUEUE_BUSY:
    default:
        return nothing;
    }
}

thr_result thr_queue_put_until(thr_queue *queue, void *item, thr_time deadline)
{
    hook_point(HOOK_QUEUE_PUT, queue);
    bool interrupted = false;
    enum queue_claim found = try_put(queue, &item);
    if (found == QUEUE_NOTHING)
        found = queue_wait(queue, &queue->put, try_put, &item, deadline, &interrupted);
    return result_of(queue, found, interrupted ? THR_INTERRUPTED : THR_FULL);
}

thr_result thr_queue_get_until(thr_queue *queue, void **item, thr_time deadline)
{
    hook_point(HOOK_QUEUE_GET, queue);
    bool interrupted = false;
    enum queue_claim found = try_get(queue, item);
    if (found == QUEUE_NOTHING)
        found = queue_wait(queue, &queue->get, try_get, item, deadline, &interrupted);
    return result_of(queue, found, interrupted ? THR_INTERRUPTED : THR_EMPTY);
}

thr_result thr_queue_put(thr_queue *queue, void *item)
{
    return thr_queue_put_until(queue, item, THR_FOREVER);
}

thr_result thr_queue_get(thr_queue *queue, void **item)
{
    return thr_queue_get_until(queue, item, THR_FOREVER);
}

thr_result thr_queue_try_put(thr_queue *queue, void *item)
{
    return thr_queue_put_until(queue, item, 0);
}

thr_result thr_queue_try_get(thr_queue *queue, void **item)
{
    return thr_queue_get_until(queue, item, 0);
}

/* -- Shutdown ----------------------------------------------------------------------------------------------------- */

/* The puts end before the gets, so that nothing is put that nobody can take; what is left then is a number that no longer
 * changes, and that the gets have not claimed. */
void thr_queue_shutdown(thr_queue *queue, bool immediate)
{
    hook_point(HOOK_QUEUE_SHUTDOWN, queue);
    tsan_release(queue);
    uint64_t puts = queue_position(or_acq_rel(&queue->put.word, QUEUE_ENDED));
    if (immediate) {
        uint64_t gets = or_acq_rel(&queue->get.word, QUEUE_ENDED);
        if (!(gets & QUEUE_ENDED))
            (void)queue_done(queue, puts - queue_position(gets));
    }
    queue_wake_all(queue, &queue->put);
    queue_wake_all(queue, &queue->get);
}

thr_result thr_queue_discarded(thr_queue *queue, void **item)
{
    hook_point(HOOK_QUEUE_GET, queue);
    return take(queue, item, true) == QUEUE_CLAIMED ? THR_OK : THR_EMPTY;
}

bool thr_queue_is_shutdown(const thr_queue *queue)
{
    hook_point(HOOK_LOOK, queue);
    return (load_relaxed(&queue->put.word) & QUEUE_ENDED) != 0;
}

/* -- How full it is ----------------------------------------------------------------------------------------------- */

/* If the gets are the same before and after, it is exact; if they never are, it is an estimate within the bound. */
size_t thr_queue_size(const thr_queue *queue)
{
    enum { ATTEMPTS = 8 };
    hook_point(HOOK_LOOK, queue);
    uint64_t size = 0;
    uint64_t gets = load_acquire(&queue->get.word);
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        size = queue_position(load_acquire(&queue->put.word)) - queue_position(gets);
        uint64_t now = load_acquire(&queue->get.word);
        if (queue_position(now) == queue_position(gets))
            return now & QUEUE_ENDED ? 0 : (size_t)size;
        gets = now;
    }
    uint64_t bound = load_relaxed(&queue->put.slack);
    return (size_t)(size < bound ? size : bound);
}

/* Reads the gets first: if the puts are not beyond that, they were not when it was read. */
bool thr_queue_empty(const thr_queue *queue)
{
    hook_point(HOOK_LOOK, queue);
    uint64_t gets = load_acquire(&queue->get.word);
    uint64_t puts = load_acquire(&queue->put.word);
    return gets & QUEUE_ENDED || queue_position(puts) == queue_position(gets);
}

/* Reads the puts first: if the gets are a bound behind that, they were when it was read (Q1). */
bool thr_queue_full(const thr_queue *queue)
{
    hook_point(HOOK_LOOK, queue);
    uint64_t puts = load_acquire(&queue->put.word);
    uint64_t gets = load_acquire(&queue->get.word);
    uint64_t end = queue_position(gets) + load_relaxed(&queue->put.slack);
    return !(gets & QUEUE_ENDED) && queue_position(puts) >= end;
}

size_t thr_queue_maxsize(const thr_queue *queue)
{
    uint64_t slack = load_relaxed(&queue->put.slack);
    return slack == QUEUE_NO_BOUND ? 0 : (size_t)slack;
}

thr_result thr_queue_set_maxsize(thr_queue *queue, size_t maxsize)
{
    if (maxsize > THR_QUEUE_MAX || (queue->store == QUEUE_RING && (maxsize == 0 || maxsize > queue->room)))
        return THR_INVALID;
    store_relaxed(&queue->put.slack, slack_of(maxsize));
    queue_wake_all(queue, &queue->put);
    return THR_OK;
}
