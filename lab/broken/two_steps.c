/* two_steps.c - two steps, each under the lock, that should be one: an atomicity violation.
 *
 * one                            two
 * 100 is enough for 60
 *                                100 is enough for 60
 * 40 are left
 *                                -20 are left */

#include "broken.h"

static thr_lock lock = THR_LOCK_INIT;
static int balance = 100;

static bool enough(int amount)
{
    THR_HOLD(&lock);
    return balance >= amount;
}

static void take(int amount)
{
    THR_HOLD(&lock);
    balance -= amount;
}

static void withdraw(int amount)
{
    if (enough(amount))
        take(amount);
}

static void *customer(void *arg)
{
    (void)arg;
    withdraw(60);
    return NULL;
}

int main(void)
{
    thr_thread *one = START(customer, NULL);
    thr_thread *two = START(customer, NULL);

    finish(one);
    finish(two);
    if (balance < 0)
        thr_lab_fail("the balance is %d", balance);
    return 0;
}
