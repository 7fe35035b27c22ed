/* holding.c - the slow paths of a lock of the library under the GIL. */

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
        (void)holding_free(holding); /* the handler raised just when the lock was handed to us */
    return -1;
}

void holding_retake(struct holding *holding)
{
    if (thr_lock_try_acquire(&holding->lock))
        return;
    holding->waiting++;
    Py_BEGIN_ALLOW_THREADS lock_retake(&holding->lock, false);
    Py_END_ALLOW_THREADS holding->waiting--;
}
