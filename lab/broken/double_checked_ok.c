/* double_checked_ok.c - the correct twin of double_checked.c: the flag is set, with
 * release, when the value is there; the look without the lock is an acquire. */

#include "broken.h"

static thr_lock lock = THR_LOCK_INIT;
static bool loaded;
static int size;

static int get_size(void)
{
    if (!__atomic_load_n(&loaded, __ATOMIC_ACQUIRE)) {
        THR_HOLD(&lock);
        if (!__atomic_load_n(&loaded, __ATOMIC_RELAXED)) {
            size = 42;
            thr_yield_point();
            __atomic_store_n(&loaded, true, __ATOMIC_RELEASE);
        }
    }
    return size;
}

static void *reader(void *arg)
{
    (void)arg;
    if (get_size() != 42)
        thr_lab_fail("the size was used before it was loaded");
    return NULL;
}

int main(void)
{
    thr_thread *a = START(reader, NULL);
    thr_thread *b = START(reader, NULL);

    finish(a);
    finish(b);
    return 0;
}
