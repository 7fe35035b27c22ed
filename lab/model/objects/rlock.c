/* rlock.c - the lock that its owner may take again. */

#include "threading/rlock.h"

#include "model/scenario.h"

struct shared {
    thr_rlock lock;
    uint32_t data;
};

static const struct named_field fields[] = {
    {"word_", 0, 4}, {"depth_", 4, 4}, {"owner_", 8, 8}, FIELD(struct shared, data), {0}};

struct ghost {
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

static void inside(void)
{
    check(shared()->data == ghost()->entered, "what was done under the lock is not seen");
    ghost()->entered++;
    shared()->data++;
}

static void leave(void)
{
    check(thr_rlock_release(&shared()->lock) == THR_OK, "the lock is not held by who holds it");
}

static void acquire(int thread)
{
    (void)thread;
    check(thr_rlock_acquire(&shared()->lock) == THR_OK, "an acquire without a deadline did not end well");
    inside();
    leave();
}

static void acquire_twice(int thread)
{
    (void)thread;
    (void)thr_rlock_acquire(&shared()->lock);
    check(thr_rlock_try_acquire(&shared()->lock), "the owner may not take the lock again");
    check(thr_rlock_depth(&shared()->lock) == 2, "the depth is wrong");
    leave();
    inside();
    leave();
}

static void acquire_until(int thread)
{
    (void)thread;
    if (thr_rlock_acquire_until(&shared()->lock, AFTER_TICKS(1)) != THR_OK)
        return;
    inside();
    leave();
}

static void try_acquire(int thread)
{
    (void)thread;
    if (!thr_rlock_try_acquire(&shared()->lock))
        return;
    inside();
    leave();
}

static void release_only(int thread)
{
    (void)thread;
    check(!thr_rlock_is_owned(&shared()->lock), "owned by who does not own it");
    thr_result result = thr_rlock_release(&shared()->lock);
    check(result == THR_NOT_OWNER || result == THR_NOT_LOCKED, "released by who does not own it");
}

static void finish(void)
{
    check(!thr_rlock_locked(&shared()->lock), "the lock is still held");
    check(shared()->data == ghost()->entered, "something done under the lock is lost");
}

static void prepare(void)
{
}

static const struct model_operation operations[] = {{"acquire", acquire},
                                                    {"acquire twice", acquire_twice},
                                                    {"acquire_until", acquire_until},
                                                    {"try_acquire", try_acquire},
                                                    {"release", release_only}};

const struct object model_rlock = {
    .name = "rlock",
    .operations = operations,
    .count = sizeof operations / sizeof *operations,
    .fields = fields,
    .prepare = prepare,
    .finish = finish,
};
