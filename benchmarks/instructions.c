/* instructions.c - every operation a thousand times, each between two marks for callgrind; see ./instructions. */

#include <stddef.h>

#include <threading.h>
#include <valgrind/callgrind.h>

enum { TIMES = 1000 };

/* The first call is not counted: it may have to make something. */
#define COUNT(name, operation)                                                                                         \
    do {                                                                                                               \
        operation;                                                                                                     \
        CALLGRIND_ZERO_STATS;                                                                                          \
        for (int i = 0; i < TIMES; i++) {                                                                              \
            operation;                                                                                                 \
            __asm__ volatile("" ::: "memory");                                                                         \
        }                                                                                                              \
        CALLGRIND_DUMP_STATS_AT(name);                                                                                 \
    } while (0)

static thr_lock lock = THR_LOCK_INIT;
static thr_lock held = THR_LOCK_INIT;
static thr_rlock rlock = THR_RLOCK_INIT;
static thr_rlock own = THR_RLOCK_INIT;
static thr_rwlock rwlock = THR_RWLOCK_INIT;
static thr_semaphore semaphore = THR_SEMAPHORE_INIT(1);
static thr_semaphore empty = THR_SEMAPHORE_INIT(0);
static thr_bounded_semaphore bounded = THR_BOUNDED_SEMAPHORE_INIT(1);
static thr_event set = THR_EVENT_INIT;
static thr_event flag = THR_EVENT_INIT;
static thr_condition condition = THR_CONDITION_INIT;
static thr_barrier barrier = THR_BARRIER_INIT(1, NULL, NULL);
static thr_latch latch = THR_LATCH_INIT(2 * TIMES);
static thr_once once = THR_ONCE_INIT;
static thr_local local = THR_LOCAL_INIT(NULL, NULL);

static void nothing(void *arg)
{
    (void)arg;
}

static void hold(void)
{
    THR_HOLD(&lock);
}

static void count_locks(void)
{
    COUNT("lock-acquire-release", (thr_lock_acquire(&lock), thr_lock_release(&lock)));
    COUNT("lock-hold", hold());
    thr_lock_acquire(&held);
    COUNT("lock-try-held", thr_lock_try_acquire(&held));
    COUNT("lock-acquire-until-passed", thr_lock_acquire_until(&held, 0));
    COUNT("rlock-acquire-release", (thr_rlock_acquire(&rlock), thr_rlock_release(&rlock)));
    thr_rlock_acquire(&own);
    COUNT("rlock-again", (thr_rlock_acquire(&own), thr_rlock_release(&own)));
    COUNT("rwlock-read", (thr_rwlock_acquire_read(&rwlock), thr_rwlock_release_read(&rwlock)));
    COUNT("rwlock-write", (thr_rwlock_acquire_write(&rwlock), thr_rwlock_release_write(&rwlock)));
}

static void count_signals(void)
{
    COUNT("semaphore-acquire-release", (thr_semaphore_acquire(&semaphore), thr_semaphore_release(&semaphore, 1)));
    COUNT("semaphore-acquire-until-passed", thr_semaphore_acquire_until(&empty, 0));
    COUNT("bounded-semaphore-acquire-release",
          (thr_bounded_semaphore_acquire(&bounded), thr_bounded_semaphore_release(&bounded, 1)));
    thr_event_set(&set);
    COUNT("event-wait-set", thr_event_wait(&set));
    COUNT("event-set-clear", (thr_event_set(&flag), thr_event_clear(&flag)));
    COUNT("event-wait-until-passed", thr_event_wait_until(&flag, 0));
    COUNT("condition-notify-nobody", thr_condition_notify(&condition, 1));
    COUNT("condition-wait-until-passed", thr_condition_wait_until(&condition, &held, 0));
    COUNT("barrier-of-one", thr_barrier_wait(&barrier, NULL));
    COUNT("latch-count-down", thr_latch_count_down(&latch, 1));
    COUNT("once-done", thr_once_run(&once, nothing, NULL));
}

static void count_threads(void)
{
    COUNT("current-thread", thr_current_thread());
    thr_local_set(&local, &local);
    COUNT("local-get", thr_local_get(&local));
    COUNT("local-set", thr_local_set(&local, &local));
}

static void count_timers(void)
{
    thr_timer *timer = NULL;
    if (thr_timer_new(&timer, 1000.0, nothing, NULL) != THR_OK)
        return;
    thr_timer_start(timer);
    COUNT("timer-reset-cancel", (thr_timer_reset(timer, 1000.0), thr_timer_cancel(timer)));
    thr_timer_unref(timer);
}

static void count_queues(void)
{
    thr_queue *bounded_queue = NULL;
    thr_queue *queue = NULL;
    void *item = NULL;
    if (thr_queue_new(&bounded_queue, 16) != THR_OK || thr_queue_new(&queue, 0) != THR_OK)
        return;
    COUNT("queue-put-get", (thr_queue_put(bounded_queue, NULL), thr_queue_get(bounded_queue, &item)));
    COUNT("queue-put-get-unbounded", (thr_queue_put(queue, NULL), thr_queue_get(queue, &item)));
    thr_queue_free(bounded_queue);
    thr_queue_free(queue);
}

static void *task(void *arg)
{
    return arg;
}

static void *fork_and_join(void *arg)
{
    thr_executor *executor = arg;
    thr_group group = THR_GROUP_INIT(executor);
    thr_task storage;
    thr_result result = THR_OK;
    COUNT("group-spawn-wait", (result = thr_group_spawn(&group, &storage, task, NULL), thr_group_wait(&group)));
    return result == THR_OK ? arg : NULL;
}

static void *wait_for(void *event)
{
    thr_event_wait(event);
    return NULL;
}

/* The one worker is busy with the first task, so that only what submits is counted. */
static void count_work(void)
{
    static thr_event done = THR_EVENT_INIT;
    thr_executor *executor = NULL;
    thr_future *future = NULL;
    thr_result result = THR_OK;
    if (thr_executor_new(&executor, .max_workers = 1) != THR_OK ||
        thr_executor_submit(executor, &future, fork_and_join, executor) != THR_OK)
        return;
    thr_future_result(future, NULL);
    thr_future_unref(future);
    if (thr_executor_submit(executor, &future, wait_for, &done) != THR_OK)
        return;
    while (!thr_future_running(future))
        thr_sleep(0.001);
    COUNT("executor-submit", result = thr_executor_submit(executor, NULL, task, NULL));
    thr_event_set(&done);
    thr_future_unref(future);
    thr_executor_shutdown(executor, result == THR_OK, false);
    thr_executor_free(executor);
}

int main(void)
{
    COUNT("nothing", (void)0);
    count_locks();
    count_signals();
    count_threads();
    count_timers();
    count_queues();
    count_work();
    return 0;
}
