/* test_handoff.c - how notified waiters get to their lock, in the cases that are not the usual one. */

#include "support/support.h"

#include "sync/handoff.h"
#include "sync/lock.h"
#include "wait/bitlock.h"

enum { WAITERS = 20 };

/* A condition with two locks; who waits says so, in the order in which they got their lock. */
struct scene {
    thr_condition condition;
    thr_lock locks[2];
    uint32_t waited;              /* under locks[0] */
    size_t order[WAITERS];        /* likewise */
    struct support_count through; /* waits that returned */
};

static void wait_at_first(void *arg)
{
    struct scene *scene = arg;
    CHECK_OK(thr_lock_acquire(&scene->locks[0]));
    CHECK_OK(thr_condition_wait(&scene->condition, &scene->locks[0]));
    scene->order[scene->waited++] = support_index();
    CHECK_OK(thr_lock_release(&scene->locks[0]));
    support_count_add(&scene->through);
}

static void wait_at_second(void *arg)
{
    struct scene *scene = arg;
    CHECK_OK(thr_lock_acquire(&scene->locks[1]));
    CHECK_OK(thr_condition_wait(&scene->condition, &scene->locks[1]));
    CHECK_OK(thr_lock_release(&scene->locks[1]));
    support_count_add(&scene->through);
}

/* All have been through, each once. */
static void check_each_once(const struct scene *scene)
{
    bool seen[WAITERS] = {false};
    CHECK_EQUAL(scene->waited, WAITERS);
    for (size_t i = 0; i < WAITERS; i++) {
        CHECK(!seen[scene->order[i]]);
        seen[scene->order[i]] = true;
    }
}

/* Notified under the lock, nobody goes before the release, and then all do. */
static void test_all_go_at_the_release(void **state)
{
    (void)state;
    struct scene scene = {0};
    struct support_bunch bunch;
    support_bunch_start_in_turn(&bunch, WAITERS, wait_at_first, &scene, &scene.condition);
    support_wait_blocked(&scene.condition, WAITERS);
    CHECK_OK(thr_lock_acquire(&scene.locks[0]));
    CHECK_EQUAL(thr_condition_notify_all(&scene.condition), WAITERS);
    CHECK_EQUAL(support_blocked(&scene.condition), WAITERS);
    CHECK_OK(thr_lock_release(&scene.locks[0]));
    support_bunch_join(&bunch);
    check_each_once(&scene);
}

/* One notify after the other, before the release: the second's waiters follow the first's. */
static void test_notified_one_by_one(void **state)
{
    (void)state;
    struct scene scene = {0};
    struct support_bunch bunch;
    support_bunch_start_in_turn(&bunch, WAITERS, wait_at_first, &scene, &scene.condition);
    support_wait_blocked(&scene.condition, WAITERS);
    CHECK_OK(thr_lock_acquire(&scene.locks[0]));
    for (size_t i = 0; i < WAITERS; i++)
        CHECK_EQUAL(thr_condition_notify(&scene.condition, 1), 1);
    CHECK_EQUAL(thr_condition_notify(&scene.condition, 1), 0);
    CHECK_OK(thr_lock_release(&scene.locks[0]));
    support_bunch_join(&bunch);
    check_each_once(&scene);
}

/* Waiters with two locks, one of them held by the notifier: the others need not wait for its release. */
static void test_waiters_of_two_locks(void **state)
{
    (void)state;
    struct scene scene = {0};
    struct support_bunch first;
    struct support_bunch second;
    support_bunch_start(&first, 2, wait_at_first, &scene);
    support_wait_blocked(&scene.condition, 2);
    support_bunch_start(&second, 3, wait_at_second, &scene);
    support_wait_blocked(&scene.condition, 5);
    CHECK_OK(thr_lock_acquire(&scene.locks[0]));
    CHECK_EQUAL(thr_condition_notify_all(&scene.condition), 5);
    support_bunch_join(&second);
    CHECK_EQUAL(support_count_get(&scene.through), 3);
    CHECK_OK(thr_lock_release(&scene.locks[0]));
    support_bunch_join(&first);
}

/* The notifier holds both locks, and releases the one that was notified last first. */
static void test_two_locks_held(void **state)
{
    (void)state;
    for (size_t released_first = 0; released_first < 2; released_first++) {
        struct scene scene = {0};
        struct support_bunch bunches[2];
        support_bunch_start(&bunches[0], 2, wait_at_first, &scene);
        support_bunch_start(&bunches[1], 2, wait_at_second, &scene);
        support_wait_blocked(&scene.condition, 4);
        CHECK_OK(thr_lock_acquire(&scene.locks[0]));
        CHECK_OK(thr_lock_acquire(&scene.locks[1]));
        CHECK_EQUAL(thr_condition_notify_all(&scene.condition), 4);
        CHECK_EQUAL(support_count_get(&scene.through), 0);
        CHECK_OK(thr_lock_release(&scene.locks[released_first]));
        support_bunch_join(&bunches[released_first]);
        CHECK_EQUAL(support_count_get(&scene.through), 2);
        CHECK_OK(thr_lock_release(&scene.locks[!released_first]));
        support_bunch_join(&bunches[!released_first]);
    }
}

/* One waiter of each of two locks, notified alone: each is let go by the release of its own, in any order. */
static void test_one_waiter_of_each_lock(void **state)
{
    (void)state;
    for (size_t released_first = 0; released_first < 2; released_first++) {
        struct scene scene = {0};
        struct support_thread *waits[2];
        waits[0] = support_thread_start(wait_at_first, &scene);
        support_wait_blocked(&scene.condition, 1);
        waits[1] = support_thread_start(wait_at_second, &scene);
        support_wait_blocked(&scene.condition, 2);
        for (size_t i = 0; i < 2; i++) {
            CHECK_OK(thr_lock_acquire(&scene.locks[i]));
            CHECK_EQUAL(thr_condition_notify(&scene.condition, 1), 1);
        }
        CHECK_EQUAL(support_blocked(&scene.condition), 2);
        CHECK_OK(thr_lock_release(&scene.locks[released_first]));
        support_thread_join(waits[released_first]);
        CHECK_EQUAL(support_blocked(&scene.condition), 1);
        CHECK_OK(thr_lock_release(&scene.locks[!released_first]));
        support_thread_join(waits[!released_first]);
    }
}

static void wait_and_tell_others(void *arg)
{
    struct scene *scene = arg;
    CHECK_OK(thr_lock_acquire(&scene->locks[0]));
    CHECK_OK(thr_condition_wait(&scene->condition, &scene->locks[0]));
    CHECK_OK(thr_lock_acquire(&scene->locks[1]));
    CHECK_EQUAL(thr_condition_notify(&scene->condition, 1), 1);
    CHECK_OK(thr_lock_release(&scene->locks[0]));
    CHECK_OK(thr_lock_release(&scene->locks[1]));
}

/* Who holds a lock of which a crowd is left notifies somebody who uses another: each release lets its own go. */
static void test_two_locks_held_and_a_crowd(void **state)
{
    (void)state;
    struct scene scene = {0};
    struct support_bunch bunches[2];
    support_bunch_start_in_turn(&bunches[0], WAITERS, wait_and_tell_others, &scene, &scene.condition);
    support_wait_blocked(&scene.condition, WAITERS);
    support_bunch_start(&bunches[1], WAITERS, wait_at_second, &scene);
    support_wait_blocked(&scene.condition, 2 * WAITERS);
    CHECK_OK(thr_lock_acquire(&scene.locks[0]));
    CHECK_EQUAL(thr_condition_notify(&scene.condition, WAITERS), WAITERS);
    CHECK_OK(thr_lock_release(&scene.locks[0]));
    support_bunch_join(&bunches[0]);
    support_bunch_join(&bunches[1]);
    CHECK_EQUAL(support_count_get(&scene.through), WAITERS);
}

static void release_first(void *arg)
{
    struct scene *scene = arg;
    CHECK_OK(thr_lock_release(&scene->locks[0]));
}

/* Any thread may release a lock: then that release lets the notified waiters go. */
static void test_released_by_another_thread(void **state)
{
    (void)state;
    struct scene scene = {0};
    struct support_bunch bunch;
    support_bunch_start_in_turn(&bunch, WAITERS, wait_at_first, &scene, &scene.condition);
    support_wait_blocked(&scene.condition, WAITERS);
    CHECK_OK(thr_lock_acquire(&scene.locks[0]));
    CHECK_EQUAL(thr_condition_notify_all(&scene.condition), WAITERS);
    support_thread_join(support_thread_start(release_first, &scene));
    support_bunch_join(&bunch);
}

static void notify_all(void *arg)
{
    struct scene *scene = arg;
    CHECK_EQUAL(thr_condition_notify_all(&scene->condition), WAITERS);
}

/* Threads that have no number yet, and so cannot leave waiters pending, notify all the same. */
static void test_notified_by_strangers(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) { /* threads with a number, and without */
        struct scene scene = {0};
        struct support_bunch bunch;
        support_bunch_start(&bunch, WAITERS, wait_at_first, &scene);
        support_wait_blocked(&scene.condition, WAITERS);
        support_thread_join(support_thread_start(notify_all, &scene));
        support_bunch_join(&bunch);
    }
}

static void notify_and_end(void *arg)
{
    struct scene *scene = arg;
    (void)support_record(); /* with a number, so that the waiters are left pending */
    CHECK_OK(thr_lock_acquire(&scene->locks[0]));
    CHECK(lock_is_mine(&scene->locks[0]));
    CHECK_EQUAL(thr_condition_notify_all(&scene->condition), WAITERS);
}

static void wait_twice(void *arg)
{
    struct scene *scene = arg;
    CHECK_OK(thr_lock_acquire(&scene->locks[0]));
    CHECK_OK(thr_condition_wait(&scene->condition, &scene->locks[0]));
    thr_time deadline = thr_after(support_index() == 0 ? 0.005 : 0.05);
    CHECK_RESULT(thr_condition_wait_until(&scene->condition, &scene->locks[0], deadline), THR_TIMEOUT);
    CHECK_OK(thr_lock_release(&scene->locks[0]));
}

/* Who led the others, and waits once more, leads nobody when that wait ends by its deadline. */
static void test_led_once(void **state)
{
    (void)state;
    struct scene scene = {0};
    struct support_bunch bunch;
    support_bunch_start_in_turn(&bunch, WAITERS, wait_twice, &scene, &scene.condition);
    support_wait_blocked(&scene.condition, WAITERS);
    CHECK_EQUAL(thr_condition_notify_all(&scene.condition), WAITERS);
    support_bunch_join(&bunch);
}

/* The notifier has ended with the lock held; another thread's release lets them go all the same. */
static void test_released_after_the_notifier_ended(void **state)
{
    (void)state;
    struct scene scene = {0};
    struct support_bunch bunch;
    support_bunch_start_in_turn(&bunch, WAITERS, wait_at_first, &scene, &scene.condition);
    support_wait_blocked(&scene.condition, WAITERS);
    support_thread_join(support_thread_start(notify_and_end, &scene));
    CHECK_EQUAL(support_blocked(&scene.condition), WAITERS);
    CHECK_OK(thr_lock_release(&scene.locks[0]));
    support_bunch_join(&bunch);
}

struct short_wait {
    struct scene scene;
    thr_time deadline;
    thr_result result;
};

static void wait_shortly(void *arg)
{
    struct short_wait *wait = arg;
    CHECK_OK(thr_lock_acquire(&wait->scene.locks[0]));
    wait->result = thr_condition_wait_until(&wait->scene.condition, &wait->scene.locks[0], wait->deadline);
    CHECK_OK(thr_lock_release(&wait->scene.locks[0]));
}

/* A waiter that is chosen in time returns THR_OK, though the lock comes free only after its deadline. */
static void test_chosen_in_time(void **state)
{
    (void)state;
    support_clock_stop();
    struct short_wait wait = {.deadline = thr_after(1.0)};
    support_stop(SUPPORT_BEFORE_SLEEP, &wait.scene.condition, NULL);
    struct support_thread *thread = support_thread_start(wait_shortly, &wait);
    support_wait_stopped(SUPPORT_BEFORE_SLEEP, 1);
    CHECK_OK(thr_lock_acquire(&wait.scene.locks[0]));
    CHECK_EQUAL(thr_condition_notify(&wait.scene.condition, 1), 1);
    support_clock_advance(1.0);
    support_go(SUPPORT_BEFORE_SLEEP);
    CHECK_OK(thr_lock_release(&wait.scene.locks[0]));
    support_thread_join(thread);
    CHECK_EQUAL(wait.result, THR_OK);
}

/* A thread that only wants the lock, and one that was notified: the release lets the notified one go, and that one's
 * release the other. */
static void take_first(void *arg)
{
    struct scene *scene = arg;
    CHECK_OK(thr_lock_acquire(&scene->locks[0]));
    CHECK_OK(thr_lock_release(&scene->locks[0]));
}

static void test_sleepers_of_the_lock_go_too(void **state)
{
    (void)state;
    struct scene scene = {0};
    struct support_bunch waiters;
    struct support_bunch takers;
    support_bunch_start_in_turn(&waiters, 2, wait_at_first, &scene, &scene.condition);
    support_wait_blocked(&scene.condition, 2);
    CHECK_OK(thr_lock_acquire(&scene.locks[0]));
    support_bunch_start(&takers, 3, take_first, &scene);
    support_wait_blocked(&scene.locks[0], 3);
    CHECK_EQUAL(thr_condition_notify_all(&scene.condition), 2);
    CHECK_OK(thr_lock_release(&scene.locks[0]));
    support_bunch_join(&waiters);
    support_bunch_join(&takers);
    CHECK(!thr_lock_locked(&scene.locks[0]));
}

/* The release grants the first HANDOFF_FIRST, and no more; whoever has the lock next keeps it meanwhile. */
struct gate {
    struct scene scene;
    thr_event held;
    thr_event open;
};

static void wait_and_hold(void *arg)
{
    struct gate *gate = arg;
    CHECK_OK(thr_lock_acquire(&gate->scene.locks[0]));
    CHECK_OK(thr_condition_wait(&gate->scene.condition, &gate->scene.locks[0]));
    gate->scene.order[gate->scene.waited++] = support_index();
    thr_event_set(&gate->held);
    thr_event_wait(&gate->open);
    CHECK_OK(thr_lock_release(&gate->scene.locks[0]));
}

/* All are notified, and one holds the lock. */
static void notify_at_the_gate(struct gate *gate, struct support_bunch *bunch)
{
    support_bunch_start_in_turn(bunch, WAITERS, wait_and_hold, gate, &gate->scene.condition);
    support_wait_blocked(&gate->scene.condition, WAITERS);
    CHECK_OK(thr_lock_acquire(&gate->scene.locks[0]));
    CHECK_EQUAL(thr_condition_notify_all(&gate->scene.condition), WAITERS);
    CHECK_OK(thr_lock_release(&gate->scene.locks[0]));
    thr_event_wait(&gate->held);
}

static void test_a_few_at_a_time(void **state)
{
    (void)state;
    struct gate gate = {0};
    struct support_bunch bunch;
    notify_at_the_gate(&gate, &bunch);
    support_wait_blocked(&gate.scene.locks[0], HANDOFF_FIRST - 1);
    CHECK_EQUAL(support_blocked(&gate.scene.condition), WAITERS - HANDOFF_FIRST);
    thr_event_set(&gate.open);
    support_bunch_join(&bunch);
    check_each_once(&gate.scene);
    for (size_t i = 0; i < WAITERS; i++) /* each release granted one more */
        CHECK(gate.scene.order[i] < HANDOFF_FIRST + i);
    CHECK_EQUAL(gate.scene.locks[0].word_, 0);
}

/* A thread that only takes the lock while some are left, and one that tries it: their releases let the next go. */
static void test_anybodys_release_goes_on(void **state)
{
    (void)state;
    struct gate gate = {0};
    struct support_bunch bunch;
    struct support_bunch takers;
    notify_at_the_gate(&gate, &bunch);
    support_bunch_start(&takers, 3, take_first, &gate.scene);
    support_wait_blocked(&gate.scene.locks[0], HANDOFF_FIRST - 1 + 3);
    CHECK(!thr_lock_try_acquire(&gate.scene.locks[0]));
    CHECK_EQUAL(thr_lock_acquire_until(&gate.scene.locks[0], thr_after(0.001)), THR_TIMEOUT);
    thr_event_set(&gate.open);
    support_bunch_join(&bunch);
    support_bunch_join(&takers);
    check_each_once(&gate.scene);
    CHECK_EQUAL(gate.scene.locks[0].word_, 0);
}

/* Who has been notified notifies others, of another condition with the same lock, while some of its own kind are left. */
struct relay {
    struct scene scenes[2]; /* the second has no use for its locks */
};

static void wait_and_notify(void *arg)
{
    struct relay *relay = arg;
    CHECK_OK(thr_lock_acquire(&relay->scenes[0].locks[0]));
    CHECK_OK(thr_condition_wait(&relay->scenes[0].condition, &relay->scenes[0].locks[0]));
    CHECK(thr_condition_notify(&relay->scenes[1].condition, 1) == 1);
    CHECK_OK(thr_lock_release(&relay->scenes[0].locks[0]));
}

static void wait_for_relay(void *arg)
{
    struct relay *relay = arg;
    CHECK_OK(thr_lock_acquire(&relay->scenes[0].locks[0]));
    CHECK_OK(thr_condition_wait(&relay->scenes[1].condition, &relay->scenes[0].locks[0]));
    relay->scenes[1].waited++;
    CHECK_OK(thr_lock_release(&relay->scenes[0].locks[0]));
}

static void test_notified_while_some_are_left(void **state)
{
    (void)state;
    struct relay relay = {0};
    struct support_bunch first;
    struct support_bunch second;
    support_bunch_start(&first, WAITERS, wait_and_notify, &relay);
    support_bunch_start(&second, WAITERS, wait_for_relay, &relay);
    support_wait_blocked(&relay.scenes[0].condition, WAITERS);
    support_wait_blocked(&relay.scenes[1].condition, WAITERS);
    CHECK_OK(thr_lock_acquire(&relay.scenes[0].locks[0]));
    CHECK_EQUAL(thr_condition_notify_all(&relay.scenes[0].condition), WAITERS);
    CHECK_OK(thr_lock_release(&relay.scenes[0].locks[0]));
    support_bunch_join(&first);
    support_bunch_join(&second);
    CHECK_EQUAL(relay.scenes[1].waited, WAITERS);
    CHECK_EQUAL(relay.scenes[0].locks[0].word_, 0);
}

/* -- Between two instructions --------------------------------------------------------------------------------------- */

/* Who notifies holds both locks; another thread releases the first in the middle of that, or notifies in the middle of a
 * release. */
struct between {
    struct scene scene;
    size_t n; /* who wait */
    struct support_count go;
    struct support_count gone;
    bool late; /* the lock was free already, and nobody in the place */
    struct wait_record *notifier;
};

static void give_first(void *arg)
{
    struct between *between = arg;
    (void)thr_lock_release(&between->scene.locks[0]); /* twice in one of the tests */
}

static void give_when_told(void *arg)
{
    struct between *between = arg;
    support_count_wait(&between->go, 1);
    give_first(between);
    support_count_add(&between->gone);
}

/* Whether somebody changes a list, so that the other may have to wait for who was stopped. */
static bool lists_are_locked(const struct between *between)
{
    uint64_t words = load_relaxed(&between->notifier->pending);
    for (int i = 0; i < HANDOFF_CROWDS; i++)
        words |= load_relaxed(&handoff_crowds[i]);
    return (words & BITLOCK_LOCKED) != 0;
}

static void let_it_give(void *arg)
{
    struct between *between = arg;
    bool locked = lists_are_locked(between);
    between->late = !thr_lock_locked(&between->scene.locks[0]);
    support_count_add(&between->go);
    if (!locked)
        support_count_wait(&between->gone, 1);
}

static void notify_n(void *arg)
{
    struct between *between = arg;
    CHECK_EQUAL(thr_condition_notify(&between->scene.condition, between->n), between->n);
}

static void check_released_in_the_middle_of_a_notify(size_t waiters, size_t earlier)
{
    bool came = true;
    for (unsigned n = 1; came; n++) {
        struct between between = {.n = waiters, .notifier = support_record()};
        struct support_bunch bunch;
        support_bunch_start(&bunch, waiters + earlier, wait_at_first, &between.scene);
        support_wait_blocked(&between.scene.condition, (uint32_t)(waiters + earlier));
        struct support_thread *gives = support_thread_start(give_when_told, &between);
        CHECK_OK(thr_lock_acquire(&between.scene.locks[0]));
        CHECK_EQUAL(thr_condition_notify(&between.scene.condition, earlier), earlier);
        came = support_step(n, notify_n, let_it_give, &between);
        if (!came)
            support_count_add(&between.go);
        support_thread_join(gives);
        support_bunch_join(&bunch);
        CHECK_EQUAL(between.scene.locks[0].word_, 0);
        CHECK(support_record()->notified == NULL);
        CHECK_EQUAL(support_record()->pending, 0);
    }
}

/* Who is notified is let go by the release, or by who notifies. */
static void test_released_in_the_middle_of_a_notify(void **state)
{
    (void)state;
    check_released_in_the_middle_of_a_notify(1, 0);
    check_released_in_the_middle_of_a_notify(2, 0);
    check_released_in_the_middle_of_a_notify(1, 2);
}

static void wait_and_give(void *arg)
{
    struct between *between = arg;
    CHECK_OK(thr_lock_acquire(&between->scene.locks[0]));
    CHECK_OK(thr_condition_wait(&between->scene.condition, &between->scene.locks[0]));
    give_first(between);
}

/* Two release the lock at once, one of them wrongly: nobody stays asleep. */
static void test_released_twice_at_once(void **state)
{
    (void)state;
    static const size_t numbers[] = {1, HANDOFF_FIRST + 1};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        bool came = true;
        for (unsigned n = 1; came; n++) {
            struct between between = {.n = numbers[i], .notifier = support_record()};
            struct support_bunch bunch;
            support_bunch_start(&bunch, numbers[i], wait_and_give, &between);
            support_wait_blocked(&between.scene.condition, (uint32_t)numbers[i]);
            struct support_thread *gives = support_thread_start(give_when_told, &between);
            CHECK_OK(thr_lock_acquire(&between.scene.locks[0]));
            notify_n(&between);
            came = support_step(n, give_first, let_it_give, &between);
            if (!came)
                support_count_add(&between.go);
            support_thread_join(gives);
            support_bunch_join(&bunch);
            CHECK(!thr_lock_locked(&between.scene.locks[0]));
            came = came && !between.late;
        }
    }
}

static void notify_twice(void *arg)
{
    struct between *between = arg;
    between->notifier = support_record();
    CHECK_OK(thr_lock_acquire(&between->scene.locks[0]));
    CHECK_OK(thr_lock_acquire(&between->scene.locks[1]));
    notify_n(between);
    support_count_add(&between->gone);
    support_count_wait(&between->go, 1);
    notify_n(between);
    support_count_add(&between->gone);
    support_count_wait(&between->go, 2);
    CHECK_OK(thr_lock_release(&between->scene.locks[1]));
}

static void let_it_notify(void *arg)
{
    struct between *between = arg;
    bool locked = lists_are_locked(between);
    between->late = !thr_lock_locked(&between->scene.locks[0]) && !load_relaxed(&between->notifier->notified);
    support_count_add(&between->go);
    if (!locked)
        support_count_wait(&between->gone, 2);
}

/* The second to be notified wait for the same lock, or for another. */
static void check_notified_in_the_middle_of_a_release(size_t waiters, bool same)
{
    bool came = true;
    for (unsigned n = 1; came; n++) {
        struct between between = {.n = waiters};
        struct support_bunch first;
        struct support_bunch second;
        support_bunch_start(&first, waiters, wait_at_first, &between.scene);
        support_wait_blocked(&between.scene.condition, (uint32_t)waiters);
        support_bunch_start(&second, waiters, same ? wait_at_first : wait_at_second, &between.scene);
        support_wait_blocked(&between.scene.condition, 2 * (uint32_t)waiters);
        struct support_thread *notifies = support_thread_start(notify_twice, &between);
        support_count_wait(&between.gone, 1);
        came = support_step(n, give_first, let_it_notify, &between);
        if (!came)
            let_it_notify(&between);
        support_bunch_join(&first);
        if (same)
            support_bunch_join(&second);
        else
            CHECK_EQUAL(support_blocked(&between.scene.condition), waiters);
        support_count_add(&between.go);
        if (!same)
            support_bunch_join(&second);
        support_thread_join(notifies);
        CHECK_EQUAL(between.scene.locks[0].word_, 0);
        CHECK_EQUAL(between.scene.locks[1].word_, 0);
        came = came && !between.late;
    }
}

/* Another thread releases the lock of those that were notified, and in the middle of that the notifier notifies others: each
 * is let go by a release of its own lock, or at once if that was released. */
static void test_notified_in_the_middle_of_a_release(void **state)
{
    (void)state;
    check_notified_in_the_middle_of_a_release(1, false);
    check_notified_in_the_middle_of_a_release(1, true);
    check_notified_in_the_middle_of_a_release(2, true);
}

SUPPORT_MAIN(cmocka_unit_test(test_all_go_at_the_release), cmocka_unit_test(test_notified_one_by_one),
             cmocka_unit_test(test_waiters_of_two_locks), cmocka_unit_test(test_two_locks_held),
             cmocka_unit_test(test_two_locks_held_and_a_crowd), cmocka_unit_test(test_released_by_another_thread),
             cmocka_unit_test(test_notified_by_strangers), cmocka_unit_test(test_led_once),
             cmocka_unit_test(test_released_after_the_notifier_ended), cmocka_unit_test(test_chosen_in_time),
             cmocka_unit_test(test_sleepers_of_the_lock_go_too), cmocka_unit_test(test_a_few_at_a_time),
             cmocka_unit_test(test_anybodys_release_goes_on), cmocka_unit_test(test_notified_while_some_are_left),
             cmocka_unit_test(test_one_waiter_of_each_lock), cmocka_unit_test(test_released_in_the_middle_of_a_notify),
             cmocka_unit_test(test_released_twice_at_once), cmocka_unit_test(test_notified_in_the_middle_of_a_release))
