/* check_forget.c - memory that is given back: what is at these addresses later is another lock.
 *
 * Three ways: free and realloc, munmap, and the return of a function with a lock among its variables. The first two are
 * seen since this file's functions stand before those of the C library in the program. The third is noticed at the
 * thread's next acquire or release further up the stack; or when the lock is next taken, in a call that was made elsewhere.
 *
 * F1  Forgetting comes before the memory is given back: else another thread may have it already. A realloc that leaves
 *     the memory where it is forgets too much, which costs a report at worst and makes no wrong one. */

#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unwind.h>

#include "lab/check_graph.h"

#define OURS __attribute__((visibility("default")))

/* -- The heap ----------------------------------------------------------------------------------------------------- */

static void forget(void *start, size_t size)
{
    uintptr_t first = (uintptr_t)start;
    if (size == 0 || !graph_maybe(first, first + size))
        return;
    check_enter();
    graph_forget(first, first + size);
    check_leave();
}

static void forget_block(void *block)
{
    if (block && check_runs() && !check_inside())
        forget(block, malloc_usable_size(block));
}

/* The next function of this name behind ours. */
#define NEXT(name)                                                                                                     \
    static __typeof__(name) *next;                                                                                     \
    __typeof__(name) *function = load_relaxed(&next);                                                                  \
    if (!function) {                                                                                                   \
        void *found = dlsym(RTLD_NEXT, #name);                                                                         \
        memcpy(&function, &found, sizeof found);                                                                       \
        store_relaxed(&next, function);                                                                                \
    }

/* The search for the next one frees the text of an error that came before, if there is one: it comes here, too, and is left
 * where it is. */
OURS void free(void *block)
{
    static __thread bool looking;
    if (looking)
        return;
    looking = true;
    NEXT(free)
    looking = false;
    forget_block(block);
    function(block);
}

OURS void *realloc(void *block, size_t size)
{
    NEXT(realloc)
    forget_block(block);
    return function(block, size);
}

OURS int munmap(void *start, size_t size)
{
    NEXT(munmap)
    if (check_runs() && !check_inside())
        forget(start, size);
    return function(start, size);
}

/* What was a lock is plain memory. */
OURS int pthread_mutex_destroy(pthread_mutex_t *mutex)
{
    NEXT(pthread_mutex_destroy)
    if (check_runs() && !check_inside())
        forget(mutex, sizeof(pthread_mutex_t));
    return function(mutex);
}

OURS int pthread_rwlock_destroy(pthread_rwlock_t *lock)
{
    NEXT(pthread_rwlock_destroy)
    if (check_runs() && !check_inside())
        forget(lock, sizeof(pthread_rwlock_t));
    return function(lock);
}

/* -- Stacks ------------------------------------------------------------------------------------------------------- */

void forget_find_stack(struct watched *me)
{
    pthread_attr_t attributes;
    void *low;
    size_t size;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0)
        return;
    if (pthread_attr_getstack(&attributes, &low, &size) == 0) {
        me->stack_low = (uintptr_t)low;
        me->stack_high = me->stack_low + size;
    }
    (void)pthread_attr_destroy(&attributes);
}

struct search {
    uintptr_t address;
    const void *return_address;
};

/* A frame begins at its stack pointer: what is below that of a caller belongs to whom it called. */
static _Unwind_Reason_Code look_at_frame(struct _Unwind_Context *context, void *arg)
{
    struct search *search = arg;
    if (_Unwind_GetCFA(context) <= search->address)
        return _URC_NO_REASON;
    search->return_address = (const void *)_Unwind_GetIP(context); // NOLINT(performance-no-int-to-ptr)
    return _URC_END_OF_STACK;
}

const void *forget_frame(const void *variable)
{
    struct search search = {(uintptr_t)variable, NULL};
    (void)_Unwind_Backtrace(look_at_frame, &search);
    return search.return_address;
}

static void forget_below(struct watched *me, uintptr_t address)
{
    check_enter();
    uintptr_t lowest = graph_forget_stack(me->stack_low, address, me->stack_high);
    store_relaxed(&me->lowest_lock, lowest);
    check_leave();
}

void forget_returned(struct watched *me)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    if (here > load_relaxed(&me->lowest_lock) && here < me->stack_high) /* else it is another stack: a signal's */
        forget_below(me, here);
}

void forget_stack(struct watched *me)
{
    if (load_relaxed(&me->lowest_lock) != UINTPTR_MAX)
        forget_below(me, me->stack_high);
}
