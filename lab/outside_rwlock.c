/* outside_rwlock.c - rwlocks, spin locks and barriers of pthreads (outside.c).
 *
 * The first two are taken by trying, as mutexes are. A barrier cannot be tried: who waits there is counted here, and the
 * object itself is not used. How many it is for is written down when it is made. */

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "lab/check_outside.h"
#include "lab/holders.h"
#include "lab/outside.h"

enum { BARRIERS = 64 };

static void *next_pthread_barrier_destroy;
static void *next_pthread_barrier_init;
static void *next_pthread_barrier_wait;
static void *next_pthread_rwlock_clockrdlock;
static void *next_pthread_rwlock_clockwrlock;
static void *next_pthread_rwlock_rdlock;
static void *next_pthread_rwlock_timedrdlock;
static void *next_pthread_rwlock_timedwrlock;
static void *next_pthread_rwlock_tryrdlock;
static void *next_pthread_rwlock_trywrlock;
static void *next_pthread_rwlock_unlock;
static void *next_pthread_rwlock_wrlock;
static void *next_pthread_spin_lock;
static void *next_pthread_spin_trylock;
static void *next_pthread_spin_unlock;

/* -- RWLocks ------------------------------------------------------------------------------------------------------ */

static const char *name_of(int (*try)(pthread_rwlock_t *))
{
    return try == REAL(pthread_rwlock_trywrlock) ? "pthread_rwlock_wrlock" : "pthread_rwlock_rdlock";
}

static int taken(struct strand *self, const pthread_rwlock_t *lock, int (*try)(pthread_rwlock_t *))
{
    if (try == REAL(pthread_rwlock_tryrdlock))
        holders_read(self, lock);
    return 0;
}

/* The C library says EDEADLK to the writer itself. */
static int take(struct strand *self, pthread_rwlock_t *lock, int (*try)(pthread_rwlock_t *), thr_time deadline)
{
    outside_point(self, name_of(try), lock);
    if (lock->__data.__cur_writer == gettid())
        return EDEADLK;
    for (;;) {
        int result = try(lock);
        if (result == 0)
            return taken(self, lock, try);
        if (result != EBUSY)
            return result;
        if (outside_wait_for(self, lock, &lock->__data.__cur_writer, deadline) == OS_TIMEOUT)
            return ETIMEDOUT;
    }
}

/* One that failed was a question. */
static int ask(struct strand *self, pthread_rwlock_t *lock, int (*try)(pthread_rwlock_t *))
{
    uint32_t idle = self->idle;
    outside_point(self, name_of(try), lock);
    int result = try(lock);
    if (result == EBUSY)
        self->idle = idle + 1;
    return result == 0 ? taken(self, lock, try) : result;
}

/* Where nothing is steered: with a deadline, or none. */
static int tried(const pthread_rwlock_t *lock, bool reads, int result, const void *site)
{
    check_rwlock_taken(lock, reads, result, 0, site);
    return result;
}

EXPORT int pthread_rwlock_rdlock(pthread_rwlock_t *lock)
{
    struct strand *self = outside_self();
    if (self)
        return take(self, lock, REAL(pthread_rwlock_tryrdlock), THR_FOREVER);
    return check_rwlock(lock, true, REAL(pthread_rwlock_tryrdlock), REAL(pthread_rwlock_rdlock), OUTSIDE_SITE);
}

EXPORT int pthread_rwlock_wrlock(pthread_rwlock_t *lock)
{
    struct strand *self = outside_self();
    if (self)
        return take(self, lock, REAL(pthread_rwlock_trywrlock), THR_FOREVER);
    return check_rwlock(lock, false, REAL(pthread_rwlock_trywrlock), REAL(pthread_rwlock_wrlock), OUTSIDE_SITE);
}

EXPORT int pthread_rwlock_timedrdlock(pthread_rwlock_t *lock, const struct timespec *until)
{
    struct strand *self = outside_self();
    if (!self || !outside_is_time(until))
        return tried(lock, true, REAL(pthread_rwlock_timedrdlock)(lock, until), OUTSIDE_SITE);
    return take(self, lock, REAL(pthread_rwlock_tryrdlock), outside_deadline(until));
}

EXPORT int pthread_rwlock_timedwrlock(pthread_rwlock_t *lock, const struct timespec *until)
{
    struct strand *self = outside_self();
    if (!self || !outside_is_time(until))
        return tried(lock, false, REAL(pthread_rwlock_timedwrlock)(lock, until), OUTSIDE_SITE);
    return take(self, lock, REAL(pthread_rwlock_trywrlock), outside_deadline(until));
}

EXPORT int pthread_rwlock_clockrdlock(pthread_rwlock_t *lock, clockid_t clock, const struct timespec *until)
{
    struct strand *self = outside_self();
    if (!self || !outside_is_time(until))
        return tried(lock, true, REAL(pthread_rwlock_clockrdlock)(lock, clock, until), OUTSIDE_SITE);
    return take(self, lock, REAL(pthread_rwlock_tryrdlock), outside_deadline(until));
}

EXPORT int pthread_rwlock_clockwrlock(pthread_rwlock_t *lock, clockid_t clock, const struct timespec *until)
{
    struct strand *self = outside_self();
    if (!self || !outside_is_time(until))
        return tried(lock, false, REAL(pthread_rwlock_clockwrlock)(lock, clock, until), OUTSIDE_SITE);
    return take(self, lock, REAL(pthread_rwlock_trywrlock), outside_deadline(until));
}

EXPORT int pthread_rwlock_tryrdlock(pthread_rwlock_t *lock)
{
    struct strand *self = outside_self();
    return self ? ask(self, lock, REAL(pthread_rwlock_tryrdlock))
                : tried(lock, true, REAL(pthread_rwlock_tryrdlock)(lock), OUTSIDE_SITE);
}

EXPORT int pthread_rwlock_trywrlock(pthread_rwlock_t *lock)
{
    struct strand *self = outside_self();
    return self ? ask(self, lock, REAL(pthread_rwlock_trywrlock))
                : tried(lock, false, REAL(pthread_rwlock_trywrlock)(lock), OUTSIDE_SITE);
}

EXPORT int pthread_rwlock_unlock(pthread_rwlock_t *lock)
{
    struct strand *self = outside_self();
    if (!self) {
        check_rwlock_released(lock);
        return REAL(pthread_rwlock_unlock)(lock);
    }
    outside_point(self, "pthread_rwlock_unlock", lock);
    if (lock->__data.__cur_writer == 0)
        holders_read_end(self, lock);
    int result = REAL(pthread_rwlock_unlock)(lock);
    (void)control_wake(outside_word(lock), UINT32_MAX, OS_ANY);
    return result;
}

/* -- Spin locks --------------------------------------------------------------------------------------------------- */

EXPORT int pthread_spin_lock(pthread_spinlock_t *lock)
{
    struct strand *self = outside_self();
    if (!self)
        return REAL(pthread_spin_lock)(lock);
    outside_point(self, "pthread_spin_lock", (const void *)(uintptr_t)lock);
    for (;;) {
        int result = REAL(pthread_spin_trylock)(lock);
        if (result != EBUSY)
            return result;
        (void)control_wait(self, outside_word((const void *)(uintptr_t)lock), OS_ANY, THR_FOREVER);
    }
}

EXPORT int pthread_spin_trylock(pthread_spinlock_t *lock)
{
    struct strand *self = outside_self();
    if (!self)
        return REAL(pthread_spin_trylock)(lock);
    uint32_t idle = self->idle;
    outside_point(self, "pthread_spin_trylock", (const void *)(uintptr_t)lock);
    int result = REAL(pthread_spin_trylock)(lock);
    if (result == EBUSY)
        self->idle = idle + 1;
    return result;
}

EXPORT int pthread_spin_unlock(pthread_spinlock_t *lock)
{
    struct strand *self = outside_self();
    if (!self)
        return REAL(pthread_spin_unlock)(lock);
    outside_point(self, "pthread_spin_unlock", (const void *)(uintptr_t)lock);
    int result = REAL(pthread_spin_unlock)(lock);
    (void)control_wake(outside_word((const void *)(uintptr_t)lock), 1, OS_ANY);
    return result;
}

/* -- Barriers ----------------------------------------------------------------------------------------------------- */

/* Touched by the one thread before the search, and then by who has the token. */
static struct barrier {
    const pthread_barrier_t *object; /* NULL: free */
    uint32_t parties;
    uint32_t waiting;
    uint32_t generation;
} barriers[BARRIERS];

static struct barrier *find(const pthread_barrier_t *object)
{
    for (uint32_t i = 0; i < BARRIERS; i++) {
        if (barriers[i].object == object)
            return &barriers[i];
    }
    return NULL;
}

EXPORT int pthread_barrier_init(pthread_barrier_t *barrier, const pthread_barrierattr_t *attributes, unsigned parties)
{
    int result = REAL(pthread_barrier_init)(barrier, attributes, parties);
    struct barrier *place = find(barrier);
    if (!place)
        place = find(NULL);
    if (result == 0 && place)
        *place = (struct barrier){.object = barrier, .parties = parties};
    return result;
}

EXPORT int pthread_barrier_destroy(pthread_barrier_t *barrier)
{
    struct barrier *place = find(barrier);
    if (place)
        place->object = NULL;
    return REAL(pthread_barrier_destroy)(barrier);
}

EXPORT int pthread_barrier_wait(pthread_barrier_t *barrier)
{
    struct strand *self = outside_self();
    struct barrier *place = find(barrier);
    if (!self || !place) {
        outside_passes("pthread_barrier_wait");
        return REAL(pthread_barrier_wait)(barrier);
    }
    outside_point(self, "pthread_barrier_wait", barrier);
    if (++place->waiting == place->parties) {
        place->waiting = 0;
        place->generation++;
        (void)control_wake(outside_word(barrier), UINT32_MAX, OS_ANY);
        return PTHREAD_BARRIER_SERIAL_THREAD;
    }
    uint32_t generation = place->generation;
    while (place->generation == generation)
        (void)control_wait(self, outside_word(barrier), OS_ANY, THR_FOREVER);
    return 0;
}
