/* outside - calls that are not the library's, for the laboratory: outside CASE. See tests/scripts/outside.sh, which says what
 * each should come to. */

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <threading.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t left = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t right = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spins[2];
static pthread_barrier_t barrier;
static sem_t semaphores[2];
static int number;

static void expect(bool holds)
{
    if (!holds)
        exit(3);
}

/* Runs function(0) and function(1) in a thread each. */
static void both(void *(*function)(void *))
{
    static int numbers[2] = {0, 1};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        expect(pthread_create(&threads[i], NULL, function, &numbers[i]) == 0);
    for (int i = 0; i < 2; i++)
        expect(pthread_join(threads[i], NULL) == 0);
}

static struct timespec later(clockid_t clock, time_t seconds)
{
    struct timespec time;
    expect(clock_gettime(clock, &time) == 0);
    time.tv_sec += seconds;
    return time;
}

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

/* -- Threads of C11 ----------------------------------------------------------------------------------------------- */

static mtx_t mutexes[2];
static cnd_t condition;

static void both_of_c11(thrd_start_t function)
{
    static int numbers[2] = {0, 1};
    thrd_t threads[2];
    int status;
    expect(mtx_init(&mutexes[0], mtx_timed) == thrd_success && mtx_init(&mutexes[1], mtx_plain) == thrd_success);
    expect(cnd_init(&condition) == thrd_success);
    for (int i = 0; i < 2; i++)
        expect(thrd_create(&threads[i], function, &numbers[i]) == thrd_success);
    for (int i = 0; i < 2; i++)
        expect(thrd_join(threads[i], &status) == thrd_success && status == -i);
}

static int cross_c11(void *arg)
{
    int first = *(int *)arg;
    expect(mtx_lock(&mutexes[first]) == thrd_success);
    expect(mtx_lock(&mutexes[1 - first]) == thrd_success);
    expect(mtx_unlock(&mutexes[0]) == thrd_success && mtx_unlock(&mutexes[1]) == thrd_success);
    return -first;
}

static void c11_crossed(void)
{
    both_of_c11(cross_c11);
}

static int signal_c11(void *arg)
{
    expect(mtx_lock(&mutexes[0]) == thrd_success);
    if (*(int *)arg == 0)
        expect(cnd_wait(&condition, &mutexes[0]) == thrd_success);
    else
        expect(cnd_signal(&condition) == thrd_success);
    expect(mtx_unlock(&mutexes[0]) == thrd_success);
    return -*(int *)arg;
}

static void c11_signal_lost(void)
{
    both_of_c11(signal_c11);
}

static once_flag once_c11 = ONCE_FLAG_INIT;

static void count_once(void)
{
    thrd_yield();
    expect(mtx_lock(&mutexes[1]) == thrd_success);
    number++;
    expect(mtx_unlock(&mutexes[1]) == thrd_success);
}

static int work_c11(void *arg)
{
    const struct timespec hour = {3600, 0};
    struct timespec until;
    call_once(&once_c11, count_once);
    expect(number >= 1);
    expect(thrd_sleep(&hour, NULL) == 0);
    expect(mtx_lock(&mutexes[0]) == thrd_success);
    expect(timespec_get(&until, TIME_UTC) == TIME_UTC);
    until.tv_sec += 3600;
    expect(cnd_timedwait(&condition, &mutexes[0], &until) == thrd_timedout);
    int seen = number;
    thr_yield_point();
    number = seen + 1;
    expect(cnd_broadcast(&condition) == thrd_success && mtx_unlock(&mutexes[0]) == thrd_success);
    while (mtx_trylock(&mutexes[0]) != thrd_success)
        continue;
    expect(mtx_unlock(&mutexes[0]) == thrd_success);
    thrd_exit(-*(int *)arg);
}

static void c11_counts(void)
{
    both_of_c11(work_c11);
    expect(number == 3);
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

/* -- Futexes ------------------------------------------------------------------------------------------------------ */

static uint32_t word;

static long futex(int operation, uint32_t value, const struct timespec *time)
{
    return syscall(SYS_futex, &word, operation, value, time, NULL, FUTEX_BITSET_MATCH_ANY);
}

static void *wait_or_wake(void *arg)
{
    if (*(int *)arg == 1) {
        __atomic_store_n(&word, 1, __ATOMIC_SEQ_CST);
        expect(futex(FUTEX_WAKE_PRIVATE, 1, NULL) >= 0);
        return arg;
    }
    while (__atomic_load_n(&word, __ATOMIC_SEQ_CST) == 0)
        expect(futex(FUTEX_WAIT_PRIVATE, 0, NULL) == 0 || errno == EAGAIN);
    return arg;
}

static void futex_handed(void)
{
    both(wait_or_wake);
}

static void *sleep_or_wake(void *arg)
{
    if (*(int *)arg == 1)
        expect(futex(FUTEX_WAKE, 1, NULL) >= 0);
    else
        expect(futex(FUTEX_WAIT, 0, NULL) == 0);
    return arg;
}

static void futex_lost(void)
{
    both(sleep_or_wake);
}

static void *sleep_on_word(void *arg)
{
    const struct timespec hour = {3600, 0};
    struct timespec until = later(CLOCK_MONOTONIC, 7200);
    expect(futex(FUTEX_WAIT_PRIVATE, 0, &hour) == -1 && errno == ETIMEDOUT);
    expect(futex(FUTEX_WAIT_BITSET_PRIVATE, 0, &until) == -1 && errno == ETIMEDOUT);
    expect(futex(FUTEX_WAIT_PRIVATE, 1, NULL) == -1 && errno == EAGAIN);
    expect(later(CLOCK_MONOTONIC, 0).tv_sec >= until.tv_sec);
    return arg;
}

static void futex_timed(void)
{
    both(sleep_on_word);
}

/* -- Time --------------------------------------------------------------------------------------------------------- */

static void *sleep_in_all_ways(void *arg)
{
    const struct timespec hour = {3600, 0};
    const struct timespec wrong = {0, -1};
    struct timespec until = later(CLOCK_MONOTONIC, 3 * 3600);
    time_t before = time(NULL);
    expect(nanosleep(&hour, NULL) == 0);
    expect(clock_nanosleep(CLOCK_MONOTONIC, 0, &hour, NULL) == 0);
    expect(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == 0);
    expect(sleep(3600) == 0);
    for (int i = 0; i < 4; i++)
        expect(usleep(900000000) == 0);
    expect(time(NULL) - before >= 5 * 3600);
    expect(nanosleep(&wrong, NULL) == -1 && errno == EINVAL);
    expect(clock_nanosleep(CLOCK_MONOTONIC, 0, &wrong, NULL) == EINVAL);
    return arg;
}

static void sleeps(void)
{
    both(sleep_in_all_ways);
}

/* -- What is only reported ---------------------------------------------------------------------------------------- */

static int ends[2];

static void *look_at_files(void *arg)
{
    fd_set files;
    struct timeval none = {0, 0};
    struct pollfd wait = {ends[0], POLLIN, 0};
    FD_ZERO(&files);
    FD_SET(ends[0], &files);
    expect(poll(NULL, 0, 3600000) == 0); /* as sleeps */
    expect(poll(&wait, 1, 1) == 0);
    expect(select(ends[0] + 1, &files, NULL, NULL, &none) == 0);
    return arg;
}

static void polls(void)
{
    expect(pipe(ends) == 0);
    both(look_at_files);
}

static void *fork_one(void *arg)
{
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    expect(child > 0 && waitpid(child, NULL, 0) == child);
    return arg;
}

static void forks(void)
{
    both(fork_one);
}

static void *read_or_write(void *arg)
{
    char byte = 'x';
    struct pollfd wait = {ends[0], POLLIN, 0};
    if (*(int *)arg == 0) {
        expect(poll(&wait, 1, -1) == 1);
        expect(read(ends[0], &byte, 1) == 1 && byte == 'a');
        expect(read(ends[0], &byte, 1) == 1 && byte == 'x');
        expect(fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0 && read(ends[0], &byte, 1) == -1 && errno == EAGAIN);
        return NULL;
    }
    expect(usleep(1000000) == 0);
    expect(write(ends[1], &byte, 1) == 1);
    return NULL;
}

/* Whether the reader comes first is decided by the schedule; the writer then goes on all the same. What was in the pipe
 * before is there in each run. */
static void reads(void)
{
    char byte = 'a';
    expect(pipe(ends) == 0 && write(ends[1], &byte, 1) == 1);
    both(read_or_write);
}

/* Nobody will write. */
static void reads_nothing(void)
{
    char byte;
    expect(pipe(ends) == 0);
    thread_joined();
    expect(read(ends[0], &byte, 1) == 1);
}

/* -- Signals ------------------------------------------------------------------------------------------------------ */

static pthread_t native_main;
static thr_event told = THR_EVENT_INIT;

static void tell(int signal)
{
    (void)signal;
    thr_event_set(&told);
}

static void *wait_or_tell(void *arg)
{
    if (*(int *)arg == 0)
        (void)thr_event_wait(&told);
    else
        expect(pthread_kill(native_main, SIGUSR1) == 0);
    return NULL;
}

/* The handler runs in a thread that does not have its turn, and lets another one go. */
static void handlers(void)
{
    expect(signal(SIGUSR1, tell) != SIG_ERR);
    native_main = pthread_self();
    both(wait_or_tell);
}

static void *requeue(void *arg)
{
    uint32_t other = 0;
    expect(syscall(SYS_futex, &word, FUTEX_CMP_REQUEUE_PRIVATE, 1, 1, &other, 0) == 0);
    return arg;
}

static void requeues(void)
{
    both(requeue);
}

/* It is one for all runs, so nobody waits for it. */
static void semaphore_named(void)
{
    char name[64];
    (void)snprintf(name, sizeof name, "/outside-%ld", (long)getpid());
    sem_t *semaphore = sem_open(name, O_CREAT | O_EXCL, 0600, 0);
    expect(semaphore != SEM_FAILED && sem_unlink(name) == 0);
    thread_joined();
    expect(sem_close(semaphore) == 0);
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    {"thread_not_joined", thread_not_joined},
    {"thread_joined", thread_joined},
    {"thread_works", thread_works},
    {"mutexes_crossed", mutexes_crossed},
    {"mutex_counts", mutex_counts},
    {"mutexes_timed", mutexes_timed},
    {"mutex_polled", mutex_polled},
    {"mutex_kinds", mutex_kinds},
    {"signal_lost", signal_lost},
    {"condition_waited", condition_waited},
    {"conditions_timed", conditions_timed},
    {"semaphores_crossed", semaphores_crossed},
    {"semaphores_handed", semaphores_handed},
    {"rwlock_upgraded", rwlock_upgraded},
    {"rwlock_counts", rwlock_counts},
    {"spins_crossed", spins_crossed},
    {"spin_counts", spin_counts},
    {"barrier_met", barrier_met},
    {"barrier_one_short", barrier_one_short},
    {"c11_crossed", c11_crossed},
    {"c11_signal_lost", c11_signal_lost},
    {"c11_counts", c11_counts},
    {"once_crossed", once_crossed},
    {"futex_handed", futex_handed},
    {"futex_lost", futex_lost},
    {"futex_timed", futex_timed},
    {"requeues", requeues},
    {"semaphore_named", semaphore_named},
    {"sleeps", sleeps},
    {"polls", polls},
    {"forks", forks},
    {"reads", reads},
    {"reads_nothing", reads_nothing},
    {"handlers", handlers},
};

int main(int argc, char **argv)
{
    if (argc != 2 || !*thr_version())
        return 2;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (strcmp(cases[i].name, argv[1]) == 0) {
            cases[i].run();
            return 0;
        }
    }
    return 2;
}
