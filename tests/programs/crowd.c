/* crowd - many threads take two locks in the same order, but the last one once the other way round: for the laboratory, whose
 * first failing schedule of it is long (tests/scripts/explore_programs.sh, explore_same.sh). */

#include <threading.h>

enum { THREADS = 24, ROUNDS = 4 };

static thr_lock first = THR_LOCK_INIT;
static thr_lock second = THR_LOCK_INIT;
static int count;

static void *add(void *arg)
{
    for (int i = 0; i < ROUNDS; i++) {
        bool wrong = arg && i == 2;
        thr_lock_acquire(wrong ? &second : &first);
        thr_lock_acquire(wrong ? &first : &second);
        count++;
        thr_lock_release(wrong ? &first : &second);
        thr_lock_release(wrong ? &second : &first);
    }
    return NULL;
}

int main(void)
{
    static thr_thread *threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        if (thr_spawn(&threads[i], add, i == THREADS - 1 ? &count : NULL) != THR_OK)
            return 1;
    }
    for (int i = 0; i < THREADS; i++)
        thr_thread_join(threads[i], NULL);
    return 0;
}
