/* block.c - waiting without the GIL, signals in the middle of it, and handing the GIL over.
 *
 * Signals. In the main thread the wait layer calls `on_signal` after a signal handler of C ran, while the thread keeps its
 * place in the object's queue, and once after a moment: the signal may have come when it was about to sleep, or waited for
 * the GIL before (wait/wait.h). That takes the GIL and lets Python run its handlers; if one raises, the wait ends. Other
 * threads never run handlers, so they do not look: a daemon thread that reached for the GIL while the interpreter ends
 * would be ended by that in the middle of its wait, and leave its place in the queue behind.
 *
 * Wakes. CPython gives the GIL to a thread that asks for it only after the switch interval, 5 ms. So what a woken thread
 * does depends on what its waker does next, and there are three ways to wake:
 *
 *  keep        the waker goes on with the GIL, and the woken thread waits for it. Right where the waker has more to give:
 *              the other finds it all when it comes.
 *  let go      the waker gives the GIL up just for the wake. Right where it is about to wait for an answer: on one
 *              processor the woken thread runs at once and finds the GIL free, instead of falling asleep on it.
 *  hand over   the waker gives the GIL up and comes back for it when the other one has it. Right where it computes on:
 *
 *     the waker                               the woken thread
 *     wakes; before = turns
 *     gives the GIL up
 *     sleeps while turns == before            takes the GIL; turns++, wakes the waker
 *     takes the GIL, when it is next free     goes on
 *
 * What a thread will do next is guessed from what it did. A thread that after its last wakes waited, each time, before it
 * gave anything else, lets go; one in PROBE of these wakes keeps, to see whether that is still so. Any other keeps. But
 * whoever wakes somebody hands over, when HOLD has passed since that was last done: at most a small part of the time is
 * spent on hand-overs, and who is woken again and again waits for HOLD at most, not for 5 ms.
 *
 * Who has let go or handed over waits for the GIL itself then, and is owed it: whoever gives or frees something HOLD
 * later hands over. So is who was woken, where the waker that let go has the GIL back and nobody took it meanwhile.
 *
 * After a notify it does not do so at once, but when HOLD has passed and the woken thread has not come: at the waker's next
 * release of a lock. Programs count on what stands right after the `with` of a notify: a worker of concurrent.futures says
 * there that it is idle again, and who got its result first would start another.
 *
 * H1  The waker never waits longer than PATIENCE: the woken thread may have gone to sleep elsewhere. If nobody came, it may
 *     also have had no processor yet: it stays owed, for MISSES times, after twice the time each.
 * H2  `handing`, `turns` and the habits are hints for any thread of any interpreter: a turn that was somebody else's ends
 *     the sleep early, and that is all.
 *
 * Order: all of it is under the GIL but the waker's sleep. The add to `handing` before the GIL is given up happens before
 * the load of it by the thread that takes the GIL next. */

#include "core.h"

#include "os/os.h"
#include "thread/thread.h"
#include "wait/wait.h"

enum {
    HOLD = 250000,      /* nanoseconds between two hand-overs */
    PATIENCE = 1000000, /* nanoseconds for the woken thread to come */
    MISSES = 6,
    SPINS = 200,
    TRUST = 3, /* wakes in a row after which the thread waited, until it lets go */
    PROBE = 16
};

/* What the calling thread did after its wakes. */
static __thread struct {
    uint8_t trust;
    uint8_t wakes;
    bool woke; /* and has neither waited nor given since */
} habit __attribute__((tls_model("initial-exec")));

/* -- Waiting ------------------------------------------------------------------------------------------------------ */

static bool on_signal(void *arg)
{
    struct blocking *blocking = arg;
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
    if (habit.woke) {
        habit.woke = false;
        habit.trust = (uint8_t)(habit.trust < TRUST ? habit.trust + 1 : TRUST);
    }
    struct wait_record *record = wait_self ? wait_self : wait_stranger();
    blocking->record = record == &thr_main_thread()->record ? record : NULL;
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

static uint32_t takings; /* of the GIL, by who waited or gave it up here; under it */
static uint32_t turns;
static uint32_t handing; /* threads that wait for a turn to be taken */
static uint32_t missed;  /* how often in a row nobody came */
static thr_time handed;  /* when a hand-over was last done */

thr_time block_owed;

static void turn_taken(void)
{
    store_relaxed(&takings, load_relaxed(&takings) + 1);
    store_relaxed(&block_owed, 0);
    if (load_relaxed(&handing) == 0)
        return;
    (void)add_release(&turns, 1);
    wait_wake(&turns, UINT32_MAX, OS_ANY);
}

/* Sleeps until somebody has taken the GIL. False: nobody came in time. */
static bool await_turn(uint32_t before, thr_time deadline)
{
    for (int spins = 0; spins < SPINS && load_acquire(&turns) == before; spins++)
        os_pause();
    while (load_acquire(&turns) == before) {
        if (wait_system->wait(&turns, before, OS_ANY, deadline) == OS_TIMEOUT)
            return false;
    }
    return true;
}

/* Takes the GIL that was given away: until then we are owed it. */
static void take_back(PyThreadState *thread)
{
    store_relaxed(&block_owed, thr_now());
    PyEval_RestoreThread(thread);
    turn_taken();
}

static void hand_over(void)
{
    (void)add_relaxed(&handing, 1);
    uint32_t before = load_relaxed(&turns);
    PyThreadState *thread = PyEval_SaveThread();
    bool came = await_turn(before, thr_now() + PATIENCE);
    take_back(thread);
    (void)sub_relaxed(&handing, 1);
    thr_time now = thr_now();
    store_relaxed(&handed, now);
    missed = came || missed == MISSES ? 0 : missed + 1;
    if (missed > 0)
        store_relaxed(&block_owed, now + ((thr_time)HOLD << missed) - HOLD);
}

/* Who was woken is still owed the GIL, if nobody took it meanwhile. */
static void let_go_end(const struct waking *waking)
{
    take_back(waking->thread);
    if (load_relaxed(&takings) == waking->takings + 1) /* take_back's own */
        store_relaxed(&block_owed, thr_now());
}

void waking_begin(struct waking *waking, bool somebody, bool later)
{
    waking->thread = NULL;
    thr_time now = somebody ? thr_now() : 0;
    waking->due = somebody && !later && now - load_relaxed(&handed) >= HOLD;
    if (somebody && later && load_relaxed(&block_owed) == 0)
        store_relaxed(&block_owed, now);
    if (habit.woke) {
        habit.woke = false;
        habit.trust = 0;
    }
    if (!somebody || waking->due)
        return;
    if (habit.trust == TRUST && ++habit.wakes % PROBE != 0) {
        waking->takings = load_relaxed(&takings);
        waking->thread = PyEval_SaveThread();
    } else {
        habit.woke = true;
    }
}

void waking_end(struct waking *waking)
{
    if (waking->thread)
        let_go_end(waking);
    else if (waking->due)
        hand_over();
    else if (load_relaxed(&block_owed) != 0)
        block_pay();
}

void block_pay(void)
{
    if (thr_now() - load_relaxed(&block_owed) < HOLD)
        return;
    store_relaxed(&block_owed, 0);
    hand_over();
}

void waking_done(void)
{
    if (thr_now() - load_relaxed(&handed) >= HOLD)
        hand_over();
}
