/* thread.h - threads: named, counted, joined. Python: threading.Thread and the functions of the module.
 *
 *     static void *worker(void *arg) { ... return result; }
 *
 *     thr_thread *t;
 *     if (thr_spawn(&t, worker, arg, .name = "w", .daemon = THR_DAEMON_YES) != THR_OK) ...
 *     void *result;
 *     (void)thr_thread_join(t, &result);
 *     thr_thread_unref(t);
 *
 * A handle is counted. thr_spawn and thr_thread_new give one reference to the caller; a running thread keeps itself
 * alive, so a handle may be dropped while its thread runs.
 *
 * Threads made with pthread_create may use everything; they become thr_threads when they first ask for
 * thr_current_thread(), and are forgotten at their end. Of one that first comes here as late as in a destructor that has set
 * its pthread key again, the end cannot be seen: the calls below ask the system then, and find it ended a moment after its
 * pthread_join; but a join that already waits for it goes on waiting, until somebody calls thr_enumerate or the like.
 *
 * The end of a thread. It counts as ended when its thread-local objects are gone too: C++ thread_locals, thr_locals,
 * and the destructors of pthread keys but for those that set their key again and again.
 *
 * The end of the process. Returning from main, or exit(), waits for the threads that are not daemons, also for those
 * that they start meanwhile; daemons do not hold it back. The wait is an atexit handler, registered when the first
 * non-daemon thread starts: handlers (and C++ statics) that were there before run after the wait, later ones before it.
 * Main counts as ended when its exit() comes to that handler: who joins it goes on. exit() in a thread waits neither for
 * that thread, nor for main, nor for threads that join one of these. A second exit() during the wait ends the process
 * (where the C library lets it: from glibc 2.41 on it waits for the first, so that _exit() is needed).
 * pthread_exit() in main waits too, then ends the process with status 0.
 *
 * Fork. In the child the thread that forked is the main thread; the others have ended there: joining one gives THR_OK
 * and NULL.
 *
 * Order: everything before the start happens-before the thread's first step; everything in the thread happens-before
 * the return of its join, of an is_alive that finds it ended, and of a shutdown that waited for it. */

#ifndef THREADING_THREAD_H
#define THREADING_THREAD_H

#include "base.h"

THR__BEGIN

/** A thread; opaque, and counted. */
typedef struct thr_thread thr_thread;

/** The function of a thread; what it returns is the thread's result. */
typedef void *thr_target(void *arg);

/** Whether the end of the process waits for a thread or timer. */
typedef enum thr_daemon {
    THR_DAEMON_INHERIT = 0, /**< as the thread that makes it (main is none) */
    THR_DAEMON_YES,         /**< the process does not wait for it */
    THR_DAEMON_NO
} thr_daemon;

/** The options of a thread; zero is the default of each. */
typedef struct thr_thread_options {
    void *arg;         /**< set by the macros; thr_spawn_with and thr_thread_new_with take theirs apart */
    const char *name;  /**< NULL: "Thread-N (target)" from the macros, "Thread-N" from the _with functions */
    thr_daemon daemon; /**< THR_DAEMON_INHERIT by default */
    size_t stack_size; /**< bytes; 0: what thr_stack_size() set. Too small is THR_INVALID */
} thr_thread_options;

/* Private: what the macros call. */
THR_NODISCARD THR_API thr_result thr__thread_new(thr_thread **thread, thr_target *target, const char *target_name,
                                                 const thr_thread_options *options, bool start);

/** thr_spawn(thr_thread **t, thr_target *target, void *arg, options...): makes a thread and starts it. t may be NULL:
 * then nobody will join it. Options are designated initialisers: .name, .daemon, .stack_size. THR_NO_THREAD when the
 * system has none, THR_NO_MEMORY, THR_INVALID for a stack that is too small; *t is as before then. *t is set before the
 * thread begins; the call does not wait for it to run. A NULL target does nothing.
 * Python: Thread(target=..., args=..., name=..., daemon=...).start(). */
#define thr_spawn(t, target, ...)                                                                                      \
    thr__thread_new((t), (target), #target, &(thr_thread_options){.arg = __VA_ARGS__}, true)

/** thr_thread_new(thr_thread **t, thr_target *target, void *arg, options...): the same, but not started yet. */
#define thr_thread_new(t, target, ...)                                                                                 \
    thr__thread_new((t), (target), #target, &(thr_thread_options){.arg = __VA_ARGS__}, false)

/** The functions under the macros, for C++ and for options that are computed; `options` may be NULL, its arg is not
 * looked at. */
THR_NODISCARD THR_API thr_result thr_spawn_with(thr_thread **thread, thr_target *target, void *arg,
                                                const thr_thread_options *options);
THR_NODISCARD THR_API thr_result thr_thread_new_with(thr_thread **thread, thr_target *target, void *arg,
                                                     const thr_thread_options *options);

/** Starts a thread made by thr_thread_new. THR_STARTED the second time; THR_NO_THREAD when the system has none,
 * THR_NO_MEMORY when it cannot be made to wait for the thread at the end of the process (both can be tried again).
 * Python: thread.start(). */
THR_NODISCARD THR_API thr_result thr_thread_start(thr_thread *thread);

/** Blocks until the thread has ended and its resources are free. *result (may be NULL) is then what its target returned;
 * NULL if it ended by pthread_exit(), or is a foreign thread. THR_FAILED if it ended by thr_fail() (*result is NULL),
 * THR_NOT_STARTED before the start, THR_DEADLOCK for the caller itself (threads that join each other wait for ever;
 * thr_dump() says so). Any number of threads may join, any number of times, each as long as a reference
 * is kept for it. Python: thread.join(). */
THR_API thr_result thr_thread_join(thr_thread *thread, void **result);

/** The same with a deadline: THR_TIMEOUT if the thread has not ended by then. Python: thread.join(timeout). */
THR_NODISCARD THR_API thr_result thr_thread_join_until(thr_thread *thread, thr_time deadline, void **result);

/** Whether it has started and not ended; true when its start returns. Never blocks. Python: thread.is_alive(). */
THR_API bool thr_thread_is_alive(const thr_thread *thread);

/** Copies the name as snprintf does: at most size - 1 bytes and a 0, the whole length returned. */
THR_API size_t thr_thread_name(const thr_thread *thread, char *buffer, size_t size);

/** Names the thread, at any time; the operating system gets the first 15 bytes, the whole is kept here. NULL is
 * THR_INVALID. Python: thread.name = ... */
THR_NODISCARD THR_API thr_result thr_thread_set_name(thr_thread *thread, const char *name);

/** Python: thread.daemon. Set it before the start: afterwards THR_STARTED. */
THR_API bool thr_thread_daemon(const thr_thread *thread);
THR_NODISCARD THR_API thr_result thr_thread_set_daemon(thr_thread *thread, bool daemon);

/** A number of this thread that no other living one has; 0 before the start. Python: thread.ident. */
THR_API uint64_t thr_thread_ident(const thr_thread *thread);

/** The system's number of this thread (gettid); 0 before the start. May wait for a thread just started to reach its
 * first instructions. Python: thread.native_id. */
THR_API uint64_t thr_thread_native_id(const thr_thread *thread);

/** The system's handle (pthread_t), as a number; 0 before the start. Not to be joined or detached. */
THR_API uint64_t thr_thread_native_handle(const thr_thread *thread);

/** One more reference; returns its argument. */
THR_API thr_thread *thr_thread_ref(thr_thread *thread);

/** One reference less; the last one frees what is left of the thread. NULL is allowed. */
THR_API void thr_thread_unref(thr_thread *thread);

/* Private: the calling thread, once it has asked. */
extern THR_API __thread thr_thread *thr__self __attribute__((tls_model("initial-exec")));
THR_API thr_thread *thr__attach(void);

/** The calling thread; borrowed, valid while it runs. NULL only if a foreign thread's first call finds no memory, and in
 * a pthread key's destructor that runs after the thread has ended. Python: threading.current_thread(). */
THR_INLINE thr_thread *thr_current_thread(void)
{
    thr_thread *self = thr__self;
    return THR__LIKELY(self != THR__NULL) ? self : thr__attach();
}

/** The main thread; borrowed, valid for ever. In a fork's child, the thread that forked.
 * Python: threading.main_thread(). */
THR_API thr_thread *thr_main_thread(void);

/** How many threads are alive: main, those started here, and foreign ones that have asked for themselves.
 * Python: threading.active_count(). */
THR_API size_t thr_active_count(void);

/** Stores up to `capacity` living threads, each with a reference for the caller, and returns how many there are.
 * Python: threading.enumerate(). */
THR_API size_t thr_enumerate(thr_thread **out, size_t capacity);

/** The caller's ident and native id. Python: threading.get_ident(), threading.get_native_id(). */
THR_API uint64_t thr_get_ident(void);
THR_API uint64_t thr_get_native_id(void);

/** The stack size of threads made from now on: bytes, 0 for the system's default. THR_INVALID if too small.
 * Python: threading.stack_size(). */
THR_NODISCARD THR_API thr_result thr_stack_size(size_t bytes);
THR_API size_t thr_get_stack_size(void);

/** Ends the calling thread as failed, from any depth: calls the excepthook, unwinds the stack, and makes its join
 * THR_FAILED. `code` and the message (its first 255 bytes) are kept for thr_thread_failure(). In main the process then
 * waits for the non-daemon threads, and ends with status 1; in a foreign thread that thread ends. A thread that fails
 * again, in the excepthook, a cleanup or a destructor, goes on ending; the first failure is kept, the second printed.
 *
 * Unwinding runs cleanup attributes, pthread_cleanup handlers and C++ destructors of code compiled with -fexceptions
 * (pkg-config's flags say so), on the GNU C library; musl runs only the pthread_cleanup handlers, and in a task
 * (executor.h) nothing: what the task holds it has to let go before. A C++ noexcept frame,
 * or a catch (...) that does not rethrow, on the way ends the process, as it does with pthread_exit(). */
THR_API THR_NORETURN void thr_fail(int code, const char *format, ...) THR_PRINTF(2, 3);

/** The code of a thread that failed, 0 if it did not (a thr_fail(0, ...) counts as failed: see the join's result); the
 * message is copied as thr_thread_name copies. `message` may be NULL. */
THR_API int thr_thread_failure(const thr_thread *thread, char *message, size_t size);

/** What thr_fail() calls, on the failing thread, before its stack is unwound: its locks are still held. NULL restores
 * the default, which prints one line with the thread's name to standard error. Python: threading.excepthook. */
typedef void thr_excepthook(thr_thread *thread, int code, const char *message);
THR_API void thr_set_excepthook(thr_excepthook *hook);

/** Functions called on each thread made here, first thing and last thing (after its destructors, before it counts as
 * ended); NULL is none. Python: threading.setprofile and settrace, in spirit. */
typedef void thr_thread_hook(thr_thread *thread);
THR_API void thr_set_thread_hooks(thr_thread_hook *on_start, thr_thread_hook *on_exit);

/** Waits, now, for the non-daemon threads and for pending non-daemon timers, as the end of the process does: neither for
 * the caller, nor for main, nor for threads that join one of these: THR_OK. THR_DEADLOCK, and nothing has changed, in a task
 * of a group that a task of another worker has open: that cannot end before. (Others that wait for the calling task,
 * for its future, or in a thread that is no worker, are not known: it waits for ever.) Python: threading._shutdown(). */
THR_API thr_result thr_shutdown(void);

/** Writes a line for every thread: name, ids, daemon or not, what it waits for, since when, and who holds that; then one
 * for each deadlock. Foreign threads are there once they have blocked or asked for themselves. For a person with a
 * hanging process: it takes no lock, and may be called in a signal handler or from a debugger. */
THR_API void thr_dump(int fd);

THR__END

#endif
