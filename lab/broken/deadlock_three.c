/* deadlock_three.c - three locks in a ring: any two of the three threads get along.
 *
 * one            two            three
 * takes 0        takes 1        takes 2
 * waits for 1    waits for 2    waits for 0 */

#include "broken.h"

static thr_lock locks[3];
static int done[3];

static void *take_two(int first, int second)
{
    THR_HOLD(&locks[first]);
    THR_HOLD(&locks[second]);
    done[first]++;
    return NULL;
}

static void *one(void *arg)
{
    (void)arg;
    return take_two(0, 1);
}

static void *two(void *arg)
{
    (void)arg;
    return take_two(1, 2);
}

static void *three(void *arg)
{
    (void)arg;
    return take_two(2, 0);
}

int main(void)
{
    thr_thread *threads[] = {START(one, NULL), START(two, NULL), START(three, NULL)};

    for (int i = 0; i < 3; i++)
        finish(threads[i]);
    return 0;
}
