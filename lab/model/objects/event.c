/* event.c - the event: a set lets all go who wait, also if a clear follows; and hand-shakes lose nothing. */

#include "threading/event.h"

#include "model/scenario.h"

struct shared {
    thr_event event;
    uint32_t data;            /* plain: written before the only set that there is */
    uint32_t posted[THREADS]; /* relaxed: what the hand-shake is about */
};

static const struct named_field fields[] = {
    FIELD(struct shared, event), FIELD(struct shared, posted), FIELD(struct shared, data), {0}};

struct ghost {
    bool must_go[THREADS]; /* slept when a set began that has returned */
    bool let_go[THREADS];
    bool seen[THREADS]; /* what a thread posted was seen */
};

static struct shared *shared(void)
{
    return (struct shared *)world.shared;
}

static struct ghost *ghost(void)
{
    return (struct ghost *)world.ghost;
}

static void set_event(void)
{
    bool asleep[THREADS];
    for (int i = 0; i < THREADS; i++)
        asleep[i] = scenario_asleep(i) && !ghost()->let_go[i];
    thr_event_set(&shared()->event);
    for (int i = 0; i < THREADS; i++)
        ghost()->must_go[i] = ghost()->must_go[i] || asleep[i];
}

static void set(int thread)
{
    (void)thread;
    if (scenario_runs(set) == 1)
        shared()->data = 1;
    set_event();
}

static void clear(int thread)
{
    (void)thread;
    thr_event_clear(&shared()->event);
}

static void pulse(int thread)
{
    set_event();
    clear(thread);
}

static void post(int thread);

/* After a wait that was let through. */
static void passed(int thread)
{
    ghost()->let_go[thread] = true;
    if (scenario_runs(set) == 1 && scenario_runs(pulse) + scenario_runs(post) == 0)
        check(shared()->data == 1, "what was done before the set is not seen");
}

static void wait_event(int thread)
{
    check(thr_event_wait(&shared()->event) == THR_OK, "a wait without a deadline did not end well");
    passed(thread);
}

static void wait_until(int thread)
{
    if (thr_event_wait_until(&shared()->event, AFTER_TICKS(1)) == THR_OK)
        passed(thread);
    ghost()->let_go[thread] = true;
}

static void is_set(int thread)
{
    if (thr_event_is_set(&shared()->event))
        passed(thread);
}

/* A hand-shake: who posts work sets the event; who is woken clears it, and then looks for work. */
static void post(int thread)
{
    __atomic_store_n(&shared()->posted[thread], 1, __ATOMIC_RELAXED);
    set_event();
}

static void consume(int thread)
{
    (void)thr_event_wait(&shared()->event);
    ghost()->let_go[thread] = true;
    thr_event_clear(&shared()->event);
    for (int i = 0; i < world.count; i++) {
        if (__atomic_load_n(&shared()->posted[i], __ATOMIC_RELAXED))
            ghost()->seen[i] = true;
    }
}

static void finish(void)
{
    bool cleared = scenario_runs(clear) + scenario_runs(pulse) > 0;
    for (int i = 0; i < THREADS; i++) {
        bool missed = shared()->posted[i] && !ghost()->seen[i];
        check(cleared || !missed || (shared()->event.word_ & 1),
              "work was posted, nobody saw it, and the event is not set");
    }
}

static bool may_rest(void)
{
    for (int i = 0; i < THREADS; i++) {
        if (scenario_asleep(i) && ghost()->must_go[i])
            return false;
    }
    finish();
    return !(shared()->event.word_ & 1);
}

static bool makes_sense(void)
{
    bool hands = scenario_runs(post) + scenario_runs(consume) > 0;
    return !hands || scenario_runs(set) + scenario_runs(is_set) + scenario_runs(clear) + scenario_runs(pulse) == 0;
}

static void prepare(void)
{
}

static const struct model_operation operations[] = {
    {"set", set},       {"clear", clear}, {"pulse", pulse},    {"wait", wait_event}, {"wait_until", wait_until},
    {"is_set", is_set}, {"post", post},   {"consume", consume}};

const struct object model_event = {
    .name = "event",
    .operations = operations,
    .count = sizeof operations / sizeof *operations,
    .fields = fields,
    .prepare = prepare,
    .may_rest = may_rest,
    .finish = finish,
    .makes_sense = makes_sense,
};

/* -- Its end: who waited frees it -------------------------------------------------------------------------------- */

static void set_last(int thread)
{
    shared()->data = (uint32_t)thread + 1;
    thr_event_set(&shared()->event);
}

static void wait_and_free(int thread)
{
    (void)thread;
    (void)thr_event_wait(&shared()->event);
    check(shared()->data != 0, "what was done before the set is not seen");
    scenario_free(&shared()->event, sizeof shared()->event);
}

static bool one_of_each(void)
{
    return scenario_runs(set_last) == 1 && scenario_runs(wait_and_free) == 1;
}

static const struct model_operation end_operations[] = {{"set", set_last}, {"wait, free", wait_and_free}};

const struct object model_event_end = {
    .name = "event_end",
    .operations = end_operations,
    .count = sizeof end_operations / sizeof *end_operations,
    .fields = fields,
    .prepare = prepare,
    .makes_sense = one_of_each,
};
