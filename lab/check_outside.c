/* check_outside.c - see check_outside.h: mutexes and rwlocks of pthreads, while a program is checked (and std::mutex,
 * which is one).
 *
 * They are nodes of the same graph as the library's locks: an order may go through both, and one of them may keep two
 * orders apart. Who waits for one of them is not seen to wait; so circles are found in the graph only. */

#include "lab/check_outside.h"

#include <errno.h>
#include <unistd.h>

#include "lab/check.h"
#include "lab/real.h"

static void *next_pthread_mutex_lock;
static void *next_pthread_mutex_trylock;
static void *next_pthread_mutex_unlock;

static bool looks_on(void)
{
    return check_runs() && !check_inside();
}

/* A mutex that lets its owner in again counts as an rlock does. */
static enum hook_operation operation_of(const pthread_mutex_t *mutex)
{
    enum { KINDS = 3 };
    return (mutex->__data.__kind & KINDS) == PTHREAD_MUTEX_RECURSIVE_NP ? HOOK_RLOCK_ACQUIRE : HOOK_LOCK_ACQUIRE;
}

/* Whether a lock by its owner sleeps for ever; other kinds say EDEADLK, or count. */
static bool locks_itself_out(const pthread_mutex_t *mutex)
{
    enum { KINDS = 3 };
    int kind = mutex->__data.__kind & KINDS;
    return (kind == PTHREAD_MUTEX_TIMED_NP || kind == PTHREAD_MUTEX_ADAPTIVE_NP) && mutex->__data.__owner == gettid();
}

int check_mutex_lock(pthread_mutex_t *mutex, const void *site)
{
    if (!looks_on())
        return REAL(pthread_mutex_lock)(mutex);
    int result = REAL(pthread_mutex_trylock)(mutex);
    if (result == EBUSY) {
        check_before(mutex, locks_itself_out(mutex));
        result = REAL(pthread_mutex_lock)(mutex);
    }
    check_mutex_taken(mutex, result, THR_FOREVER, site);
    return result;
}

void check_mutex_taken(const pthread_mutex_t *mutex, int result, thr_time deadline, const void *site)
{
    if (looks_on() && (result == 0 || result == EOWNERDEAD))
        check_outside_taken(operation_of(mutex), mutex, deadline, site);
}

int check_mutex_unlock(pthread_mutex_t *mutex)
{
    if (looks_on())
        check_outside_released(mutex);
    return REAL(pthread_mutex_unlock)(mutex);
}

void check_mutex_waited(const pthread_mutex_t *mutex)
{
    if (looks_on())
        check_outside_taken(HOOK_CONDITION_WAIT, mutex, THR_FOREVER, NULL);
}

int check_rwlock(pthread_rwlock_t *lock, bool reads, int (*try)(pthread_rwlock_t *), int (*take)(pthread_rwlock_t *),
                 const void *site)
{
    if (!looks_on())
        return take(lock);
    int result = try(lock);
    if (result == EBUSY) {
        check_before(lock, false);
        result = take(lock);
    }
    check_rwlock_taken(lock, reads, result, THR_FOREVER, site);
    return result;
}

void check_rwlock_taken(const pthread_rwlock_t *lock, bool reads, int result, thr_time deadline, const void *site)
{
    if (looks_on() && result == 0)
        check_outside_taken(reads ? HOOK_READ_ACQUIRE : HOOK_WRITE_ACQUIRE, lock, deadline, site);
}

void check_rwlock_released(const pthread_rwlock_t *lock)
{
    if (looks_on())
        check_outside_released(lock);
}
