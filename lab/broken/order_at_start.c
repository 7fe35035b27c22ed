/* order_at_start.c - a thread uses what its starter writes only after the start: an order violation.
 *
 * main                           worker
 * starts it
 *                                reads the name: NULL, a crash
 * counts it
 * stores the name */

#include "broken.h"

static thr_lock lock = THR_LOCK_INIT;
static int started;
static const char *volatile name;
static volatile char initial;

static void *worker(void *arg)
{
    (void)arg;
    initial = name[0];
    return NULL;
}

int main(void)
{
    thr_thread *t = START(worker, NULL);

    {
        THR_HOLD(&lock);
        started++;
    }
    name = "worker";
    finish(t);
    return initial == 'w' ? 0 : 1;
}
