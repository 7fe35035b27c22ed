/* linux.c - the system contract on Linux 5.4 and later, with the GNU C library or musl. */

#include "os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#ifdef THR_CAN_UNWIND
#include <unwind.h>
#endif

enum { NANOSECONDS = 1000000000 };

/* A deadline as the kernel takes it, or NULL for ever. Times before the start of the clock have passed. */
static const struct timespec *deadline_spec(thr_time deadline, struct timespec *spec)
{
    if (deadline == THR_FOREVER)
        return NULL;
    if (deadline < 0)
        deadline = 0;
    spec->tv_sec = (time_t)(deadline / NANOSECONDS);
    spec->tv_nsec = (long)(deadline % NANOSECONDS);
    return spec;
}

enum os_wait_end os_wait(const uint32_t *word, uint32_t expected, uint32_t mask, thr_time deadline)
{
    int saved = errno;
    struct timespec spec;
    const struct timespec *until = deadline_spec(deadline, &spec);
    long rc = syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected, until, NULL, mask);
    int error = rc == 0 ? 0 : errno;
    errno = saved;
    if (error == ETIMEDOUT)
        return OS_TIMEOUT;
    return error == EINTR ? OS_INTERRUPTED : OS_WOKEN;
}

void os_wake(const uint32_t *word, uint32_t count, uint32_t mask)
{
    int saved = errno;
    uint32_t limit = count > INT_MAX ? INT_MAX : count;
    (void)syscall(SYS_futex, word, FUTEX_WAKE_BITSET | FUTEX_PRIVATE_FLAG, limit, NULL, NULL, mask);
    errno = saved;
}

thr_time os_now(void)
{
    struct timespec spec;
    (void)clock_gettime(CLOCK_MONOTONIC, &spec);
    return (thr_time)spec.tv_sec * NANOSECONDS + spec.tv_nsec;
}

unsigned os_processor(void)
{
    int saved = errno;
    int processor = sched_getcpu();
    errno = saved;
    return processor < 0 ? 0 : (unsigned)processor;
}

unsigned os_processors(void)
{
    int saved = errno;
    cpu_set_t allowed;
    int n = 1;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0)
        n = CPU_COUNT(&allowed);
    errno = saved;
    return n < 1 ? 1 : (unsigned)n;
}

void os_yield(void)
{
    (void)sched_yield();
}

/* -- Barriers ----------------------------------------------------------------------------------------------------- */

bool os_barrier_far;

static bool membarrier(int command)
{
    int saved = errno;
    bool done = syscall(SYS_membarrier, command, 0, 0) == 0;
    errno = saved;
    return done;
}

void os_barrier_prepare(void)
{
    if (!__atomic_load_n(&os_barrier_far, __ATOMIC_RELAXED))
        __atomic_store_n(&os_barrier_far, membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED), __ATOMIC_RELAXED);
}

void os_barrier_all(void)
{
    os_barrier();
    while (__atomic_load_n(&os_barrier_far, __ATOMIC_RELAXED) && !membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED)) {
        /* It was there: so this is a child of fork that has to register anew. */
        if (!membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED))
            abort();
    }
}

/* -- Threads ------------------------------------------------------------------------------------------------------ */

_Static_assert(sizeof(pthread_t) <= sizeof(os_thread), "a pthread_t fits into an os_thread");

/* A signal for a fault that comes while it is blocked ends the process without its handler. */
static void all_but_faults(sigset_t *signals)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT};
    (void)sigfillset(signals);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        (void)sigdelset(signals, faults[i]);
}

thr_result os_thread_start(os_thread *thread, size_t stack_size, bool block_signals, void *(*function)(void *),
                           void *arg)
{
    int saved = errno;
    pthread_attr_t attributes;
    pthread_t native;
    thr_result result = THR_NO_THREAD;
    if (pthread_attr_init(&attributes) != 0)
        return THR_NO_MEMORY;
    if (stack_size != 0 && pthread_attr_setstacksize(&attributes, stack_size) != 0) {
        result = THR_INVALID;
    } else {
        sigset_t all;
        sigset_t before;
        if (block_signals) {
            all_but_faults(&all);
            (void)pthread_sigmask(SIG_SETMASK, &all, &before);
        }
        if (pthread_create(&native, &attributes, function, arg) == 0) {
            *thread = (os_thread)native;
            result = THR_OK;
        }
        if (block_signals)
            (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    (void)pthread_attr_destroy(&attributes);
    errno = saved;
    return result;
}

bool os_thread_join(os_thread thread)
{
    int saved = errno;
    int cancel;
    /* pthread_join is a cancellation point, our calls are none. */
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    bool joined = pthread_join((pthread_t)thread, NULL) == 0;
    (void)pthread_setcancelstate(cancel, NULL);
    errno = saved;
    return joined;
}

void os_thread_detach(os_thread thread)
{
    (void)pthread_detach((pthread_t)thread);
}

os_thread os_thread_self(void)
{
    return (os_thread)pthread_self();
}

void os_thread_exit(void)
{
    pthread_exit(NULL);
}

/* The C library has the number, and tells it only as a part of the name of the thread's clock: in all bits but the lowest
 * three, inverted. That saves a system call for each thread. */
uint64_t os_thread_number(void)
{
    clockid_t clock;
    if (pthread_getcpuclockid(pthread_self(), &clock) != 0)
        return (uint64_t)syscall(SYS_gettid);
    return ~(unsigned)clock >> 3;
}

uint64_t os_main_number(void)
{
    return (uint64_t)getpid();
}

bool os_thread_exists(uint64_t number)
{
    int saved = errno;
    bool gone = syscall(SYS_tgkill, getpid(), (pid_t)number, 0) != 0 && errno == ESRCH;
    errno = saved;
    return !gone;
}

/* To what the system takes, and never half of a UTF-8 character. */
static void cut(char name[OS_NAME_SIZE])
{
    size_t length = OS_NAME_SIZE - 1;
    while (length > 0 && ((unsigned char)name[length] & 0xc0) == 0x80)
        length--;
    name[length] = '\0';
}

/* As pthread_setname_np, which needs the thread to be there; and open and write would be cancellation points. */
static void write_name(uint64_t number, const char *name)
{
    char path[sizeof "/proc/self/task//comm" + sizeof "18446744073709551615"];
    (void)snprintf(path, sizeof path, "/proc/self/task/%" PRIu64 "/comm", number);
    long file = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CLOEXEC);
    if (file >= 0) {
        (void)syscall(SYS_write, file, name, strlen(name));
        (void)syscall(SYS_close, file);
    }
}

void os_thread_set_name(uint64_t number, const char *name)
{
    int saved = errno;
    char shown[OS_NAME_SIZE] = {0};
    memcpy(shown, name, strnlen(name, sizeof shown));
    if (number == os_thread_number()) {
        os_thread_name_self(shown);
    } else {
        cut(shown);
        write_name(number, shown);
    }
    errno = saved;
}

void os_thread_name_self(char name[OS_NAME_SIZE])
{
    int saved = errno;
    cut(name);
    (void)prctl(PR_SET_NAME, name, 0, 0, 0);
    errno = saved;
}

size_t os_stack_minimum(void)
{
    int saved = errno;
    long minimum = sysconf(_SC_THREAD_STACK_MIN);
    errno = saved;
    return minimum > 0 ? (size_t)minimum : (size_t)PTHREAD_STACK_MIN;
}

size_t os_stack_size(void)
{
    int saved = errno;
    pthread_attr_t attributes;
    void *lowest;
    size_t size = 0;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        (void)pthread_attr_getstack(&attributes, &lowest, &size);
        (void)pthread_attr_destroy(&attributes);
    }
    errno = saved;
    return size != 0 ? size : os_stack_minimum();
}

/* -- Coming back --------------------------------------------------------------------------------------------------
 *
 * A call is on the shortest path of a task. So where the unwinder can tell what the caller's registers were, nothing is kept
 * for a return: the unwinder stops when it comes to who has called, and that goes on. Else, or where the processor keeps a second
 * stack of return addresses, os_call keeps the registers, as by setjmp.
 *
 * No exception of another language goes through os_call, to a handler below: who has called it would not come back, with a
 * frame in place that is gone. Its personality routine says so while a handler is looked for, when nothing is unwound yet; then
 * C++ calls std::terminate, as where an exception leaves the function of a thread. */

/* AddressSanitizer has to know of stacks that are left without a return. */
extern void __asan_handle_no_return(void) __attribute__((weak));

#ifdef THR_CAN_UNWIND

/* A second os_return, in a cleanup that the first one runs, may end before that goes on: then this is again what it was, as all
 * say the same. */
static __thread struct {
    struct _Unwind_Exception exception;
    uintptr_t (*where)(void);
} returning;

/* Of os_call, which says so to the assembler: in 4 bytes, relative to their place (0x1b). */
__attribute__((used, visibility("hidden"))) _Unwind_Reason_Code os_call_personality(int version, _Unwind_Action actions,
                                                                                    _Unwind_Exception_Class class,
                                                                                    struct _Unwind_Exception *exception,
                                                                                    struct _Unwind_Context *context);

_Unwind_Reason_Code os_call_personality(int version, _Unwind_Action actions, _Unwind_Exception_Class class,
                                        struct _Unwind_Exception *exception, struct _Unwind_Context *context)
{
    (void)version;
    (void)class;
    (void)exception;
    (void)context;
    return actions & _UA_SEARCH_PHASE ? _URC_FATAL_PHASE1_ERROR : _URC_CONTINUE_UNWIND;
}

#endif

#if OS_FINDS_CALLS

/* It saves nothing. */
__attribute__((naked)) void *os_call(__attribute__((unused)) void *(*function)(void *),
                                     __attribute__((unused)) void *arg)
{
    __asm__(".cfi_personality 0x1b, os_call_personality\n\t"
            "subq $8, %rsp\n\t"
            ".cfi_adjust_cfa_offset 8\n\t"
            "movq %rdi, %rax\n\t"
            "movq %rsi, %rdi\n\t"
            "callq *%rax\n\t"
            "addq $8, %rsp\n\t"
            ".cfi_adjust_cfa_offset -8\n\t"
            "ret");
}

/* Whether who has called stands there. (What the unwinder calls the CFA is the stack pointer, as it is after the return to
 * there.) */
static bool is_caller(struct _Unwind_Context *context)
{
    uintptr_t stack = returning.where();
    return stack == 0 ? _Unwind_GetRegionStart(context) == (uintptr_t)os_call : _Unwind_GetCFA(context) == stack;
}

/* The function that it has called returns NULL. */
static _Noreturn void land(struct _Unwind_Context *context)
{
    enum { RBX = 3, RBP = 6, R12 = 12, R13, R14, R15 };
    const uint64_t registers[] = {_Unwind_GetGR(context, RBX), _Unwind_GetGR(context, RBP), _Unwind_GetGR(context, R12),
                                  _Unwind_GetGR(context, R13), _Unwind_GetGR(context, R14), _Unwind_GetGR(context, R15),
                                  _Unwind_GetCFA(context),     _Unwind_GetIP(context)};
    if (__asan_handle_no_return)
        __asan_handle_no_return();
    __asm__ volatile("movq (%0), %%rbx\n\t"
                     "movq 8(%0), %%rbp\n\t"
                     "movq 16(%0), %%r12\n\t"
                     "movq 24(%0), %%r13\n\t"
                     "movq 32(%0), %%r14\n\t"
                     "movq 40(%0), %%r15\n\t"
                     "movq 56(%0), %%rdx\n\t"
                     "movq 48(%0), %%rsp\n\t"
                     "xorl %%eax, %%eax\n\t"
                     "jmp *%%rdx"
                     :
                     : "c"(registers)
                     : "memory");
    __builtin_unreachable();
}

static _Unwind_Reason_Code look(struct _Unwind_Context *context, void *arg)
{
    if (!is_caller(context))
        return _URC_NO_REASON;
    *(bool *)arg = true;
    return _URC_END_OF_STACK;
}

/* Before anything is unwound. */
static void prepare(void)
{
    bool found = false;
    (void)_Unwind_Backtrace(look, &found);
    if (!found)
        os_die("FATAL: thr_fail in a task came to a function that cannot be unwound\n");
}

static _Noreturn void not_found(void)
{
    os_die("FATAL: thr_fail in a task came to no end\n");
}

#else

/* One call of os_call. */
struct place {
    struct place *outer;
    void *frame;
    void *registers[5];
};

static __thread struct place *newest;

__attribute__((noinline)) void *os_call(void *(*function)(void *), void *arg)
{
    struct place place;
    void *value = NULL;
#ifdef THR_CAN_UNWIND
    __asm__ volatile(".cfi_personality 0x1b, os_call_personality");
#endif
    place.outer = newest;
    place.frame = __builtin_frame_address(0);
    newest = &place;
    if (!__builtin_setjmp(place.registers))
        value = function(arg);
    newest = place.outer;
    return value;
}

static _Noreturn void jump(void)
{
    if (__asan_handle_no_return)
        __asan_handle_no_return();
    __builtin_longjmp(newest->registers, 1);
}

#ifdef THR_CAN_UNWIND

/* The first frame beyond that of os_call is left as it is. */
static bool is_caller(struct _Unwind_Context *context)
{
    return _Unwind_GetCFA(context) > (uintptr_t)newest->frame;
}

static _Noreturn void land(struct _Unwind_Context *context)
{
    (void)context;
    jump();
}

static void prepare(void)
{
}

#endif

/* There is nothing to unwind by. */
static _Noreturn void not_found(void)
{
    jump();
}

#endif

#ifdef THR_CAN_UNWIND

/* Asked before each frame is unwound. */
static _Unwind_Reason_Code stop(int version, _Unwind_Action actions, _Unwind_Exception_Class class,
                                struct _Unwind_Exception *exception, struct _Unwind_Context *context, void *arg)
{
    (void)version;
    (void)class;
    (void)exception;
    (void)arg;
    if (is_caller(context))
        land(context);
    if (actions & _UA_END_OF_STACK)
        not_found();
    return _URC_NO_REASON;
}

/* A catch (...) that does not go on unwinding. */
static void swallowed(_Unwind_Reason_Code reason, struct _Unwind_Exception *exception)
{
    (void)reason;
    (void)exception;
    os_die("FATAL: thr_fail was caught, and not rethrown\n");
}

void os_return(uintptr_t (*where)(void))
{
    returning.where = where;
    prepare();
    memset(&returning.exception, 0, sizeof returning.exception);
    returning.exception.exception_cleanup = swallowed;
    (void)_Unwind_ForcedUnwind(&returning.exception, stop, NULL);
    not_found();
}

#else

void os_return(uintptr_t (*where)(void))
{
    (void)where;
    not_found();
}

#endif

/* -- Ends --------------------------------------------------------------------------------------------------------- */

thr_result os_thread_end_key(os_end_key *key, void (*function)(void *))
{
    pthread_key_t made;
    if (pthread_key_create(&made, function) != 0)
        return THR_NO_MEMORY;
    *key = made;
    return THR_OK;
}

thr_result os_thread_end_arm(os_end_key key, void *value)
{
    return pthread_setspecific(key, value) == 0 ? THR_OK : THR_NO_MEMORY;
}

thr_result os_at_fork(void (*before)(void), void (*parent)(void), void (*child)(void))
{
    return pthread_atfork(before, parent, child) == 0 ? THR_OK : THR_NO_MEMORY;
}

thr_result os_at_exit(void (*function)(void))
{
    return atexit(function) == 0 ? THR_OK : THR_NO_MEMORY;
}

bool os_peek(const uint32_t *word, uint32_t *value)
{
    int saved = errno;
    struct iovec here = {value, sizeof *value};
    struct iovec there = {(void *)(uintptr_t)word, sizeof *word};
    bool read = process_vm_readv(getpid(), &here, 1, &there, 1, 0) == (ssize_t)sizeof *value;
    errno = saved;
    return read;
}

void os_write(int fd, const char *text, size_t size)
{
    int saved = errno;
    while (size > 0) {
        ssize_t written = write(fd, text, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            break;
        text += written;
        size -= (size_t)written;
    }
    errno = saved;
}

void os_die(const char *text)
{
    os_write(STDERR_FILENO, text, strlen(text));
    abort();
}
