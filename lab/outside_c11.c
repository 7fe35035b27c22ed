/* outside_c11.c - the threads, mutexes and condition variables of C11 (outside.c).
 *
 * In the GNU C library they are those of pthreads by other names, but come to them by ways that are not seen here. So each
 * goes to our stand-in for the call of pthreads, and the result is put into the words of C11. */

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <threads.h>

#include "lab/outside.h"

static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t), "a mutex is a mutex");
static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t), "a condition variable is a condition variable");

static int in_c11(int result)
{
    switch (result) {
    case 0:
        return thrd_success;
    case EBUSY:
        return thrd_busy;
    case ETIMEDOUT:
        return thrd_timedout;
    case ENOMEM:
        return thrd_nomem;
    default:
        return thrd_error;
    }
}

/* -- Threads ------------------------------------------------------------------------------------------------------ */

struct start {
    thrd_start_t function;
    void *arg;
};

static void *begin(void *arg)
{
    const struct start start = *(struct start *)arg;
    free(arg);
    return (void *)(intptr_t)start.function(start.arg); /* as thrd_exit has it, too */
}

EXPORT int thrd_create(thrd_t *thread, thrd_start_t function, void *arg)
{
    struct start *start = malloc(sizeof *start);
    if (!start)
        return thrd_nomem;
    *start = (struct start){function, arg};
    int result = pthread_create(thread, NULL, begin, start);
    if (result != 0)
        free(start);
    return in_c11(result);
}

EXPORT int thrd_join(thrd_t thread, int *status)
{
    void *value;
    int result = pthread_join(thread, &value);
    if (result == 0 && status)
        *status = (int)(intptr_t)value;
    return in_c11(result);
}

EXPORT int thrd_sleep(const struct timespec *span, struct timespec *left)
{
    if (nanosleep(span, left) == 0)
        return 0;
    return errno == EINTR ? -1 : -2;
}

EXPORT void thrd_yield(void)
{
    (void)sched_yield();
}

/* -- Mutexes ------------------------------------------------------------------------------------------------------ */

EXPORT int mtx_lock(mtx_t *mutex)
{
    return in_c11(pthread_mutex_lock((pthread_mutex_t *)mutex));
}

EXPORT int mtx_timedlock(mtx_t *restrict mutex, const struct timespec *restrict until)
{
    return in_c11(pthread_mutex_timedlock((pthread_mutex_t *)mutex, until));
}

EXPORT int mtx_trylock(mtx_t *mutex)
{
    return in_c11(pthread_mutex_trylock((pthread_mutex_t *)mutex));
}

EXPORT int mtx_unlock(mtx_t *mutex)
{
    return in_c11(pthread_mutex_unlock((pthread_mutex_t *)mutex));
}

/* -- Condition variables ------------------------------------------------------------------------------------------ */

EXPORT int cnd_wait(cnd_t *condition, mtx_t *mutex)
{
    return in_c11(pthread_cond_wait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex));
}

EXPORT int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex, const struct timespec *restrict until)
{
    return in_c11(pthread_cond_timedwait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex, until));
}

EXPORT int cnd_signal(cnd_t *condition)
{
    return in_c11(pthread_cond_signal((pthread_cond_t *)condition));
}

EXPORT int cnd_broadcast(cnd_t *condition)
{
    return in_c11(pthread_cond_broadcast((pthread_cond_t *)condition));
}
