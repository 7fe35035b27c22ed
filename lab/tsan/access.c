/* access.c - the entry points that a compiler calls with -fsanitize=thread, as places where the laboratory may let another
 * thread go on.
 *
 *     cc -g -fsanitize=thread -c program.c
 *     cc program.o -lthreading_lab_tsan -lthreading -pthread      (no -fsanitize here: that would link the sanitizer)
 *     threading explore -- ./a.out
 *
 * Every access to memory that is not on the accessing thread's own stack is then a step. Nothing else is done with it: races
 * are not looked for, but what comes of them is found. Out of the laboratory it costs a call an access. */

#include <pthread.h>
#include <stdint.h>

#include "lab/tsan/access.h"

/* The names are the compiler's. NOLINTBEGIN(bugprone-reserved-identifier, readability-identifier-naming) */

/* The calling thread's stack. */
static __thread uintptr_t stack_low;
static __thread uintptr_t stack_high;

static void find_stack(void)
{
    pthread_attr_t attributes;
    void *low;
    size_t size;
    stack_high = 1;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0)
        return;
    if (pthread_attr_getstack(&attributes, &low, &size) == 0) {
        stack_low = (uintptr_t)low;
        stack_high = stack_low + size;
    }
    (void)pthread_attr_destroy(&attributes);
}

void tsan_step(const volatile void *address)
{
    if (!thr__hooked)
        return;
    if (stack_high == 0)
        find_stack();
    if ((uintptr_t)address >= stack_low && (uintptr_t)address < stack_high)
        return;
    thr__access((const void *)(uintptr_t)address);
}

/* The sanitizer's names, which the compiler knows. No header declares them. */
#define ACCESS(name)                                                                                                   \
    void __tsan_##name(void *address);                                                                                 \
    void __tsan_##name(void *address)                                                                                  \
    {                                                                                                                  \
        tsan_step(address);                                                                                            \
    }

ACCESS(read1)
ACCESS(read2)
ACCESS(read4)
ACCESS(read8)
ACCESS(read16)
ACCESS(write1)
ACCESS(write2)
ACCESS(write4)
ACCESS(write8)
ACCESS(write16)
ACCESS(unaligned_read2)
ACCESS(unaligned_read4)
ACCESS(unaligned_read8)
ACCESS(unaligned_read16)
ACCESS(unaligned_write2)
ACCESS(unaligned_write4)
ACCESS(unaligned_write8)
ACCESS(unaligned_write16)
ACCESS(volatile_read1)
ACCESS(volatile_read2)
ACCESS(volatile_read4)
ACCESS(volatile_read8)
ACCESS(volatile_write1)
ACCESS(volatile_write2)
ACCESS(volatile_write4)
ACCESS(volatile_write8)
ACCESS(read_write1)
ACCESS(read_write2)
ACCESS(read_write4)
ACCESS(read_write8)
ACCESS(vptr_read)

void __tsan_vptr_update(void **address, void *value);
void __tsan_vptr_update(void **address, void *value)
{
    (void)value;
    tsan_step(address);
}

#define RANGE(name)                                                                                                    \
    void __tsan_##name(void *address, unsigned long size);                                                             \
    void __tsan_##name(void *address, unsigned long size)                                                              \
    {                                                                                                                  \
        if (size > 0)                                                                                                  \
            tsan_step(address);                                                                                        \
    }

RANGE(read_range)
RANGE(write_range)

#define NOTHING(name)                                                                                                  \
    void __tsan_##name(void);                                                                                          \
    void __tsan_##name(void)                                                                                           \
    {                                                                                                                  \
    }

NOTHING(init)
NOTHING(func_exit)

void __tsan_func_entry(void *caller);
void __tsan_func_entry(void *caller)
{
    (void)caller;
}

/* NOLINTEND(bugprone-reserved-identifier, readability-identifier-naming) */
