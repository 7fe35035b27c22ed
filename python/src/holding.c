/* holding.c - a lock of the library under the GIL, and those that its release lets go.
 *
 * Who is notified under the lock could not go anywhere before its release. So its ticket waits in `chosen` until then: it is
 * woken once, and finds the lock free. A woken thread takes the GIL first and the lock then: the other way round, it would
 * keep the lock from the thread that has the GIL, which would have to sleep for it.
 *
 * I1  chosen is empty, or the lock is held, or a thread that has the GIL is at work in here. */

#include "core.h"

#include "sync/lock.h"

int holding_acquire_slow(struct holding *holding, thr_time deadline)
{
    struct blocking blocking;
    if (deadline == 0)
        return 0;
    holding->waiting++;
    block_begin(&blocking);
    thr_result result = thr_lock_acquire_until(&holding->lock, deadline);
    bool undisturbed = block_end(&blocking);
    holding->waiting--;
    if (undisturbed)
        return result == THR_OK;
    if (result == THR_OK)
        (void)holding_release(holding); /* the handler raised just when the lock was handed to us */
    return -1;
}

void holding_retake(struct holding *holding)
{
    if (thr_lock_try_acquire(&holding->lock))
        return;
    holding->waiting++;
    Py_BEGIN_ALLOW_THREADS lock_retake(&holding->lock);
    Py_END_ALLOW_THREADS holding->waiting--;
}

/* Grants all that were chosen; the last word to wake is left to the caller. */
static const uint32_t *grant_chosen(struct holding *holding)
{
    const uint32_t *word = NULL;
    struct ticket *ticket;
    while ((ticket = tickets_choose(&holding->chosen))) {
        ticket_wake(word);
        word = ticket_grant(ticket);
    }
    return word;
}

const uint32_t *holding_free(struct holding *holding)
{
    const uint32_t *word = grant_chosen(holding);
    (void)thr_lock_release(&holding->lock);
    return word;
}

void holding_release_wanted(struct holding *holding)
{
    struct waking waking;
    bool later = holding->waiting == 0;
    const uint32_t *word = grant_chosen(holding);
    waking_begin(&waking, true, later);
    (void)thr_lock_release(&holding->lock);
    ticket_wake(word);
    waking_end(&waking);
}
