/* fifty - for benchmarks/explore: four threads with fifty operations each on two locks, in a process of some megabytes. */

#include <stdlib.h>
#include <string.h>
#include <threading.h>

enum { THREADS = 4, ROUNDS = 25, MEGABYTES = 4 };

static thr_lock locks[2];
static long count[2];

static void *work(void *arg)
{
    for (int i = 0; i < ROUNDS; i++) {
        THR_HOLD(&locks[i % 2]);
        count[i % 2]++;
    }
    return arg;
}

int main(void)
{
    thr_thread *threads[THREADS];
    size_t size = (size_t)MEGABYTES << 20;
    char *resident = malloc(size);
    if (!resident)
        return 1;
    memset(resident, 1, size);
    for (int i = 0; i < THREADS; i++) {
        if (thr_spawn(&threads[i], work, NULL) != THR_OK)
            return 1;
    }
    for (int i = 0; i < THREADS; i++) {
        if (thr_thread_join(threads[i], NULL) != THR_OK)
            return 1;
        thr_thread_unref(threads[i]);
    }
    free(resident);
    return count[0] + count[1] == THREADS * ROUNDS ? 0 : 1;
}
