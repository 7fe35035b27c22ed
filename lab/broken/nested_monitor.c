/* nested_monitor.c - a wait gives up the lock that it names, and keeps the one around it, which the notifier needs.
 *
 * getter                         main
 * takes table, takes queue
 * nothing there: waits, gives up queue
 *                                waits for table, for ever */

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
    THR_HOLD(&table);
    look_up();
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
