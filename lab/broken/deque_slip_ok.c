/* deque_slip_ok.c - the correct twin of deque_slip.c: the owner swaps top for the
 * last item, as thieves do. */

#include "broken.h"

enum { ITEMS = 2 };

static int top, bottom;
static int taken[ITEMS];

static int get(int *at)
{
    int value = __atomic_load_n(at, __ATOMIC_SEQ_CST);
    thr_yield_point();
    return value;
}

static void put(int *at, int value)
{
    __atomic_store_n(at, value, __ATOMIC_SEQ_CST);
    thr_yield_point();
}

static bool swap(int *at, int expected, int value)
{
    bool swapped = __atomic_compare_exchange_n(at, &expected, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    thr_yield_point();
    return swapped;
}

static void take(int item)
{
    if (__atomic_add_fetch(&taken[item], 1, __ATOMIC_RELAXED) != 1)
        thr_lab_fail("item %d was taken twice", item);
}

/* The owner, at the bottom. */
static bool pop(void)
{
    int b = bottom - 1;
    put(&bottom, b);
    int t = get(&top);
    if (t > b) { /* empty */
        put(&bottom, b + 1);
        return false;
    }
    if (t == b) {
        bool won = swap(&top, t, t + 1);
        put(&bottom, b + 1);
        if (!won)
            return false;
    }
    take(b);
    return true;
}

/* A thief, at the top. */
static void *thief(void *arg)
{
    (void)arg;
    int t = get(&top);
    int b = get(&bottom);
    if (t < b && swap(&top, t, t + 1))
        take(t);
    return NULL;
}

int main(void)
{
    bottom = ITEMS;
    thr_thread *t = START(thief, NULL);

    while (pop())
        continue;
    finish(t);
    return 0;
}
