/* rwlock.c - a writer is alone, readers are not; nobody is forgotten. */

#include "threading/rwlock.h"

#include "model/scenario.h"

struct shared {
    thr_rwlock lock;
    uint32_t data; /* plain: a race unless readers and writers are kept apart */
};

static const struct named_field fields[] = {FIELD(struct shared, lock.word_),
                                            FIELD(struct shared, lock.arriving_),
                                            FIELD(struct shared, lock.queue_),
                                            FIELD(struct shared, lock.readers_),
                                            FIELD(struct shared, lock.owner_),
                                            FIELD(struct shared, data),
                                            {0}};

struct ghost {
    uint32_t written;
};

static struct shared *shared(void)
{
    return (struct shared *)world.shared;
}

static struct ghost *ghost(void)
{
    return (struct ghost *)world.ghost;
}

static void look(void)
{
    check(shared()->data == ghost()->written, "what a writer did is not seen");
    check(thr_rwlock_release_read(&shared()->lock) == THR_OK, "a read lock could not be released");
}

static void change(void)
{
    check(shared()->data == ghost()->written, "what a writer did is not seen");
    ghost()->written++;
    shared()->data++;
    check(thr_rwlock_release_write(&shared()->lock) == THR_OK, "a write lock could not be released");
}

static void read_lock(int thread)
{
    (void)thread;
    check(thr_rwlock_acquire_read(&shared()->lock) == THR_OK, "an acquire without a deadline did not end well");
    look();
}

static void read_until(int thread)
{
    (void)thread;
    if (thr_rwlock_acquire_read_until(&shared()->lock, AFTER_TICKS(1)) == THR_OK)
        look();
}

static void try_read(int thread)
{
    (void)thread;
    if (thr_rwlock_try_acquire_read(&shared()->lock))
        look();
}

static void write_lock(int thread)
{
    (void)thread;
    check(thr_rwlock_acquire_write(&shared()->lock) == THR_OK, "an acquire without a deadline did not end well");
    change();
}

static void write_until(int thread)
{
    (void)thread;
    if (thr_rwlock_acquire_write_until(&shared()->lock, AFTER_TICKS(1)) == THR_OK)
        change();
}

static void try_write(int thread)
{
    (void)thread;
    if (thr_rwlock_try_acquire_write(&shared()->lock))
        change();
}

static void finish(void)
{
    const thr_rwlock *lock = &shared()->lock;
    check(lock->word_ == 0 && lock->queue_ == 0 && !lock->readers_ && lock->owner_ == 0, "the lock is not free again");
    check(lock->arriving_ == 0, "readers are counted as arriving who are not");
    check(shared()->data == ghost()->written, "something that a writer did is lost");
}

static void prepare(void)
{
}

static const struct model_operation operations[] = {{"read", read_lock},          {"read_until", read_until},
                                                    {"try_read", try_read},       {"write", write_lock},
                                                    {"write_until", write_until}, {"try_write", try_write}};

const struct object model_rwlock = {
    .name = "rwlock",
    .operations = operations,
    .count = sizeof operations / sizeof *operations,
    .fields = fields,
    .prepare = prepare,
    .finish = finish,
};

/* -- Passed on: a writer gives up, and the readers behind it must see what was written before it came --------------- */

static void write_and_read(int thread)
{
    write_lock(thread);
    read_lock(thread);
}

static bool one_gives_up(void)
{
    return scenario_runs(write_and_read) == 1 && scenario_runs(write_until) == 1 && scenario_runs(read_lock) == 1;
}

static const struct model_operation pass_operations[] = {
    {"write, read", write_and_read}, {"write_until", write_until}, {"read", read_lock}};

const struct object model_rwlock_pass = {
    .name = "rwlock_pass",
    .operations = pass_operations,
    .count = sizeof pass_operations / sizeof *pass_operations,
    .fields = fields,
    .prepare = prepare,
    .finish = finish,
    .makes_sense = one_gives_up,
};
