/* map.c - one function for many arguments.
 *
 * As many futures as there are workers, or fewer, each take the next index again and again, until there is none. So calls
 * start in order, and no more is pending than that many futures. What they share has a reference for each, and for the
 * caller: after a deadline, those that run go on alone, and do not look at the caller's arrays any more. A shutdown that
 * cancels finds only those futures that have not begun; so the others look, before each call, whether there was one. A call
 * that comes back in a fork's child is the last there: the other runners are gone, the caller and its arrays perhaps too. */

#include <errno.h>
#include <stdlib.h>

#include "work/executor.h"
#include "work/frame.h"

struct map {
    thr_lock lock; /* guards what follows, and results */
    bool stopped;  /* no more calls begin */
    bool failed;
    bool cancelled; /* a shutdown has stopped it */
    bool abandoned; /* the arrays are gone */
    const thr_executor *executor;
    size_t next;
    size_t n;
    void *const *args;
    void **results;
    void *(*function)(void *arg);
    uint32_t references;
};

static void drop(struct map *map, uint32_t n)
{
    tsan_release(map);
    if (sub_acq_rel(&map->references, n) != n)
        return;
    tsan_acquire(map);
    free(map);
}

/* The next index and argument; false: there is none. */
static bool next(struct map *map, size_t *i, void **arg)
{
    (void)thr_lock_acquire(&map->lock);
    if (!map->stopped && map->next < map->n && load_relaxed(&map->executor->cancelled)) {
        map->cancelled = true;
        map->stopped = true;
    }
    bool more = !map->stopped && map->next < map->n;
    if (more) {
        *i = map->next++;
        *arg = map->args[*i];
    }
    (void)thr_lock_release(&map->lock);
    return more;
}

static void put(struct map *map, size_t i, bool returned, void *result)
{
    (void)thr_lock_acquire(&map->lock);
    if (returned && map->results && !map->abandoned)
        map->results[i] = result;
    if (!returned) {
        map->failed = true;
        map->stopped = true;
    }
    (void)thr_lock_release(&map->lock);
}

static void stop_forked(struct map *map)
{
    map->lock = (thr_lock)THR_LOCK_INIT; /* one that is gone may have held it */
    map->cancelled = true;
    map->stopped = true;
}

static void *run(void *arg)
{
    struct map *map = arg;
    uint32_t forks = executors_forks();
    size_t i = 0;
    void *each = NULL;
    while (next(map, &i, &each)) {
        struct frame frame = {.group = NULL, .future = NULL};
        void *result = NULL;
        bool returned = frame_run(&frame, map->function, each, &result, true);
        if (forks != executors_forks()) {
            stop_forked(map);
            return NULL;
        }
        put(map, i, returned, result);
    }
    drop(map, 1);
    return NULL;
}

/* Submits the runners, which have their references already; fewer than wished, where more cannot be had. The first one
 * finds the lock held until it is clear that there is one, and the results have been cleared. */
static thr_result submit(thr_executor *executor, struct map *map, thr_future **runners, size_t wished, size_t *had)
{
    (void)thr_lock_acquire(&map->lock);
    thr_result result = thr_executor_submit(executor, &runners[0], run, map);
    for (size_t i = 0; i < map->n && map->results && result == THR_OK; i++)
        map->results[i] = NULL;
    (void)thr_lock_release(&map->lock);
    if (result != THR_OK)
        return result;
    *had = 1;
    while (*had < wished && thr_executor_submit(executor, &runners[*had], run, map) == THR_OK)
        ++*had;
    return THR_OK;
}

/* What came of it. `references` are those of the caller, and of runners that there are not; with those of runners that will
 * never run they are given back. */
static thr_result conclude(struct map *map, thr_future **runners, size_t had, uint32_t references, thr_result waited)
{
    (void)thr_lock_acquire(&map->lock);
    map->abandoned = true;
    map->stopped = true;
    thr_result result = map->cancelled ? THR_CANCELLED : THR_OK;
    bool complete = map->next == map->n;
    bool failed = map->failed;
    (void)thr_lock_release(&map->lock);
    for (size_t i = 0; i < had; i++) {
        (void)thr_future_cancel(runners[i]); /* of those that are done, nothing */
        thr_result end = thr_future_result_until(runners[i], 0, NULL);
        if (end == THR_CANCELLED || end == THR_BROKEN || end == THR_FAILED) { /* failed: in the middle of a call */
            references++;
            result = end;
            failed = failed || end == THR_FAILED;
        }
        thr_future_unref(runners[i]);
    }
    drop(map, references);
    if (waited != THR_OK)
        return waited;
    if (failed)
        return THR_FAILED;
    return complete ? THR_OK : result;
}

static struct map *make(const thr_executor *executor, void *(*function)(void *arg), void *const *args, size_t n,
                        void **results, uint32_t wished)
{
    struct map *map = calloc(1, sizeof *map);
    if (map)
        *map = (struct map){.executor = executor,
                            .n = n,
                            .args = args,
                            .results = results,
                            .function = function,
                            .references = wished + 1};
    return map;
}

thr_result thr_executor_map_until(thr_executor *executor, void *(*function)(void *arg), void *const *args, size_t n,
                                  thr_time deadline, void **results)
{
    if (!function)
        return THR_INVALID;
    if (n == 0)
        return THR_OK;
    uint32_t wished = n < executor->max ? (uint32_t)n : executor->max;
    size_t had = 0;
    int saved = errno;
    struct map *map = make(executor, function, args, n, results, wished);
    thr_future **runners = calloc((size_t)wished + 1, sizeof(thr_future *));
    os_errno_restore(saved);
    thr_result result = map && runners ? THR_OK : THR_NO_MEMORY;
    if (result == THR_OK)
        result = submit(executor, map, runners, wished, &had);
    if (result != THR_OK) {
        free(map);
        free(runners);
        return result;
    }
    result = thr_future_wait(runners, had, THR_ALL_COMPLETED, deadline);
    result = conclude(map, runners, had, wished - (uint32_t)had + 1, result);
    free(runners);
    return result;
}

thr_result thr_executor_map(thr_executor *executor, void *(*function)(void *arg), void *const *args, size_t n,
                            void **results)
{
    return thr_executor_map_until(executor, function, args, n, THR_FOREVER, results);
}
