/* double_checked.c - double-checked initialisation in which the flag is up before the value is there.
 *
 * reader 1                       reader 2
 * not loaded: takes the lock
 * loaded = true
 *                                loaded: uses the size, which is 0
 * size = 42 */

#include "broken.h"

static thr_lock lock = THR_LOCK_INIT;
static bool loaded;
static int size;

static int get_size(void)
{
    if (!__atomic_load_n(&loaded, __ATOMIC_ACQUIRE)) {
        THR_HOLD(&lock);
        if (!__atomic_load_n(&loaded, __ATOMIC_RELAXED)) {
            __atomic_store_n(&loaded, true, __ATOMIC_RELEASE);
            thr_yield_point();
            size = 42;
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
