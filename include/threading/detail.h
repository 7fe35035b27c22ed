/* detail.h - what the inline fast paths need. Private: nothing here is for programs to use.
 *
 * The header speaks the GNU dialect of C and C++ (gcc and clang): __atomic builtins on plain integers, so that the
 * structs are the same in C and in C++. */

#ifndef THREADING_DETAIL_H
#define THREADING_DETAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define THR__BEGIN extern "C" {
#define THR__END }
#define THR__NULL nullptr
#define THR__NOEXCEPT noexcept
#else
#define THR__BEGIN
#define THR__END
#define THR__NULL NULL
#define THR__NOEXCEPT
#endif

#define THR_API __attribute__((visibility("default")))
#define THR_NODISCARD __attribute__((warn_unused_result))
#define THR_PRINTF(string, first) __attribute__((format(printf, string, first)))
#define THR_NORETURN __attribute__((noreturn))

/* exports.c defines THR_INLINE first, to make real symbols of all inline functions. The second is also inline where the
 * compiler would rather have one copy. */
#ifndef THR_INLINE
#define THR_INLINE static inline
#define THR__INLINE_ALWAYS THR_INLINE __attribute__((always_inline))
#else
#define THR__INLINE_ALWAYS THR_INLINE
#endif

#define THR__LIKELY(x) __builtin_expect(!!(x), 1)
#define THR__UNLIKELY(x) __builtin_expect(!!(x), 0)
#define THR__PASTE_(a, b) a##b
#define THR__PASTE(a, b) THR__PASTE_(a, b)

THR__BEGIN

/* Nonzero while the laboratory steers this process: every inline path then takes its out-of-line twin. */
extern THR_API int thr__hooked;

/* What this thread writes into the word of a lock it holds: its registry number << 5 | 1; a thread without a number
 * has number 0. And THR__ASK, where the inline paths of locks are not for it: as long as the laboratory steers; and at
 * first, until it has been seen that nobody does. So these paths need not look at thr__hooked. */
enum { THR__ASK = 2 };
extern THR_API __thread uint32_t thr__me __attribute__((tls_model("initial-exec")));

THR_INLINE bool thr__steered(void)
{
    return THR__UNLIKELY(__atomic_load_n(&thr__hooked, __ATOMIC_RELAXED) != 0);
}

THR_INLINE bool thr__asks(uint32_t me)
{
    return THR__UNLIKELY((me & THR__ASK) != 0);
}

/* The laboratory may let another thread go on here: before a question that changes nothing, such as is_set. */
THR_API void thr__look(const void *object);

/* These two are part of the function that they stand in, always. The stack pointer, as it is at a call made next: by it
 * os_return (src/os/os.h) finds that call. What is done in place of that call has to be a call as well: so the frame is
 * made before both. 0 where it does not find any. */
static inline __attribute__((always_inline)) uintptr_t thr__stack(void)
{
    uintptr_t stack = 0;
#if defined(__x86_64__) && defined(__LP64__)
    __asm__ volatile("movq %%rsp, %0" : "=r"(stack));
#endif
    return stack;
}

/* No C++ exception comes out of it: std::terminate is called first. */
static inline __attribute__((always_inline)) void thr__call(void *(*function)(void *arg), void *arg) THR__NOEXCEPT
{
    (void)function(arg);
}

/* One compare-and-swap that must succeed at the first try. Orders are acquire (to take) or release (to give). */
THR_INLINE bool thr__cas_acquire(uint32_t *word, uint32_t expected, uint32_t desired)
{
    return __atomic_compare_exchange_n(word, &expected, desired, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

THR_INLINE bool thr__cas_release(uint32_t *word, uint32_t expected, uint32_t desired)
{
    return __atomic_compare_exchange_n(word, &expected, desired, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
}

THR__END

#endif
