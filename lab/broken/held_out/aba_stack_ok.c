/* aba_stack_ok.c - the correct twin of aba_stack.c: a number that
 * changes with each swap is compared along with the top. */

#include "../broken.h"

enum { NODES = 3, NONE = 0xff };

static int next[NODES] = {1, 2, NONE};
static unsigned head; /* node, and above it the number of the swap */
static int owned[NODES];

static bool swap(unsigned *seen, int node)
{
    unsigned value = (*seen & ~0xffu) + 0x100 + (unsigned)node;
    bool swapped = __atomic_compare_exchange_n(&head, seen, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    thr_yield_point();
    return swapped;
}

static int pop(void)
{
    unsigned seen = __atomic_load_n(&head, __ATOMIC_SEQ_CST);
    for (;;) {
        int node = (int)(seen & 0xff);
        if (node == NONE)
            return NONE;
        int after = __atomic_load_n(&next[node], __ATOMIC_RELAXED);
        thr_yield_point();
        if (!swap(&seen, after))
            continue;
        if (__atomic_add_fetch(&owned[node], 1, __ATOMIC_RELAXED) != 1)
            thr_lab_fail("node %d was popped twice", node);
        return node;
    }
}

static void push(int node)
{
    unsigned seen = __atomic_load_n(&head, __ATOMIC_SEQ_CST);
    __atomic_store_n(&owned[node], 0, __ATOMIC_RELAXED);
    do {
        __atomic_store_n(&next[node], (int)(seen & 0xff), __ATOMIC_RELAXED);
    } while (!swap(&seen, node));
}

static void *popper(void *arg)
{
    (void)arg;
    (void)pop();
    return NULL;
}

int main(void)
{
    thr_thread *t = START(popper, NULL);

    int first = pop();
    (void)pop();
    if (first != NONE)
        push(first);
    (void)pop();
    (void)pop();
    finish(t);
    return 0;
}
