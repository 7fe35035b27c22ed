/* barrier.c - two parties, of which three threads may come: each round lets two go, or breaks for all who wait in it. */

#include "threading/barrier.h"

#include "model/scenario.h"

struct shared {
    thr_barrier barrier;
    uint32_t data[THREADS]; /* plain: written before the wait */
    uint32_t action;        /* plain: written by the action */
};

static const struct named_field fields[] = {FIELD(struct shared, barrier.word_),
                                            FIELD(struct shared, barrier.parties_),
                                            FIELD(struct shared, barrier.state_),
                                            FIELD(struct shared, barrier.waiters_),
                                            FIELD(struct shared, data),
                                            FIELD(struct shared, action),
                                            {0}};

struct ghost {
    uint8_t good;     /* waits that ended with THR_OK */
    uint8_t index[2]; /* how many of them had each index */
    uint8_t actions;  /* rounds whose action has begun */
    bool broken;      /* somebody broke or reset it, or gave up */
    thr_result result[THREADS];
};

static struct shared *shared(void)
{
    return (struct shared *)world.shared;
}

static struct ghost *ghost(void)
{
    return (struct ghost *)world.ghost;
}

static void wait_until(int thread);
static void wait_barrier(int thread);

static int waiters(void)
{
    return scenario_runs(wait_barrier) + scenario_runs(wait_until);
}

static void came_back(thr_result result, uint32_t index)
{
    if (result != THR_OK)
        return;
    check(index < 2, "an index of no party");
    ghost()->good++;
    ghost()->index[index]++;
    if (waiters() == 2) {
        uint32_t sum = 0;
        for (int i = 0; i < THREADS; i++)
            sum += shared()->data[i];
        check(sum == 2, "what was done before the other's wait is not seen");
    }
    if (shared()->barrier.action_)
        check(shared()->action > 0, "the action has not run, or is not seen");
}

static void wait_barrier(int thread)
{
    uint32_t index = 7;
    shared()->data[thread] = 1;
    thr_result result = thr_barrier_wait(&shared()->barrier, &index);
    check(result == THR_OK || (result == THR_BROKEN && ghost()->broken), "a wait ended for no reason");
    came_back(result, index);
}

static void wait_until(int thread)
{
    uint32_t index = 7;
    shared()->data[thread] = 1;
    ghost()->broken = true; /* if it gives up */
    thr_result result = thr_barrier_wait_until(&shared()->barrier, AFTER_TICKS(1), &index);
    came_back(result, index);
}

static void abort_barrier(int thread)
{
    (void)thread;
    ghost()->broken = true;
    thr_barrier_abort(&shared()->barrier);
}

static void reset(int thread)
{
    (void)thread;
    ghost()->broken = true;
    thr_barrier_reset(&shared()->barrier);
}

static void finish(void)
{
    check(ghost()->good % 2 == 0 || shared()->barrier.action_, "a round ended well for one party alone");
    check(ghost()->index[0] == ghost()->index[1] || shared()->barrier.action_, "two parties had the same index");
    check(!shared()->barrier.waiters_, "somebody is left in the barrier");
}

static bool may_rest(void)
{
    int asleep = 0;
    for (int i = 0; i < THREADS; i++)
        asleep += scenario_asleep(i);
    check(ghost()->good % 2 == 0 || shared()->barrier.action_, "a round ended well for one party alone");
    return asleep == 1 && !thr_barrier_broken(&shared()->barrier);
}

static void prepare(void)
{
    shared()->barrier = (thr_barrier)THR_BARRIER_INIT(2, NULL, NULL);
}

static const struct model_operation operations[] = {
    {"wait", wait_barrier}, {"wait_until", wait_until}, {"abort", abort_barrier}, {"reset", reset}};

const struct object model_barrier = {
    .name = "barrier",
    .operations = operations,
    .count = sizeof operations / sizeof *operations,
    .fields = fields,
    .prepare = prepare,
    .may_rest = may_rest,
    .finish = finish,
};

/* -- With an action ----------------------------------------------------------------------------------------------- */

static void action(void *arg)
{
    (void)arg;
    ghost()->actions++;
    shared()->action++;
    scenario_point();
}

static void action_prepare(void)
{
    shared()->barrier = (thr_barrier)THR_BARRIER_INIT(2, action, NULL);
}

const struct object model_barrier_action = {
    .name = "barrier_action",
    .operations = operations,
    .count = sizeof operations / sizeof *operations,
    .fields = fields,
    .prepare = action_prepare,
    .may_rest = may_rest,
    .finish = finish,
};

/* -- Its end: who comes back last frees it ------------------------------------------------------------------------ */

static void wait_and_free(int thread)
{
    (void)thread;
    uint32_t index;
    check(thr_barrier_wait(&shared()->barrier, &index) == THR_OK, "a wait ended for no reason");
    if (__atomic_fetch_add(&shared()->data[0], 1, __ATOMIC_ACQ_REL) == 1)
        scenario_free(&shared()->barrier, sizeof shared()->barrier);
}

static const struct model_operation end_operations[] = {{"wait, free", wait_and_free}};

static bool two(void)
{
    return scenario_runs(wait_and_free) == 2;
}

const struct object model_barrier_end = {
    .name = "barrier_end",
    .operations = end_operations,
    .count = sizeof end_operations / sizeof *end_operations,
    .fields = fields,
    .prepare = prepare,
    .makes_sense = two,
};
