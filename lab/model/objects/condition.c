/* condition.c - a notify wakes exactly those it should, the longest waiting first; with the lock, handed on from one to
 * the next. */

#include "threading/condition.h"

#include "model/scenario.h"
#include "threading/event.h"

struct shared {
    thr_condition condition;
    thr_lock lock;
    uint32_t data; /* plain: a race if two are in */
    uint32_t told; /* that the lock is held, and may be released */
    thr_event notified, waits_again;
};

static const struct named_field fields[] = {FIELD(struct shared, condition),
                                            FIELD(struct shared, lock),
                                            FIELD(struct shared, data),
                                            FIELD(struct shared, told),
                                            FIELD(struct shared, notified),
                                            FIELD(struct shared, waits_again),
                                            {0}};

struct ghost {
    uint32_t entered;
    uint8_t came;           /* who wait, in their order: under the lock */
    uint8_t place[THREADS]; /* the order of a thread + 1; 0: it has not waited */
    bool patient[THREADS];  /* without a deadline */
    bool chosen[THREADS];   /* came back with THR_OK */
    bool returned[THREADS];
    uint8_t chosen_count;
    bool released; /* by another than its holder */
    uint8_t woken; /* how many the notifies said that they woke */
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

static void enter(void)
{
    (void)thr_lock_acquire(&shared()->lock);
    inside();
}

static void leave(void)
{
    check(thr_lock_release(&shared()->lock) == THR_OK, "the lock is not held by who holds it");
}

static void wait_here(int thread, thr_time deadline)
{
    struct ghost *g = ghost();
    enter();
    g->place[thread] = ++g->came;
    g->patient[thread] = deadline == THR_FOREVER;
    thr_result result = thr_condition_wait_until(&shared()->condition, &shared()->lock, deadline);
    check(result == THR_OK || (result == THR_TIMEOUT && deadline != THR_FOREVER), "a wait ended for no reason");
    g->returned[thread] = true;
    g->chosen[thread] = result == THR_OK;
    g->chosen_count = (uint8_t)(g->chosen_count + (result == THR_OK));
    inside();
    leave();
}

static void wait_condition(int thread)
{
    wait_here(thread, THR_FOREVER);
}

static void wait_until(int thread)
{
    wait_here(thread, AFTER_TICKS(1));
}

static void notify_unlocked(int thread);
static void notify_all_unlocked(int thread);

/* With the lock: who waits without a deadline has queued, and is there. */
static void notify_locked(size_t n)
{
    uint8_t patient = 0;
    uint8_t waiting = 0;
    enter();
    for (int i = 0; i < THREADS; i++) {
        bool waits = ghost()->place[i] != 0 && !ghost()->returned[i];
        waiting = (uint8_t)(waiting + waits);
        patient = (uint8_t)(patient + (waits && ghost()->patient[i]));
    }
    uint8_t unseen = (uint8_t)(ghost()->woken - ghost()->chosen_count); /* chosen, and not back yet */
    size_t woken = thr_condition_notify(&shared()->condition, n);
    size_t least = patient > unseen ? (size_t)patient - unseen : 0;
    size_t most = (size_t)waiting - unseen;
    bool alone = scenario_runs(notify_unlocked) + scenario_runs(notify_all_unlocked) ==
                 0; /* else one may have chosen, and not have said so yet */
    check(!alone || (woken >= (least < n ? least : n) && woken <= (most < n ? most : n)),
          "a notify woke too few, or too many");
    ghost()->woken = (uint8_t)(ghost()->woken + woken);
    leave();
}

static void notify(int thread)
{
    (void)thread;
    notify_locked(1);
}

static void notify_all(int thread)
{
    (void)thread;
    notify_locked(THREADS);
}

static void notify_unlocked(int thread)
{
    (void)thread;
    size_t woken = thr_condition_notify(&shared()->condition, 1);
    ghost()->woken = (uint8_t)(ghost()->woken + woken);
}

static void notify_all_unlocked(int thread)
{
    (void)thread;
    size_t woken = thr_condition_notify_all(&shared()->condition);
    ghost()->woken = (uint8_t)(ghost()->woken + woken);
}

static void lock_only(int thread)
{
    (void)thread;
    enter();
    leave();
}

/* Longest waiting first: nobody without a deadline is passed over. */
static void check_order(void)
{
    const struct ghost *g = ghost();
    for (int i = 0; i < THREADS; i++) {
        for (int j = 0; j < THREADS; j++) {
            bool passed = g->place[i] != 0 && g->patient[i] && !g->returned[i] && g->place[i] < g->place[j];
            check(!passed || !g->chosen[j], "a later waiter was woken first");
        }
    }
    check(g->woken == g->chosen_count, "not as many came back as were woken");
}

static bool may_rest(void)
{
    check_order();
    check(shared()->data == ghost()->entered, "something done under the lock is lost");
    for (int i = 0; i < THREADS; i++) {
        if (scenario_asleep(i) && ghost()->place[i] == 0)
            return false;
    }
    return !thr_lock_locked(&shared()->lock);
}

static void finish(void)
{
    check_order();
    check(shared()->data == ghost()->entered, "something done under the lock is lost");
    check(!thr_lock_locked(&shared()->lock), "the lock is still held");
    check(shared()->condition.word_ == 0, "somebody is left in the condition");
    for (int i = 0; i < THREADS; i++)
        check(world.records[i].pending == 0 && !world.records[i].notified, "somebody is left pending");
    check(handoff_crowds[0] == 0, "somebody is left in the crowd");
}

static void prepare(void)
{
}

static const struct model_operation operations[] = {{"wait", wait_condition},
                                                    {"wait_until", wait_until},
                                                    {"notify", notify},
                                                    {"notify_all", notify_all},
                                                    {"notify, unlocked", notify_unlocked},
                                                    {"notify_all, unlocked", notify_all_unlocked},
                                                    {"lock", lock_only}};

const struct object model_condition = {
    .name = "condition",
    .operations = operations,
    .count = sizeof operations / sizeof *operations,
    .fields = fields,
    .prepare = prepare,
    .may_rest = may_rest,
    .finish = finish,
};

/* -- Its end: who waited frees it, and the lock too --------------------------------------------------------------- */

static void wait_and_free(int thread)
{
    (void)thread;
    enter();
    while (ghost()->woken == 0)
        (void)thr_condition_wait(&shared()->condition, &shared()->lock);
    inside();
    leave();
    scenario_free(&shared()->condition, sizeof shared()->condition);
    scenario_free(&shared()->lock, sizeof shared()->lock);
}

static void notify_last(int thread)
{
    (void)thread;
    enter();
    ghost()->woken = 1;
    (void)thr_condition_notify(&shared()->condition, 1);
    leave();
}

static bool one_of_each(void)
{
    return scenario_runs(wait_and_free) == 1 && scenario_runs(notify_last) == 1;
}

static const struct model_operation end_operations[] = {{"wait, free", wait_and_free}, {"notify", notify_last}};

const struct object model_condition_end = {
    .name = "condition_end",
    .operations = end_operations,
    .count = sizeof end_operations / sizeof *end_operations,
    .fields = fields,
    .prepare = prepare,
    .makes_sense = one_of_each,
};

/* -- Another thread releases the lock of who notifies, perhaps before it has notified ------------------------------- */

static void wait_once(int thread)
{
    (void)thread;
    (void)thr_lock_acquire(&shared()->lock);
    (void)thr_condition_wait(&shared()->condition, &shared()->lock);
    ghost()->chosen_count++;
    leave();
}

static void notify_and_keep(int thread)
{
    (void)thread;
    (void)thr_lock_acquire(&shared()->lock);
    __atomic_store_n(&shared()->told, 1, __ATOMIC_RELEASE);
    ghost()->woken += (uint8_t)thr_condition_notify(&shared()->condition, 1);
}

/* As if it held another lock too, and had notified one who waits for that: so this one pends (sync/handoff.h). */
static void fill_the_place(bool full)
{
    static char another;
    __atomic_store_n(&wait_self->notified, full ? &another : NULL, __ATOMIC_RELAXED);
}

static void notify_second_and_keep(int thread)
{
    fill_the_place(true);
    notify_and_keep(thread);
    fill_the_place(false);
}

static void release_for_it(int thread)
{
    (void)thread;
    if (__atomic_load_n(&shared()->told, __ATOMIC_ACQUIRE) == 0)
        return;
    leave();
    ghost()->released = true;
}

static bool rests_for_it(void)
{
    check(!ghost()->released || ghost()->woken == ghost()->chosen_count, "not as many came back as were woken");
    return true;
}

static void all_came_back(void)
{
    (void)rests_for_it();
}

static bool all_three(void)
{
    return scenario_runs(wait_once) == 1 &&
           scenario_runs(notify_and_keep) + scenario_runs(notify_second_and_keep) == 1 &&
           scenario_runs(release_for_it) == 1;
}

static const struct model_operation other_operations[] = {{"wait", wait_once},
                                                          {"notify, keep", notify_and_keep},
                                                          {"notify a second, keep", notify_second_and_keep},
                                                          {"release for it", release_for_it}};

const struct object model_condition_other = {
    .name = "condition_other",
    .operations = other_operations,
    .count = sizeof other_operations / sizeof *other_operations,
    .fields = fields,
    .prepare = prepare,
    .may_rest = rests_for_it,
    .finish = all_came_back,
    .makes_sense = all_three,
};

/* -- And who notifies has the lock again, and does so once more: four threads --------------------------------------- */

static void notify_again(int thread)
{
    notify_and_keep(thread);
    (void)thr_lock_acquire(&shared()->lock);
    ghost()->woken += (uint8_t)thr_condition_notify(&shared()->condition, 1);
    leave();
}

static bool all_again(void)
{
    return scenario_runs(wait_once) == 2 && scenario_runs(notify_again) == 1 && scenario_runs(release_for_it) == 1;
}

static const struct model_operation again_operations[] = {
    {"wait", wait_once}, {"notify, keep, notify", notify_again}, {"release for it", release_for_it}};

const struct object model_condition_again = {
    .name = "condition_again",
    .operations = again_operations,
    .count = sizeof again_operations / sizeof *again_operations,
    .fields = fields,
    .prepare = prepare,
    .may_rest = rests_for_it,
    .finish = all_came_back,
    .makes_sense = all_again,
};

/* -- Two release the lock of who notifies, of whom one is wrong ----------------------------------------------------- */

static void wait_and_release(int thread)
{
    (void)thread;
    (void)thr_lock_acquire(&shared()->lock);
    if (thr_condition_wait(&shared()->condition, &shared()->lock) == THR_OK) /* else the other released it before */
        ghost()->chosen_count++;
    (void)thr_lock_release(&shared()->lock);
}

static void notify_and_release(int thread)
{
    notify_and_keep(thread);
    (void)thr_lock_release(&shared()->lock);
}

static void notify_second_and_release(int thread)
{
    notify_second_and_keep(thread);
    (void)thr_lock_release(&shared()->lock);
}

static void release_too(int thread)
{
    (void)thread;
    if (__atomic_load_n(&shared()->told, __ATOMIC_ACQUIRE) != 0)
        (void)thr_lock_release(&shared()->lock);
}

static bool rests_in_the_condition(void)
{
    check(ghost()->woken == ghost()->chosen_count, "not as many came back as were woken");
    return true;
}

static void nobody_is_left(void)
{
    (void)rests_in_the_condition();
    check(handoff_crowds[0] == 0, "somebody is left in the crowd");
}

static bool all_release(void)
{
    return scenario_runs(wait_and_release) == 1 &&
           scenario_runs(notify_and_release) + scenario_runs(notify_second_and_release) == 1 &&
           scenario_runs(release_too) == 1;
}

static const struct model_operation wrong_operations[] = {{"wait", wait_and_release},
                                                          {"notify", notify_and_release},
                                                          {"notify a second", notify_second_and_release},
                                                          {"release too", release_too}};

const struct object model_condition_wrong = {
    .name = "condition_wrong",
    .operations = wrong_operations,
    .count = sizeof wrong_operations / sizeof *wrong_operations,
    .fields = fields,
    .prepare = prepare,
    .may_rest = rests_in_the_condition,
    .finish = nobody_is_left,
    .makes_sense = all_release,
};

/* -- The same twice: where the wrong one looks, in the record of who notifies, is another head by then -------------- */

static void wait_twice(int thread)
{
    (void)thread;
    (void)thr_lock_acquire(&shared()->lock);
    for (int i = 0; i < 2; i++) {
        if (thr_condition_wait(&shared()->condition, &shared()->lock) == THR_OK)
            ghost()->chosen_count++;
        thr_event_set(&shared()->waits_again);
    }
    (void)thr_lock_release(&shared()->lock);
}

static void notify_twice(int thread)
{
    (void)thread;
    for (int i = 0; i < 2; i++) {
        (void)thr_lock_acquire(&shared()->lock);
        fill_the_place(true);
        size_t woken = thr_condition_notify(&shared()->condition, 1);
        fill_the_place(false);
        ghost()->woken = (uint8_t)(ghost()->woken + woken);
        thr_event_set(&shared()->notified);
        (void)thr_lock_release(&shared()->lock);
        thr_event_wait(&shared()->waits_again);
    }
}

static void release_beside(int thread)
{
    (void)thread;
    thr_event_wait(&shared()->notified);
    (void)thr_lock_release(&shared()->lock);
}

static bool all_twice(void)
{
    return scenario_runs(wait_twice) == 1 && scenario_runs(notify_twice) == 1 && scenario_runs(release_beside) == 1;
}

static const struct model_operation twice_operations[] = {
    {"wait, wait", wait_twice}, {"notify, notify", notify_twice}, {"release too", release_beside}};

const struct object model_condition_twice = {
    .name = "condition_twice",
    .operations = twice_operations,
    .count = sizeof twice_operations / sizeof *twice_operations,
    .fields = fields,
    .prepare = prepare,
    .may_rest = rests_in_the_condition,
    .finish = nobody_is_left,
    .makes_sense = all_twice,
};
