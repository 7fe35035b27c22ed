/* atomics.c - atomic operations of programs compiled with -fsanitize=thread: a step, then the operation, in one piece and
 * sequentially consistent, whatever order was asked for. One thread runs at a time, so weaker orders show no more. */

#include <stdint.h>

#include "lab/tsan/access.h"

/* The names are the compiler's. NOLINTBEGIN(bugprone-reserved-identifier, readability-identifier-naming) */

#define LOAD_STORE(bits)                                                                                               \
    uint##bits##_t __tsan_atomic##bits##_load(const volatile uint##bits##_t *at, int order);                           \
    uint##bits##_t __tsan_atomic##bits##_load(const volatile uint##bits##_t *at, int order)                            \
    {                                                                                                                  \
        (void)order;                                                                                                   \
        tsan_step(at);                                                                                                 \
        return __atomic_load_n(at, __ATOMIC_SEQ_CST);                                                                  \
    }                                                                                                                  \
    void __tsan_atomic##bits##_store(volatile uint##bits##_t *at, uint##bits##_t value, int order);                    \
    void __tsan_atomic##bits##_store(volatile uint##bits##_t *at, uint##bits##_t value, int order)                     \
    {                                                                                                                  \
        (void)order;                                                                                                   \
        tsan_step(at);                                                                                                 \
        __atomic_store_n(at, value, __ATOMIC_SEQ_CST);                                                                 \
    }

#define UPDATE(bits, name, builtin)                                                                                    \
    uint##bits##_t __tsan_atomic##bits##_##name(volatile uint##bits##_t *at, uint##bits##_t value, int order);         \
    uint##bits##_t __tsan_atomic##bits##_##name(volatile uint##bits##_t *at, uint##bits##_t value, int order)          \
    {                                                                                                                  \
        (void)order;                                                                                                   \
        tsan_step(at);                                                                                                 \
        return builtin(at, value, __ATOMIC_SEQ_CST);                                                                   \
    }

#define COMPARE(bits, name)                                                                                            \
    int __tsan_atomic##bits##_compare_exchange_##name(volatile uint##bits##_t *at, uint##bits##_t *expected,           \
                                                      uint##bits##_t value, int order, int failure);                   \
    int __tsan_atomic##bits##_compare_exchange_##name(volatile uint##bits##_t *at, uint##bits##_t *expected,           \
                                                      uint##bits##_t value, int order, int failure)                    \
    {                                                                                                                  \
        (void)order;                                                                                                   \
        (void)failure;                                                                                                 \
        tsan_step(at);                                                                                                 \
        return __atomic_compare_exchange_n(at, expected, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);                \
    }

#define COMPARE_VALUE(bits)                                                                                            \
    uint##bits##_t __tsan_atomic##bits##_compare_exchange_val(volatile uint##bits##_t *at, uint##bits##_t expected,    \
                                                              uint##bits##_t value, int order, int failure);           \
    uint##bits##_t __tsan_atomic##bits##_compare_exchange_val(volatile uint##bits##_t *at, uint##bits##_t expected,    \
                                                              uint##bits##_t value, int order, int failure)            \
    {                                                                                                                  \
        (void)order;                                                                                                   \
        (void)failure;                                                                                                 \
        tsan_step(at);                                                                                                 \
        (void)__atomic_compare_exchange_n(at, &expected, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);                \
        return expected;                                                                                               \
    }

#define ALL(bits)                                                                                                      \
    LOAD_STORE(bits)                                                                                                   \
    UPDATE(bits, exchange, __atomic_exchange_n)                                                                        \
    UPDATE(bits, fetch_add, __atomic_fetch_add)                                                                        \
    UPDATE(bits, fetch_sub, __atomic_fetch_sub)                                                                        \
    UPDATE(bits, fetch_and, __atomic_fetch_and)                                                                        \
    UPDATE(bits, fetch_or, __atomic_fetch_or)                                                                          \
    UPDATE(bits, fetch_xor, __atomic_fetch_xor)                                                                        \
    UPDATE(bits, fetch_nand, __atomic_fetch_nand)                                                                      \
    COMPARE(bits, strong)                                                                                              \
    COMPARE(bits, weak)                                                                                                \
    COMPARE_VALUE(bits)

ALL(8)
ALL(16)
ALL(32)
ALL(64)

void __tsan_atomic_thread_fence(int order);
void __tsan_atomic_thread_fence(int order)
{
    (void)order;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void __tsan_atomic_signal_fence(int order);
void __tsan_atomic_signal_fence(int order)
{
    (void)order;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/* NOLINTEND(bugprone-reserved-identifier, readability-identifier-naming) */
