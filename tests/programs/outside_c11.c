/* outside_c11 - the threads of C11, for the laboratory. See tests/scripts/outside.sh. */

#include "outside.h"

#include <threads.h>

static int number;
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

static const struct program_case cases[] = {
    {CASE(c11_crossed)},
    {CASE(c11_signal_lost)},
    {CASE(c11_counts)},
};

int main(int argc, char **argv)
{
    return CASE_RUN(argc, argv, cases);
}
