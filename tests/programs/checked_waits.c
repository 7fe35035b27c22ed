/* checked_waits - who waits for whom, and for ever, for `threading check`. See tests/scripts/check.sh. */

#include "checked.h"

#include <sys/wait.h>
#include <unistd.h>

static thr_lock b;
static thr_rwlock rw;
static thr_event go;

/* Waits until another thread is asleep for this lock. */
static void wait_for_waiter(const uint32_t *word)
{
    while (!(__atomic_load_n(word, __ATOMIC_RELAXED) & 2))
        thr_sleep(0.001);
}

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

static const struct program_case cases[] = {
    {CASE(again)},
    {CASE(again_until)},
    {CASE(write_again)},
    {CASE(write_under_read)},
    {CASE(read_twice)},
    {CASE(deadlock)},
    {CASE(deadlock_with_reader)},
    {CASE(join_each_other)},
    {CASE(left_waiting)},
    {CASE(idle_daemon)},
    {CASE(late)},
    {CASE(outside)},
};

int main(int argc, char **argv)
{
    return CASE_RUN(argc, argv, cases);
}
