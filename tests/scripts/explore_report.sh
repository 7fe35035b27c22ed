#!/usr/bin/env bash
# What `threading explore` says of a bug: who waits, who holds what, and where in the program.
#
# ctest: plain
# ctest: timeout=200
. "$THR_SOURCE_DIR/tests/support/laboratory.sh"

# -- Who reads, and who only asks ----------------------------------------------------------------------------------------

cat >upgrade.c <<'END'
#include <stdlib.h>
#include <threading.h>

static thr_rwlock table = THR_RWLOCK_INIT;
static thr_barrier both;

static void *upgrade(void *arg)
{
    thr_rwlock_acquire_read(&table); /* reads */
    if (thr_barrier_wait(&both, NULL) != THR_OK)
        return NULL;
    thr_rwlock_acquire_write(&table); /* writes */
    thr_rwlock_release_write(&table);
    thr_rwlock_release_read(&table);
    return arg;
}

/* With an argument it asks again and again whether the first has ended; with `ask`, after a sleep. */
int main(int argc, char **argv)
{
    thr_thread *one;
    thr_thread *two;
    if (thr_barrier_init(&both, 2, NULL, NULL) != THR_OK || thr_spawn(&one, upgrade, NULL, .name = "one") != THR_OK ||
        thr_spawn(&two, upgrade, NULL, .name = "two") != THR_OK)
        return 1;
    while (argc > 1 && thr_thread_is_alive(one)) { /* asks */
        if (argv[1][0] == 'a')
            thr_sleep(0.01);
    }
    thr_thread_join(one, NULL);
    thr_thread_join(two, NULL);
    return 0;
}
END
build upgrade
"$CC" "${flags[@]}" upgrade.c -o upgrade_shared -L "$THR_BUILD_DIR" -Wl,-rpath,"$THR_BUILD_DIR" -lthreading -pthread ||
    fail 'does not compile'
for program in upgrade upgrade_shared; do
    expect 1 "$threading" explore -- ./$program
    says 'deadlock: one waits for an rwlock (to write) held by itself'
    says "waits for rwlock (to write) table, held by itself and two, for 0.000 s, at upgrade.c:$(line upgrade.c '/* writes */') in upgrade"
    says "waits for rwlock (to write) table, held by one and itself, for 0.000 s, at upgrade.c:$(line upgrade.c '/* writes */') in upgrade"
    [ "$(grep -c "holds rwlock table, to read, at upgrade.c:$(line upgrade.c '/* reads */') in upgrade" log)" = 2 ] ||
        fail 'not both readers are named'
    # Main would ask for ever; it is neither a hang, nor do its steps hide those of the others.
    expect 1 "$threading" explore -- ./$program ask
    says 'deadlock, beside threads that still move: one waits for an rwlock (to write) held by itself'
    says "thread_is_alive one upgrade.c:$(line upgrade.c '/* asks */')"
    says "rwlock_acquire_read table upgrade.c:$(line upgrade.c '/* reads */')"
    # Where nobody sleeps, time is made up: it says nothing of a wait.
    expect 1 "$threading" explore -- ./$program spin
    says "waits for rwlock (to write) table, held by itself and two, at upgrade.c:$(line upgrade.c '/* writes */') in upgrade"
done

# -- What an executor does with locks of its own is not shown --------------------------------------------------------------

cat >nested.c <<'END'
#include <threading.h>

static thr_executor *executor;
static thr_lock table = THR_LOCK_INIT;

static void *inner(void *arg)
{
    thr_lock_acquire(&table); /* inner */
    thr_lock_release(&table);
    return arg;
}

static void *outer(void *arg)
{
    thr_future *future;
    thr_lock_acquire(&table); /* outer */
    if (thr_executor_submit(executor, &future, inner, arg) != THR_OK || thr_future_result(future, NULL) != THR_OK)
        return NULL;
    thr_future_unref(future);
    thr_lock_release(&table);
    return arg;
}

int main(void)
{
    if (thr_executor_new(&executor, .max_workers = 2) != THR_OK ||
        thr_executor_submit(executor, NULL, outer, NULL) != THR_OK)
        return 1;
    (void)thr_executor_shutdown(executor, true, false);
    thr_executor_free(executor);
    return 0;
}
END
build nested
expect 1 "$threading" explore -- ./nested
says "lock_acquire table nested.c:$(line nested.c '/* outer */')"
says "lock_acquire table nested.c:$(line nested.c '/* inner */')"
grep -qE 'lock_(acquire|release) @' log && fail 'locks are shown that the program has not'

# -- A thread that spins -------------------------------------------------------------------------------------------------

cat >spin.c <<'END'
#include <threading.h>

static volatile int flag;

static void *wait_for_flag(void *arg)
{
    while (!flag) /* here */
        continue;
    return arg;
}

static void *set_flag(void *arg)
{
    flag = 1;
    return arg;
}

int main(void)
{
    thr_thread *one;
    thr_thread *two;
    if (thr_spawn(&one, wait_for_flag, NULL, .name = "one") != THR_OK ||
        thr_spawn(&two, set_flag, NULL, .name = "two") != THR_OK)
        return 1;
    thr_thread_join(one, NULL);
    thr_thread_join(two, NULL);
    return 0;
}
END
build spin
expect 1 "$threading" explore --hang 0.2 -- ./spin
says 'no end in time: one runs or blocks without an operation of the library'
says "at spin.c:$(line spin.c '/* here */') in wait_for_flag"
says 'MainThread         waits for the end of one'
says 'one                runs'
expect 1 "$threading" replay spin.schedule --hang 0.2
says 'no end in time: one runs or blocks without an operation of the library'

# -- A callback that crashes -----------------------------------------------------------------------------------------------

cat >fault.c <<'END'
#include <threading.h>

static int *volatile nowhere;

static void crash(void *arg)
{
    (void)arg;
    *nowhere = 1; /* here */
}

int main(void)
{
    thr_timer *timer;
    if (thr_timer_new(&timer, 0.1, crash, NULL) != THR_OK || thr_timer_start(timer) != THR_OK)
        return 1;
    thr_timer_join(timer);
    return 0;
}
END
build fault
expect 1 "$threading" explore -- ./fault
says 'crash: Segmentation fault'
says "at fault.c:$(line fault.c '/* here */') in crash"
exit $status
