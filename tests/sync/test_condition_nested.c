/* test_condition_nested.c - a wait for a condition inside another: in an interrupt, while the thread keeps its place. */

#include "support/support.h"

#include "threading.h"
#include "wait/wait.h"

struct place {
    thr_lock lock;
    thr_condition condition;
};

struct nested {
    struct place outer;
    struct place inner;
    bool ends;   /* the interrupt ends the outer wait */
    bool first;  /* the outer is notified before the inner */
    bool inside; /* only the first interrupt waits; on the waiting thread */
    thr_result inner_result;
    thr_result outer_result;
};

static thr_result wait_at(struct place *place)
{
    (void)thr_lock_acquire(&place->lock);
    thr_result result = thr_condition_wait(&place->condition, &place->lock);
    (void)thr_lock_release(&place->lock);
    return result;
}

static bool wait_inside(void *arg)
{
    struct nested *nested = arg;
    if (nested->inside)
        return false;
    nested->inside = true;
    nested->inner_result = wait_at(&nested->inner);
    return nested->ends;
}

static void wait_outside(void *arg)
{
    struct nested *nested = arg;
    struct support_pester signals;
    support_record()->interrupt = wait_inside;
    support_record()->interrupt_arg = nested;
    support_pester_start(&signals, NULL, NULL);
    nested->outer_result = wait_at(&nested->outer);
    support_pester_stop(&signals);
    support_record()->interrupt = NULL;
}

static void notify(struct place *place)
{
    (void)thr_lock_acquire(&place->lock);
    CHECK_EQUAL(thr_condition_notify(&place->condition, 1), 1);
    CHECK_EQUAL(thr_condition_notify(&place->condition, 1), 0);
    CHECK_OK(thr_lock_release(&place->lock));
}

static void check(struct nested nested)
{
    struct support_thread *thread = support_thread_start(wait_outside, &nested);
    support_wait_blocked(&nested.inner.condition, 1);
    if (nested.first)
        notify(&nested.outer); /* the interrupt cannot end that any more */
    notify(&nested.inner);
    if (!nested.first && !nested.ends) {
        support_wait_blocked(&nested.outer.condition, 1);
        notify(&nested.outer);
    }
    support_thread_join(thread);
    CHECK_OK(nested.inner_result);
    CHECK_RESULT(nested.outer_result, nested.ends && !nested.first ? THR_INTERRUPTED : THR_OK);
    CHECK_EQUAL(thr_condition_notify(&nested.outer.condition, 1), 0);
    CHECK_EQUAL(thr_condition_notify(&nested.inner.condition, 1), 0);
}

static void test_outer_goes_on(void **state)
{
    (void)state;
    check((struct nested){.ends = false});
}

static void test_outer_ends(void **state)
{
    (void)state;
    check((struct nested){.ends = true});
}

static void test_outer_is_notified_first(void **state)
{
    (void)state;
    check((struct nested){.first = true});
    check((struct nested){.first = true, .ends = true});
}

SUPPORT_MAIN(cmocka_unit_test(test_outer_goes_on), cmocka_unit_test(test_outer_ends),
             cmocka_unit_test(test_outer_is_notified_first))
