/* singleton.c - two threads both find that the one instance is not there, and both make it.
 *
 * one                            two
 * there is none
 *                                there is none
 * makes it
 *                                makes it, again */

#include "broken.h"

static thr_lock lock = THR_LOCK_INIT;
static int made;
static int *instance;
static int storage[2];

static int *get(void)
{
    int *found = __atomic_load_n(&instance, __ATOMIC_ACQUIRE);
    if (!found) {
        THR_HOLD(&lock);
        found = &storage[made++];
        __atomic_store_n(&instance, found, __ATOMIC_RELEASE);
    }
    return found;
}

static void *user(void *arg)
{
    (void)arg;
    return get();
}

int main(void)
{
    thr_thread *one = START(user, NULL);
    thr_thread *two = START(user, NULL);

    finish(one);
    finish(two);
    if (made != 1)
        thr_lab_fail("there are %d of the one instance", made);
    return 0;
}
