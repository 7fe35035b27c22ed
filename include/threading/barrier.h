/* barrier.h - a place where a number of threads wait for each other. Python: threading.Barrier.
 *
 *     static void start(void *arg) { puts("--- RACE STARTED ---"); }
 *     static thr_barrier gate = THR_BARRIER_INIT(3, start, NULL);
 *
 *     if (thr_barrier_wait(&gate, NULL) == THR_OK)     // in each of three threads
 *         run();
 *
 * The last of the parties to arrive runs the action; then all are let go and the barrier is ready for the next round.
 * A timeout of one, or an abort, breaks the barrier for all, until a reset.
 *
 * Order: everything before a party's wait happens-before the action, and the action before the return of every wait of
 * that round. */

#ifndef THREADING_BARRIER_H
#define THREADING_BARRIER_H

#include "base.h"

THR__BEGIN

/** Runs once a round, on the thread of the last party. If it ends by thr_fail(), that thread fails and the barrier is
 * broken. */
typedef void thr_barrier_action(void *arg);

typedef struct thr_barrier {
    uint64_t word_; /* rounds ended << 2 | the bits that guard the rest */
    uint32_t parties_;
    uint32_t state_; /* waiting << 4, and four bits; see barrier.c */
    void *waiters_;
    thr_barrier_action *action_;
    void *arg_;
} thr_barrier;

/** `action` may be NULL. A barrier of 0 parties, which the calls refuse, is THR_INVALID at thr_barrier_wait. */
#define THR_BARRIER_INIT(parties, action, arg) {0, (parties), 0, THR__NULL, (action), (arg)}

/** Makes a barrier where the initialiser cannot. THR_INVALID for 0 parties; the barrier is untouched then. */
THR_NODISCARD THR_API thr_result thr_barrier_init(thr_barrier *barrier, uint32_t parties, thr_barrier_action *action,
                                                  void *arg);

/** Blocks until all parties have come. *index (may be NULL) is then the order of arrival: each of 0 .. parties - 1
 * once, and parties - 1 for the one that ran the action. THR_BROKEN if the barrier is broken, or is broken or reset
 * meanwhile; THR_INVALID for 0 parties. Python: barrier.wait(). */
THR_NODISCARD THR_API thr_result thr_barrier_wait(thr_barrier *barrier, uint32_t *index);

/** The same with a deadline. When it passes first, the barrier breaks: THR_TIMEOUT here, THR_BROKEN for the others.
 * Python: barrier.wait(timeout), which raises BrokenBarrierError. */
THR_NODISCARD THR_API thr_result thr_barrier_wait_until(thr_barrier *barrier, thr_time deadline, uint32_t *index);

/** Makes the barrier as new: those who wait get THR_BROKEN, and it can be used at once. Never blocks.
 * Python: barrier.reset(). */
THR_API void thr_barrier_reset(thr_barrier *barrier);

/** Breaks the barrier: those who wait, and those who come, get THR_BROKEN. Never blocks. Python: barrier.abort(). */
THR_API void thr_barrier_abort(thr_barrier *barrier);

/** How many it takes. Python: barrier.parties. */
THR_API uint32_t thr_barrier_parties(const thr_barrier *barrier);

/** How many wait now: true a moment ago. Python: barrier.n_waiting. */
THR_API uint32_t thr_barrier_n_waiting(const thr_barrier *barrier);

/** Whether it is broken: true or false a moment ago. Python: barrier.broken. */
THR_API bool thr_barrier_broken(const thr_barrier *barrier);

THR__END

#endif
