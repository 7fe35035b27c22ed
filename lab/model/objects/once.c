/* once.c - the function runs to its end once, and everybody sees what it did; a function that fails lets the next one run. */

#include "threading/once.h"

#include "model/scenario.h"
#include "model/unwind.h"

struct shared {
    thr_once once;
    uint32_t data;
    uint32_t begun; /* plain: functions, also those that fail */
};

static const struct named_field fields[] = {
    FIELD(struct shared, once), FIELD(struct shared, data), FIELD(struct shared, begun), {0}};

static struct shared *shared(void)
{
    return (struct shared *)world.shared;
}

static void function(void *arg)
{
    (void)arg;
    shared()->begun++;
    shared()->data++;
    scenario_point();
    check(thr_once_run(&shared()->once, function, NULL) == THR_DEADLOCK, "a once inside itself is no deadlock");
}

static void function_that_fails(void *arg)
{
    (void)arg;
    shared()->begun++;
    scenario_point();
    unwind();
}

static void run_one_that_fails(void *arg)
{
    (void)arg;
    check(thr_once_run(&shared()->once, function_that_fails, NULL) == THR_OK, "the once did not end well");
}

static void run(int thread)
{
    (void)thread;
    check(thr_once_run(&shared()->once, function, NULL) == THR_OK, "the once did not end well");
    check(shared()->data == 1, "the function ran more than once, or is not seen");
}

static void fail_once(int thread)
{
    (void)thread;
    if (!unwind_catch(run_one_that_fails, NULL))
        check(shared()->data == 1, "not seen, though it was done");
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

static const struct model_operation operations[] = {{"run", run}, {"fail", fail_once}, {"done", done}};

const struct object model_once = {
    .name = "once",
    .operations = operations,
    .count = sizeof operations / sizeof *operations,
    .fields = fields,
    .prepare = prepare,
};
