/* test_thread_names.c - what threads are called, which are daemons, and which there are. */

#include "known.h"

/* -- Names --------------------------------------------------------------------------------------------------------- */

static unsigned number_of(const thr_thread *thread)
{
    char name[NAME_SIZE];
    unsigned number = 0;
    (void)thr_thread_name(thread, name, sizeof name);
    CHECK_EQUAL(sscanf(name, "Thread-%u", &number), 1);
    return number;
}

static thr_thread *named(const char *name)
{
    thr_thread *thread;
    CHECK_OK(thr_thread_new(&thread, return_arg, NULL, .name = name));
    return thread;
}

static void test_default_names(void **state)
{
    (void)state;
    char expected[64];
    thr_thread *thread = named(NULL);
    unsigned number = number_of(thread);
    (void)snprintf(expected, sizeof expected, "Thread-%u (return_arg)", number);
    check_name(thread, expected);
    thr_thread_unref(thread);

    thread = named("myname2"); /* does not count */
    check_name(thread, "myname2");
    thr_thread_unref(thread);

    thread = named(""); /* as Python: an empty name is none, and names no target */
    (void)snprintf(expected, sizeof expected, "Thread-%u", number + 1);
    check_name(thread, expected);
    thr_thread_unref(thread);

    CHECK_OK(thr_thread_new_with(&thread, return_arg, NULL, NULL));
    (void)snprintf(expected, sizeof expected, "Thread-%u", number + 2);
    check_name(thread, expected);
    thr_thread_unref(thread);

    thr_thread_options options = {.name = "with"};
    CHECK_OK(thr_thread_new_with(&thread, return_arg, NULL, &options));
    check_name(thread, "with");
    thr_thread_unref(thread);
}

static void check_length(size_t length)
{
    char name[NAME_SIZE];
    char copy[NAME_SIZE];
    memset(name, 'x', length);
    name[length] = '\0';
    thr_thread *thread = named(length != 0 ? name : "y");
    CHECK_OK(thr_thread_set_name(thread, name));
    check_name(thread, name);
    memset(copy, '#', sizeof copy);
    CHECK_EQUAL(thr_thread_name(thread, copy, 10), length);
    CHECK_EQUAL(strlen(copy), length < 9 ? length : 9);
    CHECK_EQUAL(copy[10], '#');
    CHECK_EQUAL(thr_thread_name(thread, copy, 1), length);
    CHECK_EQUAL(copy[0], '\0');
    CHECK_EQUAL(thr_thread_name(thread, NULL, 0), length);
    thr_thread_unref(thread);
}

static void test_names_of_all_lengths(void **state)
{
    (void)state;
    for (size_t length = 0; length < 200; length++)
        check_length(length);
    thr_thread *thread = named("one");
    CHECK_RESULT(thr_thread_set_name(thread, NULL), THR_INVALID);
    check_name(thread, "one");
    thr_thread_unref(thread);
}

struct shown {
    struct support_count ready;
    thr_event renamed;
    char before[32];
    char after[32];
};

static void *show_name(void *arg)
{
    struct shown *shown = arg;
    CHECK_EQUAL(pthread_getname_np(pthread_self(), shown->before, sizeof shown->before), 0);
    support_count_add(&shown->ready);
    (void)thr_event_wait(&shown->renamed);
    CHECK_EQUAL(pthread_getname_np(pthread_self(), shown->after, sizeof shown->after), 0);
    return NULL;
}

static void test_names_at_the_system(void **state)
{
    (void)state;
    struct shown shown = {0};
    thr_thread *thread;
    CHECK_OK(thr_spawn(&thread, show_name, &shown, .name = "reader of many files"));
    support_count_wait(&shown.ready, 1);
    CHECK_OK(thr_thread_set_name(thread, "writer of many files"));
    thr_event_set(&shown.renamed);
    CHECK_OK(thr_thread_join(thread, NULL));
    CHECK_EQUAL(strcmp(shown.before, "reader of many "), 0);
    CHECK_EQUAL(strcmp(shown.after, "writer of many "), 0);
    CHECK_OK(thr_thread_set_name(thread, "gone")); /* has ended: only here */
    check_name(thread, "gone");
    thr_thread_unref(thread);
}

/* -- Two who name one thread --------------------------------------------------------------------------------------- */

static __thread bool stop_in_free;
static struct support_count stopped;
static thr_event go_on;

/* The linker's names. NOLINTBEGIN(bugprone-reserved-identifier) */
void __real_free(void *memory);
void __wrap_free(void *memory);

void __wrap_free(void *memory)
{
    __real_free(memory);
    if (stop_in_free) {
        stop_in_free = false;
        support_count_add(&stopped);
        (void)thr_event_wait(&go_on);
    }
}
/* NOLINTEND(bugprone-reserved-identifier) */

struct named {
    thr_thread *thread; /* NULL: the one that runs name_it_this */
    struct support_count ready;
    thr_event seen;
};

/* The first of the two stops half-way: when its name is there, and it frees the one before. */
static void *name_it_this(void *arg)
{
    struct named *named = arg;
    thr_thread *thread = named->thread ? named->thread : thr_current_thread();
    char long_name[NAME_SIZE] = {0};
    memset(long_name, 'x', sizeof long_name - 1);
    CHECK_OK(thr_thread_set_name(thread, long_name));
    stop_in_free = true;
    CHECK_OK(thr_thread_set_name(thread, "this"));
    support_count_add(&named->ready);
    (void)thr_event_wait(&named->seen);
    return NULL;
}

static void check_last_name_stays(thr_thread *thread)
{
    struct named named = {.thread = thread};
    thr_thread *first;
    char shown[OS_NAME_SIZE];
    stopped.value = 0;
    thr_event_clear(&go_on);
    CHECK_OK(thr_spawn(&first, name_it_this, &named));
    support_count_wait(&stopped, 1);
    thr_thread *last = thread ? thread : first;
    CHECK_OK(thr_thread_set_name(last, "that"));
    thr_event_set(&go_on);
    support_count_wait(&named.ready, 1);
    check_name(last, "that");
    CHECK_EQUAL(pthread_getname_np((pthread_t)thr_thread_native_handle(last), shown, sizeof shown), 0);
    CHECK_EQUAL(strcmp(shown, "that"), 0);
    thr_event_set(&named.seen);
    end(first);
}

static void test_last_name_stays(void **state)
{
    (void)state;
    check_last_name_stays(thr_main_thread());
    check_last_name_stays(NULL);
}

/* -- Daemons ------------------------------------------------------------------------------------------------------- */

static void *make_inheriting(void *arg)
{
    thr_thread *thread;
    CHECK_OK(thr_thread_new(&thread, return_arg, NULL));
    CHECK_EQUAL(thr_thread_daemon(thread), *(bool *)arg);
    thr_thread_unref(thread);
    CHECK_OK(thr_thread_new(&thread, return_arg, NULL, .daemon = THR_DAEMON_NO));
    CHECK(!thr_thread_daemon(thread));
    thr_thread_unref(thread);
    return NULL;
}

static void test_daemon(void **state)
{
    (void)state;
    bool no = false;
    bool yes = true;
    thr_thread *thread;
    CHECK(!thr_thread_daemon(thr_main_thread()));
    (void)make_inheriting(&no);
    CHECK_OK(thr_spawn(&thread, make_inheriting, &yes, .daemon = THR_DAEMON_YES));
    CHECK(thr_thread_daemon(thread));
    end(thread);
    CHECK_OK(thr_spawn(&thread, make_inheriting, &no, .daemon = THR_DAEMON_NO));
    end(thread);
}

static void test_set_daemon(void **state)
{
    (void)state;
    thr_event go = THR_EVENT_INIT;
    thr_thread *thread;
    CHECK_OK(thr_thread_new(&thread, wait_for_event, &go));
    CHECK(!thr_thread_daemon(thread));
    CHECK_OK(thr_thread_set_daemon(thread, true));
    CHECK(thr_thread_daemon(thread));
    CHECK_OK(thr_thread_start(thread));
    CHECK_RESULT(thr_thread_set_daemon(thread, false), THR_STARTED);
    thr_event_set(&go);
    CHECK_OK(thr_thread_join(thread, NULL));
    CHECK_RESULT(thr_thread_set_daemon(thread, false), THR_STARTED);
    CHECK(thr_thread_daemon(thread));
    thr_thread_unref(thread);
    CHECK_RESULT(thr_thread_set_daemon(thr_main_thread(), true), THR_STARTED);
}

/* -- All threads --------------------------------------------------------------------------------------------------- */

static bool listed(const thr_thread *thread)
{
    enum { MOST = 64 };
    thr_thread *all[MOST];
    size_t n = thr_enumerate(all, MOST);
    bool found = false;
    CHECK(n <= MOST);
    for (size_t i = 0; i < n; i++) {
        found = found || all[i] == thread;
        thr_thread_unref(all[i]);
    }
    return found;
}

/* CPython's issue 1703448. */
static void test_enumerate_after_join(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++) {
        thr_thread *thread;
        CHECK_OK(thr_spawn(&thread, return_arg, NULL));
        CHECK_OK(thr_thread_join(thread, NULL));
        CHECK(!thr_thread_is_alive(thread));
        CHECK(!listed(thread));
        CHECK_EQUAL(thr_active_count(), 1);
        thr_thread_unref(thread);
    }
}

static void test_enumerate(void **state)
{
    (void)state;
    enum { N = 5 };
    thr_event go = THR_EVENT_INIT;
    thr_thread *threads[N];
    thr_thread *all[N + 1];
    for (int i = 0; i < N; i++)
        CHECK_OK(thr_spawn(&threads[i], wait_for_event, &go));
    CHECK_EQUAL(thr_active_count(), N + 1);
    CHECK_EQUAL(thr_enumerate(NULL, 0), N + 1);
    CHECK_EQUAL(thr_enumerate(all, 2), N + 1); /* stores as many as there is room for */
    thr_thread_unref(all[0]);
    thr_thread_unref(all[1]);
    CHECK_EQUAL(thr_enumerate(all, N + 1), N + 1);
    CHECK(all[0] == thr_main_thread());
    for (int i = 0; i < N; i++) {
        CHECK(all[i + 1] == threads[i]); /* in the order of their starts */
        thr_thread_unref(threads[i]);
    }
    thr_event_set(&go);
    for (int i = 0; i < N; i++)
        end(all[i + 1]); /* our references keep them */
    thr_thread_unref(all[0]);
    CHECK_EQUAL(thr_active_count(), 1);
}

static void test_thousands(void **state)
{
    (void)state;
    enum { N = 2000, STACK = 64 * 1024 };
    static thr_thread *threads[N];
    static thr_thread *all[N + 1];
    thr_event go = THR_EVENT_INIT;
    const struct wait_system *support = wait_system;
    wait_system = &wait_system_os; /* more threads than the support has slots for */
    for (int i = 0; i < N; i++)
        CHECK_OK(thr_spawn(&threads[i], wait_for_event, &go, .stack_size = STACK));
    CHECK_EQUAL(thr_active_count(), N + 1);
    CHECK_EQUAL(thr_enumerate(all, N + 1), N + 1);
    for (int i = 0; i <= N; i++)
        thr_thread_unref(all[i]);
    thr_event_set(&go);
    for (int i = 0; i < N; i++)
        end(threads[i]);
    CHECK_EQUAL(thr_active_count(), 1);
    wait_system = support;
}

SUPPORT_MAIN(cmocka_unit_test(test_default_names), cmocka_unit_test(test_names_of_all_lengths),
             cmocka_unit_test(test_names_at_the_system), cmocka_unit_test(test_last_name_stays),
             cmocka_unit_test(test_daemon), cmocka_unit_test(test_set_daemon),
             cmocka_unit_test(test_enumerate_after_join), cmocka_unit_test(test_enumerate),
             cmocka_unit_test(test_thousands))
