/* refcount.c - a count of references is lowered in one step and looked at in another: two owners both find that they
 * were the last.
 *
 * one                            two
 * 2 -> 1
 *                                1 -> 0
 *                                0: frees it
 * 0: frees it, again */

#include "broken.h"

static thr_lock lock = THR_LOCK_INIT;
static int references = 2;
static int freed;

static void drop(void)
{
    bool last;

    {
        THR_HOLD(&lock);
        references--;
    }
    {
        THR_HOLD(&lock);
        last = references == 0;
    }
    if (last && __atomic_add_fetch(&freed, 1, __ATOMIC_RELAXED) != 1)
        thr_lab_fail("freed twice");
}

static void *owner(void *arg)
{
    (void)arg;
    drop();
    return NULL;
}

int main(void)
{
    thr_thread *one = START(owner, NULL);
    thr_thread *two = START(owner, NULL);

    finish(one);
    finish(two);
    return freed == 1 ? 0 : 1;
}
