/* checked_memory - locks whose memory becomes that of others, for `threading check`. See tests/scripts/check.sh. */

#include "checked.h"

#include <stdint.h>
#include <sys/mman.h>

/* Memory as malloc would give it, but at this place, if that is not 0: others are kept until then. */
static void *allocate_at(uintptr_t place)
{
    enum { SIZE = 200, TRIES = 1000 };
    for (int i = 0; i < TRIES; i++) {
        void *block = malloc(SIZE);
        volatile uintptr_t at = (uintptr_t)block; /* compilers take it that this is never the same place */
        if (block && (place == 0 || at == place))
            return block;
    }
    exit(3); /* this shows nothing then */
}

static void in_heap(bool again)
{
    uintptr_t place = 0;
    for (int i = 0; i < 2; i++) {
        thr_lock *lock = allocate_at(place);
        place = (uintptr_t)lock;
        *lock = (thr_lock)THR_LOCK_INIT;
        if (i == 0)
            both(lock, &a);
        else
            both(&a, lock);
        if (again)
            both(&a, lock);
        free(lock);
    }
}

static void freed(void)
{
    in_heap(false);
}

static void not_freed(void)
{
    in_heap(true);
}

static void reallocated(void)
{
    struct {
        thr_lock lock;
        char more[60];
    } *block = calloc(1, 64);
    if (!block)
        exit(3);
    both(&block->lock, &a);
    block = realloc(block, 64); /* the same, and forgotten all the same */
    if (!block)
        exit(3);
    both(&a, &block->lock);
    free(block);
}

static void mapped(void)
{
    const size_t size = 4 << 20;
    for (int i = 0; i < 2; i++) {
        thr_lock *lock = mmap((void *)0x200000000, size, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        if (lock == MAP_FAILED)
            exit(3);
        if (i == 0)
            both(lock + 1000, &a);
        else
            both(&a, lock + 1000);
        (void)munmap(lock, size);
    }
}

static uintptr_t seen_at[2];

__attribute__((noinline)) static int nest(int turn)
{
    thr_lock lock = THR_LOCK_INIT;
    seen_at[turn] = (uintptr_t)&lock;
    if (turn == 0)
        both(&lock, &a);
    else
        both(&a, &lock);
    return turn;
}

static void returned(void)
{
    if (nest(0) == nest(1) || seen_at[0] != seen_at[1])
        exit(3);
}

static void on_thread_stack(void)
{
    (void)nest(0);
}

static void on_other_thread_stack(void)
{
    (void)nest(1);
}

static void ended_threads(void)
{
    in_thread(on_thread_stack);
    in_thread(on_other_thread_stack);
    if (seen_at[0] != seen_at[1])
        exit(3);
}

/* In main's variables, used by others too. */
static thr_lock *of_main;

static void other_order(void)
{
    both(&a, of_main);
}

static void on_stack(void)
{
    thr_lock lock = THR_LOCK_INIT;
    of_main = &lock;
    in_thread(other_order);
    both(&lock, &a);
}

static const struct program_case cases[] = {
    {CASE(freed)},    {CASE(not_freed)},     {CASE(reallocated)}, {CASE(mapped)},
    {CASE(returned)}, {CASE(ended_threads)}, {CASE(on_stack)},
};

int main(int argc, char **argv)
{
    return CASE_RUN(argc, argv, cases);
}
