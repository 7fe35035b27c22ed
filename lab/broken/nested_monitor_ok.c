/* nested_monitor_ok.c - the correct twin of nested_monitor.c: the table is
 * looked into first, and its lock released before the queue's is taken. */

#include "broken.h"

static thr_lock table = THR_LOCK_INIT;
static thr_lock queue = THR_LOCK_INIT;
static thr_condition not_empty = THR_CONDITION_INIT;
static int lookups, items;

static void look_up(void)
{
    lookups++;
}

static void *getter(void *arg)
{
    (void)arg;
    {
        THR_HOLD(&table);
        look_up();
    }
    THR_HOLD(&queue);
    while (items == 0)
        thr_condition_wait(&not_empty, &queue);
    items--;
    return NULL;
}

int main(void)
{
    thr_thread *t = START(getter, NULL);

    {
        THR_HOLD(&table);
        look_up();
        THR_HOLD(&queue);
        items++;
        thr_condition_notify(&not_empty, 1);
    }
    finish(t);
    return 0;
}
