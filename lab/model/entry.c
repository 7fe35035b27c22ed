/* entry.c - what the instrumented code calls: the compiler's calls of ThreadSanitizer's interface, before each access to
 * memory and in place of each atomic operation. The sources of the library are compiled with -fsanitize=thread and
 * linked to these instead of to the sanitizer. */

#include <errno.h>
#include <string.h>

#include "model/memory.h"
#include "model/race.h"
#include "model/step.h"
#include "threading/group.h"

enum { WIPED = 768 /* bytes; more than what is called between two wipes takes */ };

/* The names are the sanitizer's; a type cannot stand in parentheses.
 * NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming,bugprone-macro-parentheses) */

/* What the thread does next is written where the search looks for it, and on no stack: what is there is the state of the
 * program, and nothing else. */
static inline uint64_t atomic(enum operation operation, const volatile void *at, size_t size, uint64_t value, int order,
                              const void *site)
{
    struct pending *pending = step_pending();
    pending->operation = (uint8_t)operation;
    pending->at = (uintptr_t)at;
    pending->size = (uint8_t)size;
    pending->value = value;
    pending->order = (uint8_t)order;
    pending->site = site;
    return step_wait();
}

/* What a compare-and-swap has besides; first. */
static inline void compare(void *expected, int failure_order, bool is_weak)
{
    struct pending *pending = step_pending();
    pending->expected = expected;
    pending->failure_order = (uint8_t)failure_order;
    pending->weak = is_weak;
}

/* Constants, like thr__hooked, what a thread says for thr_dump, which no object looks at, and the list of the groups that it
 * has open, which only a wait looks at. */
static bool is_modelled(const volatile void *at)
{
    return step_inside() && memory_has((uintptr_t)at);
}

static bool is_record(const volatile void *at)
{
    return (uintptr_t)at - (uintptr_t)world.records < sizeof world.records;
}

static bool is_writable(const volatile void *at)
{
    return is_record(at) || at == &errno || at == &thr__here.top ||
           (uintptr_t)at - (uintptr_t)world.ghost < sizeof world.ghost;
}

static void no_such_memory(const volatile void *at)
{
    if (step_inside() && !is_writable(at))
        fail("a write to memory that is no part of the model, at %p", (const void *)(uintptr_t)at);
}

/* What functions that have returned leave below the stack would get into the frames to come, and make states differ that
 * do not: it is wiped as often as the instrumented code comes by. */
__attribute__((noinline)) static void wipe_below(void)
{
    char leftovers[WIPED];
    memset(leftovers, 0, sizeof leftovers);
    __asm__ volatile("" : : "r"(leftovers) : "memory");
}

static inline void wipe(void)
{
    if (step_inside())
        wipe_below();
}

#define HERE __builtin_extract_return_addr(__builtin_return_address(0))

#define ATOMIC_CHANGE(bits, type, name, OPERATION)                                                                     \
    type __tsan_atomic##bits##_##name(volatile type *at, type value, int order);                                       \
    type __tsan_atomic##bits##_##name(volatile type *at, type value, int order)                                        \
    {                                                                                                                  \
        if (!is_modelled(at)) {                                                                                        \
            no_such_memory(at);                                                                                        \
            return *at;                                                                                                \
        }                                                                                                              \
        return (type)atomic((OPERATION), at, sizeof(type), value, order, HERE);                                        \
    }

#define ATOMIC_CAS(bits, type, strength, is_weak)                                                                      \
    int __tsan_atomic##bits##_compare_exchange_##strength(volatile type *at, type *expected, type value, int order,    \
                                                          int failure_order);                                          \
    int __tsan_atomic##bits##_compare_exchange_##strength(volatile type *at, type *expected, type value, int order,    \
                                                          int failure_order)                                           \
    {                                                                                                                  \
        if (!is_modelled(at)) {                                                                                        \
            no_such_memory(at);                                                                                        \
            return 0;                                                                                                  \
        }                                                                                                              \
        compare(expected, failure_order, is_weak);                                                                     \
        return (int)atomic(OPERATION_CAS, at, sizeof(type), value, order, HERE);                                       \
    }

/* clang calls this one, which cannot say that a weak one failed for no reason: it never does. */
#define ATOMIC_CAS_VALUE(bits, type)                                                                                   \
    type __tsan_atomic##bits##_compare_exchange_val(volatile type *at, type expected, type value, int order,           \
                                                    int failure_order);                                                \
    type __tsan_atomic##bits##_compare_exchange_val(volatile type *at, type expected, type value, int order,           \
                                                    int failure_order)                                                 \
    {                                                                                                                  \
        if (!is_modelled(at)) {                                                                                        \
            no_such_memory(at);                                                                                        \
            return expected;                                                                                           \
        }                                                                                                              \
        compare(&expected, failure_order, false);                                                                      \
        (void)atomic(OPERATION_CAS, at, sizeof(type), value, order, HERE);                                             \
        return expected;                                                                                               \
    }

#define ATOMIC(bits, type)                                                                                             \
    type __tsan_atomic##bits##_load(const volatile type *at, int order);                                               \
    type __tsan_atomic##bits##_load(const volatile type *at, int order)                                                \
    {                                                                                                                  \
        if (!is_modelled(at)) {                                                                                        \
            wipe();                                                                                                    \
            return *at;                                                                                                \
        }                                                                                                              \
        return (type)atomic(OPERATION_LOAD, at, sizeof(type), 0, order, HERE);                                         \
    }                                                                                                                  \
    ATOMIC_CHANGE(bits, type, store, OPERATION_STORE)                                                                  \
    ATOMIC_CHANGE(bits, type, exchange, OPERATION_SWAP)                                                                \
    ATOMIC_CHANGE(bits, type, fetch_add, OPERATION_ADD)                                                                \
    ATOMIC_CHANGE(bits, type, fetch_sub, OPERATION_SUB)                                                                \
    ATOMIC_CHANGE(bits, type, fetch_and, OPERATION_AND)                                                                \
    ATOMIC_CHANGE(bits, type, fetch_or, OPERATION_OR)                                                                  \
    ATOMIC_CHANGE(bits, type, fetch_xor, OPERATION_XOR)                                                                \
    ATOMIC_CAS(bits, type, weak, true)                                                                                 \
    ATOMIC_CAS(bits, type, strong, false)                                                                              \
    ATOMIC_CAS_VALUE(bits, type)

ATOMIC(8, uint8_t)
ATOMIC(16, uint16_t)
ATOMIC(32, uint32_t)
ATOMIC(64, uint64_t)

void __tsan_atomic_thread_fence(int order);
void __tsan_atomic_thread_fence(int order)
{
    (void)order;
    fail("a fence: the search knows none");
}

void __tsan_atomic_signal_fence(int order);
void __tsan_atomic_signal_fence(int order)
{
    if (order == __ATOMIC_SEQ_CST && step_inside())
        step_barrier(OPERATION_LIGHT);
}

static void note_read(uintptr_t at, size_t size)
{
    race_access(at, size, READ);
}

static void note_write(uintptr_t at, size_t size)
{
    race_access(at, size, WRITE);
    for (size_t done = 0; done < size; done += 4)
        memory_overwrite(at + done);
}

static inline void reads(const void *at, size_t size)
{
    if (is_modelled(at))
        step_aside(note_read, (uintptr_t)at, size);
    wipe();
}

static inline void writes(const void *at, size_t size)
{
    if (is_modelled(at))
        step_aside(note_write, (uintptr_t)at, size);
    else
        no_such_memory(at);
    wipe();
}

#define PLAIN(size, kind)                                                                                              \
    void __tsan_##kind##read##size(void *at);                                                                          \
    void __tsan_##kind##read##size(void *at)                                                                           \
    {                                                                                                                  \
        reads(at, size);                                                                                               \
    }                                                                                                                  \
    void __tsan_##kind##write##size(void *at);                                                                         \
    void __tsan_##kind##write##size(void *at)                                                                          \
    {                                                                                                                  \
        writes(at, size);                                                                                              \
    }

PLAIN(1, )
PLAIN(2, )
PLAIN(4, )
PLAIN(8, )
PLAIN(16, )
PLAIN(2, unaligned_)
PLAIN(4, unaligned_)
PLAIN(8, unaligned_)
PLAIN(16, unaligned_)

void __tsan_read_range(void *at, size_t size);
void __tsan_read_range(void *at, size_t size)
{
    reads(at, size);
}

void __tsan_write_range(void *at, size_t size);
void __tsan_write_range(void *at, size_t size)
{
    writes(at, size);
}

/* At the start of the program, and around calls. */
void __tsan_init(void);
void __tsan_init(void)
{
}

void __tsan_func_entry(void *caller);
void __tsan_func_entry(void *caller)
{
    (void)caller;
    wipe();
}

void __tsan_func_exit(void);
void __tsan_func_exit(void)
{
    wipe();
}

/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming,bugprone-macro-parentheses) */
