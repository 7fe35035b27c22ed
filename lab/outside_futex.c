/* outside_futex.c - futexes that a program uses by syscall(2) itself (outside.c); the wait of std::atomic does, and the
 * guard of a static variable of C++.
 *
 *  wait, wake, and these with a bitset     steered
 *  other operations on futexes             made, and reported
 *  other system calls                      made
 *
 * Only the sleep is seen, not what is done to the word. A futex without the private flag may be another process's, too: the
 * wake is then made as well. */

#include <errno.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lab/outside.h"
#include "wait/atomic.h"

enum { ARGUMENTS = 6 };

static void *next_syscall;

static long made(long number, const long *a)
{
    return REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* What the system would refuse is left to it. */
static bool is_steered(const long *a)
{
    int command = (int)a[1] & FUTEX_CMD_MASK;
    bool waits = command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET;
    bool wakes = command == FUTEX_WAKE || command == FUTEX_WAKE_BITSET;
    bool bits = command == FUTEX_WAIT_BITSET || command == FUTEX_WAKE_BITSET;
    const struct timespec *time = (const struct timespec *)a[3];
    if (a[0] == 0 || a[0] % (long)sizeof(uint32_t) != 0 || (bits && (uint32_t)a[5] == 0))
        return false;
    return wakes || (waits && (!time || (time->tv_sec >= 0 && outside_is_time(time))));
}

/* That of a plain wait is a span, the other's a time. */
static thr_time deadline_of(int command, const struct timespec *time)
{
    const time_t ages = 1000000000;
    if (!time)
        return THR_FOREVER;
    if (command == FUTEX_WAIT_BITSET)
        return outside_deadline(time);
    if (time->tv_sec > ages)
        return THR_FOREVER;
    return control_run->now + (thr_time)time->tv_sec * NANOSECONDS + time->tv_nsec;
}

static long sleep_on(struct strand *self, const uint32_t *word, const long *a)
{
    int command = (int)a[1] & FUTEX_CMD_MASK;
    uint32_t mask = command == FUTEX_WAIT ? OS_ANY : (uint32_t)a[5];
    thr_time deadline = deadline_of(command, (const struct timespec *)a[3]);
    int saved = errno;
    outside_point(self, "futex wait", word);
    errno = EAGAIN;
    if (load_acquire(word) != (uint32_t)a[2])
        return -1;
    enum os_wait_end end = control_wait(self, word, mask, deadline);
    errno = end == OS_TIMEOUT ? ETIMEDOUT : saved;
    return end == OS_TIMEOUT ? -1 : 0;
}

static long wake_on(struct strand *self, const uint32_t *word, const long *a)
{
    uint32_t mask = ((int)a[1] & FUTEX_CMD_MASK) == FUTEX_WAKE ? OS_ANY : (uint32_t)a[5];
    int saved = errno;
    outside_point(self, "futex wake", word);
    uint32_t woken = control_wake(word, (uint32_t)a[2], mask);
    if (woken > 0)
        control_after(self, STEP_WAKE);
    if (!(a[1] & FUTEX_PRIVATE_FLAG))
        (void)made(SYS_futex, a);
    errno = saved;
    return (long)woken;
}

EXPORT long syscall(long number, ...)
{
    long a[ARGUMENTS];
    va_list arguments;
    va_start(arguments, number);
    for (int i = 0; i < ARGUMENTS; i++)
        a[i] = va_arg(arguments, long);
    va_end(arguments);
    struct strand *self = number == SYS_futex ? outside_self() : NULL;
    if (!self)
        return made(number, a);
    if (!is_steered(a)) {
        outside_passes("futex");
        return made(number, a);
    }
    const uint32_t *word = (const uint32_t *)a[0];
    int command = (int)a[1] & FUTEX_CMD_MASK;
    return command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET ? sleep_on(self, word, a) : wake_on(self, word, a);
}
