/* threads.c - threads, counts, pages and signals for tests. */

#include "support.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "internal.h"
#include "wait/atomic.h"
#include "wait/wait.h"

struct support_thread {
    pthread_t native;
    void (*function)(void *arg);
    void *arg;
    size_t index;
};

static __thread struct support_thread *self;

struct support_thread *support_self(void)
{
    return self;
}

static void *run(void *arg)
{
    self = arg;
    /* About every other thread has a number from the start; the others get one when they first block, or never. */
    static uint32_t turn;
    if (__builtin_popcount(__atomic_fetch_add(&turn, 1, __ATOMIC_RELAXED)) % 2 == 0)
        (void)support_record();
    self->function(self->arg);
    return NULL;
}

static struct support_thread *start(void (*function)(void *arg), void *arg, size_t index)
{
    struct support_thread *thread = calloc(1, sizeof *thread);
    if (!thread)
        support_fail(__FILE__, __LINE__, "no memory");
    thread->function = function;
    thread->arg = arg;
    thread->index = index;
    int error = pthread_create(&thread->native, NULL, run, thread);
    if (error != 0)
        support_fail(__FILE__, __LINE__, "pthread_create: %s", strerror(error));
    return thread;
}

struct support_thread *support_thread_start(void (*function)(void *arg), void *arg)
{
    return start(function, arg, 0);
}

void support_thread_join(struct support_thread *thread)
{
    int error = pthread_join(thread->native, NULL);
    if (error != 0)
        support_fail(__FILE__, __LINE__, "pthread_join: %s", strerror(error));
    free(thread);
}

size_t support_index(void)
{
    return self ? self->index : 0;
}

/* -- Bunches ------------------------------------------------------------------------------------------------------ */

static void bunch_start(struct support_bunch *bunch, size_t n, void (*function)(void *arg), void *arg,
                        const void *object)
{
    if (n > SUPPORT_BUNCH_MAX)
        support_fail(__FILE__, __LINE__, "a bunch of %zu", n);
    bunch->n = n;
    for (size_t i = 0; i < n; i++) {
        bunch->threads[i] = start(function, arg, i);
        if (object)
            support_wait_thread_blocked(bunch->threads[i], object);
    }
}

void support_bunch_start(struct support_bunch *bunch, size_t n, void (*function)(void *arg), void *arg)
{
    bunch_start(bunch, n, function, arg, NULL);
}

void support_bunch_start_in_turn(struct support_bunch *bunch, size_t n, void (*function)(void *arg), void *arg,
                                 const void *object)
{
    bunch_start(bunch, n, function, arg, object);
}

void support_bunch_join(struct support_bunch *bunch)
{
    for (size_t i = 0; i < bunch->n; i++)
        support_thread_join(bunch->threads[i]);
}

/* -- Counts ------------------------------------------------------------------------------------------------------- */

void internal_raise(uint32_t *value)
{
    __atomic_fetch_add(value, 1, __ATOMIC_RELEASE);
    os_wake(value, UINT32_MAX, OS_ANY);
}

void internal_wait(const char *file, int line, const char *what, const uint32_t *value, uint32_t n)
{
    thr_time limit = internal_limit();
    uint32_t now = load_acquire(value);
    while (now < n && os_now() < limit) {
        (void)os_wait(value, now, OS_ANY, limit);
        now = load_acquire(value);
    }
    if (now < n)
        support_fail(file, line, "%s %u, not %u", what, now, n);
}

void support_count_add(struct support_count *count)
{
    internal_raise(&count->value);
}

uint32_t support_count_get(const struct support_count *count)
{
    return load_acquire(&count->value);
}

void support_count_wait_at(const char *file, int line, struct support_count *count, uint32_t n)
{
    internal_wait(file, line, "the count came only to", &count->value, n);
}

/* -- Pages -------------------------------------------------------------------------------------------------------- */

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

void *support_page_new(void)
{
    void *page = mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        support_fail(__FILE__, __LINE__, "mmap: %s", strerror(errno));
    return page;
}

void support_page_free(void *page)
{
    if (munmap(page, page_size()) != 0)
        support_fail(__FILE__, __LINE__, "munmap: %s", strerror(errno));
}

/* -- Signals ------------------------------------------------------------------------------------------------------ */

enum { PESTER_PAUSE = 20000, PESTER_AGAIN = 1000000 }; /* nanoseconds */

static __thread struct support_pester *pestered;

static void handle(int signal)
{
    (void)signal;
    struct support_pester *pester = pestered;
    if (!pester)
        return;
    if (pester->function)
        pester->function(pester->arg);
    internal_raise(&pester->handled.value);
}

static void handle_signals(void)
{
    struct sigaction action = {.sa_handler = handle};
    if (sigaction(SIGUSR1, &action, NULL) != 0)
        support_fail(__FILE__, __LINE__, "sigaction: %s", strerror(errno));
}

static void send_signals(void *arg)
{
    struct support_pester *pester = arg;
    while (!load_acquire(&pester->ended)) {
        uint32_t before = load_acquire(&pester->handled.value);
        do { /* more than once, since ThreadSanitizer may keep a signal back until its thread does something more */
            (void)pthread_kill(pester->target, SIGUSR1);
            (void)os_wait(&pester->handled.value, before, OS_ANY, os_now() + PESTER_AGAIN);
        } while (load_acquire(&pester->handled.value) == before && !load_acquire(&pester->ended));
        /* One signal on the heels of the other would keep the target in its handler all the time. */
        (void)os_wait(&pester->ended, 0, OS_ANY, os_now() + load_relaxed(&pester->pause));
    }
}

void support_pester_start(struct support_pester *pester, void (*function)(void *arg), void *arg)
{
    *pester =
        (struct support_pester){.target = pthread_self(), .function = function, .arg = arg, .pause = PESTER_PAUSE};
    pestered = pester;
    handle_signals();
    pester->sender = support_thread_start(send_signals, pester);
    support_count_wait(&pester->handled, 1);
}

void support_pester_stop(struct support_pester *pester)
{
    internal_raise(&pester->ended);
    support_thread_join(pester->sender);
    pestered = NULL; /* a last signal may still come */
}

static uint32_t interrupted;

static bool is_interrupted(void *arg)
{
    (void)arg;
    return load_acquire(&interrupted);
}

void support_interruptible(void)
{
    support_record()->interrupt = is_interrupted;
}

void support_interrupt(const struct support_thread *thread, const thr_result *result)
{
    handle_signals();
    store_release(&interrupted, 1);
    while (load_acquire(result) == THR_INVALID)
        (void)pthread_kill(thread->native, SIGUSR1);
    store_release(&interrupted, 0);
}

/* -- Stumbling ---------------------------------------------------------------------------------------------------- */

#ifdef SIGEV_THREAD_ID

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static __thread struct {
    timer_t timer;
    uint64_t random;
    bool on;
    bool again;
} stumble;

static void stumble_in(uint32_t nanoseconds)
{
    struct itimerspec next = {.it_value = {.tv_nsec = 1 + (long)nanoseconds}};
    (void)timer_settime(stumble.timer, 0, &next, NULL);
}

/* The next time is set when the pause is over: so the thread gets on, however slow the machine is. */
static void stumble_later(void)
{
    enum { LEAST = 5000, MOST = 40000 }; /* nanoseconds */
    stumble_in(LEAST + support_random_below(&stumble.random, MOST - LEAST));
}

static void stumbled(int signal)
{
    (void)signal;
    enum { LONGEST = 12000 };
    int saved = errno;
    if (stumble.on) {
        thr_time end = os_now() + support_random_below(&stumble.random, LONGEST);
        while (os_now() < end)
            os_pause();
        if (stumble.again)
            stumble_later();
    }
    errno = saved;
}

void support_stumble_start(void)
{
    struct sigaction action = {.sa_handler = stumbled, .sa_flags = SA_RESTART};
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR2};
    event.sigev_notify_thread_id = (pid_t)os_thread_number();
    stumble.random = support_seed() + os_thread_number();
    if (sigaction(SIGUSR2, &action, NULL) != 0 || timer_create(CLOCK_MONOTONIC, &event, &stumble.timer) != 0)
        support_fail(__FILE__, __LINE__, "timer_create: %s", strerror(errno));
    stumble.on = true;
    stumble.again = true;
    stumble_later();
}

void support_stumble_stop(void)
{
    stumble.on = false; /* one may still come */
    (void)timer_delete(stumble.timer);
}

void support_stumble_once(uint32_t within)
{
    stumble.again = false;
    stumble_in(support_random_below(&stumble.random, within));
}

#else

void support_stumble_start(void)
{
}

void support_stumble_stop(void)
{
}

void support_stumble_once(uint32_t within)
{
    (void)within;
}

#endif

/* -- Between two instructions --------------------------------------------------------------------------------------- */

#if defined(__x86_64__) && defined(REG_EFL) && !SUPPORT_SANITIZED

enum { TRAP = 0x100 }; /* of the flags: a signal after each instruction */

static struct {
    unsigned left; /* instructions; 0: none any more */
    void (*between)(void *arg);
    void *arg;
} steps;

static void stepped(int signal, siginfo_t *info, void *context)
{
    ucontext_t *stopped = context;
    (void)signal, (void)info;
    if (--steps.left > 0)
        return;
    stopped->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)TRAP;
    steps.between(steps.arg);
}

/* Below the stack pointer may be what the function has there. */
static inline __attribute__((always_inline)) void trap(bool on)
{
    if (on)
        __asm__ volatile("lea -128(%%rsp), %%rsp; pushfq; orl %0, (%%rsp); popfq; lea 128(%%rsp), %%rsp"
                         :
                         : "i"(TRAP)
                         : "memory", "cc");
    else
        __asm__ volatile("lea -128(%%rsp), %%rsp; pushfq; andl %0, (%%rsp); popfq; lea 128(%%rsp), %%rsp"
                         :
                         : "i"(~TRAP)
                         : "memory", "cc");
}

bool support_step(unsigned n, void (*function)(void *arg), void (*between)(void *arg), void *arg)
{
    struct sigaction action = {.sa_sigaction = stepped, .sa_flags = SA_SIGINFO};
    if (sigaction(SIGTRAP, &action, NULL) != 0)
        support_fail(__FILE__, __LINE__, "sigaction: %s", strerror(errno));
    steps.left = n;
    steps.between = between;
    steps.arg = arg;
    trap(true);
    function(arg);
    trap(false);
    return steps.left == 0;
}

#else

bool support_step(unsigned n, void (*function)(void *arg), void (*between)(void *arg), void *arg)
{
    (void)n, (void)between;
    function(arg);
    return false;
}

#endif
