/* checked - cases for `threading check`: checked CASE. See tests/scripts/check.sh, which says what each should report. */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <threading.h>
#include <unistd.h>

static thr_lock a, b, c;
static thr_rlock r;
static thr_rwlock rw, rw2;
static thr_condition condition;
static thr_event go;

static void both(thr_lock *first, thr_lock *second)
{
    THR_HOLD(first);
    THR_HOLD(second);
}

static void *in_thread_target(void *arg)
{
    void (*function)(void);
    memcpy(&function, arg, sizeof function);
    function();
    return NULL;
}

static thr_thread *begin(void (**function)(void), const char *name)
{
    thr_thread *t;
    if (thr_spawn(&t, in_thread_target, function, .name = name) != THR_OK)
        exit(3);
    return t;
}

static void end(thr_thread *t)
{
    thr_thread_join(t, NULL);
    thr_thread_unref(t);
}

/* Runs it in a thread, to its end. */
static void in_thread(void (*function)(void))
{
    end(begin(&function, "helper"));
}

/* Waits until another thread is asleep for this lock. */
static void wait_for_waiter(const uint32_t *word)
{
    while (!(__atomic_load_n(word, __ATOMIC_RELAXED) & 2))
        thr_sleep(0.001);
}

/* -- Orders ------------------------------------------------------------------------------------------------------- */

static void two_orders(void)
{
    both(&a, &b);
    both(&b, &a);
}

static void take_ab(void)
{
    both(&a, &b);
}

static void two_threads(void)
{
    in_thread(take_ab);
    both(&b, &a);
}

static void ring(void)
{
    both(&a, &b);
    both(&b, &c);
    both(&c, &a);
}

static void same_order(void)
{
    for (int i = 0; i < 3; i++) {
        both(&a, &b);
        both(&b, &c);
        both(&a, &c);
    }
}

/* What has been reported once is not reported again and again. */
static void repeated(void)
{
    for (int i = 0; i < 10; i++)
        two_orders();
}

static void many_pairs(void)
{
    static thr_lock pairs[100][2];
    for (int i = 0; i < 100; i++) {
        for (int k = 0; k < 2; k++)
            both(&pairs[i][k], &pairs[i][1 - k]);
    }
}

static void many_in_order(void)
{
    static thr_lock locks[1000];
    for (int turn = 0; turn < 2; turn++) {
        for (int i = 0; i < 1000; i++)
            thr_lock_acquire(&locks[i]);
        for (int i = 0; i < 1000; i++)
            thr_lock_release(&locks[i]);
    }
}

/* By address, whichever way they were met first. */
static void by_address(void)
{
    static thr_lock locks[5];
    static const int pairs[][2] = {{0, 1}, {2, 3}, {1, 2}, {0, 3}, {1, 4}, {3, 4}, {0, 4}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        both(&locks[pairs[i][0]], &locks[pairs[i][1]]);
}

/* Mutexes and rwlocks of pthreads. */
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

static void gated(void)
{
    THR_HOLD(&c);
    two_orders();
}

static void gated_once(void)
{
    gated();
    both(&a, &b);
    both(&b, &a);
}

static void tried(void)
{
    both(&a, &b);
    THR_HOLD(&b);
    if (thr_lock_try_acquire(&a))
        (void)thr_lock_release(&a);
    if (thr_lock_acquire_until(&a, thr_after(1.0)) == THR_OK)
        (void)thr_lock_release(&a);
}

/* A lock that was tried for is held as any other. */
static void tried_first(void)
{
    both(&a, &b);
    if (!thr_lock_try_acquire(&b))
        exit(3);
    {
        THR_HOLD(&a);
    }
    (void)thr_lock_release(&b);
}

static void rlocks(void)
{
    static thr_rlock other;
    THR_HOLD(&r);
    THR_HOLD(&other);
    THR_HOLD(&r);
    THR_HOLD(&other);
}

static void rlock_order(void)
{
    {
        THR_HOLD(&r);
        THR_HOLD(&r);
        THR_HOLD(&a);
    }
    THR_HOLD(&a);
    THR_HOLD(&r);
}

static void rlock_depth(void)
{
    {
        THR_HOLD(&r);
        {
            THR_HOLD(&r);
        }
        THR_HOLD(&a); /* r is still held */
    }
    THR_HOLD(&a);
    THR_HOLD(&r);
}

static void rwlocks(void)
{
    (void)thr_rwlock_acquire_read(&rw);
    (void)thr_rwlock_acquire_write(&rw2);
    (void)thr_rwlock_release_write(&rw2);
    (void)thr_rwlock_release_read(&rw);
    (void)thr_rwlock_acquire_write(&rw2);
    (void)thr_rwlock_acquire_write(&rw);
    (void)thr_rwlock_release_write(&rw);
    (void)thr_rwlock_release_write(&rw2);
}

/* A wait gives up `a` and takes it again, with `b` held all along. */
static void notify_under_a(void)
{
    thr_event_wait(&go);
    size_t woken = 0;
    while (woken == 0) {
        THR_HOLD(&a);
        woken = thr_condition_notify(&condition, 1);
    }
}

static void wait_under_b(void)
{
    void (*notifier)(void) = notify_under_a;
    thr_thread *t = begin(&notifier, "notifier");
    {
        THR_HOLD(&a);
        THR_HOLD(&b);
        thr_event_set(&go);
        thr_condition_wait(&condition, &a);
    }
    end(t);
}

static void wait_alone(void)
{
    void (*notifier)(void) = notify_under_a;
    thr_thread *t = begin(&notifier, "notifier");
    both(&b, &a);
    {
        THR_HOLD(&b);
        THR_HOLD(&a);
        thr_event_set(&go);
        thr_condition_wait(&condition, &a);
    }
    end(t);
}

/* -- Released elsewhere ------------------------------------------------------------------------------------------- */

static void release_a(void)
{
    (void)thr_lock_release(&a);
}

static void handed_over(void)
{
    both(&b, &a);
    thr_lock_acquire(&a);
    in_thread(release_a);
    THR_HOLD(&b); /* a is not held any more */
}

static void release_read(void)
{
    (void)thr_rwlock_release_read(&rw);
}

static void read_handed_over(void)
{
    {
        THR_HOLD(&a);
        (void)thr_rwlock_acquire_read(&rw);
        (void)thr_rwlock_release_read(&rw);
    }
    (void)thr_rwlock_acquire_read(&rw);
    in_thread(release_read);
    THR_HOLD(&a);
}

/* -- Memory ------------------------------------------------------------------------------------------------------- */

/* Memory as malloc would give it, but at this place, if that is not 0: others are kept until then. */
static void *allocate_at(uintptr_t place)
{
    enum { SIZE = 200, TRIES = 1000 };
    for (int i = 0; i < TRIES; i++) {
        void *block = malloc(SIZE);
        volatile uintptr_t at = (uintptr_t)block; /* compilers take it that this is never the same place */
        if (block && (place == 0 || at == place))
            return block;
    }
    exit(3); /* this shows nothing then */
}

static void in_heap(bool again)
{
    uintptr_t place = 0;
    for (int i = 0; i < 2; i++) {
        thr_lock *lock = allocate_at(place);
        place = (uintptr_t)lock;
        *lock = (thr_lock)THR_LOCK_INIT;
        if (i == 0)
            both(lock, &a);
        else
            both(&a, lock);
        if (again)
            both(&a, lock);
        free(lock);
    }
}

static void freed(void)
{
    in_heap(false);
}

static void not_freed(void)
{
    in_heap(true);
}

static void reallocated(void)
{
    struct {
        thr_lock lock;
        char more[60];
    } *block = calloc(1, 64);
    if (!block)
        exit(3);
    both(&block->lock, &a);
    block = realloc(block, 64); /* the same, and forgotten all the same */
    if (!block)
        exit(3);
    both(&a, &block->lock);
    free(block);
}

static void mapped(void)
{
    const size_t size = 4 << 20;
    for (int i = 0; i < 2; i++) {
        thr_lock *lock = mmap((void *)0x200000000, size, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        if (lock == MAP_FAILED)
            exit(3);
        if (i == 0)
            both(lock + 1000, &a);
        else
            both(&a, lock + 1000);
        (void)munmap(lock, size);
    }
}

static uintptr_t seen_at[2];

__attribute__((noinline)) static int nest(int turn)
{
    thr_lock lock = THR_LOCK_INIT;
    seen_at[turn] = (uintptr_t)&lock;
    if (turn == 0)
        both(&lock, &a);
    else
        both(&a, &lock);
    return turn;
}

static void returned(void)
{
    if (nest(0) == nest(1) || seen_at[0] != seen_at[1])
        exit(3);
}

static void on_thread_stack(void)
{
    (void)nest(0);
}

static void on_other_thread_stack(void)
{
    (void)nest(1);
}

static void ended_threads(void)
{
    in_thread(on_thread_stack);
    in_thread(on_other_thread_stack);
    if (seen_at[0] != seen_at[1])
        exit(3);
}

/* In main's variables, used by others too. */
static thr_lock *of_main;

static void other_order(void)
{
    both(&a, of_main);
}

static void on_stack(void)
{
    thr_lock lock = THR_LOCK_INIT;
    of_main = &lock;
    in_thread(other_order);
    both(&lock, &a);
}

/* -- Waits -------------------------------------------------------------------------------------------------------- */

static void again(void)
{
    THR_HOLD(&a);
    THR_HOLD(&a);
}

static void again_until(void)
{
    THR_HOLD(&a);
    if (thr_lock_acquire_until(&a, thr_after(0.05)) == THR_OK)
        exit(3);
}

static void write_again(void)
{
    (void)thr_rwlock_acquire_write(&rw);
    if (thr_rwlock_acquire_write(&rw) != THR_DEADLOCK)
        exit(3);
    (void)thr_rwlock_release_write(&rw);
}

static void write_under_read(void)
{
    (void)thr_rwlock_acquire_read(&rw);
    (void)thr_rwlock_acquire_write(&rw);
}

static void write_rw(void)
{
    (void)thr_rwlock_acquire_write(&rw);
}

static void read_twice(void)
{
    void (*writer)(void) = write_rw;
    (void)thr_rwlock_acquire_read(&rw);
    (void)begin(&writer, "writer");
    wait_for_waiter(&rw.word_);
    (void)thr_rwlock_acquire_read(&rw);
}

static thr_thread *main_thread;

static void join_main(void)
{
    thr_event_wait(&go);
    thr_thread_join(main_thread, NULL);
}

static void join_each_other(void)
{
    void (*joiner)(void) = join_main;
    main_thread = thr_main_thread();
    thr_thread *t = begin(&joiner, "joiner");
    thr_event_set(&go);
    end(t);
}

static void take_b_then_a(void)
{
    THR_HOLD(&b);
    thr_event_set(&go);
    THR_HOLD(&a);
}

static void deadlock(void)
{
    void (*other)(void) = take_b_then_a;
    THR_HOLD(&a);
    (void)begin(&other, "other");
    thr_event_wait(&go);
    wait_for_waiter(&a.word_);
    THR_HOLD(&b);
}

/* Main waits to write what the other reads, and has what the other wants. */
static void read_then_a(void)
{
    (void)thr_rwlock_acquire_read(&rw);
    thr_event_set(&go);
    THR_HOLD(&a);
}

static void deadlock_with_reader(void)
{
    void (*other)(void) = read_then_a;
    THR_HOLD(&a);
    (void)begin(&other, "other");
    thr_event_wait(&go);
    wait_for_waiter(&a.word_);
    (void)thr_rwlock_acquire_write(&rw);
}

static void wait_for_ever(void)
{
    thr_event_wait(&go);
}

static void left_waiting(void)
{
    static void (*waiter)(void) = wait_for_ever;
    puts("printed before");
    thr_thread_unref(begin(&waiter, "waiter"));
}

static void idle_daemon(void)
{
    static void (*waiter)(void) = wait_for_ever;
    thr_thread *t;
    if (thr_spawn(&t, in_thread_target, &waiter, .daemon = THR_DAEMON_YES) != THR_OK)
        exit(3);
    thr_thread_unref(t);
    thr_sleep(0.05);
}

static void slow(void)
{
    thr_sleep(0.5);
    thr_event_set(&go);
}

/* Everybody sleeps, but one with a deadline. */
static void late(void)
{
    void (*sleeper)(void) = slow;
    thr_thread *t = begin(&sleeper, "sleeper");
    thr_event_wait(&go);
    end(t);
}

static void read_pipe(void)
{
    char byte;
    int ends[2];
    if (pipe(ends) != 0)
        exit(3);
    pid_t child = fork();
    if (child == 0) {
        (void)usleep(500000);
        _exit(write(ends[1], "x", 1) == 1 ? 0 : 1);
    }
    if (read(ends[0], &byte, 1) != 1 || waitpid(child, NULL, 0) != child)
        exit(3);
    thr_event_set(&go);
}

/* One sleeps in a system call. */
static void outside(void)
{
    void (*reader)(void) = read_pipe;
    thr_thread *t = begin(&reader, "reader");
    thr_event_wait(&go);
    end(t);
}

/* -- Processes ---------------------------------------------------------------------------------------------------- */

static void status_7(void)
{
    same_order();
    exit(7);
}

static void forked(void)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        in_thread(two_orders);
        _exit(0);
    }
    if (waitpid(child, &status, 0) != child || status != 0)
        exit(3);
}

static void exits_at_once(void)
{
    two_orders();
    _exit(0);
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
#define CASE(name)                                                                                                     \
    {                                                                                                                  \
#name, name                                                                                                    \
    }
    CASE(two_orders),
    CASE(two_threads),
    CASE(ring),
    CASE(same_order),
    CASE(repeated),
    CASE(many_pairs),
    CASE(many_in_order),
    CASE(by_address),
    CASE(gated),
    CASE(gated_once),
    CASE(tried),
    CASE(tried_first),
    CASE(rlocks),
    CASE(rlock_order),
    CASE(rlock_depth),
    CASE(rwlocks),
    CASE(wait_under_b),
    CASE(wait_alone),
    CASE(handed_over),
    CASE(freed),
    CASE(not_freed),
    CASE(reallocated),
    CASE(mapped),
    CASE(returned),
    CASE(ended_threads),
    CASE(on_stack),
    CASE(again),
    CASE(again_until),
    CASE(write_again),
    CASE(write_under_read),
    CASE(read_twice),
    CASE(deadlock),
    CASE(deadlock_with_reader),
    CASE(join_each_other),
    CASE(left_waiting),
    CASE(idle_daemon),
    CASE(late),
    CASE(outside),
    CASE(status_7),
    CASE(forked),
    CASE(exits_at_once),
    CASE(read_handed_over),
    CASE(mutex_order),
    CASE(mutex_and_lock),
    CASE(posix_rwlock_and_lock),
    CASE(gated_by_mutex),
    CASE(mutex_tried),
    CASE(mutex_recursive),
    CASE(mutex_destroyed),
    CASE(posix_wait),
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < sizeof cases / sizeof *cases; i++) {
        if (strcmp(argv[1], cases[i].name) == 0) {
            cases[i].run();
            return 0;
        }
    }
    fputs("usage: checked CASE\n", stderr);
    return 2;
}
