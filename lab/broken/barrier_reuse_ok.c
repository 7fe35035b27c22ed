/* barrier_reuse_ok.c - the correct twin of barrier_reuse.c: rounds are numbered. */

#include "broken.h"

enum { PARTIES = 2, ROUNDS = 2 };

static thr_lock lock = THR_LOCK_INIT;
static thr_condition let_go = THR_CONDITION_INIT;
static int count;
static int round_number;

static void meet(void)
{
    THR_HOLD(&lock);
    if (++count == PARTIES) {
        count = 0;
        round_number++;
        thr_condition_notify_all(&let_go);
        return;
    }
    int mine = round_number;
    while (round_number == mine)
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
