/* barrier_reuse.c - a barrier made by hand, with a count that is set to 0 for the next round: who comes late out of one
 * round sees the count of the next.
 *
 * slow                           fast
 * count is 1: waits for 0
 *                                count is 2: sets it to 0, notifies
 *                                next round: count is 1, waits for 0
 * wakes, count is 1: waits       for ever, both */

#include "broken.h"

enum { PARTIES = 2, ROUNDS = 2 };

static thr_lock lock = THR_LOCK_INIT;
static thr_condition let_go = THR_CONDITION_INIT;
static int count;

static void meet(void)
{
    THR_HOLD(&lock);
    if (++count == PARTIES) {
        count = 0;
        thr_condition_notify_all(&let_go);
        return;
    }
    while (count != 0)
        thr_condition_wait(&let_go, &lock);
}

static void *party(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        compute(30);
        meet();
    }
    return NULL;
}

int main(void)
{
    thr_thread *slow = START(party, NULL);
    thr_thread *fast = START(party, NULL);

    finish(slow);
    finish(fast);
    return 0;
}
