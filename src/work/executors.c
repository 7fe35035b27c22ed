/* executors.c - all executors of the process: its end, and forks.
 *
 * The end of the process (thread/exit.c) waits for workers as for all threads. So that they end, idle workers leave while
 * somebody waits for that, as they do after a shutdown; a later submit hires anew.
 *
 * A fork takes the lock of the list, then of each executor, before those of the floors below. In the child an executor has
 * no workers and nothing to do, and what of futures was not done counts as cancelled (F5 in future.h).
 *
 * Order of locks: opening (crew.c), this list's, an executor's, a deque's. */

#include "os/os.h"
#include "thread/exit.h"
#include "thread/thread.h"
#include "wait/bitlock.h"
#include "work/executor.h"
#include "work/future.h"
#include "work/help.h"

static thr_lock lock = THR_LOCK_INIT;
static bool prepared;
static thr_executor *all;
static uint32_t ending;

bool executors_ending(void)
{
    return load_relaxed(&ending) != 0;
}

uint32_t executors_forks(void)
{
    return future_fresh / FUTURE_FORK; /* each future has to know: so that is where they are counted */
}

void executors_add(thr_executor *executor)
{
    (void)thr_lock_acquire(&lock);
    executor->later = all;
    if (all)
        all->earlier = executor;
    all = executor;
    (void)thr_lock_release(&lock);
}

void executors_remove(thr_executor *executor)
{
    (void)thr_lock_acquire(&lock);
    if (executor->later)
        executor->later->earlier = executor->earlier;
    if (executor->earlier)
        executor->earlier->later = executor->later;
    else
        all = executor->later;
    (void)thr_lock_release(&lock);
}

void executors_pass(void)
{
    (void)thr_lock_acquire(&lock);
    for (thr_executor *executor = all; executor; executor = executor->later) {
        for (struct worker *w = load_acquire(&executor->workers); w; w = load_acquire(&w->next)) {
            (void)bitlock_acquire(&w->deque.lock);
            bitlock_release(&w->deque.lock, 0);
        }
    }
    (void)thr_lock_release(&lock);
}

/* -- The end of the process --------------------------------------------------------------------------------------- */

static void notice_end(bool begins)
{
    (void)thr_lock_acquire(&lock);
    (void)add_relaxed(&ending, begins ? 1 : (uint32_t)-1); /* ordered by the executors' locks */
    for (thr_executor *executor = all; executor && begins; executor = executor->later) {
        executor_lock(executor);
        crew_dismiss(executor);
        executor_unlock(executor);
    }
    (void)thr_lock_release(&lock);
}

/* -- Forks -------------------------------------------------------------------------------------------------------- */

static void before_fork(void)
{
    (void)thr_lock_acquire(&lock);
    for (thr_executor *executor = all; executor; executor = executor->later)
        executor_lock(executor);
}

static void in_parent(void)
{
    for (thr_executor *executor = all; executor; executor = executor->later)
        executor_unlock(executor);
    (void)thr_lock_release(&lock);
}

static void in_child(void)
{
    lock = (thr_lock)THR_LOCK_INIT; /* its sleepers are gone */
    store_relaxed(&ending, 0);
    future_fresh += FUTURE_FORK;
    for (thr_executor *executor = all; executor; executor = executor->later)
        executor_forked(executor);
    frame_forked();
    thr__here.deque = NULL;
    thr__here.worker = NULL;
}

thr_result executors_prepare(void)
{
    thr_result result = THR_OK;
    (void)thr_lock_acquire(&lock);
    if (!prepared) {
        registry_prepare(); /* its handlers first: those for the time before a fork are called in the opposite order */
        result = os_at_fork(before_fork, in_parent, in_child);
        if (result == THR_OK) {
            os_barrier_prepare();
            frame_prepare();
            exit_notice(notice_end, worker_quit, help_holds_others);
            prepared = true;
        }
    }
    (void)thr_lock_release(&lock);
    return result;
}
