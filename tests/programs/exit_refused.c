/* exit_refused.c - what ends the process with a line on standard error; scripts/exit.sh says which.
 *
 *     exit_refused CASE
 *
 * The status is 6, also of an abort: so no core is dumped. */

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "say.h"

static thr_executor *executor;
static thr_event begun = THR_EVENT_INIT;

static void *leave(void *arg)
{
    (void)arg;
    pthread_exit(NULL);
}

static void *work(void *arg)
{
    (void)thr_event_wait(&begun);
    return arg;
}

static void leave_callback(thr_future *future, void *arg)
{
    (void)future;
    (void)leave(arg);
}

static void open_group(void *group)
{
    must(thr_group_spawn(group, NULL, work, NULL));
}

static void leave_initializer(void *arg)
{
    static thr_group group;
    group = (thr_group)THR_GROUP_INIT(executor);
    open_group(&group);
    (void)leave(arg);
}

/* The group is gone when it returns. */
static void *open_on_the_stack(void *arg)
{
    thr_group group = THR_GROUP_INIT(executor);
    open_group(&group);
    return arg;
}

static void open_in_initializer(void *arg)
{
    (void)open_on_the_stack(arg);
}

static void new_executor(void (*initializer)(void *arg))
{
    must(thr_executor_new(&executor, .max_workers = 1, .initializer = initializer));
}

static void with_task(void *(*function)(void *arg))
{
    thr_future *future;
    must(thr_executor_submit(executor, &future, function, NULL));
    say(thr_strerror(thr_future_result(future, NULL)));
}

/* -- One case a function ------------------------------------------------------------------------------------------ */

static void in_map(void)
{
    void *args[1] = {NULL};
    new_executor(NULL);
    say(thr_strerror(thr_executor_map(executor, leave, args, 1, NULL)));
}

static void in_callback(void)
{
    thr_future *future;
    new_executor(NULL);
    must(thr_executor_submit(executor, &future, work, NULL));
    must(thr_future_add_done_callback(future, leave_callback, NULL));
    thr_event_set(&begun);
    thr_sleep(1e9);
}

static void in_initializer(void)
{
    new_executor(leave_initializer);
    with_task(work);
}

static void on_the_stack(void)
{
    new_executor(NULL);
    with_task(open_on_the_stack);
}

static void on_the_stack_of_initializer(void)
{
    new_executor(open_in_initializer);
    with_task(work);
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    {"map", in_map},
    {"callback", in_callback},
    {"initializer", in_initializer},
    {"open", on_the_stack},
    {"open_initializer", on_the_stack_of_initializer},
};

static void aborted(int number)
{
    (void)number;
    _exit(6);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    (void)signal(SIGABRT, aborted);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (strcmp(name, cases[i].name) == 0)
            cases[i].run();
    }
    return 0;
}
