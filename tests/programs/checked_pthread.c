/* checked_pthread - mutexes and rwlocks of pthreads, for `threading check`. See tests/scripts/check.sh. */

#include "checked.h"

#include <pthread.h>

static thr_lock b;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t other_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t posix_rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t posix_condition = PTHREAD_COND_INITIALIZER;

static void both_mutexes(pthread_mutex_t *first, pthread_mutex_t *second)
{
    pthread_mutex_lock(first);
    pthread_mutex_lock(second);
    pthread_mutex_unlock(second);
    pthread_mutex_unlock(first);
}

static void mutex_order(void)
{
    both_mutexes(&mutex, &other_mutex);
    both_mutexes(&other_mutex, &mutex);
}

static void mutex_and_lock(void)
{
    pthread_mutex_lock(&mutex);
    thr_lock_acquire(&a);
    thr_lock_release(&a);
    pthread_mutex_unlock(&mutex);
    thr_lock_acquire(&a);
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
    thr_lock_release(&a);
}

static void posix_rwlock_and_lock(void)
{
    pthread_rwlock_rdlock(&posix_rwlock);
    thr_lock_acquire(&a);
    thr_lock_release(&a);
    pthread_rwlock_unlock(&posix_rwlock);
    thr_lock_acquire(&a);
    pthread_rwlock_wrlock(&posix_rwlock);
    pthread_rwlock_unlock(&posix_rwlock);
    thr_lock_release(&a);
}

static void gated_by_mutex(void)
{
    pthread_mutex_lock(&mutex);
    both(&a, &b);
    pthread_mutex_unlock(&mutex);
    pthread_mutex_lock(&mutex);
    both(&b, &a);
    pthread_mutex_unlock(&mutex);
}

static void mutex_tried(void)
{
    both_mutexes(&mutex, &other_mutex);
    pthread_mutex_lock(&other_mutex);
    if (pthread_mutex_trylock(&mutex) == 0)
        pthread_mutex_unlock(&mutex);
    pthread_mutex_unlock(&other_mutex);
}

static void mutex_recursive(void)
{
    pthread_mutexattr_t attributes;
    pthread_mutex_t again;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&again, &attributes);
    pthread_mutex_lock(&again);
    thr_lock_acquire(&a);
    pthread_mutex_lock(&again);
    pthread_mutex_unlock(&again);
    thr_lock_release(&a);
    pthread_mutex_unlock(&again);
    pthread_mutex_destroy(&again);
}

static void mutex_destroyed(void)
{
    for (int i = 0; i < 2; i++) {
        pthread_mutex_init(&mutex, NULL);
        pthread_mutex_init(&other_mutex, NULL);
        both_mutexes(i ? &mutex : &other_mutex, i ? &other_mutex : &mutex);
        pthread_mutex_destroy(&mutex);
        pthread_mutex_destroy(&other_mutex);
    }
}

static bool posix_ready;

static void tell_posix(void)
{
    pthread_mutex_lock(&mutex);
    posix_ready = true;
    pthread_cond_signal(&posix_condition);
    pthread_mutex_unlock(&mutex);
}

static void posix_wait(void)
{
    static void (*tell)(void) = tell_posix;
    pthread_mutex_lock(&mutex);
    thr_thread *t = begin(&tell, "teller");
    while (!posix_ready)
        pthread_cond_wait(&posix_condition, &mutex);
    pthread_mutex_unlock(&mutex);
    end(t);
    both_mutexes(&other_mutex, &mutex);
}

static const struct program_case cases[] = {
    {CASE(mutex_order)}, {CASE(mutex_and_lock)},  {CASE(posix_rwlock_and_lock)}, {CASE(gated_by_mutex)},
    {CASE(mutex_tried)}, {CASE(mutex_recursive)}, {CASE(mutex_destroyed)},       {CASE(posix_wait)},
};

int main(int argc, char **argv)
{
    return CASE_RUN(argc, argv, cases);
}
