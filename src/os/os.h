/* os.h - the whole contract with the system. One file implements it for each: linux.c.
 *
 * Nothing here changes errno. Nothing above this floor asks which system it runs on. */

#ifndef OS_OS_H
#define OS_OS_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "threading/base.h"

/* -- Waiting on a word -------------------------------------------------------------------------------------------- */

enum os_wait_end {
    OS_WOKEN,      /* by os_wake, or for no reason at all, or the word was different to begin with */
    OS_TIMEOUT,    /* the deadline passed; no wake was consumed */
    OS_INTERRUPTED /* a signal handler ran; no wake was consumed */
};

/* Which sleepers of a word a wake is meant for: any bit in common. */
#define OS_ANY 0xffffffffu

/* Sleeps while *word == expected. The comparison and falling asleep are one step with respect to os_wake. */
enum os_wait_end os_wait(const uint32_t *word, uint32_t expected, uint32_t mask, thr_time deadline);

/* Wakes up to `count` sleepers of the word, longest asleep first. The word need not exist any more. */
void os_wake(const uint32_t *word, uint32_t count, uint32_t mask);

/* -- Time and processors ------------------------------------------------------------------------------------------ */

thr_time os_now(void);

/* The processor that runs the caller, or ran it a moment ago. Async-signal-safe. */
unsigned os_processor(void);

/* How many processors this process may use: asked of the system each time. */
unsigned os_processors(void);

/* Gives up the processor once. */
void os_yield(void);

/* Tells the processor that this is a spin loop. */
static inline void os_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb" ::: "memory");
#endif
}

/* -- Barriers ----------------------------------------------------------------------------------------------------- */

/* A full barrier on the calling thread: no load after it is done before a store that stands before it. */
static inline void os_barrier(void)
{
#if defined(__x86_64__)
    __asm__ volatile("lock orq $0, (%%rsp)" ::: "memory", "cc");
#elif defined(__aarch64__)
    __asm__ volatile("dmb ish" ::: "memory");
#else
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

/* The same, in halves of unequal weight: when one thread calls os_barrier_all, it is as if every other one had executed
 * os_barrier somewhere meanwhile. So where two threads store, then look at what the other stored, the one that does so
 * often calls os_barrier_light, which costs next to nothing, and the other os_barrier_all, which may cost microseconds.
 * os_barrier_prepare once before; where the system has no such call, the light half is a full barrier. */
extern bool os_barrier_far;
void os_barrier_prepare(void);
void os_barrier_all(void);

static inline void os_barrier_light(void)
{
    if (__builtin_expect(os_barrier_far, 1))
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
    else
        os_barrier();
}

/* -- Native threads ----------------------------------------------------------------------------------------------- */

typedef uintptr_t os_thread; /* pthread_t, HANDLE, ... */

/* Starts a thread with all signals as the caller has them (block_signals: all blocked but those for faults). THR_NO_THREAD or
 * THR_INVALID (stack size). It must be joined or detached once. stack_size 0 is the system's default. */
thr_result os_thread_start(os_thread *thread, size_t stack_size, bool block_signals, void *(*function)(void *),
                           void *arg);
/* Waits for the thread's end; false if the system refuses, because that thread waits for this one in the same way. */
bool os_thread_join(os_thread thread);
void os_thread_detach(os_thread thread);
os_thread os_thread_self(void);

/* Ends the calling thread: unwinds its stack where the system can. */
_Noreturn void os_thread_exit(void);

/* The system's number of the calling thread. */
uint64_t os_thread_number(void);

/* The main thread's. */
uint64_t os_main_number(void);

/* Whether a thread of this process has the number. One that ends gives it up only when it can be joined already; then a new
 * thread may get it. */
bool os_thread_exists(uint64_t number);

/* Names a thread for the system's tools: cut, also where it stands, to what is shorter than OS_NAME_SIZE. The first goes by
 * the number, and does nothing where no thread has that any more; the second names the calling thread; bytes behind the name
 * are 0. */
enum { OS_NAME_SIZE = 16 };
void os_thread_set_name(uint64_t number, const char *name);
void os_thread_name_self(char name[OS_NAME_SIZE]);

/* The smallest stack that os_thread_start takes, and its default. */
size_t os_stack_minimum(void);

/* How large the calling thread's stack is. */
size_t os_stack_size(void);

/* -- The ends of threads and processes ---------------------------------------------------------------------------- */

/* Has `function` called with `value` at the end of each thread that called os_thread_end_arm(key, value != NULL),
 * however that thread ends (but not by the end of the process). Arming again inside the function has it called
 * once more, after the destructors of others, up to OS_END_ROUNDS times in all. */
typedef unsigned os_end_key;
enum { OS_END_ROUNDS = 3 }; /* one less than the system's: in that, sanitizers end what they keep for a thread */
thr_result os_thread_end_key(os_end_key *key, void (*function)(void *));
thr_result os_thread_end_arm(os_end_key key, void *value);

thr_result os_at_fork(void (*before)(void), void (*parent)(void), void (*child)(void));
thr_result os_at_exit(void (*function)(void));

/* Code between the two runs `function(arg)` if the thread is unwound through it (os_thread_exit, an exception), as far
 * as the system can unwind; os_unwind_end(run) runs it when `run`. They stand in one block, like braces. */
#include <pthread.h>
#define os_unwind_begin(function, arg) pthread_cleanup_push(function, arg)
#define os_unwind_end(run) pthread_cleanup_pop(run)

/* Calls that the thread can come back from, at any depth: os_call(function, arg) is function(arg); where OS_FINDS_CALLS,
 * any other call can be such a one, too. os_return unwinds what is above the call that `where` says, as far as the system
 * can, and the value of that call is NULL. `where` gives the stack pointer of who has called, or 0, for the newest
 * os_call; it is asked again before each frame is unwound, and has to say the same each time, but for calls that were
 * made and ended in between. */
#if defined(THR_CAN_UNWIND) && defined(__x86_64__) && defined(__LP64__) && !defined(__CET__)
#define OS_FINDS_CALLS 1
#else
#define OS_FINDS_CALLS 0
#endif
void *os_call(void *(*function)(void *arg), void *arg);
_Noreturn void os_return(uintptr_t (*where)(void));

/* Puts errno back to what it was before a call of malloc and its like. (clang takes it that those keep it, and drops a
 * plain assignment.) */
#define os_errno_restore(saved) (__atomic_signal_fence(__ATOMIC_SEQ_CST), (void)(errno = (saved)))

/* -- For thr_dump ------------------------------------------------------------------------------------------------- */

/* Reads a word that may not exist any more: false then. */
bool os_peek(const uint32_t *word, uint32_t *value);

/* Writes all of it, or what can be written. Async-signal-safe. */
void os_write(int fd, const char *text, size_t size);

/* Says so on standard error, and ends the process. */
_Noreturn void os_die(const char *text);

#endif
