/* test_local.c - a value for each thread: making, setting, many of them, and one after the other at the same address. */

#include "locals.h"

/* -- Get and set --------------------------------------------------------------------------------------------------- */

static void get_twice(void *arg)
{
    thr_local *local = arg;
    support_errno_set();
    struct value *value = thr_local_get(local);
    CHECK(value != NULL);
    for (int i = 0; i < 3; i++)
        CHECK(thr_local_get(local) == value);
    CHECK_ERRNO();
}

static void test_made_once_a_thread(void **state)
{
    (void)state;
    static thr_local local = THR_LOCAL_INIT(value_make, value_destroy);
    counts_reset();
    get_twice(&local);
    check_counts(1, 0);
    for (int ours = 0; ours < 2; ours++)
        in_thread(ours, get_twice, &local);
    check_counts(3, 2);
    get_twice(&local);
    thr_local_destroy(&local);
    check_counts(3, 3);
    get_twice(&local); /* it is as new */
    check_counts(4, 3);
    thr_local_destroy(&local);
    thr_local_destroy(&local);
    check_counts(4, 4);
}

static void test_set(void **state)
{
    (void)state;
    thr_local local = THR_LOCAL_INIT(value_make, NULL);
    int one;
    int two;
    counts_reset();
    support_errno_set();
    CHECK_OK(thr_local_set(&local, &one));
    CHECK(thr_local_get(&local) == &one);
    CHECK_OK(thr_local_set(&local, &two));
    CHECK(thr_local_get(&local) == &two);
    CHECK_OK(thr_local_set(&local, NULL));
    CHECK(thr_local_get(&local) == NULL); /* it is NULL, not without a value */
    check_counts(0, 0);
    CHECK_ERRNO();
    thr_local_destroy(&local);

    thr_local plain = THR_LOCAL_INIT(NULL, NULL);
    CHECK(thr_local_get(&plain) == NULL);
    CHECK_OK(thr_local_set(&plain, &one));
    CHECK(thr_local_get(&plain) == &one);
    thr_local_destroy(&plain);
    CHECK(thr_local_get(&plain) == NULL);
    thr_local_destroy(&plain);
}

static void *make_nothing(void)
{
    (void)add_relaxed(&made, 1);
    return NULL;
}

static void test_make_gives_nothing(void **state)
{
    (void)state;
    thr_local local = THR_LOCAL_INIT(make_nothing, value_destroy);
    counts_reset();
    CHECK(thr_local_get(&local) == NULL);
    CHECK(thr_local_get(&local) == NULL);
    check_counts(2, 0); /* tried each time */
    thr_local_destroy(&local);
    check_counts(2, 0);
}

/* A value that is set and one that is made are destroyed alike; NULL is not, nor is one that was replaced. */
static void set_some(void *arg)
{
    thr_local *locals = arg;
    CHECK_OK(thr_local_set(&locals[0], value_make()));
    CHECK(thr_local_get(&locals[1]) != NULL);
    CHECK_OK(thr_local_set(&locals[2], NULL));
    struct value *replaced = thr_local_get(&locals[3]);
    CHECK_OK(thr_local_set(&locals[3], NULL));
    value_destroy(replaced);
}

static void test_what_is_destroyed(void **state)
{
    (void)state;
    enum { N = 4 };
    static thr_local locals[N];
    for (size_t i = 0; i < N; i++)
        locals[i] = (thr_local)THR_LOCAL_INIT(value_make, value_destroy);
    for (int ours = 0; ours < 2; ours++) {
        counts_reset();
        in_thread(ours, set_some, locals);
        check_counts(3, 3);
    }
    for (size_t i = 0; i < N; i++)
        thr_local_destroy(&locals[i]);
    check_counts(3, 3);
}

/* -- Many ---------------------------------------------------------------------------------------------------------- */

enum { MANY = 3000 };

static thr_local many[MANY];

static void use_many(void *arg)
{
    uint64_t random = support_seed() + (uint64_t)(uintptr_t)arg;
    static const size_t turns = 20000;
    void **values = calloc(MANY, sizeof *values);
    CHECK(values != NULL);
    for (size_t turn = 0; turn < turns; turn++) {
        size_t i = support_random_below(&random, MANY);
        if (support_random_below(&random, 4) == 0) {
            values[i] = &values[support_random_below(&random, MANY)];
            CHECK_OK(thr_local_set(&many[i], values[i]));
        }
        CHECK(thr_local_get(&many[i]) == values[i]);
    }
    free(values);
}

static void test_many(void **state)
{
    (void)state;
    enum { THREADS = 4 };
    struct support_thread *threads[THREADS];
    for (size_t i = 0; i < MANY; i++)
        many[i] = (thr_local)THR_LOCAL_INIT(NULL, NULL);
    for (uintptr_t i = 0; i < THREADS; i++)
        threads[i] = support_thread_start(use_many, (void *)i);
    for (size_t i = 0; i < THREADS; i++)
        support_thread_join(threads[i]);
    for (size_t i = 0; i < MANY; i++)
        thr_local_destroy(&many[i]);
}

/* -- One after the other at the same address ----------------------------------------------------------------------- */

static void test_no_inheritance(void **state)
{
    (void)state;
    int one;
    thr_local local = THR_LOCAL_INIT(NULL, NULL);
    for (int i = 0; i < 100; i++) {
        CHECK(thr_local_get(&local) == NULL);
        CHECK_OK(thr_local_set(&local, &one));
        CHECK(thr_local_get(&local) == &one);
        if (i % 2 == 0)
            thr_local_destroy(&local);
        else
            local = (thr_local)THR_LOCAL_INIT(NULL, NULL); /* forgotten, not destroyed */
    }
    thr_local_destroy(&local);
}

/* Indices of the tables are used again, or each would grow for ever. */
static void test_no_growth(void **state)
{
    (void)state;
    int one;
    thr_local local = THR_LOCAL_INIT(NULL, NULL);
    CHECK_OK(thr_local_set(&local, &one));
    uint32_t index = (uint32_t)local.key_;
    for (int i = 0; i < 1000; i++) {
        thr_local_destroy(&local);
        CHECK_OK(thr_local_set(&local, &one));
        CHECK_EQUAL((uint32_t)local.key_, index);
    }
    thr_local_destroy(&local);
}

struct shared {
    thr_local local;
    struct support_count turn;
    struct support_count answer;
};

enum { TURNS = 50 };

static void see_each_turn(void *arg)
{
    struct shared *shared = arg;
    for (uint32_t turn = 1; turn <= TURNS; turn++) {
        support_count_wait(&shared->turn, turn);
        CHECK(thr_local_get(&shared->local) == NULL);
        CHECK_OK(thr_local_set(&shared->local, shared));
        CHECK(thr_local_get(&shared->local) == shared);
        support_count_add(&shared->answer);
    }
}

/* The same, seen by another thread, whose values the destroy takes away. */
static void test_no_inheritance_elsewhere(void **state)
{
    (void)state;
    static struct shared shared;
    struct support_thread *thread = support_thread_start(see_each_turn, &shared);
    for (uint32_t turn = 1; turn <= TURNS; turn++) {
        shared.local = (thr_local)THR_LOCAL_INIT(NULL, NULL);
        support_count_add(&shared.turn);
        support_count_wait(&shared.answer, turn);
        if (turn % 3 != 0)
            thr_local_destroy(&shared.local);
    }
    support_thread_join(thread);
}

static void init_again(void *arg)
{
    thr_local *local = arg;
    CHECK(thr_local_get(local) != NULL);
    *local = (thr_local)THR_LOCAL_INIT(NULL, NULL);
    CHECK(thr_local_get(local) == NULL);
}

/* What a forgotten local left is destroyed with the thread, as it was to be. */
static void test_forgotten(void **state)
{
    (void)state;
    for (int ours = 0; ours < 2; ours++) {
        thr_local local = THR_LOCAL_INIT(value_make, value_destroy);
        counts_reset();
        in_thread(ours, init_again, &local);
        check_counts(1, 1);
    }
}

SUPPORT_MAIN(cmocka_unit_test(test_made_once_a_thread), cmocka_unit_test(test_set),
             cmocka_unit_test(test_make_gives_nothing), cmocka_unit_test(test_what_is_destroyed),
             cmocka_unit_test(test_many), cmocka_unit_test(test_no_inheritance), cmocka_unit_test(test_no_growth),
             cmocka_unit_test(test_no_inheritance_elsewhere), cmocka_unit_test(test_forgotten))
