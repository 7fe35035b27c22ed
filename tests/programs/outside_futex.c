/* outside_futex - the system's futexes, for the laboratory. See tests/scripts/outside.sh. */

#include "outside.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

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

/* Not under control. */
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

static const struct program_case cases[] = {
    {CASE(futex_handed)},
    {CASE(futex_lost)},
    {CASE(futex_timed)},
    {CASE(requeues)},
};

int main(int argc, char **argv)
{
    return CASE_RUN(argc, argv, cases);
}
