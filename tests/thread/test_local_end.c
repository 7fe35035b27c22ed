/* test_local_end.c - values at the ends of threads, and of locals. */

#include "locals.h"

#include "os/os.h"

/* -- The end of a thread ------------------------------------------------------------------------------------------- */

enum { ORDER_MAX = 32 };

static char order[ORDER_MAX];
static size_t order_length;

static void note(char c)
{
    CHECK(order_length < ORDER_MAX - 1);
    order[order_length++] = c;
    order[order_length] = '\0';
}

static void check_order(const char *expected)
{
    if (strcmp(order, expected) != 0)
        support_fail(__FILE__, __LINE__, "the order is \"%s\", not \"%s\"", order, expected);
    order_length = 0;
    order[0] = '\0';
}

static void note_destroy(void *value)
{
    note(*(const char *)value);
}

static char letters[] = "abcdefghij";
static thr_local first = THR_LOCAL_INIT(NULL, note_destroy);
static thr_local second = THR_LOCAL_INIT(NULL, note_destroy);
static thr_local third = THR_LOCAL_INIT(NULL, note_destroy);

static void *make_on_first(void)
{
    CHECK_OK(thr_local_set(&first, &letters[0]));
    return &letters[1];
}

static thr_local on_first = THR_LOCAL_INIT(make_on_first, note_destroy);

static void set_three(void *arg)
{
    (void)arg;
    CHECK_OK(thr_local_set(&second, &letters[1]));
    CHECK_OK(thr_local_set(&first, &letters[0]));
    CHECK_OK(thr_local_set(&third, &letters[2]));
}

static void set_one_anew(void *arg)
{
    set_three(arg);
    CHECK_OK(thr_local_set(&second, &letters[3])); /* a newer value than the others */
}

static void make_nested(void *arg)
{
    (void)arg;
    CHECK(thr_local_get(&on_first) == &letters[1]); /* it was made with the help of `first`, so goes before it */
}

static void test_newest_first(void **state)
{
    (void)state;
    for (int ours = 0; ours < 2; ours++) {
        in_thread(ours, set_three, NULL);
        check_order("cab");
        in_thread(ours, set_one_anew, NULL);
        check_order("dca");
        in_thread(ours, make_nested, NULL);
        check_order("ba");
    }
}

static void destroy_looking(void *value);

/* Its destructor uses an older local, which is still there, and a newer, which is not any more. */
static thr_local older = THR_LOCAL_INIT(NULL, note_destroy);
static thr_local looking = THR_LOCAL_INIT(NULL, destroy_looking);
static thr_local newer = THR_LOCAL_INIT(NULL, note_destroy);

static void destroy_looking(void *value)
{
    note_destroy(value);
    CHECK(thr_local_get(&looking) == NULL);
    CHECK(thr_local_get(&older) == &letters[0]);
    CHECK(thr_local_get(&newer) == NULL);
    CHECK_OK(thr_local_set(&newer, &letters[3]));
    CHECK(thr_local_get(&newer) == &letters[3]);
    CHECK_OK(thr_local_set(&older, &letters[4])); /* of the next round; the one it replaces is not destroyed */
}

static void set_looking(void *arg)
{
    (void)arg;
    CHECK_OK(thr_local_set(&older, &letters[0]));
    CHECK_OK(thr_local_set(&looking, &letters[1]));
    CHECK_OK(thr_local_set(&newer, &letters[2]));
}

static void test_use_in_destructors(void **state)
{
    (void)state;
    for (int ours = 0; ours < 2; ours++) {
        in_thread(ours, set_looking, NULL);
        check_order("cbed");
    }
}

static void destroy_again(void *value);

static thr_local endless = THR_LOCAL_INIT(NULL, destroy_again);

static void destroy_again(void *value)
{
    note_destroy(value);
    CHECK_OK(thr_local_set(&endless, (char *)value + 1));
}

static void set_endless(void *arg)
{
    (void)arg;
    CHECK_OK(thr_local_set(&endless, letters));
}

static void test_rounds(void **state)
{
    (void)state;
    for (int ours = 0; ours < 2; ours++) {
        in_thread(ours, set_endless, NULL);
        check_order("abcd");
    }
}

static void set_itself(void *local)
{
    CHECK_OK(thr_local_set(local, local));
}

static void test_rounds_of_a_local(void **state)
{
    (void)state;
    thr_local fresh = THR_LOCAL_INIT(NULL, NULL);
    set_endless(NULL);
    thr_local_destroy(&endless);
    check_order("abcd");
    CHECK(thr_local_get(&endless) == NULL);
    in_thread(false, set_itself, &fresh); /* gets the index that became free */
    CHECK(thr_local_get(&fresh) == NULL); /* what the last destructor set is nobody's */
    thr_local_destroy(&fresh);
    thr_local_destroy(&endless);
    check_order("");
}

/* Destructors of others, which the system calls after ours. */
static pthread_key_t late_key;

static void late(void *arg)
{
    (void)arg;
    CHECK(thr_local_get(&first) == NULL); /* destroyed already */
    CHECK_OK(thr_local_set(&first, &letters[5]));
    CHECK(thr_local_get(&first) == &letters[5]);
}

static void set_late(void *arg)
{
    (void)arg;
    CHECK_OK(thr_local_set(&first, &letters[0]));
    CHECK(pthread_setspecific(late_key, letters) == 0);
}

static void test_late_use(void **state)
{
    (void)state;
    CHECK(pthread_key_create(&late_key, late) == 0);
    for (int ours = 0; ours < 2; ours++) {
        in_thread(ours, set_late, NULL);
        check_order("af");
    }
    CHECK(pthread_key_delete(late_key) == 0);
}

static void destroy_failing(void *value)
{
    note_destroy(value);
    thr_fail(1, "on purpose");
}

static thr_local failing = THR_LOCAL_INIT(NULL, destroy_failing);

static void set_failing(void *arg)
{
    (void)arg;
    CHECK_OK(thr_local_set(&first, &letters[0]));
    CHECK_OK(thr_local_set(&failing, &letters[1]));
    CHECK_OK(thr_local_set(&second, &letters[2]));
}

static void *fail_at_end(void *arg)
{
    set_failing(arg);
    return NULL;
}

static void no_report(thr_thread *thread, int code, const char *message)
{
    (void)thread;
    (void)code;
    (void)message;
}

static void test_failing_destructor(void **state)
{
    (void)state;
    thr_thread *thread;
    thr_set_excepthook(no_report);
    CHECK_OK(thr_spawn(&thread, fail_at_end, NULL));
    CHECK_RESULT(thr_thread_join(thread, NULL), THR_FAILED);
    check_order("cba");
    thr_thread_unref(thread);
    thr_set_excepthook(NULL);
}

/* In the last of the rounds that the thread has: what is set just before is destroyed then. */
static void set_in_last(void *round)
{
    if ((uintptr_t)round + 1 < OS_END_ROUNDS)
        CHECK(pthread_setspecific(late_key, (void *)((uintptr_t)round + 1)) == 0);
    else
        set_failing(NULL);
}

static void set_failing_on_exit(thr_thread *thread)
{
    (void)thread;
    set_failing(NULL);
}

static void *begin_rounds(void *arg)
{
    if (arg)
        CHECK(pthread_setspecific(late_key, arg) == 0);
    return NULL;
}

/* The system begins its rounds anew then, and sanitizers have ended by that what they keep for the thread. */
static void test_failing_in_last_round(void **state)
{
    (void)state;
    if (SUPPORT_SANITIZED)
        skip();
    thr_set_excepthook(no_report);
    CHECK(pthread_key_create(&late_key, set_in_last) == 0);
    for (uintptr_t in_hook = 0; in_hook < 2; in_hook++) {
        thr_thread *thread;
        thr_set_thread_hooks(NULL, in_hook ? set_failing_on_exit : NULL);
        CHECK_OK(thr_spawn(&thread, begin_rounds, (void *)(1 - in_hook)));
        CHECK_RESULT(thr_thread_join(thread, NULL), THR_FAILED);
        check_order("cba");
        CHECK_EQUAL(thr_active_count(), 1); /* it has come to its end all the same */
        thr_thread_unref(thread);
    }
    CHECK(pthread_key_delete(late_key) == 0);
    thr_set_thread_hooks(NULL, NULL);
    thr_set_excepthook(NULL);
}

/* -- The end of a local -------------------------------------------------------------------------------------------- */

struct crowd {
    thr_local local;
    thr_event go;
    struct support_count ready;
};

static void get_and_wait(void *arg)
{
    struct crowd *crowd = arg;
    CHECK(thr_local_get(&crowd->local) != NULL);
    support_count_add(&crowd->ready);
    CHECK_OK(thr_event_wait(&crowd->go));
}

static void test_destroy_for_all(void **state)
{
    (void)state;
    enum { N = 150 };
    struct crowd crowd = {THR_LOCAL_INIT(value_make, value_destroy), THR_EVENT_INIT, {0}};
    struct support_thread *threads[N];
    counts_reset();
    for (size_t i = 0; i < N; i++)
        threads[i] = support_thread_start(get_and_wait, &crowd);
    support_count_wait(&crowd.ready, N);
    support_errno_set();
    thr_local_destroy(&crowd.local);
    CHECK_ERRNO();
    check_counts(N, N);
    thr_event_set(&crowd.go);
    for (size_t i = 0; i < N; i++)
        support_thread_join(threads[i]);
    check_counts(N, N);
}

static void get_it(void *local)
{
    CHECK(thr_local_get(local) != NULL);
}

struct racing {
    thr_local local;
    struct support_count got;
};

static void get_and_end(void *arg)
{
    struct racing *racing = arg;
    get_it(&racing->local);
    support_count_add(&racing->got);
}

/* Threads that end while the local does: each value is destroyed once, and before thr_local_destroy returns. */
static void test_destroy_while_threads_end(void **state)
{
    (void)state;
    enum { N = 4, ROUNDS = 200 };
    for (int round = 0; round < ROUNDS; round++) {
        struct racing *racing = malloc(sizeof *racing);
        struct support_thread *threads[N];
        CHECK(racing != NULL);
        *racing = (struct racing){THR_LOCAL_INIT(value_make, value_destroy), {0}};
        counts_reset();
        for (size_t i = 0; i < N; i++)
            threads[i] = support_thread_start(get_and_end, racing);
        support_count_wait(&racing->got, N);
        thr_local_destroy(&racing->local);
        check_counts(N, N);
        for (size_t i = 0; i < N; i++)
            support_thread_join(threads[i]);
        check_counts(N, N);
        free(racing);
    }
}

static struct support_count in_destructor;
static thr_event leave_destructor;

static void destroy_slowly(void *value)
{
    support_count_add(&in_destructor);
    CHECK_OK(thr_event_wait(&leave_destructor));
    value_destroy(value);
}

struct ending {
    thr_local local;
    struct support_count done;
};

static void destroy_local(void *arg)
{
    struct ending *ending = arg;
    thr_local_destroy(&ending->local);
    check_counts(1, 1);
    support_count_add(&ending->done);
}

/* thr_local_destroy waits for a destructor that the end of a thread is running. */
static void test_destroy_waits(void **state)
{
    (void)state;
    struct ending ending = {THR_LOCAL_INIT(value_make, destroy_slowly), {0}};
    thr_local other = THR_LOCAL_INIT(value_make, value_destroy);
    counts_reset();
    struct support_thread *thread = support_thread_start(get_it, &ending.local);
    support_count_wait(&in_destructor, 1);
    thr_local_destroy(&other); /* this one has nothing to wait for */
    struct support_thread *destroyer = support_thread_start(destroy_local, &ending);
    CHECK_EQUAL(support_count_get(&ending.done), 0);
    thr_event_set(&leave_destructor);
    support_count_wait(&ending.done, 1);
    support_thread_join(thread);
    support_thread_join(destroyer);
}

static thr_local own = THR_LOCAL_INIT(value_make, NULL);

static void destroy_own_local(void *value)
{
    value_destroy(value);
    thr_local_destroy(&own);
}

/* From its own destructor: does not wait for itself. */
static void test_destroy_in_destructor(void **state)
{
    (void)state;
    counts_reset();
    own.destroy_ = destroy_own_local;
    for (int ours = 0; ours < 2; ours++)
        in_thread(ours, get_it, &own);
    check_counts(2, 2);
}

SUPPORT_MAIN(cmocka_unit_test(test_newest_first), cmocka_unit_test(test_use_in_destructors),
             cmocka_unit_test(test_rounds), cmocka_unit_test(test_rounds_of_a_local), cmocka_unit_test(test_late_use),
             cmocka_unit_test(test_failing_destructor), cmocka_unit_test(test_failing_in_last_round),
             cmocka_unit_test(test_destroy_for_all), cmocka_unit_test(test_destroy_while_threads_end),
             cmocka_unit_test(test_destroy_waits), cmocka_unit_test(test_destroy_in_destructor))
