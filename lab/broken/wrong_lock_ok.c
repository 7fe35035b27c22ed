/* wrong_lock_ok.c - the correct twin of wrong_lock.c: the sum has a
 * lock of its own. */

#include "broken.h"

struct branch {
    thr_lock lock;
    int deposits;
};

static struct branch north, south;
static thr_lock bank = THR_LOCK_INIT;
static int sum;

static void *deposit(void *arg)
{
    struct branch *branch = arg;
    THR_HOLD(&branch->lock);
    branch->deposits++;

    THR_HOLD(&bank);
    int before = sum;
    thr_yield_point();
    sum = before + 1;
    return NULL;
}

int main(void)
{
    thr_thread *a = START(deposit, &north);
    thr_thread *b = START(deposit, &south);

    finish(a);
    finish(b);
    if (sum != north.deposits + south.deposits)
        thr_lab_fail("%d deposits, but the sum is %d", north.deposits + south.deposits, sum);
    return 0;
}
