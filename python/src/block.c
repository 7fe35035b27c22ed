/* block.c - waiting without the GIL, signals in the middle of it, and handing the GIL over.
 *
 * Signals. The wait layer calls `on_signal` on the waiting thread after a signal handler of C ran, while it keeps its place
 * in the object's queue (wait/wait.h). In the main thread that takes the GIL and lets Python run its handlers; if one
 * raises, the wait ends. Other threads never run handlers, so they do not look: a daemon thread that reached for the GIL
 * while the interpreter ends would be ended by that in the middle of its wait, and leave its place in the queue behind.
 *
 * Handing over. CPython gives the GIL to a thread that asks for it only after the switch interval, 5 ms. So a thread that
 * sets an event and goes on computing keeps the one that it woke waiting for that long. Here it gives the GIL up right
 * after the wake, and comes back for it when the other one has it:
 *
 *     the waker                               the woken thread
 *     wakes; before = turns
 *     gives the GIL up
 *     sleeps while turns == before            takes the GIL; turns++, wakes the waker
 *     takes the GIL, when it is next free     goes on
 *
 * A hand-over costs two switches of threads, and most are not needed: who puts item after item into a queue, or waits for
 * an answer at once, is faster without. So after one that was given, the next is given only when HOLD has passed: at most
 * a small part of the time is spent on them, and a woken thread still waits HOLD at most, not 5 ms.
 *
 * H1  The waker never waits longer than PATIENCE: the woken thread may have gone to sleep elsewhere.
 * H2  `handing` and `turns` are hints for any thread of any interpreter: a turn that was somebody else's ends the sleep
 *     early, and that is all.
 *
 * Order: all of it is under the GIL but the waker's sleep. The add to `handing` before the GIL is given up happens before
 * the load of it by the thread that takes the GIL next. */

#include "core.h"

#include "os/os.h"
#include "wait/wait.h"

enum {
    HOLD = 250000,      /* nanoseconds between two hand-overs */
    PATIENCE = 1000000, /* nanoseconds for the woken thread to come */
    SPINS = 200
};

/* -- Waiting ------------------------------------------------------------------------------------------------------ */

static bool on_signal(void *arg)
{
    struct blocking *blocking = arg;
    if (os_thread_number() != os_main_number())
        return false;
    if (!blocking->failed) {
        PyEval_RestoreThread(blocking->thread);
        blocking->failed = Py_MakePendingCalls() < 0;
        blocking->thread = PyEval_SaveThread();
    }
    return blocking->failed;
}

void block_begin(struct blocking *blocking)
{
    blocking->failed = false;
    blocking->record = wait_self ? wait_self : wait_stranger();
    if (blocking->record) {
        blocking->outer = blocking->record->interrupt;
        blocking->outer_arg = blocking->record->interrupt_arg;
        blocking->record->interrupt = on_signal;
        blocking->record->interrupt_arg = blocking;
    }
    blocking->thread = PyEval_SaveThread();
}

static void turn_taken(void);

bool block_end(struct blocking *blocking)
{
    PyEval_RestoreThread(blocking->thread);
    turn_taken();
    if (blocking->record) {
        blocking->record->interrupt = blocking->outer;
        blocking->record->interrupt_arg = blocking->outer_arg;
    }
    return !blocking->failed;
}

/* -- Handing over ------------------------------------------------------------------------------------------------- */

static uint32_t turns;
static uint32_t handing; /* threads that wait for a turn to be taken */
static thr_time handed;  /* when that was last done */

static void turn_taken(void)
{
    if (load_relaxed(&handing) == 0)
        return;
    (void)add_release(&turns, 1);
    wait_wake(&turns, UINT32_MAX, OS_ANY);
}

/* Sleeps until somebody has taken the GIL. */
static void await_turn(uint32_t before, thr_time deadline)
{
    for (int spins = 0; spins < SPINS && load_acquire(&turns) == before; spins++)
        os_pause();
    while (load_acquire(&turns) == before) {
        if (wait_system->wait(&turns, before, OS_ANY, deadline) == OS_TIMEOUT)
            return;
    }
}

void block_hand_over(void)
{
    thr_time now = thr_now();
    if (now - load_relaxed(&handed) < HOLD)
        return;
    (void)add_relaxed(&handing, 1);
    uint32_t before = load_relaxed(&turns);
    PyThreadState *thread = PyEval_SaveThread();
    await_turn(before, now + PATIENCE);
    PyEval_RestoreThread(thread);
    (void)sub_relaxed(&handing, 1);
    store_relaxed(&handed, thr_now());
}
