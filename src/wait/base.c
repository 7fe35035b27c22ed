/* base.c - time, results, version. */

#include "wait/spin.h"
#include "wait/wait.h"

thr_time thr_now(void)
{
    return wait_system->now();
}

thr_time thr_after(double seconds)
{
    const double nanoseconds = 1e9;
    const double longest = 9.2e18; /* below 2^63 */
    if (!(seconds > 0))            /* NaN too */
        return 0;
    thr_time now = thr_now();
    double wait = seconds * nanoseconds;
    if (wait >= longest || (thr_time)wait > THR_FOREVER - 1 - now)
        return THR_FOREVER;
    return now + (thr_time)wait;
}

void thr_sleep(double seconds)
{
    thr_sleep_until(thr_after(seconds));
}

void thr_sleep_until(thr_time deadline)
{
    if (wait_expired(deadline)) {
        hook_point(HOOK_YIELD, NULL);
        if (!thr__steered())
            os_yield();
        return;
    }
    hook_point(HOOK_SLEEP, NULL);
    static const uint32_t nothing = 0; /* nobody wakes it: only the clock ends this wait, or an interrupt */
    struct wait wait;
    wait_begin(&wait, WAIT_SLEEP, NULL, deadline);
    while (wait_block(&wait, &nothing, 0, OS_ANY) == THR_OK)
        continue;
    wait_end(&wait);
}

const char *thr_strerror(thr_result result)
{
    static const char *const sentences[] = {
        [THR_OK] = "done",
        [THR_TIMEOUT] = "the deadline passed first",
        [THR_INTERRUPTED] = "a signal ended the wait",
        [THR_NOT_LOCKED] = "the lock is not held",
        [THR_NOT_OWNER] = "the lock is held by another thread",
        [THR_DEADLOCK] = "the call would wait for itself",
        [THR_BROKEN] = "it is broken",
        [THR_TOO_MANY] = "more than the bound",
        [THR_TOO_LATE] = "it has run already, or is running",
        [THR_STARTED] = "it has been started already",
        [THR_NOT_STARTED] = "it has not been started",
        [THR_FAILED] = "it failed",
        [THR_CANCELLED] = "it was cancelled",
        [THR_EMPTY] = "nothing was there in time",
        [THR_FULL] = "there was no room in time",
        [THR_CLOSED] = "it has been shut down",
        [THR_INVALID] = "an argument makes no sense",
        [THR_NO_MEMORY] = "no memory could be had",
        [THR_NO_THREAD] = "the system would not start a thread",
    };
    if ((unsigned)result >= sizeof sentences / sizeof *sentences)
        return "not a result of this library";
    return sentences[result];
}

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

const char *thr_version(void)
{
    return TEXT(THR_VERSION_MAJOR) "." TEXT(THR_VERSION_MINOR) "." TEXT(THR_VERSION_PATCH);
}
