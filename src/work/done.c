/* done.c - the count of what is done, and who waits for it to come up with the count of puts.
 *
 *  bits of `done`   meaning                                   set by                       cleared by
 *  0  JOINERS       somebody may sleep on the low half        a join, before it sleeps     who brings the count up, which
 *                                                                                          then owes a wake to all
 *  1..63 count      items that are done                       task_done; for those it discards, shutdown
 *
 * The puts are counted by the position of the put side, so a put has nothing to do here.
 *
 * D1  count <= position of the put side.
 * D2  A join reads the count first, then the position: if they are the same, nothing was unfinished when it read the count
 *     (the position was not beyond that then either).
 *
 * Order: counting is a release, and each continues the release sequences of those before it; the acquire load of a join
 * that finds all done pairs with them all. */

#include "wait/spin.h"
#include "work/queue.h"

#define JOINERS ((uint64_t)1)
#define ONE ((uint64_t)2)

static uint64_t put_count(const struct thr_queue *queue)
{
    return queue_position(load_acquire(&queue->put.word));
}

uint64_t queue_done(struct thr_queue *queue, uint64_t n)
{
    uint64_t word, next, counted;
    tsan_release(&queue->done);
    do {
        word = load_acquire(&queue->done); /* so that the puts are not read from before it (D1) */
        uint64_t left = put_count(queue) - word / ONE;
        counted = n < left ? n : left;
        next = word + counted * ONE;
        if (counted == left)
            next &= ~JOINERS;
    } while (!cas_acq_rel(&queue->done, &word, next));
    if (word & ~next & JOINERS) {
        spin_waker(&queue->done);
        wait_wake(wait_low_half(&queue->done), UINT32_MAX, OS_ANY);
    }
    return counted;
}

thr_result thr_queue_task_done(thr_queue *queue)
{
    hook_point(HOOK_QUEUE_TASK_DONE, queue);
    return queue_done(queue, 1) == 1 ? THR_OK : hook_misuse(queue, THR_TOO_MANY);
}

size_t thr_queue_unfinished(const thr_queue *queue)
{
    hook_point(HOOK_LOOK, queue);
    uint64_t done = load_acquire(&queue->done) / ONE;
    return (size_t)(put_count(queue) - done);
}

static bool all_done(const struct thr_queue *queue, uint64_t *word)
{
    *word = load_acquire(&queue->done);
    return *word / ONE == put_count(queue); /* D2 */
}

static bool spin_for(const struct thr_queue *queue)
{
    struct spin spin;
    uint64_t word;
    bool done = false;
    spin_begin(&spin, &queue->done);
    while (!done && spin_turn(&spin))
        done = all_done(queue, &word);
    spin_end(&spin, done);
    return done;
}

static thr_result sleep_for(struct thr_queue *queue, struct wait *wait)
{
    thr_result result = THR_OK;
    uint64_t word;
    while (!all_done(queue, &word)) {
        if (result != THR_OK)
            return result;
        if (word & JOINERS || cas_relaxed(&queue->done, &word, word | JOINERS))
            result = wait_block(wait, wait_low_half(&queue->done), (uint32_t)(word | JOINERS), OS_ANY);
    }
    return THR_OK;
}

thr_result thr_queue_join_until(thr_queue *queue, thr_time deadline)
{
    hook_point(HOOK_QUEUE_JOIN, queue);
    thr_result result = THR_OK;
    uint64_t word;
    if (!all_done(queue, &word)) {
        if (wait_expired(deadline))
            return THR_TIMEOUT;
        if (!spin_for(queue)) {
            struct wait wait;
            wait_begin(&wait, WAIT_DONE, queue, deadline);
            wait.object = &queue->done; /* by which the spin learns */
            result = sleep_for(queue, &wait);
            wait_end(&wait);
        }
    }
    if (result == THR_OK)
        tsan_acquire(&queue->done);
    return result;
}

thr_result thr_queue_join(thr_queue *queue)
{
    return thr_queue_join_until(queue, THR_FOREVER);
}
