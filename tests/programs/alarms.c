/* alarms - programs with the system's timers, for the laboratory: alarms CASE. See tests/scripts/explore_alarms.sh, which says
 * what each should come to. Those of which the name begins with `before_` set them before the first thread. */

#include "outside.h"

#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

static thr_event told = THR_EVENT_INIT;
static sem_t semaphore;
static volatile sig_atomic_t ticks;
static int number;
static int ends[2];

/* -- How it is told ----------------------------------------------------------------------------------------------- */

static void set_event(int signal)
{
    (void)signal;
    thr_event_set(&told);
}

static void post(int signal)
{
    (void)signal;
    (void)sem_post(&semaphore);
}

static void count(int signal)
{
    (void)signal;
    if (++ticks == 3)
        thr_event_set(&told);
}

static void count_only(int signal)
{
    (void)signal;
    ticks++;
}

static void write_byte(int signal)
{
    (void)signal;
    if (write(ends[1], "x", 1) != 1)
        _exit(4);
}

static void set_in_thread(union sigval value)
{
    expect(value.sival_ptr == &told);
    thr_event_set(&told);
}

static void add_in_thread(union sigval value)
{
    (void)value;
    int seen = number;
    thr_yield_point();
    number = seen + 1;
    thr_event_set(&told);
}

/* -- Who waits for it --------------------------------------------------------------------------------------------- */

static void *wait_event(void *arg)
{
    thr_event_wait(&told);
    return arg;
}

static void *wait_semaphore(void *arg)
{
    expect(sem_wait(&semaphore) == 0);
    return arg;
}

static void *add(void *arg)
{
    int seen = number;
    thr_yield_point();
    number = seen + 1;
    return arg;
}

static void *read_byte(void *arg)
{
    char byte;
    expect(read(ends[0], &byte, 1) == 1 && byte == 'x');
    return arg;
}

static void *sleep_long(void *arg)
{
    thr_sleep(100);
    return arg;
}

static void *wait_signal(void *arg)
{
    sigset_t set;
    int got;
    expect(sigemptyset(&set) == 0 && sigaddset(&set, SIGALRM) == 0 && sigwait(&set, &got) == 0 && got == SIGALRM);
    return arg;
}

static void run(void *(*function)(void *))
{
    thr_thread *thread;
    expect(thr_spawn(&thread, function, NULL, .name = "waiter") == THR_OK);
    thr_thread_join(thread, NULL);
}

/* -- How it is set ------------------------------------------------------------------------------------------------ */

static void handle(int signal_number, void (*function)(int))
{
    struct sigaction action = {.sa_handler = function};
    expect(sigaction(signal_number, &action, NULL) == 0);
}

static void start_itimer(long milliseconds, long period)
{
    const struct itimerval value = {{0, period * 1000}, {0, milliseconds * 1000}};
    expect(setitimer(ITIMER_REAL, &value, NULL) == 0);
}

static timer_t start_timer(struct sigevent *event, long milliseconds, long period)
{
    timer_t timer;
    const struct itimerspec value = {{0, period * 1000000}, {0, milliseconds * 1000000}};
    expect(timer_create(CLOCK_MONOTONIC, event, &timer) == 0 && timer_settime(timer, 0, &value, NULL) == 0);
    return timer;
}

static void start_signal_timer(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    handle(SIGUSR1, set_event);
    (void)start_timer(&event, 300, 0);
}

static void start_thread_timer(void (*function)(union sigval), long period)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_value.sival_ptr = &told};
    event.sigev_notify_function = function;
    (void)start_timer(&event, 300, period);
}

/* -- Cases -------------------------------------------------------------------------------------------------------- */

static void before_alarm(void)
{
    handle(SIGALRM, set_event);
    (void)alarm(3600);
    run(wait_event);
}

static void before_itimer(void)
{
    handle(SIGALRM, count);
    start_itimer(900, 900);
    run(wait_event);
}

static void before_signal(void)
{
    start_signal_timer();
    run(wait_event);
}

static void before_thread(void)
{
    start_thread_timer(set_in_thread, 0);
    run(wait_event);
}

static void before_semaphore(void)
{
    expect(sem_init(&semaphore, 0, 0) == 0);
    handle(SIGALRM, post);
    start_itimer(300, 0);
    run(wait_semaphore);
}

/* The signal is for who waits for it. */
static void before_sigwait(void)
{
    sigset_t set;
    expect(sigemptyset(&set) == 0 && sigaddset(&set, SIGALRM) == 0 && pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    start_itimer(300, 0);
    run(wait_signal);
}

static void before_read(void)
{
    expect(pipe(ends) == 0);
    handle(SIGALRM, write_byte);
    start_itimer(300, 0);
    run(read_byte);
}

/* A watchdog: what it would end is what is told. */
static void before_deadlock(void)
{
    (void)alarm(60);
    run(wait_event);
}

static void before_too_late(void)
{
    (void)alarm(60);
    run(sleep_long);
}

/* Its ticks help nobody. */
static void before_ticks(void)
{
    handle(SIGALRM, count_only);
    start_itimer(1, 1);
    run(wait_event);
}

static void *set_all(void *arg)
{
    start_signal_timer();
    thr_event_wait(&told);
    thr_event_clear(&told);
    start_thread_timer(set_in_thread, 100);
    thr_event_wait(&told);
    return arg;
}

static void in_run(void)
{
    run(set_all);
}

static void *pause_once(void *arg)
{
    handle(SIGALRM, count_only);
    expect(alarm(5) == 0 && alarm(2) == 5);
    expect(pause() == -1 && errno == EINTR && ticks == 1);
    return arg;
}

static void *pass(void *arg)
{
    return arg;
}

static void pauses(void)
{
    run(pass);
    (void)pause_once(NULL);
}

/* It is the first thread that has the handler. */
static void pauses_elsewhere(void)
{
    run(pause_once);
}

static void *look_at_timer(void *arg)
{
    struct sigevent event = {.sigev_notify = SIGEV_NONE};
    struct itimerspec left;
    const struct itimerspec wrong = {{0, 0}, {0, 1000000000}};
    timer_t timer = start_timer(&event, 900, 0);
    thr_sleep(0.5);
    expect(timer_gettime(timer, &left) == 0 && left.it_value.tv_sec == 0 && left.it_value.tv_nsec == 400000000);
    expect(timer_settime(timer, 0, &wrong, NULL) == -1 && errno == EINVAL);
    thr_sleep(0.5);
    expect(timer_gettime(timer, &left) == 0 && left.it_value.tv_sec == 0 && left.it_value.tv_nsec == 0);
    expect(timer_getoverrun(timer) == 0 && timer_delete(timer) == 0);
    expect(timer_gettime(timer, &left) == -1 && errno == EINVAL);
    event.sigev_notify = 77;
    expect(timer_create(CLOCK_MONOTONIC, &event, &timer) == -1 && errno == EINVAL);
    return arg;
}

static void looks(void)
{
    run(look_at_timer);
}

/* A bug: the alarm's thread and this one count at the same time. */
static void races(void)
{
    start_thread_timer(add_in_thread, 0);
    thr_sleep(0.3);
    run(add);
    run(wait_event);
    expect(number == 2);
}

static const struct program_case cases[] = {
    {CASE(before_alarm)},     {CASE(before_itimer)},  {CASE(before_signal)}, {CASE(before_thread)},
    {CASE(before_semaphore)}, {CASE(before_sigwait)}, {CASE(before_read)},   {CASE(before_deadlock)},
    {CASE(before_too_late)},  {CASE(before_ticks)},   {CASE(in_run)},        {CASE(pauses)},
    {CASE(pauses_elsewhere)}, {CASE(looks)},          {CASE(races)},
};

int main(int argc, char **argv)
{
    return CASE_RUN(argc, argv, cases);
}
