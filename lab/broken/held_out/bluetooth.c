/* bluetooth.c - a driver that is stopped while a request is on its way in: the stop flag is looked at before the request
 * is counted.
 *
 * request                        main
 * the driver is not stopping
 *                                stopping = true; no request is counted: stopped = true
 * is counted, and uses a stopped driver */

#include "../broken.h"

static thr_event idle = THR_EVENT_INIT;
static int pending = 1; /* the driver itself */
static bool stopping, stopped;

static void leave(void)
{
    if (__atomic_sub_fetch(&pending, 1, __ATOMIC_SEQ_CST) == 0)
        thr_event_set(&idle);
}

static bool enter(void)
{
    if (__atomic_load_n(&stopping, __ATOMIC_SEQ_CST))
        return false;
    thr_yield_point();
    (void)__atomic_add_fetch(&pending, 1, __ATOMIC_SEQ_CST);
    return true;
}

static void *request(void *arg)
{
    (void)arg;
    if (!enter())
        return NULL;
    if (__atomic_load_n(&stopped, __ATOMIC_SEQ_CST))
        thr_lab_fail("the driver is used, and has been stopped");
    leave();
    return NULL;
}

int main(void)
{
    thr_thread *t = START(request, NULL);

    __atomic_store_n(&stopping, true, __ATOMIC_SEQ_CST);
    leave();
    thr_event_wait(&idle);
    __atomic_store_n(&stopped, true, __ATOMIC_SEQ_CST);
    finish(t);
    return 0;
}
