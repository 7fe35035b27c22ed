/* semaphore.c - permits are neither lost nor made, and nobody sleeps beside one. */

#include "threading/semaphore.h"

#include "model/scenario.h"

struct shared {
    thr_bounded_semaphore semaphore;
    uint32_t data; /* plain: written before the only release that there is */
};

static const struct named_field fields[] = {{"word_", 0, 4}, {"waiting_", 4, 4}, FIELD(struct shared, data), {0}};

struct ghost {
    uint32_t taken, given;
    uint32_t entered;
};

static struct shared *shared(void)
{
    return (struct shared *)world.shared;
}

static struct ghost *ghost(void)
{
    return (struct ghost *)world.ghost;
}

static thr_semaphore *semaphore(void)
{
    return &shared()->semaphore.semaphore_;
}

/* -- From nothing: who acquires waits for a release --------------------------------------------------------------- */

static void release_one(int thread);
static void release_two(int thread);
static void release_twice(int thread);

static bool is_one_release(void)
{
    return scenario_runs(release_one) + scenario_runs(release_two) == 1 && scenario_runs(release_twice) == 0;
}

static void taken(int thread)
{
    (void)thread;
    ghost()->taken++;
    if (is_one_release())
        check(shared()->data == 1, "what was done before the release is not seen");
}

static void acquire(int thread)
{
    check(thr_semaphore_acquire(semaphore()) == THR_OK, "an acquire without a deadline did not end well");
    taken(thread);
}

static void acquire_until(int thread)
{
    if (thr_semaphore_acquire_until(semaphore(), AFTER_TICKS(1)) == THR_OK)
        taken(thread);
}

static void try_acquire(int thread)
{
    if (thr_semaphore_try_acquire(semaphore()))
        taken(thread);
}

static void give(uint32_t n)
{
    if (is_one_release())
        shared()->data = 1;
    ghost()->given += n;
    check(thr_semaphore_release(semaphore(), n) == THR_OK, "a release failed");
}

static void release_one(int thread)
{
    (void)thread;
    give(1);
}

static void release_two(int thread)
{
    (void)thread;
    give(2);
}

static void release_twice(int thread)
{
    (void)thread;
    give(1);
    give(1);
}

static void finish(void)
{
    check(thr_semaphore_value(semaphore()) == ghost()->given - ghost()->taken, "permits were lost, or made");
    check(semaphore()->waiting_ == 0, "somebody is counted as waiting who does not wait");
}

static bool may_rest(void)
{
    return thr_semaphore_value(semaphore()) == 0 && ghost()->given == ghost()->taken;
}

static void prepare(void)
{
}

static const struct model_operation operations[] = {{"acquire", acquire},         {"acquire_until", acquire_until},
                                                    {"try_acquire", try_acquire}, {"release(1)", release_one},
                                                    {"release(2)", release_two},  {"release(1) twice", release_twice}};

const struct object model_semaphore = {
    .name = "semaphore",
    .operations = operations,
    .count = sizeof operations / sizeof *operations,
    .fields = fields,
    .prepare = prepare,
    .may_rest = may_rest,
    .finish = finish,
};

/* -- Three sleep; the first permit wakes one of them, and the others nobody ------------------------------------------- */

static void release_thrice(int thread)
{
    release_twice(thread);
    give(1);
}

static bool three_wait(void)
{
    return scenario_runs(acquire) == 3 && scenario_runs(release_thrice) == 1;
}

static const struct model_operation crowd_operations[] = {{"acquire", acquire}, {"release(1) thrice", release_thrice}};

const struct object model_semaphore_crowd = {
    .name = "semaphore_crowd",
    .operations = crowd_operations,
    .count = sizeof crowd_operations / sizeof *crowd_operations,
    .fields = fields,
    .prepare = prepare,
    .may_rest = may_rest,
    .finish = finish,
    .makes_sense = three_wait,
};

/* -- One permit, as a lock ---------------------------------------------------------------------------------------- */

static void use(void)
{
    check(shared()->data == ghost()->entered, "what was done under the permit is not seen");
    ghost()->entered++;
    shared()->data++;
    check(thr_bounded_semaphore_release(&shared()->semaphore, 1) == THR_OK, "the permit could not be given back");
}

static void permit_acquire(int thread)
{
    (void)thread;
    (void)thr_bounded_semaphore_acquire(&shared()->semaphore);
    use();
}

static void permit_until(int thread)
{
    (void)thread;
    if (thr_bounded_semaphore_acquire_until(&shared()->semaphore, AFTER_TICKS(1)) == THR_OK)
        use();
}

static void permit_try(int thread)
{
    (void)thread;
    if (thr_bounded_semaphore_try_acquire(&shared()->semaphore))
        use();
}

static void permit_finish(void)
{
    check(thr_bounded_semaphore_value(&shared()->semaphore) == 1, "the permit is lost, or there are two");
    check(shared()->data == ghost()->entered, "something done under the permit is lost");
}

static void permit_prepare(void)
{
    shared()->semaphore = (thr_bounded_semaphore)THR_BOUNDED_SEMAPHORE_INIT(1);
}

static const struct model_operation permit_operations[] = {
    {"acquire", permit_acquire}, {"acquire_until", permit_until}, {"try_acquire", permit_try}};

const struct object model_permit = {
    .name = "permit",
    .operations = permit_operations,
    .count = sizeof permit_operations / sizeof *permit_operations,
    .fields = fields,
    .prepare = permit_prepare,
    .finish = permit_finish,
};

/* -- Its end: who acquired frees it ------------------------------------------------------------------------------- */

static void release_last(int thread)
{
    (void)thread;
    shared()->data = 1;
    (void)thr_semaphore_release(semaphore(), 1);
}

static void acquire_and_free(int thread)
{
    (void)thread;
    (void)thr_semaphore_acquire(semaphore());
    check(shared()->data == 1, "what was done before the release is not seen");
    scenario_free(&shared()->semaphore, sizeof shared()->semaphore);
}

static bool one_of_each(void)
{
    return scenario_runs(release_last) == 1 && scenario_runs(acquire_and_free) == 1;
}

static const struct model_operation end_operations[] = {{"release", release_last}, {"acquire, free", acquire_and_free}};

const struct object model_semaphore_end = {
    .name = "semaphore_end",
    .operations = end_operations,
    .count = sizeof end_operations / sizeof *end_operations,
    .fields = fields,
    .prepare = prepare,
    .makes_sense = one_of_each,
};
