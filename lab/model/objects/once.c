/* once.c - the function runs once, and everybody sees what it did. */

#include "threading/once.h"

#include "model/scenario.h"

struct shared {
    thr_once once;
    uint32_t data;
};

static const struct named_field fields[] = {FIELD(struct shared, once), FIELD(struct shared, data), {0}};

static struct shared *shared(void)
{
    return (struct shared *)world.shared;
}

static void function(void *arg)
{
    (void)arg;
    shared()->data++;
    scenario_point();
    check(thr_once_run(&shared()->once, function, NULL) == THR_DEADLOCK, "a once inside itself is no deadlock");
}

static void run(int thread)
{
    (void)thread;
    check(thr_once_run(&shared()->once, function, NULL) == THR_OK, "the once did not end well");
    check(shared()->data == 1, "the function ran more than once, or is not seen");
}

static void done(int thread)
{
    (void)thread;
    if (thr_once_done(&shared()->once))
        check(shared()->data == 1, "the function ran more than once, or is not seen");
}

static void prepare(void)
{
}

static const struct model_operation operations[] = {{"run", run}, {"done", done}};

const struct object model_once = {
    .name = "once",
    .operations = operations,
    .count = sizeof operations / sizeof *operations,
    .fields = fields,
    .prepare = prepare,
};
