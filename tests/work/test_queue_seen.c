/* test_queue_seen.c - what thr_dump and the laboratory see of queues and wait_any. */

#include "kinds.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "wait/hook.h"
#include "wait/wait.h"

/* -- thr_dump ----------------------------------------------------------------------------------------------------- */

static void check_says(const char *format, const void *object)
{
    static char text[65536];
    char expected[128];
    int fd = memfd_create("dump", 0);
    CHECK(fd >= 0);
    thr_dump(fd);
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    CHECK(n >= 0);
    text[n] = '\0';
    (void)close(fd);
    (void)snprintf(expected, sizeof expected, format, object);
    if (!strstr(text, expected))
        support_fail(__FILE__, __LINE__, "the dump does not say:\n%s\nbut:\n%s", expected, text);
}

static void get_one(void *queue)
{
    (void)get(queue);
}

static void put_one(void *queue)
{
    put(queue, 1);
}

static void join(void *queue)
{
    CHECK_OK(thr_queue_join(queue));
}

static void wait_any(void *any)
{
    CHECK_OK(thr_wait_any(any, 1, THR_FOREVER, NULL));
}

static void dumped(enum kind kind)
{
    thr_queue *queue = queue_of(kind, 1);
    thr_waitable any = thr_waitable_queue(queue);
    struct support_thread *threads[2];
    threads[0] = support_thread_start(get_one, queue);
    threads[1] = support_thread_start(wait_any, &any);
    support_wait_blocked(queue, 1);
    support_wait_blocked(&any, 1);
    check_says("waits for queue (to get) %p, for ", queue);
    check_says("waits for any of the objects in the array %p, for ", &any);
    put(queue, 1);
    support_thread_join(threads[0]);
    put(queue, 2);
    support_thread_join(threads[1]);
    threads[0] = support_thread_start(put_one, queue);
    support_wait_blocked(queue, 1);
    check_says("waits for queue (to put) %p, for ", queue);
    threads[1] = support_thread_start(join, queue);
    support_wait_blocked(queue, 2);
    check_says("waits for queue (to be done) %p, for ", queue);
    for (int i = 0; i < 2; i++)
        (void)get(queue);
    support_thread_join(threads[0]);
    for (int i = 0; i < 3; i++)
        CHECK_OK(thr_queue_task_done(queue));
    support_thread_join(threads[1]);
    thr_queue_free(queue);
}

static void test_dump(void **state)
{
    (void)state;
    for_each_kind(dumped);
}

/* -- The laboratory ----------------------------------------------------------------------------------------------- */

static struct {
    enum hook_operation operation;
    const void *object;
} last;

/* A lock inside the queue is no operation of its own. */
static void point(enum hook_operation operation, const void *object)
{
    if (operation != HOOK_LOCK_ACQUIRE && operation != HOOK_LOCK_RELEASE && operation != HOOK_LOOK) {
        last.operation = operation;
        last.object = object;
    }
}

static void check_point(enum hook_operation operation, const void *object)
{
    CHECK_EQUAL(last.operation, operation);
    CHECK(last.object == object);
    last.object = NULL;
}

static void steered(enum kind kind)
{
    thr_queue *queue = queue_of(kind, 1);
    thr_waitable any = thr_waitable_queue(queue);
    void *item = NULL;
    CHECK_OK(thr_queue_put(queue, NULL));
    check_point(HOOK_QUEUE_PUT, queue);
    CHECK_RESULT(thr_queue_try_put(queue, NULL), THR_FULL);
    check_point(HOOK_QUEUE_PUT, queue);
    CHECK_OK(thr_wait_any(&any, 1, THR_FOREVER, NULL));
    check_point(HOOK_WAIT_ANY, &any);
    CHECK_OK(thr_queue_get(queue, &item));
    check_point(HOOK_QUEUE_GET, queue);
    CHECK_RESULT(thr_queue_try_get(queue, &item), THR_EMPTY);
    check_point(HOOK_QUEUE_GET, queue);
    CHECK_OK(thr_queue_task_done(queue));
    check_point(HOOK_QUEUE_TASK_DONE, queue);
    CHECK_OK(thr_queue_join(queue));
    check_point(HOOK_QUEUE_JOIN, queue);
    thr_queue_shutdown(queue, true);
    check_point(HOOK_QUEUE_SHUTDOWN, queue);
    thr_queue_free(queue);
}

static void test_points(void **state)
{
    (void)state;
    const struct wait_system *before = wait_system;
    struct wait_system system = *before;
    system.point = point;
    wait_system = &system;
    thr__hooked = 1;
    for_each_kind(steered);
    thr__hooked = 0;
    wait_system = before;
}

SUPPORT_MAIN(cmocka_unit_test(test_dump), cmocka_unit_test(test_points))
