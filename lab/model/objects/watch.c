/* watch.c - wait_any: who waits for one of several objects sleeps on a word of its own (wait/watch.h), and must learn of each
 * change of an object that would let it go, beside those who sleep on the object itself. */

#include "threading/wait_any.h"

#include "model/scenario.h"
#include "work/future.h"

struct shared {
    thr_event event;
    thr_semaphore semaphore;
    struct thr_future future;
    uint32_t data[THREADS]; /* plain: written before the change */
};

static const struct named_field fields[] = {FIELD(struct shared, event),
                                            FIELD(struct shared, semaphore),
                                            FIELD(struct shared, future),
                                            FIELD(struct shared, data),
                                            {0}};

struct ghost {
    bool ended;            /* somebody is about to end the future, or has */
    bool must_go[THREADS]; /* watched when a set began that has returned */
    bool watches[THREADS];
};

static struct shared *shared(void)
{
    return (struct shared *)world.shared;
}

static struct ghost *ghost(void)
{
    return (struct ghost *)world.ghost;
}

/* Whether what the only thread that runs one of these operations did before it is seen. */
static void see(void (*run)(int thread), void (*or_run)(int thread))
{
    int count = 0;
    int which = 0;
    for (int i = 0; i < scenario.threads; i++) {
        if (scenario.operations[i]->run == run || scenario.operations[i]->run == or_run) {
            count++;
            which = i;
        }
    }
    check(count > 0, "ready, and nobody has made it so");
    check(count > 1 || shared()->data[which] == 1, "what was done before the change is not seen");
}

/* -- An event and a semaphore ------------------------------------------------------------------------------------- */

static void set(int thread);
static void set_and_clear(int thread);
static void release(int thread);

static void watch_until(int thread, thr_time deadline)
{
    const thr_waitable any[] = {thr_waitable_event(&shared()->event), thr_waitable_semaphore(&shared()->semaphore)};
    size_t which = 2;
    ghost()->watches[thread] = true;
    thr_result result = thr_wait_any(any, 2, deadline, &which);
    ghost()->watches[thread] = false;
    check(result == THR_OK || (result == THR_TIMEOUT && deadline != THR_FOREVER), "it ends for no reason");
    if (result != THR_OK)
        return;
    if (which == 0)
        see(set, set_and_clear);
    else
        see(release, release);
}

static void watch(int thread)
{
    watch_until(thread, THR_FOREVER);
}

static void watch_with_deadline(int thread)
{
    watch_until(thread, AFTER_TICKS(1));
}

static void wait(int thread)
{
    (void)thread;
    thr_event_wait(&shared()->event);
    see(set, set_and_clear);
}

static void acquire(int thread)
{
    (void)thread;
    thr_semaphore_acquire(&shared()->semaphore);
    see(release, release);
}

static void set_event(int thread)
{
    bool asleep[THREADS];
    shared()->data[thread] = 1;
    for (int i = 0; i < THREADS; i++)
        asleep[i] = scenario_asleep(i) && ghost()->watches[i];
    thr_event_set(&shared()->event);
    for (int i = 0; i < THREADS; i++)
        ghost()->must_go[i] = ghost()->must_go[i] || asleep[i];
}

static void set(int thread)
{
    set_event(thread);
}

static void set_and_clear(int thread)
{
    set_event(thread);
    thr_event_clear(&shared()->event);
}

static void release(int thread)
{
    shared()->data[thread] = 1;
    (void)thr_semaphore_release(&shared()->semaphore, 1);
}

static bool somebody_watches(void)
{
    return scenario_runs(watch) + scenario_runs(watch_with_deadline) > 0;
}

static bool may_rest(void)
{
    for (int i = 0; i < THREADS; i++) {
        if (ghost()->watches[i] &&
            (ghost()->must_go[i] || (shared()->event.word_ & 1) || thr_semaphore_value(&shared()->semaphore) > 0))
            return false;
    }
    return true;
}

static void finish(void)
{
    for (int i = 0; i < WATCH_CLASSES; i++)
        check(watch_counts[i] == 0, "somebody is counted as a watcher who is none");
}

static void prepare(void)
{
}

static const struct model_operation operations[] = {
    {"wait_any", watch}, {"wait_any_until", watch_with_deadline}, {"wait", wait},      {"acquire", acquire},
    {"set", set},        {"set, clear", set_and_clear},           {"release", release}};

const struct object model_watch = {
    .name = "watch",
    .operations = operations,
    .count = sizeof operations / sizeof *operations,
    .fields = fields,
    .prepare = prepare,
    .may_rest = may_rest,
    .finish = finish,
    .makes_sense = somebody_watches,
    .watches = true,
};

/* -- A future ----------------------------------------------------------------------------------------------------- */

static void set_future(int thread);
static void cancel_future(int thread);

static void watch_future(int thread)
{
    const thr_waitable any[] = {thr_waitable_future(&shared()->future)};
    (void)thread;
    check(thr_wait_any(any, 1, THR_FOREVER, NULL) == THR_OK, "it ends for no reason");
    see(set_future, cancel_future);
}

static void wait_for_future(int thread)
{
    (void)thread;
    (void)thr_future_result(&shared()->future, NULL);
    see(set_future, cancel_future);
}

static void set_future(int thread)
{
    shared()->data[thread] = 1;
    ghost()->ended = true;
    thr_result result = thr_future_set_result(&shared()->future, NULL);
    check(result == THR_OK || result == THR_CANCELLED || result == THR_TOO_LATE, "it fails");
}

static void cancel_future(int thread)
{
    shared()->data[thread] = 1;
    ghost()->ended = true;
    (void)thr_future_cancel(&shared()->future);
}

static bool future_watched(void)
{
    return scenario_runs(watch_future) > 0;
}

static bool future_may_rest(void)
{
    return !ghost()->ended;
}

static void prepare_future(void)
{
    shared()->future = (struct thr_future){.references = 1};
}

static const struct model_operation future_operations[] = {
    {"wait_any", watch_future}, {"wait", wait_for_future}, {"set", set_future}, {"cancel", cancel_future}};

const struct object model_watch_future = {
    .name = "watch_future",
    .operations = future_operations,
    .count = sizeof future_operations / sizeof *future_operations,
    .fields = fields,
    .prepare = prepare_future,
    .may_rest = future_may_rest,
    .finish = finish,
    .makes_sense = future_watched,
    .watches = true,
};
