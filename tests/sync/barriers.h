/* barriers.h - what the tests of barriers share: parties that say what came of their wait. */

#ifndef SYNC_BARRIERS_H
#define SYNC_BARRIERS_H

#include "support/support.h"

#include <stdio.h>
#include <string.h>

#include "wait/atomic.h"
#include "wait/wait.h"

enum { N = 5 };

/* One party. */
struct party {
    thr_barrier *barrier;
    thr_time deadline;
    thr_result result;
    uint32_t index;
    struct support_thread *thread;
    struct support_count go; /* it waits for this first */
    struct support_count done;
};

enum { UNTOUCHED = 12345 };

static inline void party_run(void *arg)
{
    struct party *party = arg;
    party->index = UNTOUCHED;
    support_count_wait(&party->go, 1);
    support_errno_set();
    party->result = thr_barrier_wait_until(party->barrier, party->deadline, &party->index);
    CHECK_ERRNO();
    if (party->result != THR_OK)
        CHECK_EQUAL(party->index, UNTOUCHED); /* a failed call changes nothing */
    support_count_add(&party->done);
}

static inline void start(struct party *party, thr_barrier *barrier, thr_time deadline)
{
    *party = (struct party){.barrier = barrier, .deadline = deadline, .go = {1}};
    party->thread = support_thread_start(party_run, party);
}

/* Starts parties that wait for ever, each when those before are blocked. */
static inline void start_some(struct party *parties, unsigned n, thr_barrier *barrier)
{
    for (unsigned i = 0; i < n; i++) {
        start(&parties[i], barrier, THR_FOREVER);
        support_wait_thread_blocked(parties[i].thread, barrier);
    }
}

static inline void finish(struct party *parties, unsigned n, thr_result expected)
{
    for (unsigned i = 0; i < n; i++) {
        support_thread_join(parties[i].thread);
        CHECK_RESULT(parties[i].result, expected);
    }
}

static inline void check_none_done(struct party *parties, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        CHECK_EQUAL(support_count_get(&parties[i].done), 0);
}

/* A whole round works: the barrier is good. */
static inline void check_round(thr_barrier *barrier)
{
    struct party parties[N];
    uint32_t n = thr_barrier_parties(barrier);
    uint32_t index = UNTOUCHED;
    CHECK(!thr_barrier_broken(barrier));
    CHECK_EQUAL(thr_barrier_n_waiting(barrier), 0);
    start_some(parties, n - 1, barrier);
    CHECK_EQUAL(thr_barrier_n_waiting(barrier), n - 1);
    CHECK_OK(thr_barrier_wait(barrier, &index));
    CHECK_EQUAL(index, n - 1);
    finish(parties, n - 1, THR_OK);
    for (uint32_t i = 0; i < n - 1; i++)
        CHECK_EQUAL(parties[i].index, i);
    CHECK_EQUAL(thr_barrier_n_waiting(barrier), 0);
    CHECK(!thr_barrier_broken(barrier));
}

#endif
