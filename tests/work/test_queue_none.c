/* test_queue_none.c - queues where there is no memory to be had, and how much they keep. */

#include "kinds.h"

#include <errno.h>
#include <stdlib.h>

#include "wait/atomic.h"

/* -- What can fail ------------------------------------------------------------------------------------------------ */

/* How many allocations succeed before one fails; below 0: all. */
static int32_t until_failure = -1;
static uint32_t failures;
static uint32_t kept; /* allocations that have not been freed, while counted */

/* Of the array that was last given its size: how many bytes. */
static uint32_t array;

static bool fails(void)
{
    int32_t left = load_relaxed(&until_failure);
    if (left < 0)
        return false;
    store_relaxed(&until_failure, left - 1);
    if (left > 0)
        return false;
    (void)add_relaxed(&failures, 1);
    errno = ENOMEM;
    return true;
}

static void *count(void *memory)
{
    (void)add_relaxed(&kept, memory != NULL);
    return memory;
}

/* The linker's names for the wrapped functions. */
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void __real_free(void *memory);
void __wrap_free(void *memory);

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : count(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : count(__real_calloc(n, size));
}

void *__wrap_realloc(void *memory, size_t size)
{
    if (fails())
        return NULL;
    (void)sub_relaxed(&kept, memory != NULL);
    store_relaxed(&array, (uint32_t)size);
    return count(__real_realloc(memory, size));
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : count(__real_aligned_alloc(alignment, size));
}

void __wrap_free(void *memory)
{
    (void)sub_relaxed(&kept, memory != NULL);
    __real_free(memory);
}

/* -- Tests -------------------------------------------------------------------------------------------------------- */

static thr_result make(enum kind kind, thr_queue **queue)
{
    switch (kind) {
    case RING:
        return thr_queue_new(queue, 1000);
    case SEGMENTS:
        return thr_queue_new(queue, 0);
    case LIFO:
        return thr_lifo_queue_new(queue, 0);
    case PRIORITY:
    case KINDS:
    default:
        return thr_priority_queue_new(queue, 0, by_number);
    }
}

enum { ITEMS = 1000 };

/* Puts the items in, each again if there was no memory; takes them out. Everything is there, once. */
static void use(thr_queue *queue)
{
    static uint32_t seen[ITEMS];
    for (uintptr_t i = 0; i < ITEMS; i++) {
        thr_result result = thr_queue_put(queue, item_of(i));
        if (result != THR_OK) {
            CHECK_RESULT(result, THR_NO_MEMORY);
            CHECK_EQUAL(thr_queue_size(queue), i);
            CHECK_EQUAL(thr_queue_unfinished(queue), i);
            put(queue, i);
        }
        seen[i] = 0;
    }
    for (uintptr_t i = 0; i < ITEMS; i++)
        seen[get(queue)]++;
    for (uintptr_t i = 0; i < ITEMS; i++)
        CHECK_EQUAL(seen[i], 1);
    CHECK(thr_queue_empty(queue));
}

/* Each allocation fails in turn, until there are no more. */
static void each_in_turn(enum kind kind)
{
    uint32_t before = kept;
    for (int32_t n = 0;; n++) {
        thr_queue *queue = NULL;
        failures = 0;
        until_failure = n;
        support_errno_set();
        while (make(kind, &queue) != THR_OK)
            CHECK(queue == NULL && failures > 0);
        use(queue);
        thr_queue_free(queue);
        CHECK_ERRNO();
        CHECK_EQUAL(kept, before);
        if (failures == 0)
            break;
        CHECK(n < 100);
    }
    until_failure = -1;
}

static void test_each_in_turn(void **state)
{
    (void)state;
    for_each_kind(each_in_turn);
}

struct call {
    thr_queue *queue;
    thr_result result;
};

/* A put that waited for room, and finds no memory then, leaves the room to the next one. */
static void put_one(void *arg)
{
    struct call *call = arg;
    call->result = thr_queue_put(call->queue, NULL);
}

static void test_woken_in_vain(void **state)
{
    (void)state;
    enum { FULL = 255 }; /* the next cell is the last of a segment */
    struct call calls[2] = {{.queue = queue_of(SEGMENTS, FULL)}, {0}};
    struct support_thread *threads[2];
    calls[1].queue = calls[0].queue;
    for (uintptr_t i = 0; i < FULL; i++)
        put(calls[0].queue, i);
    for (int i = 0; i < 2; i++) {
        threads[i] = support_thread_start(put_one, &calls[i]);
        support_wait_thread_blocked(threads[i], calls[0].queue);
    }
    store_relaxed(&until_failure, 0);
    (void)get(calls[0].queue);
    for (int i = 0; i < 2; i++)
        support_thread_join(threads[i]);
    CHECK_EQUAL((calls[0].result == THR_NO_MEMORY) + (calls[1].result == THR_NO_MEMORY), 1);
    CHECK_EQUAL((calls[0].result == THR_OK) + (calls[1].result == THR_OK), 1);
    thr_queue_free(calls[0].queue);
}

/* What has grown shrinks; what runs in steady state takes nothing. */
static void shrinks(enum kind kind)
{
    enum { MANY = 100000 };
    thr_queue *queue = NULL;
    uint32_t before = kept;
    CHECK_OK(make(kind, &queue));
    if (kind == RING)
        CHECK_OK(thr_queue_set_maxsize(queue, 1000));
    uint32_t empty = kept;
    for (uintptr_t i = 0; kind != RING && i < MANY; i++)
        put(queue, i);
    for (uintptr_t i = 0; kind != RING && i < MANY; i++)
        (void)get(queue);
    CHECK(kept <= empty + 2);
    CHECK(array < 1000);
    uint32_t steady = kept;
    until_failure = 3; /* a few may still come: a first spare segment, a small array */
    failures = 0;
    for (uintptr_t i = 0; i < MANY; i++) {
        put(queue, i);
        (void)get(queue);
    }
    CHECK_EQUAL(failures, 0);
    CHECK(kept <= steady + 2);
    until_failure = -1;
    thr_queue_free(queue);
    CHECK_EQUAL(kept, before);
}

static void test_shrinks(void **state)
{
    (void)state;
    for_each_kind(shrinks);
}

SUPPORT_MAIN(cmocka_unit_test(test_each_in_turn), cmocka_unit_test(test_woken_in_vain), cmocka_unit_test(test_shrinks))
