/* unwinding.c - tasks that fail at some depth, on the stack of those that wait for them: their cleanups run, each once, and who
 * waits goes on with all its variables. With an argument: one that leaves a group open on that stack, which ends the process.
 * It is compiled in many ways, also as C++: scripts/unwinding.sh. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "threading.h"

#define EXPECT(condition) ((condition) ? (void)0 : wrong(#condition, __LINE__))

enum { DEPTH = 12, CODE = 40 };

static thr_executor *executor;
static int cleaned;

static void wrong(const char *condition, int line)
{
    (void)fprintf(stderr, "line %d: not so: %s\n", line, condition);
    _Exit(1);
}

static void count_cleaned(const int *level)
{
    cleaned += *level >= 0;
}

/* Has its last arguments on the stack. */
static __attribute__((noinline)) long sum(long a, long b, long c, long d, long e, long f, long g, long h, long i)
{
    return a + b + c + d + e + f + g + h + i;
}

static void *fail_at_the_bottom(void *arg);

static thr_result run_in_group(void *(*function)(void *arg), void *arg, thr_group *group)
{
    thr_task task;
    EXPECT(thr_group_spawn(group, &task, function, arg) == THR_OK);
    return thr_group_wait(group);
}

/* The wait is part of this function, as are many variables that live longer, some of an unknown size. */
static void *descend(void *arg)
{
    const int level = *(const int *)arg;
    int below = level + 1;
    int local __attribute__((cleanup(count_cleaned))) = level;
    long a = level + 1, b = level + 2, c = level + 3, d = level + 4, e = level + 5, f = level + 6;
    char *text = (char *)__builtin_alloca((size_t)level + 2);
    char message[16];
    thr_group group = THR_GROUP_INIT(executor);
    memset(text, 'a' + level, (size_t)level + 1);
    text[level + 1] = '\0';
    long before = sum(a, b, c, d, e, f, a + b, c + d, e + f);
    thr_result result = run_in_group(level == DEPTH ? fail_at_the_bottom : descend, &below, &group);
    EXPECT(result == THR_FAILED);
    EXPECT(sum(a, b, c, d, e, f, a + b, c + d, e + f) == before);
    EXPECT(strlen(text) == (size_t)level + 1 && text[level] == 'a' + level);
    EXPECT(thr_group_failure(&group, message, sizeof message) == CODE + below);
    EXPECT(atoi(message) == below);
    EXPECT(cleaned == DEPTH + 1 - level); /* one in the failing task, and all of those below */
    thr_fail(CODE + level, "%d", local);
}

static __attribute__((noinline)) void fail_deeper(int level)
{
    int local __attribute__((cleanup(count_cleaned))) = level;
    if (level > 0)
        thr_fail(CODE + level, "%d", local);
}

static void *fail_at_the_bottom(void *arg)
{
    fail_deeper(*(int *)arg);
    return arg;
}

/* As a task that was submitted. */
static thr_result run(void *(*function)(void *arg), void *arg)
{
    thr_future *future;
    EXPECT(thr_executor_submit(executor, &future, function, arg) == THR_OK);
    thr_result result = thr_future_result(future, NULL);
    thr_future_unref(future);
    return result;
}

/* A cleanup that itself waits for tasks that fail, and goes on: so does the failure that it is part of. */
static void wait_in_cleanup(const int *level)
{
    int top = DEPTH + 1;
    thr_group group = THR_GROUP_INIT(executor);
    thr_result result = run_in_group(fail_at_the_bottom, &top, &group);
    EXPECT(result == THR_FAILED || result == THR_CANCELLED); /* it is in one that has failed */
    EXPECT(run(fail_at_the_bottom, &top) == THR_FAILED);
    cleaned += result == THR_FAILED ? *level : 10 * *level;
}

static void *fail_around_another(void *arg)
{
    int local __attribute__((cleanup(wait_in_cleanup))) = *(int *)arg;
    thr_fail(local, "the first");
}

static void *fail_around_others(void *arg)
{
    int level = 100;
    thr_group group = THR_GROUP_INIT(executor);
    (void)arg;
    cleaned = 0;
    EXPECT(run_in_group(fail_around_another, &level, &group) == THR_FAILED);
    EXPECT(thr_group_failure(&group, NULL, 0) == level);
    EXPECT(cleaned == 10 * level + 1);
    return NULL;
}

/* Leaves it to others that it is still open: here, and below another that is no part of the stack. */
static void *leave_open(void *arg)
{
    static thr_task tasks[2];
    static thr_group elsewhere;
    thr_group here = THR_GROUP_INIT(executor);
    EXPECT(thr_group_spawn(&here, &tasks[0], fail_at_the_bottom, arg) == THR_OK);
    if (*(int *)arg > 0) {
        thr_group empty = THR_GROUP_INIT(executor);
        elsewhere = empty;
        EXPECT(thr_group_spawn(&elsewhere, &tasks[1], fail_at_the_bottom, arg) == THR_OK);
    }
    return arg;
}

static void *wait_for_who_leaves(void *arg)
{
    thr_group group = THR_GROUP_INIT(executor);
    (void)run_in_group(leave_open, arg, &group);
    return arg;
}

int main(int argc, char **argv)
{
    thr_executor_options options;
    memset(&options, 0, sizeof options);
    options.max_workers = 1; /* so nobody steals */
    EXPECT(thr_executor_new_with(&executor, &options) == THR_OK);
    if (argc > 1) {
        int more = atoi(argv[1]);
        (void)run(wait_for_who_leaves, &more);
        (void)puts("not noticed");
        return 0;
    }
    for (int round = 0; round < 3; round++) {
        int top = 0;
        cleaned = 0;
        EXPECT(run(descend, &top) == THR_FAILED);
        EXPECT(cleaned == DEPTH + 2);
        EXPECT(run(fail_around_others, NULL) == THR_OK);
        cleaned = 0;
        top = 1000;
        EXPECT(run(fail_around_another, &top) == THR_FAILED);
        EXPECT(cleaned == top + 2);
    }
    thr_executor_free(executor);
    (void)puts("as expected");
    return 0;
}
