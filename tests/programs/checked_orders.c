/* checked_orders - orders in which locks are taken, for `threading check`. See tests/scripts/check.sh, which says what each
 * case should report. */

#include "checked.h"

#include <sys/wait.h>
#include <unistd.h>

static thr_lock b, c;
static thr_rlock r;
static thr_rwlock rw, rw2;
static thr_condition condition;
static thr_event go;

/* -- Orders ------------------------------------------------------------------------------------------------------- */

static void two_orders(void)
{
    both(&a, &b);
    both(&b, &a);
}

static void take_ab(void)
{
    both(&a, &b);
}

static void two_threads(void)
{
    in_thread(take_ab);
    both(&b, &a);
}

static void ring(void)
{
    both(&a, &b);
    both(&b, &c);
    both(&c, &a);
}

static void same_order(void)
{
    for (int i = 0; i < 3; i++) {
        both(&a, &b);
        both(&b, &c);
        both(&a, &c);
    }
}

/* What has been reported once is not reported again and again. */
static void repeated(void)
{
    for (int i = 0; i < 10; i++)
        two_orders();
}

static void many_pairs(void)
{
    static thr_lock pairs[100][2];
    for (int i = 0; i < 100; i++) {
        for (int k = 0; k < 2; k++)
            both(&pairs[i][k], &pairs[i][1 - k]);
    }
}

static void many_in_order(void)
{
    static thr_lock locks[1000];
    for (int turn = 0; turn < 2; turn++) {
        for (int i = 0; i < 1000; i++)
            thr_lock_acquire(&locks[i]);
        for (int i = 0; i < 1000; i++)
            thr_lock_release(&locks[i]);
    }
}

/* By address, whichever way they were met first. */
static void by_address(void)
{
    static thr_lock locks[5];
    static const int pairs[][2] = {{0, 1}, {2, 3}, {1, 2}, {0, 3}, {1, 4}, {3, 4}, {0, 4}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        both(&locks[pairs[i][0]], &locks[pairs[i][1]]);
}

static void gated(void)
{
    THR_HOLD(&c);
    two_orders();
}

static void gated_once(void)
{
    gated();
    both(&a, &b);
    both(&b, &a);
}

static void tried(void)
{
    both(&a, &b);
    THR_HOLD(&b);
    if (thr_lock_try_acquire(&a))
        (void)thr_lock_release(&a);
    if (thr_lock_acquire_until(&a, thr_after(1.0)) == THR_OK)
        (void)thr_lock_release(&a);
}

/* A lock that was tried for is held as any other. */
static void tried_first(void)
{
    both(&a, &b);
    if (!thr_lock_try_acquire(&b))
        exit(3);
    {
        THR_HOLD(&a);
    }
    (void)thr_lock_release(&b);
}

static void rlocks(void)
{
    static thr_rlock other;
    THR_HOLD(&r);
    THR_HOLD(&other);
    THR_HOLD(&r);
    THR_HOLD(&other);
}

static void rlock_order(void)
{
    {
        THR_HOLD(&r);
        THR_HOLD(&r);
        THR_HOLD(&a);
    }
    THR_HOLD(&a);
    THR_HOLD(&r);
}

static void rlock_depth(void)
{
    {
        THR_HOLD(&r);
        {
            THR_HOLD(&r);
        }
        THR_HOLD(&a); /* r is still held */
    }
    THR_HOLD(&a);
    THR_HOLD(&r);
}

static void rwlocks(void)
{
    (void)thr_rwlock_acquire_read(&rw);
    (void)thr_rwlock_acquire_write(&rw2);
    (void)thr_rwlock_release_write(&rw2);
    (void)thr_rwlock_release_read(&rw);
    (void)thr_rwlock_acquire_write(&rw2);
    (void)thr_rwlock_acquire_write(&rw);
    (void)thr_rwlock_release_write(&rw);
    (void)thr_rwlock_release_write(&rw2);
}

/* A wait gives up `a` and takes it again, with `b` held all along. */
static void notify_under_a(void)
{
    thr_event_wait(&go);
    size_t woken = 0;
    while (woken == 0) {
        THR_HOLD(&a);
        woken = thr_condition_notify(&condition, 1);
    }
}

static void wait_under_b(void)
{
    void (*notifier)(void) = notify_under_a;
    thr_thread *t = begin(&notifier, "notifier");
    {
        THR_HOLD(&a);
        THR_HOLD(&b);
        thr_event_set(&go);
        thr_condition_wait(&condition, &a);
    }
    end(t);
}

static void wait_alone(void)
{
    void (*notifier)(void) = notify_under_a;
    thr_thread *t = begin(&notifier, "notifier");
    both(&b, &a);
    {
        THR_HOLD(&b);
        THR_HOLD(&a);
        thr_event_set(&go);
        thr_condition_wait(&condition, &a);
    }
    end(t);
}

/* -- Released elsewhere ------------------------------------------------------------------------------------------- */

static void release_a(void)
{
    (void)thr_lock_release(&a);
}

static void handed_over(void)
{
    both(&b, &a);
    thr_lock_acquire(&a);
    in_thread(release_a);
    THR_HOLD(&b); /* a is not held any more */
}

static void release_read(void)
{
    (void)thr_rwlock_release_read(&rw);
}

static void read_handed_over(void)
{
    {
        THR_HOLD(&a);
        (void)thr_rwlock_acquire_read(&rw);
        (void)thr_rwlock_release_read(&rw);
    }
    (void)thr_rwlock_acquire_read(&rw);
    in_thread(release_read);
    THR_HOLD(&a);
}

/* -- Processes ---------------------------------------------------------------------------------------------------- */

static void status_7(void)
{
    same_order();
    exit(7);
}

static void forked(void)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        in_thread(two_orders);
        _exit(0);
    }
    if (waitpid(child, &status, 0) != child || status != 0)
        exit(3);
}

static void exits_at_once(void)
{
    two_orders();
    _exit(0);
}

static const struct program_case cases[] = {
    {CASE(two_orders)},
    {CASE(two_threads)},
    {CASE(ring)},
    {CASE(same_order)},
    {CASE(repeated)},
    {CASE(many_pairs)},
    {CASE(many_in_order)},
    {CASE(by_address)},
    {CASE(gated)},
    {CASE(gated_once)},
    {CASE(tried)},
    {CASE(tried_first)},
    {CASE(rlocks)},
    {CASE(rlock_order)},
    {CASE(rlock_depth)},
    {CASE(rwlocks)},
    {CASE(wait_under_b)},
    {CASE(wait_alone)},
    {CASE(handed_over)},
    {CASE(status_7)},
    {CASE(forked)},
    {CASE(exits_at_once)},
    {CASE(read_handed_over)},
};

int main(int argc, char **argv)
{
    return CASE_RUN(argc, argv, cases);
}
