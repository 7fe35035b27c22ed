/* future.c - a future that threads set, cancel, wait for and watch: it becomes done once, who waits learns of it, and each
 * observer is told once, or knows that it is not. */

#include "work/future.h"

#include "model/scenario.h"
#include "threading/event.h"

struct shared {
    struct thr_future future;
    thr_event told[THREADS];
    uint32_t data[THREADS]; /* plain: written before the end, by who sets or cancels it */
};

static const struct named_field fields[] = {FIELD(struct shared, future.word),
                                            FIELD(struct shared, future.value),
                                            FIELD(struct shared, future.observers),
                                            FIELD(struct shared, data),
                                            {0}};

struct ghost {
    uint32_t ends;
    uint32_t told[THREADS];
    bool cancelled;
};

static struct shared *shared(void)
{
    return (struct shared *)world.shared;
}

static struct ghost *ghost(void)
{
    return (struct ghost *)world.ghost;
}

static thr_future *future(void)
{
    return &shared()->future;
}

static bool may_end(void (*run)(int thread));

static void see(const void *value)
{
    const uint32_t *data = value;
    check(data && *data == 1, "what was done before the result was set is not seen");
}

/* What was done before the end is seen, where one thread only can end it. */
static void see_end(void)
{
    int enders = 0;
    int ender = 0;
    for (int i = 0; i < scenario.threads; i++) {
        if (may_end(scenario.operations[i]->run)) {
            enders++;
            ender = i;
        }
    }
    check(enders != 1 || shared()->data[ender] == 1, "what was done before the end is not seen");
}

static void wait_by(thr_time deadline)
{
    void *value = NULL;
    thr_result result = thr_future_result_until(future(), deadline, &value);
    if (result == THR_OK)
        see(value);
    if (result == THR_CANCELLED)
        see_end();
    check(result == THR_OK || (result == THR_CANCELLED && ghost()->cancelled) ||
              (result == THR_TIMEOUT && deadline != THR_FOREVER),
          "a wait ended for no reason");
}

static void wait(int thread)
{
    (void)thread;
    wait_by(THR_FOREVER);
}

static void wait_until(int thread)
{
    (void)thread;
    wait_by(AFTER_TICKS(1));
}

static void set(int thread)
{
    shared()->data[thread] = 1;
    if (thr_future_set_result(future(), &shared()->data[thread]) != THR_OK)
        return;
    ghost()->ends++;
    check(thr_future_done(future()), "it has been set, and is not done");
}

static void run_and_set(int thread)
{
    thr_result begun = thr_future_set_running(future());
    check(begun == THR_OK || begun == THR_STARTED || (begun == THR_CANCELLED && ghost()->cancelled),
          "it neither runs, nor has begun, nor is cancelled");
    set(thread);
}

static void cancel(int thread)
{
    shared()->data[thread] = 1;
    ghost()->cancelled = true;
    ghost()->ends += thr_future_cancel(future()) == THR_OK;
}

static void notify(struct observer *observer, thr_future *told)
{
    (void)told;
    for (int i = 0; i < THREADS; i++) {
        if ((uintptr_t)observer - (uintptr_t)stacks[i] < STACK_SIZE) {
            ghost()->told[i]++;
            thr_event_set(&shared()->told[i]);
        }
    }
}

/* What wait_any does: registers, looks, and forgets; the observer is on its stack. */
static void observe(int thread)
{
    struct observer observer = {NULL, notify, false};
    if (!future_observe(future(), &observer)) {
        see_end();
        check(thr_future_done(future()), "not observed, and not done");
        check(ghost()->told[thread] == 0, "told, and not in the list");
        return;
    }
    future_forget(future(), &observer);
    check(ghost()->told[thread] <= 1, "told twice");
}

/* -- Each with a reference: the last one frees it -------------------------------------------------------------------- */

static void release(void *at)
{
    check(at == future(), "something else is freed");
    scenario_free(at, sizeof shared()->future);
}

static void leave(void)
{
    thr_future_unref(future());
}

static void wait_and_leave(int thread)
{
    wait(thread);
    leave();
}

static void set_and_leave(int thread)
{
    set(thread);
    leave();
}

static void cancel_and_leave(int thread)
{
    cancel(thread);
    leave();
}

static void observe_and_leave(int thread)
{
    observe(thread);
    leave();
}

/* Sleeps until it is told, on a word of its own. */
static void observe_and_sleep(int thread)
{
    struct observer observer = {NULL, notify, false};
    if (!future_observe(future(), &observer))
        return;
    thr_event_wait(&shared()->told[thread]);
    future_forget(future(), &observer);
    check(thr_future_done(future()), "told, and not done");
    check(ghost()->told[thread] == 1, "told twice");
}

static bool may_end(void (*run)(int thread))
{
    return run == set || run == run_and_set || run == cancel || run == set_and_leave || run == cancel_and_leave;
}

static void finish(void)
{
    check(scenario_runs(cancel) > 1 ? ghost()->ends >= 1 : ghost()->ends <= 1, "it ended more than once");
    check(future()->observers == 0, "the list of observers is left locked, or not empty");
}

static bool may_rest(void)
{
    return ghost()->ends == 0;
}

static void prepare(void)
{
    shared()->future = (struct thr_future){.references = 1};
}

static const struct model_operation operations[] = {{"wait", wait},
                                                    {"wait_until", wait_until},
                                                    {"set", set},
                                                    {"set_running, set", run_and_set},
                                                    {"cancel", cancel},
                                                    {"observe", observe},
                                                    {"observe, sleep", observe_and_sleep}};

const struct object model_future = {
    .name = "future",
    .operations = operations,
    .count = sizeof operations / sizeof *operations,
    .fields = fields,
    .prepare = prepare,
    .may_rest = may_rest,
    .finish = finish,
    .release = release,
};

static void prepare_end(void)
{
    shared()->future = (struct thr_future){.references = (uint32_t)scenario.threads};
}

static void finish_end(void)
{
    check(scenario_freed(future()), "nobody has freed it");
}

static const struct model_operation end_operations[] = {{"wait, unref", wait_and_leave},
                                                        {"set, unref", set_and_leave},
                                                        {"cancel, unref", cancel_and_leave},
                                                        {"observe, unref", observe_and_leave}};

const struct object model_future_end = {
    .name = "future_end",
    .operations = end_operations,
    .count = sizeof end_operations / sizeof *end_operations,
    .fields = fields,
    .prepare = prepare_end,
    .may_rest = may_rest,
    .finish = finish_end,
    .release = release,
};
