/* bluetooth_ok.c - the correct twin of bluetooth.c: the request is
 * counted first, and uncounted if the driver is stopping. */

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
    (void)__atomic_add_fetch(&pending, 1, __ATOMIC_SEQ_CST);
    thr_yield_point();
    if (!__atomic_load_n(&stopping, __ATOMIC_SEQ_CST))
        return true;
    leave();
    return false;
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
