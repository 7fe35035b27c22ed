/* parallel.c - thr_parallel_for: ranges that are split as thieves arrive.
 *
 * Whoever has a range works on it from its beginning, a grain at a time. When its deque is empty, all that it gave away has
 * been taken, so somebody wants work: then it gives away the second half of what is left. */

#include <errno.h>
#include <stdlib.h>

#include "thread/failure.h"
#include "work/executor.h"
#include "work/group.h"

enum { GRAINS_A_WORKER = 64 };

struct loop {
    thr_group group;
    size_t grain;
    void (*body)(size_t begin, size_t end, void *arg);
    void *arg;
};

/* A range, and storage for its task. */
struct part {
    thr_task task;
    struct loop *loop;
    size_t begin;
    size_t end;
};

static void work(struct loop *loop, size_t begin, size_t end);

static void *run_part(void *arg)
{
    struct part *part = arg;
    struct loop *loop = part->loop;
    size_t begin = part->begin;
    size_t end = part->end;
    work(loop, begin, end);
    return NULL;
}

/* Gives [middle, end) away; false: there was no memory for it. */
static bool give(struct loop *loop, size_t middle, size_t end)
{
    int saved = errno;
    struct part *part = malloc(sizeof *part);
    os_errno_restore(saved);
    if (!part)
        return false;
    *part = (struct part){.loop = loop, .begin = middle, .end = end};
    if (group_spawn_owned(&loop->group, &part->task, run_part, part) == THR_OK)
        return true;
    free(part);
    return false;
}

static void work(struct loop *loop, size_t begin, size_t end)
{
    const struct worker *worker = thr__here.worker;
    while (begin < end && !thr_group_cancelled()) {
        size_t left = end - begin;
        if (left > loop->grain && !deque_any(&worker->deque) && give(loop, begin + left / 2 + left % 2, end)) {
            end = begin + left / 2 + left % 2;
            continue;
        }
        size_t stop = left > loop->grain ? begin + loop->grain : end;
        loop->body(begin, stop, loop->arg);
        begin = stop;
    }
}

static size_t grain_of(const thr_executor *executor, size_t n, size_t wished)
{
    if (wished != 0)
        return wished;
    size_t grain = n / ((size_t)executor->max * GRAINS_A_WORKER);
    return grain > 0 ? grain : 1;
}

thr_result thr_parallel_for(thr_executor *executor, size_t begin, size_t end, size_t grain,
                            void (*body)(size_t begin, size_t end, void *arg), void *arg)
{
    if (!executor || !body || begin > end)
        return THR_INVALID;
    if (begin == end)
        return THR_OK;
    struct loop loop = {THR_GROUP_INIT(executor), grain_of(executor, end - begin, grain), body, arg};
    struct part all = {.loop = &loop, .begin = begin, .end = end};
    thr_result result = thr_group_spawn(&loop.group, &all.task, run_part, &all);
    if (result != THR_OK)
        return result;
    result = thr_group_wait(&loop.group);
    if (result == THR_FAILED) {
        char message[sizeof((struct failure *)0)->message];
        int code = thr_group_failure(&loop.group, message, sizeof message);
        failure_report(code, message);
    }
    return result;
}
