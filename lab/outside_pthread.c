/* outside_pthread.c - mutexes, condition variables and semaphores of pthreads (outside.c).
 *
 * What is taken is the real object, by trying: so it is always as it would be, for its attributes and for who looks at it.
 * Who finds it taken sleeps on its address, and tries again after each unlock. Of condition variables only the address is
 * used. */

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

#include "lab/check_outside.h"
#include "lab/outside.h"

static void *next_pthread_cond_broadcast;
static void *next_pthread_cond_clockwait;
static void *next_pthread_cond_signal;
static void *next_pthread_cond_timedwait;
static void *next_pthread_cond_wait;
static void *next_pthread_mutex_clocklock;
static void *next_pthread_mutex_lock;
static void *next_pthread_mutex_timedlock;
static void *next_pthread_mutex_trylock;
static void *next_pthread_mutex_unlock;
static void *next_sem_clockwait;
static void *next_sem_post;
static void *next_sem_timedwait;
static void *next_sem_trywait;
static void *next_sem_wait;

/* -- Mutexes ------------------------------------------------------------------------------------------------------ */

static int take(struct strand *self, pthread_mutex_t *mutex, thr_time deadline)
{
    for (;;) {
        int result = REAL(pthread_mutex_trylock)(mutex);
        if (result != EBUSY)
            return result;
        if (outside_wait_for(self, mutex, &mutex->__data.__owner, deadline) == OS_TIMEOUT)
            return ETIMEDOUT;
    }
}

/* Error-checking and recursive mutexes know their owner: EDEADLK and counting are theirs. */
static bool is_owned(const pthread_mutex_t *mutex)
{
    return mutex->__data.__kind != PTHREAD_MUTEX_TIMED_NP && mutex->__data.__kind != PTHREAD_MUTEX_ADAPTIVE_NP &&
           mutex->__data.__owner == gettid();
}

static int lock_until(struct strand *self, pthread_mutex_t *mutex, thr_time deadline)
{
    outside_point(self, "pthread_mutex_lock", mutex);
    return is_owned(mutex) ? REAL(pthread_mutex_lock)(mutex) : take(self, mutex, deadline);
}

/* The same, where nothing is steered: with a deadline, or none. */
static int tried(const pthread_mutex_t *mutex, int result, const void *site)
{
    check_mutex_taken(mutex, result, 0, site);
    return result;
}

EXPORT int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    struct strand *self = outside_self();
    return self ? lock_until(self, mutex, THR_FOREVER) : check_mutex_lock(mutex, OUTSIDE_SITE);
}

EXPORT int pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *until)
{
    struct strand *self = outside_self();
    if (!self || !outside_is_time(until))
        return tried(mutex, REAL(pthread_mutex_timedlock)(mutex, until), OUTSIDE_SITE);
    return lock_until(self, mutex, outside_deadline(until));
}

EXPORT int pthread_mutex_clocklock(pthread_mutex_t *mutex, clockid_t clock, const struct timespec *until)
{
    struct strand *self = outside_self();
    if (!self || !outside_is_time(until))
        return tried(mutex, REAL(pthread_mutex_clocklock)(mutex, clock, until), OUTSIDE_SITE);
    return lock_until(self, mutex, outside_deadline(until));
}

/* One that failed was a question: who asks again and again lets others go first. */
EXPORT int pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    struct strand *self = outside_self();
    if (!self)
        return tried(mutex, REAL(pthread_mutex_trylock)(mutex), OUTSIDE_SITE);
    uint32_t idle = self->idle;
    outside_point(self, "pthread_mutex_trylock", mutex);
    int result = REAL(pthread_mutex_trylock)(mutex);
    if (result == EBUSY)
        self->idle = idle + 1;
    return result;
}

EXPORT int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    struct strand *self = outside_self();
    if (!self)
        return check_mutex_unlock(mutex);
    outside_point(self, "pthread_mutex_unlock", mutex);
    int result = REAL(pthread_mutex_unlock)(mutex);
    (void)control_wake(outside_word(mutex), 1, OS_ANY);
    return result;
}

/* -- Condition variables ------------------------------------------------------------------------------------------ */

static int wait_on(struct strand *self, pthread_cond_t *condition, pthread_mutex_t *mutex, thr_time deadline)
{
    outside_point(self, "pthread_cond_wait", condition);
    int result = REAL(pthread_mutex_unlock)(mutex);
    if (result != 0)
        return result;
    (void)control_wake(outside_word(mutex), 1, OS_ANY);
    enum os_wait_end end = control_wait(self, outside_word(condition), OS_ANY, deadline);
    result = take(self, mutex, THR_FOREVER);
    return result == 0 && end == OS_TIMEOUT ? ETIMEDOUT : result;
}

static int waited(const pthread_mutex_t *mutex, int result)
{
    check_mutex_waited(mutex);
    return result;
}

EXPORT int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
    struct strand *self = outside_self();
    return self ? wait_on(self, condition, mutex, THR_FOREVER)
                : waited(mutex, REAL(pthread_cond_wait)(condition, mutex));
}

EXPORT int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until)
{
    struct strand *self = outside_self();
    if (!self || !outside_is_time(until))
        return waited(mutex, REAL(pthread_cond_timedwait)(condition, mutex, until));
    return wait_on(self, condition, mutex, outside_deadline(until));
}

EXPORT int pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock,
                                  const struct timespec *until)
{
    struct strand *self = outside_self();
    if (!self || !outside_is_time(until))
        return waited(mutex, REAL(pthread_cond_clockwait)(condition, mutex, clock, until));
    return wait_on(self, condition, mutex, outside_deadline(until));
}

static int notify(struct strand *self, const char *name, pthread_cond_t *condition, uint32_t count)
{
    outside_point(self, name, condition);
    (void)control_wake(outside_word(condition), count, OS_ANY);
    return 0;
}

EXPORT int pthread_cond_signal(pthread_cond_t *condition)
{
    struct strand *self = outside_self();
    return self ? notify(self, "pthread_cond_signal", condition, 1) : REAL(pthread_cond_signal)(condition);
}

EXPORT int pthread_cond_broadcast(pthread_cond_t *condition)
{
    struct strand *self = outside_self();
    return self ? notify(self, "pthread_cond_broadcast", condition, UINT32_MAX)
                : REAL(pthread_cond_broadcast)(condition);
}

/* -- Semaphores --------------------------------------------------------------------------------------------------- */

static int down(struct strand *self, sem_t *semaphore, thr_time deadline)
{
    outside_point(self, "sem_wait", semaphore);
    while (REAL(sem_trywait)(semaphore) != 0) {
        if (errno != EAGAIN)
            return -1;
        if (control_wait(self, outside_word(semaphore), OS_ANY, deadline) == OS_TIMEOUT) {
            errno = ETIMEDOUT;
            return -1;
        }
    }
    return 0;
}

EXPORT int sem_wait(sem_t *semaphore)
{
    struct strand *self = outside_self();
    return self ? down(self, semaphore, THR_FOREVER) : REAL(sem_wait)(semaphore);
}

EXPORT int sem_timedwait(sem_t *semaphore, const struct timespec *until)
{
    struct strand *self = outside_self();
    if (!self || !outside_is_time(until))
        return REAL(sem_timedwait)(semaphore, until);
    return down(self, semaphore, outside_deadline(until));
}

EXPORT int sem_clockwait(sem_t *semaphore, clockid_t clock, const struct timespec *until)
{
    struct strand *self = outside_self();
    if (!self || !outside_is_time(until))
        return REAL(sem_clockwait)(semaphore, clock, until);
    return down(self, semaphore, outside_deadline(until));
}

EXPORT int sem_trywait(sem_t *semaphore)
{
    struct strand *self = outside_self();
    if (!self)
        return REAL(sem_trywait)(semaphore);
    uint32_t idle = self->idle;
    outside_point(self, "sem_trywait", semaphore);
    int result = REAL(sem_trywait)(semaphore);
    if (result != 0)
        self->idle = idle + 1;
    return result;
}

EXPORT int sem_post(sem_t *semaphore)
{
    struct strand *self = outside_self();
    int result;
    if (!self) {
        result = REAL(sem_post)(semaphore);
        if (control_run && outside_inside()) /* a handler, in a thread that is stopped */
            control_wake_aside(outside_word(semaphore), 1, OS_ANY);
        return result;
    }
    outside_point(self, "sem_post", semaphore);
    result = REAL(sem_post)(semaphore);
    (void)control_wake(outside_word(semaphore), 1, OS_ANY);
    return result;
}
