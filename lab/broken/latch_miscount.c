/* latch_miscount.c - a latch counts workers, but a worker that finds no task does not count down.
 *
 * worker 1            worker 2            main
 * takes task 1
 * takes task 2
 * counts down
 *                     finds no task: ends
 *                                         waits for ever */

#include "broken.h"

enum { WORKERS = 2, TASKS = 2 };

static thr_latch done = THR_LATCH_INIT(WORKERS);
static thr_lock lock = THR_LOCK_INIT;
static int left = TASKS;

static bool take_task(void)
{
    THR_HOLD(&lock);
    return left > 0 && left-- > 0;
}

static void *worker(void *arg)
{
    (void)arg;
    bool any = false;

    while (take_task()) {
        compute(30);
        any = true;
    }
    if (any)
        (void)thr_latch_count_down(&done, 1);
    return NULL;
}

int main(void)
{
    thr_thread *one = START(worker, NULL);
    thr_thread *two = START(worker, NULL);

    thr_latch_wait(&done);
    finish(one);
    finish(two);
    return 0;
}
