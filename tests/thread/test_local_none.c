/* test_local_none.c - values of threads where there is no memory for them. */

#include "support/support.h"

#include <errno.h>

#include "os/os.h"

static __thread bool fail_now; /* the calling thread's allocations fail */

/* The linker's names for the wrapped functions. */
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);
thr_result __real_os_thread_end_arm(os_end_key key, void *value);
thr_result __wrap_os_thread_end_arm(os_end_key key, void *value);

static bool fails(void)
{
    if (fail_now)
        errno = ENOMEM;
    return fail_now;
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

static __thread bool fail_arm;

thr_result __wrap_os_thread_end_arm(os_end_key key, void *value)
{
    return fail_arm ? THR_NO_MEMORY : __real_os_thread_end_arm(key, value);
}

static uint32_t made;
static uint32_t destroyed;

static void *make(void)
{
    made++;
    return &made;
}

static void destroy(void *value)
{
    CHECK(value == &made);
    destroyed++;
}

/* No key, no table, no place: at each the local stays without a value, and works afterwards. */
static void none_at_first(void *arg)
{
    thr_local *local = arg;
    bool *how[] = {&fail_now, &fail_arm};
    support_errno_set();
    for (size_t i = 0; i < 2; i++) {
        *how[i] = true;
        CHECK(thr_local_get(local) == NULL);
        CHECK_EQUAL(made, 0);
        CHECK_RESULT(thr_local_set(local, &made), THR_NO_MEMORY);
        CHECK(thr_local_get(local) == NULL);
        *how[i] = false;
    }
    CHECK_ERRNO();
    CHECK(thr_local_get(local) == &made);
    CHECK_EQUAL(made, 1);
}

static void test_none_at_first(void **state)
{
    (void)state;
    thr_local local = THR_LOCAL_INIT(make, destroy);
    made = 0;
    destroyed = 0;
    support_thread_join(support_thread_start(none_at_first, &local));
    CHECK_EQUAL(destroyed, 1);
    thr_local_destroy(&local);
}

/* The table, or that of the keys, cannot grow: what is there stays. */
static void test_none_later(void **state)
{
    (void)state;
    enum { N = 1000 };
    static thr_local locals[N];
    size_t failures = 0;
    made = 0;
    destroyed = 0;
    for (size_t i = 0; i < N; i++) {
        locals[i] = (thr_local)THR_LOCAL_INIT(make, destroy);
        fail_now = true;
        thr_result result = thr_local_set(&locals[i], &made);
        fail_now = false;
        CHECK(result == THR_OK || result == THR_NO_MEMORY);
        if (result != THR_OK) {
            failures++;
            CHECK_OK(thr_local_set(&locals[i], &made));
        }
    }
    CHECK(failures >= 5);
    for (size_t i = 0; i < N; i++)
        CHECK(thr_local_get(&locals[i]) == &made);
    CHECK_EQUAL(made, 0);
    for (size_t i = 0; i < N; i++)
        thr_local_destroy(&locals[i]);
    CHECK_EQUAL(destroyed, N);
}

SUPPORT_MAIN(cmocka_unit_test(test_none_at_first), cmocka_unit_test(test_none_later))
