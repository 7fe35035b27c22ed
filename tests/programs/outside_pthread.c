/* outside_pthread - threads, locks and the rest of pthreads, for the laboratory. See tests/scripts/outside.sh, which says what
 * each case should come to. */

#include "outside.h"

#include <errno.h>
#include <semaphore.h>

static pthread_mutex_t left = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t right = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spins[2];
static pthread_barrier_t barrier;
static sem_t semaphores[2];
static int number;

/* -- Threads ------------------------------------------------------------------------------------------------------ */

static void *set_number(void *arg)
{
    number = 1;
    return arg;
}

static void thread_not_joined(void)
{
    pthread_t thread;
    expect(pthread_create(&thread, NULL, set_number, NULL) == 0);
    expect(number == 1);
    expect(pthread_join(thread, NULL) == 0);
}

/* What main waits for takes far longer than other runs may have shown. */
static void *work_long(void *arg)
{
    for (int i = 0; i < 6000; i++)
        expect(pthread_mutex_lock(&left) == 0 && pthread_mutex_unlock(&left) == 0);
    return arg;
}

static void thread_works(void)
{
    pthread_t thread;
    expect(pthread_create(&thread, NULL, work_long, NULL) == 0);
    expect(pthread_join(thread, NULL) == 0);
}

static void thread_joined(void)
{
    pthread_t thread;
    void *result;
    expect(pthread_create(&thread, NULL, set_number, &number) == 0);
    expect(pthread_join(thread, &result) == 0 && result == &number && number == 1);
}

/* -- Mutexes ------------------------------------------------------------------------------------------------------ */

static void *cross_mutexes(void *arg)
{
    bool first = *(int *)arg == 0;
    expect(pthread_mutex_lock(first ? &left : &right) == 0);
    expect(pthread_mutex_lock(first ? &right : &left) == 0);
    expect(pthread_mutex_unlock(&left) == 0);
    expect(pthread_mutex_unlock(&right) == 0);
    return NULL;
}

static void mutexes_crossed(void)
{
    both(cross_mutexes);
}

static void *count_under_mutex(void *arg)
{
    expect(pthread_mutex_lock(&left) == 0);
    int seen = number;
    thr_yield_point();
    number = seen + 1;
    expect(pthread_mutex_unlock(&left) == 0);
    return arg;
}

static void mutex_counts(void)
{
    both(count_under_mutex);
    expect(number == 2);
}

static void *cross_with_patience(void *arg)
{
    bool first = *(int *)arg == 0;
    struct timespec until = later(CLOCK_REALTIME, 5);
    expect(pthread_mutex_lock(first ? &left : &right) == 0);
    int result = pthread_mutex_timedlock(first ? &right : &left, &until);
    expect(result == 0 || result == ETIMEDOUT);
    if (result == 0)
        expect(pthread_mutex_unlock(first ? &right : &left) == 0);
    expect(pthread_mutex_unlock(first ? &left : &right) == 0);
    return NULL;
}

static void mutexes_timed(void)
{
    both(cross_with_patience);
}

static void *poll_mutex(void *arg)
{
    while (pthread_mutex_trylock(&left) != 0)
        continue;
    number++;
    expect(pthread_mutex_unlock(&left) == 0);
    return arg;
}

static void mutex_polled(void)
{
    both(poll_mutex);
    expect(number == 2);
}

static void mutex_kinds(void)
{
    pthread_mutexattr_t kind;
    pthread_mutex_t mutex;
    expect(pthread_mutexattr_init(&kind) == 0);
    expect(pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ERRORCHECK) == 0 && pthread_mutex_init(&mutex, &kind) == 0);
    both(count_under_mutex);
    expect(pthread_mutex_lock(&mutex) == 0 && pthread_mutex_lock(&mutex) == EDEADLK);
    expect(pthread_mutex_unlock(&mutex) == 0 && pthread_mutex_unlock(&mutex) == EPERM);
    expect(pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_RECURSIVE) == 0 && pthread_mutex_init(&mutex, &kind) == 0);
    expect(pthread_mutex_lock(&mutex) == 0 && pthread_mutex_lock(&mutex) == 0);
    expect(pthread_mutex_unlock(&mutex) == 0 && pthread_mutex_unlock(&mutex) == 0);
}

/* -- Condition variables ------------------------------------------------------------------------------------------ */

static void *wait_or_signal(void *arg)
{
    expect(pthread_mutex_lock(&left) == 0);
    if (*(int *)arg == 0)
        expect(pthread_cond_wait(&changed, &left) == 0);
    else
        expect(pthread_cond_signal(&changed) == 0);
    expect(pthread_mutex_unlock(&left) == 0);
    return NULL;
}

static void signal_lost(void)
{
    both(wait_or_signal);
}

static void *wait_or_set(void *arg)
{
    expect(pthread_mutex_lock(&left) == 0);
    if (*(int *)arg == 1)
        number = 1;
    while (number == 0)
        expect(pthread_cond_wait(&changed, &left) == 0);
    expect(pthread_cond_broadcast(&changed) == 0);
    expect(pthread_mutex_unlock(&left) == 0);
    return NULL;
}

static void condition_waited(void)
{
    both(wait_or_set);
}

static void *wait_for_hours(void *arg)
{
    struct timespec wall = later(CLOCK_REALTIME, 7200);
    struct timespec steady = later(CLOCK_MONOTONIC, 7200);
    expect(pthread_mutex_lock(&left) == 0);
    expect(pthread_cond_timedwait(&changed, &left, &wall) == ETIMEDOUT);
    expect(pthread_cond_clockwait(&changed, &left, CLOCK_MONOTONIC, &steady) == ETIMEDOUT);
    expect(pthread_mutex_unlock(&left) == 0);
    return arg;
}

static void conditions_timed(void)
{
    both(wait_for_hours);
}

/* -- Semaphores --------------------------------------------------------------------------------------------------- */

static void make_semaphores(unsigned value)
{
    expect(sem_init(&semaphores[0], 0, value) == 0 && sem_init(&semaphores[1], 0, value) == 0);
}

static void *cross_semaphores(void *arg)
{
    int first = *(int *)arg;
    expect(sem_wait(&semaphores[first]) == 0);
    expect(sem_wait(&semaphores[1 - first]) == 0);
    expect(sem_post(&semaphores[0]) == 0 && sem_post(&semaphores[1]) == 0);
    return NULL;
}

static void semaphores_crossed(void)
{
    make_semaphores(1);
    both(cross_semaphores);
}

static void *hand_over(void *arg)
{
    int first = *(int *)arg;
    struct timespec until = later(CLOCK_REALTIME, 3600);
    expect(sem_post(&semaphores[1 - first]) == 0);
    expect(sem_wait(&semaphores[first]) == 0);
    expect(sem_timedwait(&semaphores[first], &until) == -1 && errno == ETIMEDOUT);
    expect(sem_trywait(&semaphores[first]) == -1 && errno == EAGAIN);
    return NULL;
}

static void semaphores_handed(void)
{
    make_semaphores(0);
    both(hand_over);
}

/* -- RWLocks, spin locks, barriers -------------------------------------------------------------------------------- */

static void *upgrade(void *arg)
{
    expect(pthread_rwlock_rdlock(&rwlock) == 0);
    expect(pthread_rwlock_wrlock(&rwlock) == 0);
    expect(pthread_rwlock_unlock(&rwlock) == 0);
    return arg;
}

static void rwlock_upgraded(void)
{
    both(upgrade);
}

static void *read_and_write(void *arg)
{
    struct timespec until = later(CLOCK_REALTIME, 3600);
    expect(pthread_rwlock_rdlock(&rwlock) == 0);
    expect(pthread_rwlock_tryrdlock(&rwlock) == 0 || number >= 0);
    expect(pthread_rwlock_unlock(&rwlock) == 0 && pthread_rwlock_unlock(&rwlock) == 0);
    expect(pthread_rwlock_timedwrlock(&rwlock, &until) == 0);
    expect(pthread_rwlock_wrlock(&rwlock) == EDEADLK);
    int seen = number;
    thr_yield_point();
    number = seen + 1;
    expect(pthread_rwlock_unlock(&rwlock) == 0);
    while (pthread_rwlock_trywrlock(&rwlock) != 0)
        continue;
    expect(pthread_rwlock_unlock(&rwlock) == 0);
    return arg;
}

static void rwlock_counts(void)
{
    both(read_and_write);
    expect(number == 2);
}

static void *cross_spins(void *arg)
{
    int first = *(int *)arg;
    expect(pthread_spin_lock(&spins[first]) == 0);
    expect(pthread_spin_lock(&spins[1 - first]) == 0);
    expect(pthread_spin_unlock(&spins[0]) == 0 && pthread_spin_unlock(&spins[1]) == 0);
    return NULL;
}

static void spins_crossed(void)
{
    expect(pthread_spin_init(&spins[0], 0) == 0 && pthread_spin_init(&spins[1], 0) == 0);
    both(cross_spins);
}

static void *count_under_spin(void *arg)
{
    if (*(int *)arg == 0)
        expect(pthread_spin_lock(&spins[0]) == 0);
    else
        while (pthread_spin_trylock(&spins[0]) != 0)
            continue;
    int seen = number;
    thr_yield_point();
    number = seen + 1;
    expect(pthread_spin_unlock(&spins[0]) == 0);
    return NULL;
}

static void spin_counts(void)
{
    expect(pthread_spin_init(&spins[0], 0) == 0);
    both(count_under_spin);
    expect(number == 2);
}

static void *meet(void *arg)
{
    int result = pthread_barrier_wait(&barrier);
    expect(result == 0 || result == PTHREAD_BARRIER_SERIAL_THREAD);
    expect(pthread_mutex_lock(&left) == 0);
    number += result != 0;
    expect(pthread_mutex_unlock(&left) == 0);
    return arg;
}

static void barrier_met(void)
{
    expect(pthread_barrier_init(&barrier, NULL, 2) == 0);
    both(meet);
    both(meet);
    expect(number == 2);
    expect(pthread_barrier_destroy(&barrier) == 0);
}

static void barrier_one_short(void)
{
    expect(pthread_barrier_init(&barrier, NULL, 3) == 0);
    both(meet);
}

/* -- Once --------------------------------------------------------------------------------------------------------- */

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void once_under_mutex(void)
{
    expect(pthread_mutex_lock(&left) == 0 && pthread_mutex_unlock(&left) == 0);
}

static void *mutex_and_once(void *arg)
{
    if (*(int *)arg == 0) {
        expect(pthread_mutex_lock(&left) == 0);
        expect(pthread_once(&once, once_under_mutex) == 0);
        expect(pthread_mutex_unlock(&left) == 0);
    } else {
        expect(pthread_once(&once, once_under_mutex) == 0);
    }
    return arg;
}

/* Who comes first with the mutex waits for the other to be done, or takes it a second time. */
static void once_crossed(void)
{
    both(mutex_and_once);
}

static const struct program_case cases[] = {
    {CASE(thread_not_joined)}, {CASE(thread_joined)},    {CASE(thread_works)},      {CASE(mutexes_crossed)},
    {CASE(mutex_counts)},      {CASE(mutexes_timed)},    {CASE(mutex_polled)},      {CASE(mutex_kinds)},
    {CASE(signal_lost)},       {CASE(condition_waited)}, {CASE(conditions_timed)},  {CASE(semaphores_crossed)},
    {CASE(semaphores_handed)}, {CASE(rwlock_upgraded)},  {CASE(rwlock_counts)},     {CASE(spins_crossed)},
    {CASE(spin_counts)},       {CASE(barrier_met)},      {CASE(barrier_one_short)}, {CASE(once_crossed)},
};

int main(int argc, char **argv)
{
    return CASE_RUN(argc, argv, cases);
}
