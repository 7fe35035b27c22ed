/* failure.c - threads that fail.
 *
 *  failed   code, message                    set by
 *  0        not looked at                    -
 *  1        those of the first failure       thr_fail, on the thread itself, before it calls the excepthook
 *
 * F1  What a thread failed with is written once. A second thr_fail (in the excepthook, in a cleanup, in a destructor) is
 *     reported on standard error, and goes on ending the thread.
 *
 * F2  In a task thr_fail is none of the thread's: failure_catch (work/frame.c) does not return.
 *
 * Order: `failed` is stored with release, and loaded with acquire, for who asks before the join. */

#include "thread/failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "thread/thread.h"

enum { LINE_SIZE = 1024, STANDARD_ERROR = 2 };

static thr_excepthook *excepthook; /* NULL: the default */
static void (*catcher)(int code, const char *message);

/* One line in one write, so that lines of several threads do not mix. */
static void print(thr_thread *thread, const char *where, int code, const char *message)
{
    char name[MESSAGE_SIZE] = "";
    char line[LINE_SIZE];
    if (thread)
        (void)thr_thread_name(thread, name, sizeof name);
    int length = snprintf(line, sizeof line, "Failure in %sthread %s: %s (code %d)\n", where,
                          *name ? name : "without a name", message, code);
    if (length > 0)
        os_write(STANDARD_ERROR, line, (size_t)length < sizeof line ? (size_t)length : sizeof line - 1);
}

static void report(thr_thread *thread, int code, const char *message)
{
    thr_excepthook *hook = load_acquire(&excepthook); /* pairs with thr_set_excepthook */
    if (!hook) {
        print(thread, "", code, message);
        return;
    }
    tsan_acquire(&excepthook);
    hook(thread, code, message);
}

void failure_report(int code, const char *message)
{
    report(thr_current_thread(), code, message);
}

void failure_catch(void (*function)(int code, const char *message))
{
    store_release(&catcher, function); /* pairs with thr_fail */
}

void thr_set_excepthook(thr_excepthook *hook)
{
    tsan_release(&excepthook);
    store_release(&excepthook, hook); /* pairs with report */
}

static _Noreturn void leave(const thr_thread *thread)
{
    if (thread && load_relaxed(&thread->origin) == THREAD_MAIN && thread->unarmed)
        exit(EXIT_FAILURE); /* end_round would not be called */
    os_thread_exit();
}

void thr_fail(int code, const char *format, ...)
{
    char message[MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    if (vsnprintf(message, sizeof message, format, arguments) < 0)
        message[0] = '\0';
    va_end(arguments);

    void (*catch)(int code, const char *message) = load_acquire(&catcher); /* pairs with failure_catch */
    if (catch)
        catch (code, message);
    thr_thread *self = thr_current_thread();
    if (!self) {
        print(NULL, "", code, message);
    } else if (load_relaxed(&self->failed)) {
        print(self, "the end of ", code, message); /* F1 */
    } else {
        self->code = code;
        memcpy(self->message, message, sizeof message);
        tsan_release(&self->failed);
        store_release(&self->failed, true); /* pairs with thr_thread_failure */
        report(self, code, self->message);
    }
    leave(self);
}

int thr_thread_failure(const thr_thread *thread, char *message, size_t size)
{
    bool failed = load_acquire(&thread->failed); /* pairs with thr_fail */
    if (failed)
        tsan_acquire(&thread->failed);
    if (message && size > 0) {
        size_t length = failed ? strlen(thread->message) : 0;
        size_t copied = length < size ? length : size - 1;
        memcpy(message, thread->message, copied);
        message[copied] = '\0';
    }
    return failed ? thread->code : 0;
}
