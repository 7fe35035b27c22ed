/* wrong_lock.c - two threads hold two different locks while they change the same sum.
 *
 * north                          south
 * holds its own lock, reads 0
 *                                holds its own lock, reads 0
 * writes 1
 *                                writes 1: a deposit is lost */

#include "broken.h"

struct branch {
    thr_lock lock;
    int deposits;
};

static struct branch north, south;
static int sum;

static void *deposit(void *arg)
{
    struct branch *branch = arg;
    THR_HOLD(&branch->lock);
    branch->deposits++;

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
