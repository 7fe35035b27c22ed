/* exit_work.c - the end of the process with executors that have work; scripts/exit.sh says what each prints.
 *
 *     exit_work CASE
 *
 * Where a task must still be pending when the process begins to end, the one before it waits for `ending`: a handler sets
 * it that is registered after the library's own, and so runs before the wait. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "say.h"

static thr_executor *executor;
static thr_event ending = THR_EVENT_INIT;

static void *say_task(void *text)
{
    say(text);
    return NULL;
}

static void submit(void *(*function)(void *), const char *text)
{
    must(thr_executor_submit(executor, NULL, function, (void *)(uintptr_t)text));
}

static void *first_task(void *arg)
{
    thr_event_wait(&ending);
    say("first");
    submit(say_task, "submitted by a task");
    return arg;
}

/* After a shutdown. */
static void *first_of_closed(void *arg)
{
    thr_event_wait(&ending);
    say("first");
    say(thr_strerror(thr_executor_submit(executor, NULL, say_task, NULL)));
    return arg;
}

static void *exit_task(void *arg)
{
    say("exit");
    exit(*(int *)arg);
}

static void early_handler(void)
{
    say("early handler");
}

static void submit_in_handler(void)
{
    submit(say_task, "submitted by a handler");
}

static void late_handler(void)
{
    say("late handler");
    thr_event_set(&ending);
}

static void begin(const char *name)
{
    (void)atexit(strcmp(name, "handler") == 0 ? submit_in_handler : early_handler);
    must(thr_executor_new(&executor, .max_workers = 1));
    if (strcmp(name, "worker") == 0)
        return;
    submit(strcmp(name, "shutdown") == 0 ? first_of_closed : first_task, NULL);
    submit(say_task, "second");
    (void)atexit(late_handler);
}

int main(int argc, char **argv)
{
    static int status = 7;
    const char *name = argc > 1 ? argv[1] : "";
    begin(name);
    if (strcmp(name, "shutdown") == 0) {
        must(thr_executor_shutdown(executor, false, false));
    } else if (strcmp(name, "worker") == 0) {
        submit(exit_task, (const char *)&status);
        thr_sleep(1e9);
    } else if (strcmp(name, "exit") == 0) {
        exit(5);
    }
    return 0;
}
