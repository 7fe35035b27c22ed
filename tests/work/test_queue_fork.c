/* test_queue_fork.c - queues and wait_any in the child of a fork, where those who waited are not.
 *
 * ctest: plain */

#include "kinds.h"

#include <sys/wait.h>
#include <unistd.h>

static void get_one(void *queue)
{
    (void)get(queue);
}

static void wait_any(void *any)
{
    CHECK_OK(thr_wait_any(any, 1, THR_FOREVER, NULL));
}

/* The queue goes on, with the waiters' marks in it. */
_Noreturn static void child(thr_queue *queue, const thr_waitable *any)
{
    for (uintptr_t round = 0; round < 1000; round++) {
        CHECK_RESULT(thr_wait_any(any, 1, thr_after(1e-6), NULL), THR_TIMEOUT);
        put(queue, round);
        CHECK_OK(thr_wait_any(any, 1, THR_FOREVER, NULL));
        CHECK_EQUAL(get(queue), round);
        CHECK_OK(thr_queue_task_done(queue));
    }
    CHECK_OK(thr_queue_join(queue));
    thr_queue_shutdown(queue, true);
    thr_queue_free(queue);
    _exit(0);
}

static void forked(enum kind kind)
{
    thr_queue *queue = queue_of(kind, 2);
    thr_waitable any = thr_waitable_queue(queue);
    struct support_bunch getters;
    struct support_bunch watchers;
    support_bunch_start(&getters, 2, get_one, queue);
    support_bunch_start(&watchers, 2, wait_any, &any);
    support_wait_blocked(queue, 2);
    support_wait_blocked(&any, 2);
    pid_t pid = fork();
    if (pid == 0)
        child(queue, &any);
    int status = -1;
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK_EQUAL(status, 0);
    for (int i = 0; i < 3; i++)
        put(queue, 1);
    support_bunch_join(&getters);
    support_bunch_join(&watchers);
    CHECK_EQUAL(thr_queue_size(queue), 1);
    thr_queue_free(queue);
}

static void test_fork(void **state)
{
    (void)state;
    for_each_kind(forked);
}

SUPPORT_MAIN(cmocka_unit_test(test_fork))
