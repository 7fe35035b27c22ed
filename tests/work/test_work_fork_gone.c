/* test_work_fork_gone.c - in the child of a fork, nothing that a thread had on its stack is touched when that thread is gone:
 * the C library gives such stacks to new threads, or back to the system. Here the opener of a group (or who waits for a
 * future, or maps) is on a stack of ours, which the child makes inaccessible.
 *
 * ctest: plain (ThreadSanitizer knows no threads in the child of a fork, and leaks are found in the child that are none) */

#include "executors.h"
#include "forks.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "work/future.h"

enum { STACK = 1 << 18 };

static char *stack; /* of the thread that is not there in the child, or NULL */
static thr_executor *executor;
static void (*in_child)(void);

static void alone(void *(*function)(void *arg))
{
    pthread_attr_t attributes;
    pthread_t thread;
    stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(stack != MAP_FAILED);
    CHECK(pthread_attr_init(&attributes) == 0);
    CHECK(pthread_attr_setstack(&attributes, stack, STACK) == 0);
    CHECK(pthread_create(&thread, &attributes, function, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(pthread_attr_destroy(&attributes) == 0);
    CHECK(munmap(stack, STACK) == 0);
    stack = NULL;
}

/* Whether this is the child, in which nobody may touch the stack. */
static bool forks_without_stack(void)
{
    if (!forks())
        return false;
    CHECK(!stack || mprotect(stack, STACK, PROT_NONE) == 0);
    return true;
}

/* -- A task of its group ------------------------------------------------------------------------------------------ */

static void *fork_inside(void *arg)
{
    if (forks_without_stack())
        in_child();
    return arg;
}

static void *open_a_group(void *arg)
{
    thr_task task;
    thr_group group = THR_GROUP_INIT(executor);
    CHECK_OK(thr_group_spawn(&group, &task, fork_inside, NULL));
    CHECK_OK(thr_group_wait(&group));
    CHECK_OK(thr_group_spawn(&group, NULL, fork_inside, NULL));
    CHECK_OK(thr_group_wait(&group));
    return arg;
}

static void opener_is_gone(void (*what)(void))
{
    executor = make(2);
    in_child = what;
    alone(open_a_group);
    end(executor);
}

/* It looks for what its group is in; the futures and groups that it makes now are as in any child. */
static void look(void)
{
    struct support_count count = {0};
    thr_task task;
    thr_group group = THR_GROUP_INIT(executor);
    CHECK(thr_group_cancelled());
    CHECK(result_of(submit(executor, give_arg, &task)) == &task);
    CHECK_OK(thr_group_spawn(&group, &task, count_up, &count));
    CHECK_RESULT(thr_group_wait(&group), THR_CANCELLED); /* as what it is in */
    CHECK_EQUAL(support_count_get(&count), 0);
    end(executor); /* what is left of its worker is this thread, and ends later */
}

static void test_looks(void **state)
{
    (void)state;
    opener_is_gone(look);
}

static void use_it(void)
{
    for (int i = 0; i < 3; i++)
        (void)result_of(submit(executor, give_arg, NULL));
    end(executor);
}

/* What comes after the task, at the end of that process, can use the executor still. */
static void use_it_later(void)
{
    (void)result_of(submit(executor, give_arg, NULL));
    CHECK(atexit(use_it) == 0);
}

static void test_uses_it_later(void **state)
{
    (void)state;
    opener_is_gone(use_it_later);
}

static void check_reported(void)
{
    CHECK_EQUAL(reports, 1);
}

/* Nobody waits for it there: so the excepthook is told. */
static void fail_there(void)
{
    thr_set_excepthook(report);
    CHECK(atexit(check_reported) == 0);
    thr_fail(3, "%s", reason);
}

static void test_fails(void **state)
{
    (void)state;
    opener_is_gone(fail_there);
}

static void end_thread(void)
{
    pthread_exit(NULL);
}

static void test_ends_its_thread(void **state)
{
    (void)state;
    opener_is_gone(end_thread);
}

static void end_process(void)
{
    exit(0);
}

static void test_ends_the_process(void **state)
{
    (void)state;
    opener_is_gone(end_process);
}

/* The group of the task is its own thread's, the one above it is not. */
static void *open_another(void *arg)
{
    pid_t before = getpid();
    thr_task task;
    thr_group group = THR_GROUP_INIT(executor);
    CHECK_OK(thr_group_spawn(&group, &task, fork_inside, NULL));
    thr_result result = thr_group_wait(&group);
    CHECK_RESULT(result, getpid() == before ? THR_OK : THR_CANCELLED);
    return arg;
}

static void *open_two(void *arg)
{
    thr_task task;
    thr_group group = THR_GROUP_INIT(executor);
    CHECK_OK(thr_group_spawn(&group, &task, open_another, NULL));
    CHECK_OK(thr_group_wait(&group));
    return arg;
}

static void test_looks_from_further_in(void **state)
{
    (void)state;
    executor = make(1); /* the inner one is not stolen */
    in_child = look;
    alone(open_two);
    end(executor);
}

/* The group is its own thread's, and has more tasks than its deque holds: the last of them run out of the list. */
static uint32_t run;

static void *fork_at_the_end(void *last)
{
    if (++run < THR__DEQUE_SIZE + 10)
        return NULL;
    if (forks_without_stack() && last)
        thr_fail(3, "%s", reason);
    return NULL;
}

static void *open_a_large_group(void *fails)
{
    enum { N = THR__DEQUE_SIZE + 10 };
    static thr_task tasks[N];
    pid_t before = getpid();
    thr_group group = THR_GROUP_INIT(executor);
    run = 0;
    for (int i = 0; i < N; i++)
        CHECK_OK(thr_group_spawn(&group, &tasks[i], fork_at_the_end, fails));
    thr_result result = thr_group_wait(&group);
    if (getpid() == before)
        CHECK_OK(result);
    else
        CHECK_RESULT(result, fails ? THR_FAILED : THR_CANCELLED);
    return NULL;
}

static void test_out_of_the_list(void **state)
{
    (void)state;
    executor = make(1);
    (void)result_of(submit(executor, open_a_large_group, NULL));
    (void)result_of(submit(executor, open_a_large_group, executor));
    end(executor);
}

/* -- Loops -------------------------------------------------------------------------------------------------------- */

static uint32_t begun;
static pid_t parent;

static void fork_once(void)
{
    CHECK(getpid() == parent); /* in the child no further call begins */
    if (__atomic_fetch_add(&begun, 1, __ATOMIC_RELAXED) == 10)
        (void)forks_without_stack();
}

static void body(size_t from, size_t to, void *arg)
{
    (void)from;
    (void)to;
    (void)arg;
    fork_once();
}

static void *each(void *arg)
{
    fork_once();
    return arg;
}

enum { CALLS = 100 };

static void *loop(void *arg)
{
    CHECK_OK(thr_parallel_for(executor, 0, CALLS, 1, body, NULL));
    return arg;
}

static void *map(void *arg)
{
    void *args[CALLS] = {NULL};
    CHECK_OK(thr_executor_map(executor, each, args, CALLS, NULL));
    return arg;
}

static void caller_is_gone(void *(*caller)(void *arg))
{
    executor = make(2);
    begun = 0;
    parent = getpid();
    alone(caller);
    CHECK_EQUAL(begun, CALLS);
    end(executor);
}

static void test_parallel_for(void **state)
{
    (void)state;
    caller_is_gone(loop);
}

static void test_map(void **state)
{
    (void)state;
    caller_is_gone(map);
}

/* The caller is a task that runs the calls itself. */
static void *map_inside(void *arg)
{
    void *args[CALLS] = {NULL};
    thr_result result = thr_executor_map(executor, each, args, CALLS, NULL);
    CHECK_RESULT(result, getpid() == parent ? THR_OK : THR_CANCELLED);
    return arg;
}

static void test_map_in_the_same_thread(void **state)
{
    (void)state;
    executor = make(1);
    begun = 0;
    parent = getpid();
    (void)result_of(submit(executor, map_inside, NULL));
    CHECK_EQUAL(begun, CALLS);
    end(executor);
}

/* -- Who waits for the future of the task -------------------------------------------------------------------------- */

static thr_future *future;
static thr_event go = THR_EVENT_INIT;
static struct support_count calls;

static void called(thr_future *done, void *arg)
{
    CHECK(done == future);
    support_count_add(arg);
}

static void check_called(void)
{
    CHECK_EQUAL(support_count_get(&calls), 2);
}

static void *fork_later(void *arg)
{
    thr_event_wait(&go);
    if (forks_without_stack())
        CHECK(atexit(check_called) == 0);
    return arg;
}

static void *wait_for_first(void *arg)
{
    CHECK_OK(thr_future_wait(&future, 1, THR_FIRST_COMPLETED, THR_FOREVER));
    return arg;
}

/* Lets it fork when there is one more observer than these. */
static void let_go(void *observers)
{
    uint64_t before = *(uint64_t *)observers;
    uint64_t now = before;
    while ((now & ~(uint64_t)3) == before) /* but for the bits of the lock */
        now = __atomic_load_n(&future->observers, __ATOMIC_RELAXED);
    thr_event_set(&go);
}

/* The child calls the callbacks, and tells nobody else. */
static void test_waiter(void **state)
{
    (void)state;
    executor = make(1);
    future = submit(executor, fork_later, NULL);
    CHECK_OK(thr_future_add_done_callback(future, called, &calls));
    CHECK_OK(thr_future_add_done_callback(future, called, &calls));
    uint64_t observers = future->observers;
    struct support_thread *thread = support_thread_start(let_go, &observers);
    alone(wait_for_first);
    support_thread_join(thread);
    end(executor);
    CHECK_EQUAL(support_count_get(&calls), 2);
    thr_future_unref(future);
}

/* -- Initializers -------------------------------------------------------------------------------------------------- */

static void fork_first(void *arg)
{
    (void)forks_without_stack();
    support_count_add(arg);
}

/* The thread that forked is no worker in the child, whatever it was doing. */
static void test_initializer(void **state)
{
    (void)state;
    struct support_count count = {0};
    CHECK_OK(thr_executor_new(&executor, .max_workers = 1, .initializer = fork_first, .initarg = &count));
    CHECK(result_of(submit(executor, give_arg, &count)) == &count);
    CHECK_EQUAL(support_count_get(&count), 1);
    end(executor);
}

SUPPORT_MAIN(cmocka_unit_test(test_looks), cmocka_unit_test(test_uses_it_later), cmocka_unit_test(test_fails),
             cmocka_unit_test(test_ends_its_thread), cmocka_unit_test(test_ends_the_process),
             cmocka_unit_test(test_looks_from_further_in), cmocka_unit_test(test_out_of_the_list),
             cmocka_unit_test(test_parallel_for), cmocka_unit_test(test_map),
             cmocka_unit_test(test_map_in_the_same_thread), cmocka_unit_test(test_waiter),
             cmocka_unit_test(test_initializer))
