/* log_gap_ok.c - the correct twin of log_gap.c: one step. */

#include "../broken.h"

static thr_lock lock = THR_LOCK_INIT;
static bool is_open = true;
static int committed, logged;

static void commit(void)
{
    THR_HOLD(&lock);
    committed++;
    if (is_open)
        logged++;
}

static void *rotate(void *arg)
{
    (void)arg;
    THR_HOLD(&lock);
    is_open = false;
    is_open = true;
    return NULL;
}

int main(void)
{
    thr_thread *t = START(rotate, NULL);

    for (int i = 0; i < 2; i++)
        commit();
    finish(t);
    if (logged != committed)
        thr_lab_fail("%d committed, %d logged", committed, logged);
    return 0;
}
