/* exit_task.c - a task calls exit() while others wait for it; scripts/exit.sh says what each case prints.
 *
 *     exit_task CASE
 *
 * `waiter` is a thread that holds the process back until it has what it waits for. The status is 7. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "say.h"

static thr_executor *executor;
static thr_future *ending; /* of the task that calls exit */
static thr_future *outer;  /* of one that waits for it */
static thr_event begun = THR_EVENT_INIT;

static void say_end(thr_future *future)
{
    char why[64];
    thr_result result = thr_future_result(future, NULL);
    if (result != THR_FAILED) {
        say(thr_strerror(result));
    } else if (thr_future_failure(future, why, sizeof why) == 0) {
        say(why);
    }
}

static void *exit_task(void *arg)
{
    (void)arg;
    exit(7);
}

static void *say_task(void *text)
{
    say(text);
    return NULL;
}

static void start(unsigned max_workers)
{
    must(thr_executor_new(&executor, .max_workers = max_workers));
    must(thr_executor_submit(executor, &ending, exit_task, NULL));
}

/* -- One case a function: the waiter's -------------------------------------------------------------------------------- */

static void *for_future(void *arg)
{
    start(1);
    must(thr_executor_submit(executor, &outer, say_task, (char[]){"pending"}));
    (void)thr_future_result(outer, NULL);
    say_end(ending);
    return arg;
}

static void *wait_for_ending(void *arg)
{
    while (!thr_future_running(ending))
        thr_sleep(0); /* else it might be run here */
    thr_event_set(&begun);
    (void)thr_future_result(ending, NULL);
    say("a task");
    return arg;
}

static void *exit_when_begun(void *arg)
{
    thr_event_wait(&begun);
    return exit_task(arg);
}

/* The task waits for one that runs elsewhere. */
static void *for_task(void *arg)
{
    must(thr_executor_new(&executor, .max_workers = 2));
    must(thr_executor_submit(executor, &ending, exit_when_begun, NULL));
    must(thr_executor_submit(executor, &outer, wait_for_ending, NULL));
    say(thr_strerror(thr_future_result(outer, NULL)));
    return arg;
}

static void *wait_for_pending(void *arg)
{
    must(thr_executor_submit(executor, &ending, exit_task, NULL));
    (void)thr_future_result(ending, NULL);
    say("not reached");
    return arg;
}

/* The task runs the other on its own stack, so both end. */
static void *for_stack(void *arg)
{
    must(thr_executor_new(&executor, .max_workers = 1));
    must(thr_executor_submit(executor, &outer, wait_for_pending, NULL));
    say_end(outer);
    say_end(ending);
    return arg;
}

static void *for_group(void *arg)
{
    char why[64];
    must(thr_executor_new(&executor, .max_workers = 1));
    thr_group group = THR_GROUP_INIT(executor);
    must(thr_group_spawn(&group, NULL, exit_task, NULL));
    say(thr_strerror(thr_group_wait(&group)));
    (void)thr_group_failure(&group, why, sizeof why);
    say(why);
    return arg;
}

static void *until_cancelled(void *arg)
{
    thr_event_set(arg);
    while (!thr_group_cancelled())
        thr_sleep(0);
    say("a task of its group");
    return arg;
}

static void *exit_in_its_group(void *arg)
{
    static thr_event runs = THR_EVENT_INIT;
    (void)arg;
    thr_group group = THR_GROUP_INIT(executor);
    thr_task task;
    thr_task last;
    must(thr_group_spawn(&group, &task, until_cancelled, &runs));
    thr_event_wait(&runs); /* elsewhere */
    must(thr_group_spawn(&group, &last, exit_task, NULL));
    (void)thr_group_wait(&group);
    say("not reached");
    return NULL;
}

/* exit() in a task that runs on the stack of the opener of its group, or elsewhere beside it. */
static void *for_opener(void *arg)
{
    must(thr_executor_new(&executor, .max_workers = 2));
    thr_group group = THR_GROUP_INIT(executor);
    must(thr_group_spawn(&group, NULL, exit_in_its_group, NULL));
    say(thr_strerror(thr_group_wait(&group)));
    return arg;
}

static void *wait_for_begun(void *arg)
{
    thr_event_wait(&begun);
    return arg;
}

static void *run_until_begun(void *runs)
{
    thr_event_set(runs);
    return wait_for_begun(runs);
}

static void *exit_on_its_stack(void *storage)
{
    thr_group group = THR_GROUP_INIT(executor);
    must(thr_group_spawn(&group, storage, exit_task, NULL));
    (void)thr_group_wait(&group);
    say("not reached");
    return NULL;
}

/* exit() in a task of a group, on the stack of its opener, which nobody else could have run. Its storage is the library's. */
static void *for_allocated(void *arg)
{
    must(thr_executor_new(&executor, .max_workers = 1));
    must(thr_executor_submit(executor, &outer, exit_on_its_stack, NULL));
    say_end(outer);
    return arg;
}

/* The same with storage of its own, but while another group is open that has been cancelled. */
static void *for_cancelled(void *arg)
{
    static thr_task task;
    static thr_event runs = THR_EVENT_INIT;
    must(thr_executor_new(&executor, .max_workers = 2));
    thr_group other = THR_GROUP_INIT(executor);
    must(thr_group_spawn(&other, NULL, run_until_begun, &runs));
    thr_event_wait(&runs); /* else it would not be begun any more, and its worker take the other */
    thr_group_cancel(&other);
    must(thr_executor_submit(executor, &outer, exit_on_its_stack, &task));
    say_end(outer);
    thr_event_set(&begun);
    say(thr_strerror(thr_group_wait(&other)));
    return arg;
}

static void *for_shutdown(void *arg)
{
    start(2);
    thr_executor_shutdown(executor, true, false);
    say("shut down");
    return arg;
}

static void *for_first(void *arg)
{
    start(1);
    thr_as_completed *order;
    thr_future *future;
    must(thr_future_wait(&ending, 1, THR_FIRST_FAILED, THR_FOREVER));
    must(thr_as_completed_new(&order, &ending, 1));
    must(thr_as_completed_next(order, &future));
    say_end(future);
    thr_as_completed_free(order);
    return arg;
}

static void *exit_if(void *wanted)
{
    return wanted ? exit_task(wanted) : NULL;
}

static void *for_map(void *arg)
{
    void *args[] = {NULL, &executor, NULL};
    must(thr_executor_new(&executor, .max_workers = 2));
    say(thr_strerror(thr_executor_map(executor, exit_if, args, 3, NULL)));
    return arg;
}

static void exit_callback(thr_future *future, void *arg)
{
    (void)future;
    (void)exit_task(arg);
}

static void *for_callback(void *arg)
{
    must(thr_executor_new(&executor, .max_workers = 1));
    must(thr_executor_submit(executor, &ending, wait_for_begun, NULL));
    must(thr_executor_submit(executor, &outer, say_task, (char[]){"pending"}));
    must(thr_future_add_done_callback(ending, exit_callback, NULL));
    thr_event_set(&begun);
    (void)thr_future_result(outer, NULL);
    say(thr_strerror(thr_future_result(ending, NULL)));
    return arg;
}

static void exit_initializer(void *arg)
{
    (void)exit_task(arg);
}

static void *for_initializer(void *arg)
{
    must(thr_executor_new(&executor, .max_workers = 1, .initializer = exit_initializer));
    thr_result result = thr_executor_submit(executor, &ending, say_task, NULL);
    if (result == THR_OK) /* else the initializer was faster */
        result = thr_future_result(ending, NULL);
    say(thr_strerror(result));
    return arg;
}

static const struct {
    const char *name;
    thr_target *target;
} cases[] = {
    {"future", for_future},       {"task", for_task},
    {"stack", for_stack},         {"group", for_group},
    {"opener", for_opener},       {"shutdown", for_shutdown},
    {"first", for_first},         {"map", for_map},
    {"callback", for_callback},   {"initializer", for_initializer},
    {"allocated", for_allocated}, {"cancelled", for_cancelled},
};

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (strcmp(name, cases[i].name) == 0)
            must(thr_spawn(NULL, cases[i].target, NULL, .name = "waiter"));
    }
    thr_sleep(1e9);
    return 0;
}
