/* peterson.c - Peterson's lock with its two steps in the wrong order: who gives way before it says that it is there may
 * enter beside the other.
 *
 * 0                              1
 * gives way to 1
 *                                gives way to 0, says that it is there
 *                                0 is not there: enters
 * says that it is there
 * it is 0's turn: enters */

#include "broken.h"

static int there[2];
static int turn;
static int inside;

static void set(int *at, int value)
{
    __atomic_store_n(at, value, __ATOMIC_SEQ_CST);
    thr_yield_point();
}

static int get(const int *at)
{
    int value = __atomic_load_n(at, __ATOMIC_SEQ_CST);
    thr_yield_point();
    return value;
}

static void enter(int me)
{
    set(&turn, 1 - me);
    set(&there[me], 1);
    while (get(&there[1 - me]) && get(&turn) == 1 - me)
        thr_sleep(0);
}

static void visit(int me)
{
    enter(me);
    if (__atomic_add_fetch(&inside, 1, __ATOMIC_RELAXED) > 1)
        thr_lab_fail("both are inside");
    thr_yield_point();
    (void)__atomic_sub_fetch(&inside, 1, __ATOMIC_RELAXED);
    set(&there[me], 0);
}

static void *other(void *arg)
{
    (void)arg;
    visit(1);
    return NULL;
}

int main(void)
{
    thr_thread *t = START(other, NULL);

    visit(0);
    finish(t);
    return 0;
}
