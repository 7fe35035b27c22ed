/* transfer.c - a transfer locks the account it takes from, then the one it gives to: two transfers in opposite
 * directions wait for each other.
 *
 * from a to b                    from b to a
 * takes a
 *                                takes b
 * waits for b                    waits for a */

#include "broken.h"

struct account {
    thr_lock lock;
    int money;
};

static struct account accounts[2] = {{THR_LOCK_INIT, 100}, {THR_LOCK_INIT, 100}};

static void transfer(struct account *from, struct account *to, int amount)
{
    THR_HOLD(&from->lock);
    THR_HOLD(&to->lock);
    from->money -= amount;
    to->money += amount;
}

static void *there(void *arg)
{
    (void)arg;
    transfer(&accounts[0], &accounts[1], 10);
    return NULL;
}

static void *back(void *arg)
{
    (void)arg;
    transfer(&accounts[1], &accounts[0], 20);
    return NULL;
}

int main(void)
{
    thr_thread *t = START(there, NULL);
    thr_thread *u = START(back, NULL);

    finish(t);
    finish(u);
    return accounts[0].money == 110 && accounts[1].money == 90 ? 0 : 1;
}
