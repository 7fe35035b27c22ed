/* latch.c - who waits goes when the count is 0, and sees what was done before each count_down. */

#include "threading/latch.h"

#include "model/scenario.h"

struct shared {
    thr_latch latch;
    uint32_t data[THREADS]; /* plain: written before each count_down */
};

static const struct named_field fields[] = {FIELD(struct shared, latch), FIELD(struct shared, data), {0}};

struct ghost {
    uint32_t down;
    bool counted[THREADS];
};

static struct shared *shared(void)
{
    return (struct shared *)world.shared;
}

static struct ghost *ghost(void)
{
    return (struct ghost *)world.ghost;
}

static void count_down(int thread, uint32_t n)
{
    shared()->data[thread] = n;
    thr_result result = thr_latch_count_down(&shared()->latch, n);
    check(result == THR_OK || result == THR_TOO_MANY, "a count_down failed");
    if (result == THR_OK)
        ghost()->down += n;
}

static void count_one(int thread)
{
    count_down(thread, 1);
}

static void count_two(int thread)
{
    count_down(thread, 2);
}

/* With two counts of one, or one of two, all who counted are known to who passes. */
static void passed(void)
{
    uint32_t sum = 0;
    if (2 * scenario_runs(count_two) + scenario_runs(count_one) != 2)
        return;
    for (int i = 0; i < THREADS; i++)
        sum += shared()->data[i];
    check(sum == 2, "what was done before a count_down is not seen");
}

static void wait_latch(int thread)
{
    (void)thread;
    check(thr_latch_wait(&shared()->latch) == THR_OK, "a wait without a deadline did not end well");
    passed();
}

static void wait_until(int thread)
{
    (void)thread;
    if (thr_latch_wait_until(&shared()->latch, AFTER_TICKS(1)) == THR_OK)
        passed();
}

static void finish(void)
{
    check(ghost()->down + thr_latch_count(&shared()->latch) == 2, "the count went astray");
}

static bool may_rest(void)
{
    finish();
    return ghost()->down < 2;
}

static void prepare(void)
{
    shared()->latch = (thr_latch)THR_LATCH_INIT(2);
}

static const struct model_operation operations[] = {
    {"count_down(1)", count_one}, {"count_down(2)", count_two}, {"wait", wait_latch}, {"wait_until", wait_until}};

const struct object model_latch = {
    .name = "latch",
    .operations = operations,
    .count = sizeof operations / sizeof *operations,
    .fields = fields,
    .prepare = prepare,
    .may_rest = may_rest,
    .finish = finish,
};

/* -- Its end: who waited frees it --------------------------------------------------------------------------------- */

static void wait_and_free(int thread)
{
    (void)thread;
    (void)thr_latch_wait(&shared()->latch);
    passed();
    scenario_free(&shared()->latch, sizeof shared()->latch);
}

static bool ends(void)
{
    return scenario_runs(wait_and_free) == 1 && 2 * scenario_runs(count_two) + scenario_runs(count_one) == 2;
}

static const struct model_operation end_operations[] = {
    {"count_down(1)", count_one}, {"count_down(2)", count_two}, {"wait, free", wait_and_free}};

const struct object model_latch_end = {
    .name = "latch_end",
    .operations = end_operations,
    .count = sizeof end_operations / sizeof *end_operations,
    .fields = fields,
    .prepare = prepare,
    .makes_sense = ends,
};
