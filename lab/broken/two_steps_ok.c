/* two_steps_ok.c - the correct twin of two_steps.c: one step. */

#include "broken.h"

static thr_lock lock = THR_LOCK_INIT;
static int balance = 100;

static void withdraw(int amount)
{
    THR_HOLD(&lock);
    if (balance >= amount)
        balance -= amount;
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
