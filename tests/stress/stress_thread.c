/* stress_thread.c - random operations on shared handles from several threads: start, join in all ways, drop, name, look,
 * fail, enumerate, dump, shut down; natively and with the support in the system's place.
 *
 * A slot holds one handle; whoever works with it has a reference of its own, taken under the slot's lock. What is known of
 * a thread when it was joined is checked each time: its result, and that its function has run once, to its end.
 *
 * THR_STRESS_SECONDS is how long each runs (2). */

#include "support/support.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "wait/atomic.h"
#include "wait/wait.h"

enum { WORKERS = 4, SLOTS = 8, LIVES = 1 << 16 };

/* What a thread was made to do, and what it has done. */
struct life {
    uint32_t runs;
    uint32_t ends; /* by its destructor of thread-specific data: after the function */
    bool fails;
    bool leaves;
    bool lingers;
};

static struct life lives[LIVES];
static uint32_t lives_used;
static pthread_key_t key;

static struct slot {
    thr_lock lock;
    thr_thread *thread;
    struct life *life;
} slots[SLOTS];

static thr_time end_of_stress;
static int null_fd;

static bool going_on(void)
{
    return thr_now() < load_relaxed(&end_of_stress) && load_relaxed(&lives_used) < LIVES - WORKERS;
}

static void at_end(void *value)
{
    struct life *life = value;
    (void)add_release(&life->ends, 1);
}

static void *live(void *arg)
{
    struct life *life = arg;
    CHECK_EQUAL(pthread_setspecific(key, life), 0);
    (void)add_release(&life->runs, 1);
    CHECK(thr_thread_is_alive(thr_current_thread()));
    if (life->lingers)
        thr_sleep(0.0002);
    if (life->fails)
        thr_fail(5, "as it should");
    if (life->leaves)
        pthread_exit(NULL);
    return life;
}

static void ignore(thr_thread *thread, int code, const char *message)
{
    CHECK(thread == thr_current_thread());
    CHECK_EQUAL(code, 5);
    CHECK_EQUAL(strcmp(message, "as it should"), 0);
}

static void check_joined(thr_result result, const void *value, const struct life *life)
{
    CHECK_RESULT(result, life->fails ? THR_FAILED : THR_OK);
    CHECK(value == (life->fails || life->leaves ? NULL : life));
    CHECK_EQUAL(load_acquire(&life->runs), 1);
    CHECK_EQUAL(load_acquire(&life->ends), 1);
}

/* -- Operations ------------------------------------------------------------------------------------------------------- */

static void make(struct slot *slot, uint64_t *random)
{
    struct life *life = &lives[add_relaxed(&lives_used, 1)];
    uint32_t kind = support_random_below(random, 8);
    life->fails = kind == 0;
    life->leaves = kind == 1;
    life->lingers = kind >= 6;
    thr_thread *thread;
    CHECK_OK(thr_spawn(&thread, live, life, .daemon = THR_DAEMON_NO));
    (void)thr_lock_acquire(&slot->lock);
    thr_thread *old = slot->thread;
    slot->thread = thread;
    slot->life = life;
    (void)thr_lock_release(&slot->lock);
    thr_thread_unref(old); /* running or not, joined or not */
}

static thr_thread *borrow(struct slot *slot, struct life **life)
{
    (void)thr_lock_acquire(&slot->lock);
    thr_thread *thread = slot->thread ? thr_thread_ref(slot->thread) : NULL;
    *life = slot->life;
    (void)thr_lock_release(&slot->lock);
    return thread;
}

static void join(thr_thread *thread, const struct life *life, uint64_t *random)
{
    void *value = &value;
    thr_time deadline = THR_FOREVER;
    switch (support_random_below(random, 4)) {
    case 0:
        deadline = 0;
        break;
    case 1:
        deadline = thr_after(support_random_below(random, 300) * 1e-6);
        break;
    default:
        break;
    }
    thr_result result = thr_thread_join_until(thread, deadline, &value);
    if (deadline != THR_FOREVER && result == THR_TIMEOUT)
        return;
    check_joined(result, value, life);
    CHECK(!thr_thread_is_alive(thread));
}

static void look(thr_thread *thread, uint64_t *random)
{
    static const char *const names[] = {"short",
                                        "a name with more than sixty-three bytes, so that it is kept whole elsewhere"};
    char name[128];
    CHECK(thr_thread_ident(thread) != 0);
    CHECK(thr_thread_native_id(thread) != 0);
    CHECK_OK(thr_thread_set_name(thread, names[support_random_below(random, 2)]));
    CHECK(thr_thread_name(thread, name, sizeof name) >= strlen(names[0]));
    (void)thr_thread_is_alive(thread);
    (void)thr_thread_failure(thread, name, sizeof name);
    CHECK_RESULT(thr_thread_start(thread), THR_STARTED);
}

static void look_at_all(void)
{
    thr_thread *all[64];
    size_t n = thr_enumerate(all, 64);
    CHECK(n >= 1);
    for (size_t i = 0; i < n && i < 64; i++) {
        bool alive = thr_thread_is_alive(all[i]); /* else it may be about to start */
        CHECK(!alive || thr_thread_ident(all[i]) != 0);
        thr_thread_unref(all[i]);
    }
}

static void work(void *arg)
{
    uint64_t random = support_seed() + support_index() * 1000;
    (void)arg;
    while (going_on()) {
        struct life *life;
        struct slot *slot = &slots[support_random_below(&random, SLOTS)];
        uint32_t what = support_random_below(&random, 64);
        thr_thread *thread = borrow(slot, &life);
        if (what == 0)
            thr_dump(null_fd);
        else if (what == 1)
            thr_shutdown();
        else if (what < 4)
            look_at_all();
        else if (what < 24 || !thread)
            make(slot, &random);
        else if (what < 34)
            look(thread, &random);
        else
            join(thread, life, &random);
        thr_thread_unref(thread);
    }
}

static void stress(void)
{
    const char *seconds = getenv("THR_STRESS_SECONDS");
    struct support_bunch bunch;
    memset(lives, 0, sizeof lives);
    lives_used = 0;
    null_fd = memfd_create("null", 0);
    thr_set_excepthook(ignore);
    CHECK_EQUAL(pthread_key_create(&key, at_end), 0);
    store_relaxed(&end_of_stress, thr_after(seconds ? atof(seconds) : 2.0));
    support_bunch_start(&bunch, WORKERS, work, NULL);
    support_bunch_join(&bunch);
    for (int i = 0; i < SLOTS; i++) {
        void *value = NULL;
        if (slots[i].thread) {
            thr_result result = thr_thread_join(slots[i].thread, &value);
            check_joined(result, value, slots[i].life);
        }
        thr_thread_unref(slots[i].thread);
        slots[i].thread = NULL;
    }
    thr_shutdown();
    for (uint32_t i = 0; i < lives_used; i++)
        CHECK_EQUAL(load_acquire(&lives[i].runs), lives[i].ends);
    CHECK_EQUAL(pthread_key_delete(key), 0);
    thr_set_excepthook(NULL);
    (void)close(null_fd);
}

static void test_on_words(void **state)
{
    (void)state;
    stress();
}

static void test_natively(void **state)
{
    (void)state;
    const struct wait_system *stand_in = wait_system;
    wait_system = &wait_system_os;
    stress();
    wait_system = stand_in;
}

SUPPORT_MAIN(cmocka_unit_test(test_on_words), cmocka_unit_test(test_natively))
