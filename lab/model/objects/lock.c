/* lock.c - the lock: whoever holds it is alone, and sees what was done under it before. */

#include "threading/lock.h"

#include "model/scenario.h"

struct shared {
    thr_lock lock;
    uint32_t data; /* plain: a race if two are in */
};

static const struct named_field fields[] = {FIELD(struct shared, lock), FIELD(struct shared, data), {0}};

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
    check(thr_lock_release(&shared()->lock) == THR_OK, "the lock is not held by who holds it");
}

static void acquire(int thread)
{
    (void)thread;
    (void)thr_lock_acquire(&shared()->lock);
    inside();
    leave();
}

static void acquire_until(int thread)
{
    (void)thread;
    if (thr_lock_acquire_until(&shared()->lock, AFTER_TICKS(1)) != THR_OK)
        return;
    inside();
    leave();
}

static void try_acquire(int thread)
{
    (void)thread;
    if (!thr_lock_try_acquire(&shared()->lock))
        return;
    inside();
    leave();
}

static void finish(void)
{
    check(!thr_lock_locked(&shared()->lock), "the lock is still held");
    check(shared()->data == ghost()->entered, "something done under the lock is lost");
}

static void prepare(void)
{
}

static const struct model_operation operations[] = {
    {"acquire", acquire}, {"acquire_until", acquire_until}, {"try_acquire", try_acquire}};

const struct object model_lock = {
    .name = "lock",
    .operations = operations,
    .count = sizeof operations / sizeof *operations,
    .fields = fields,
    .prepare = prepare,
    .finish = finish,
};
