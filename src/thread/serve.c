/* serve.c - a thread of the timer service: runs one callback after the other.
 *
 * It is no thread that anybody counts: it has a hidden place in the registry (registry.c), and is there only for its own
 * callbacks to ask for. What they start is a daemon or not as their timer is. */

#include "os/os.h"
#include "thread/crew.h"
#include "thread/exit.h"
#include "thread/thread.h"

/* How many forks this process is away from the first. */
static uint32_t forks;

static __thread thr_timer *current;

thr_timer *serve_current(void)
{
    return current;
}

void serve_forked(void)
{
    forks++;
    current = NULL;
    exit_mine = 0;
}

struct shift {
    struct seat *seat;
    uint32_t forks;
};

static void introduce(void)
{
    static const char name[] = "timer";
    os_thread_set_name(os_thread_number(), name);
    struct wait_record *record = wait_stranger();
    if (!record || thr__self)
        return;
    thr__self = (thr_thread *)record;
    (void)name_set(thr__self, name); /* short: needs no memory */
}

/* The callback ended by thr_fail or pthread_exit: the timer has run, this thread ends, and another takes over. */
static void died(void *arg)
{
    struct shift *shift = arg;
    current = NULL;
    if (shift->forks != forks)
        return;
    service_lock();
    crew_finish(shift->seat);
    crew_leave(shift->seat, true);
    service_unlock();
}

static void run(struct shift *shift)
{
    thr_timer *timer = shift->seat->timer;
    current = timer;
    if (thr__self)
        store_relaxed(&thr__self->daemon, timer->daemon);
    tsan_acquire(timer); /* pairs with start and reset */
    os_unwind_begin(died, shift);
    timer->function(timer->arg);
    os_unwind_end(false);
    current = NULL;
}

void *serve(void *seat)
{
    struct shift shift = {seat, forks};
    introduce();
    service_lock();
    while (crew_next(seat)) {
        service_unlock();
        run(&shift);
        if (shift.forks != forks)
            return NULL; /* the child of a fork that the callback made: another process, another service */
        service_lock();
        crew_finish(seat);
    }
    crew_leave(seat, false);
    service_unlock();
    return NULL;
}
