#!/usr/bin/env bash
# The command `threading`: the examples are explored without a complaint, and quickly; a bug is found, and replayed, in
# programs linked to either library; what cannot be done is said.
#
# Nothing here depends on how busy the machine is: the limits of time are far above what is needed on an idle one.
#
# ctest: plain
# ctest: timeout=400
. "$THR_SOURCE_DIR/tests/support/laboratory.sh"

# -- The examples ----------------------------------------------------------------------------------------------------

# They sleep for seconds; under the laboratory a schedule takes milliseconds. The limit is far from both.
for source in "$THR_SOURCE_DIR"/examples/*.c; do
    name=$(basename "$source" .c)
    expect 0 "$threading" explore -n 100 -- "$THR_BUILD_DIR/examples/$name"
    says 'schedules, '
    printf '%s: ' "$name"
    tail -n 1 log
done
printf 'one\ntwo\nthree\n' >lines
timeout "$limit" "$threading" explore -n 100 -- "$THR_BUILD_DIR/examples/key_events" <lines >log 2>&1 || fail 'key_events with lines'
printf 'one\ntwo\nthree\n' | timeout "$limit" "$threading" explore -n 100 -- "$THR_BUILD_DIR/examples/key_events" >log 2>&1 ||
    fail 'key_events with lines from a pipe'

# -- A bug ---------------------------------------------------------------------------------------------------------------

cat >abba.c <<'END'
#include <stdio.h>
#include <string.h>
#include <threading.h>

static thr_lock left = THR_LOCK_INIT;
static thr_lock right = THR_LOCK_INIT;
static int rounds;

static void *left_right(void *arg)
{
    for (int i = 0; i < rounds; i++) {
        thr_lock_acquire(&left);
        thr_lock_acquire(&right); /* here */
        thr_lock_release(&right);
        thr_lock_release(&left);
    }
    return arg;
}

static void *right_left(void *arg)
{
    thr_lock_acquire(&right);
    thr_lock_acquire(&left); /* there */
    thr_lock_release(&left);
    thr_lock_release(&right);
    return arg;
}

int main(int argc, char **argv)
{
    thr_thread *one;
    thr_thread *two;
    char line[16];
    rounds = argc > 1 && strcmp(argv[1], "two rounds") == 0 ? 2 : 1;
    if (argc > 2 && (argc != 5 || strcmp(argv[2], "a\nb\\n\\") != 0 || *argv[3] || strlen(argv[4]) != 20000))
        return 4;
    if (!fgets(line, sizeof line, stdin) || strcmp(line, "go\n") != 0)
        return 0; /* what was typed is served to each run */
    if (thr_spawn(&one, left_right, NULL, .name = "one") != THR_OK ||
        thr_spawn(&two, right_left, NULL, .name = "two") != THR_OK)
        return 1;
    thr_thread_join(one, NULL);
    thr_thread_join(two, NULL);
    return 0;
}
END
here=$(grep -n '/\* here \*/' abba.c | cut -d: -f1)
there=$(grep -n '/\* there \*/' abba.c | cut -d: -f1)
flags=(-g -O2 -I "$THR_SOURCE_DIR/include")
"$CC" "${flags[@]}" abba.c -o abba_static "$THR_BUILD_DIR/libthreading.a" -pthread || fail 'does not compile'
"$CC" "${flags[@]}" abba.c -o abba_shared -L "$THR_BUILD_DIR" -Wl,-rpath,"$THR_BUILD_DIR" -lthreading -pthread ||
    fail 'does not compile'

for program in abba_static abba_shared; do
    timeout "$limit" "$threading" explore -- "./$program" 'two rounds' <<<go >log 2>&1
    [ $? = 1 ] || fail "$program: nothing was found"
    says 'deadlock: one waits for a lock held by two; two waits for a lock held by one'
    says "one                waits for lock right, held by two, for 0.000 s, at abba.c:$here in left_right"
    says "two                waits for lock left, held by one, for 0.000 s, at abba.c:$there in right_left"
    says '1 of them preemptions'
    says "threading replay $tmp/$program.schedule"
    # Three times the same, from another folder.
    for _ in 1 2 3; do
        (cd / && timeout "$limit" "$threading" replay "$tmp/$program.schedule" <<<go >"$tmp/log" 2>&1)
        [ $? = 1 ] || fail "$program: the schedule did not fail again"
        says 'deadlock: one waits for a lock held by two; two waits for a lock held by one'
    done
done

# With other arguments it is another program.
timeout "$limit" "$threading" replay abba_static.schedule -- ./abba_static 'one round' <<<stop >log 2>&1
[ $? = 0 ] || fail 'without threads, and failed'
says 'started no thread'

# Arguments may have anything in them, and be long.
timeout "$limit" "$threading" explore -o strange.schedule -- ./abba_static 'two rounds' $'a\nb\\n\\' '' \
    "$(printf '%020000d' 7)" <<<go >log 2>&1
[ $? = 1 ] || fail 'strange arguments: nothing was found'
timeout "$limit" "$threading" replay strange.schedule <<<go >log 2>&1
[ $? = 1 ] || fail 'strange arguments: the schedule did not fail again'
says 'deadlock: one waits for a lock held by two; two waits for a lock held by one'

# The debugger starts the program through $SHELL, which may be any shell or none; and it may be forbidden to.
export HOME=$tmp SHELL=/bin/sh
if command -v gdb >/dev/null && gdb -q -batch -ex run --args true 2>&1 | grep -q 'exited normally'; then
    printf 'go\n' >typed
    printf 'run <typed\nthread apply all backtrace\ncontinue\n' >commands
    timeout "$limit" "$threading" replay --gdb abba_static.schedule <commands >log 2>&1
    says 'threading: deadlock: one waits for a lock held by two; two waits for a lock held by one'
    says 'SIGTRAP'
    says ' left_right ('
    says ' right_left ('
    says 'exited with code 0171' # 121: what the laboratory ends it with
    printf 'quit\n' >commands
    expect_from commands 0 "$threading" replay --gdb abba_static.schedule
    grep -q '^threading:' log && fail 'there is a complaint, though the debugger was only left'
else
    printf 'No debugger, or it may not trace: replay --gdb was not tried.\n'
fi

# -- A library without debugging information, and a program without ------------------------------------------------------

objcopy --strip-debug "$THR_BUILD_DIR/libthreading.a" bare.a || fail 'does not strip'
"$CC" "${flags[@]}" abba.c -o abba_bare bare.a -pthread || fail 'does not compile'
"$CC" "${flags[@]}" -g0 abba.c -o abba_bare_all bare.a -pthread || fail 'does not compile'
printf 'go\n' >typed
expect_from typed 1 "$threading" explore -- ./abba_bare
says "lock_acquire right abba.c:$here"
says ', at abba.c:'
grep -qF ':?' log && fail 'a place that nobody knows is told'
expect_from typed 1 "$threading" explore -- ./abba_bare_all
says 'one                waits for lock right, held by two, for 0.000 s, at left_right'
grep -qF ':?' log && fail 'a place that nobody knows is told'

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
line() { grep -n "/\* $1 \*/" upgrade.c | cut -d: -f1; }
"$CC" "${flags[@]}" upgrade.c -o upgrade "$THR_BUILD_DIR/libthreading.a" -pthread || fail 'does not compile'
"$CC" "${flags[@]}" upgrade.c -o upgrade_shared -L "$THR_BUILD_DIR" -Wl,-rpath,"$THR_BUILD_DIR" -lthreading -pthread ||
    fail 'does not compile'
for program in upgrade upgrade_shared; do
    expect 1 "$threading" explore -- ./$program
    says 'deadlock: one waits for an rwlock (to write) held by itself'
    says "waits for rwlock (to write) table, held by itself and two, for 0.000 s, at upgrade.c:$(line writes) in upgrade"
    says "waits for rwlock (to write) table, held by one and itself, for 0.000 s, at upgrade.c:$(line writes) in upgrade"
    [ "$(grep -c "holds rwlock table, to read, at upgrade.c:$(line reads) in upgrade" log)" = 2 ] ||
        fail 'not both readers are named'
    # Main would ask for ever; it is neither a hang, nor do its steps hide those of the others.
    expect 1 "$threading" explore -- ./$program ask
    says 'deadlock, beside threads that still move: one waits for an rwlock (to write) held by itself'
    says "thread_is_alive one upgrade.c:$(line asks)"
    says "rwlock_acquire_read table upgrade.c:$(line reads)"
    # Where nobody sleeps, time is made up: it says nothing of a wait.
    expect 1 "$threading" explore -- ./$program spin
    says "waits for rwlock (to write) table, held by itself and two, at upgrade.c:$(line writes) in upgrade"
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
line() { grep -n "/\* $1 \*/" nested.c | cut -d: -f1; }
"$CC" "${flags[@]}" nested.c -o nested "$THR_BUILD_DIR/libthreading.a" -pthread || fail 'does not compile'
expect 1 "$threading" explore -- ./nested
says "lock_acquire table nested.c:$(line outer)"
says "lock_acquire table nested.c:$(line inner)"
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
"$CC" "${flags[@]}" spin.c -o spin "$THR_BUILD_DIR/libthreading.a" -pthread || fail 'does not compile'
expect 1 "$threading" explore --hang 0.2 -- ./spin
says 'no end in time: one runs or blocks without an operation of the library'
says "at spin.c:$(grep -n '/\* here \*/' spin.c | cut -d: -f1) in wait_for_flag"
says 'MainThread         waits for the end of one'
says 'one                runs'
expect 1 "$threading" replay spin.schedule --hang 0.2
says 'no end in time: one runs or blocks without an operation of the library'

# -- Many threads ----------------------------------------------------------------------------------------------------------

cat >many.c <<'END'
#include <stdlib.h>
#include <threading.h>

static thr_lock lock = THR_LOCK_INIT;
static thr_event go = THR_EVENT_INIT;
static int count;

static void *add(void *arg)
{
    thr_event_wait(&go);
    thr_lock_acquire(&lock);
    count++;
    thr_lock_release(&lock);
    return arg;
}

int main(int argc, char **argv)
{
    static thr_thread *threads[1000];
    int n = argc > 1 ? atoi(argv[1]) : 1;
    for (int i = 0; i < n; i++) {
        if (thr_spawn(&threads[i], add, NULL) != THR_OK)
            return 1;
    }
    thr_event_set(&go);
    for (int i = 0; i < n; i++)
        thr_thread_join(threads[i], NULL);
    return count == n ? 0 : 3;
}
END
"$CC" "${flags[@]}" many.c -o many "$THR_BUILD_DIR/libthreading.a" -pthread || fail 'does not compile'
expect 0 "$threading" explore -n 50 -- ./many 64
expect 0 "$threading" explore -n 50 -- ./many 127
expect 2 "$threading" explore -n 50 -- ./many 128
says 'more than 127 threads at a time'

# Many threads, of which two suffice: what is shown has few preemptions.
for seed in 1 2; do
    expect 1 "$threading" explore -s "$seed" -- "$THR_BUILD_DIR/tests/programs/crowd"
    says 'deadlock: Thread-'
    [ "$(sed -n 's/.* decisions, \([0-9]*\) of them preemptions.*/\1/p' log)" -le 8 ] || fail 'not short'
    expect 1 "$threading" replay crowd.schedule
    says 'deadlock: Thread-'
done
expect 1 "$threading" explore --shorten 0.05 -- "$THR_BUILD_DIR/tests/programs/crowd"
says 'was broken off when its runs had used 0.05 s of processor time'
expect 1 "$threading" replay crowd.schedule
says 'deadlock: Thread-'

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
"$CC" "${flags[@]}" fault.c -o fault "$THR_BUILD_DIR/libthreading.a" -pthread || fail 'does not compile'
expect 1 "$threading" explore -- ./fault
says 'crash: Segmentation fault'
says "at fault.c:$(grep -n '/\* here \*/' fault.c | cut -d: -f1) in crash"

# -- Programs that do what programs do -------------------------------------------------------------------------------------

cat >habits.c <<'END'
#include <string.h>
#include <threading.h>
#include <unistd.h>

static thr_lock left = THR_LOCK_INIT;
static thr_lock right = THR_LOCK_INIT;

static void *take(void *arg)
{
    thr_lock_acquire(arg ? &left : &right);
    thr_lock_acquire(arg ? &right : &left);
    thr_lock_release(&left);
    thr_lock_release(&right);
    return NULL;
}

int main(int argc, char **argv)
{
    const char *habit = argc > 1 ? argv[1] : "";
    thr_thread *one;
    thr_thread *two;
    if (strcmp(habit, "closes") == 0) {
        for (int file = 0; file < 3; file++)
            (void)close(file);
    }
    if (strcmp(habit, "alarm") == 0)
        (void)alarm(1); /* of each run: none takes so long */
    if (thr_spawn(&one, take, &left) != THR_OK || thr_spawn(&two, take, argc > 1 ? NULL : &left) != THR_OK)
        return 1;
    thr_thread_join(one, NULL);
    thr_thread_join(two, NULL);
    return 0;
}
END
"$CC" "${flags[@]}" habits.c -o habits "$THR_BUILD_DIR/libthreading.a" -pthread || fail 'does not compile'
expect 1 "$threading" explore -- ./habits closes
says 'deadlock: Thread-'
sed 's/take, argc > 1 ? NULL : &left/take, \&left/' habits.c >habits_ok.c
"$CC" "${flags[@]}" habits_ok.c -o habits_ok "$THR_BUILD_DIR/libthreading.a" -pthread || fail 'does not compile'
expect 0 "$threading" explore -n 1000000 -t 2 -S random -- ./habits_ok alarm
says 'schedules, '
# Without any standard file, and where nothing can be written.
"$threading" explore -o bare.schedule -- ./habits wrong <&- >&- 2>&-
[ $? = 1 ] || fail 'without standard files'
"$threading" replay bare.schedule <&- >&- 2>&-
[ $? = 1 ] || fail 'replay without standard files'
expect 1 "$threading" explore -o /dev/full -- ./habits wrong
says '/dev/full cannot be written: No space left'
says 'deadlock: Thread-'
expect 1 "$threading" explore -o ./no/such/folder -- ./habits wrong
says 'cannot be written: No such file'
says 'deadlock: Thread-'

# -- Accesses to plain memory ----------------------------------------------------------------------------------------------

cat >race.c <<'END'
#include <threading.h>

static int count;

static void *add(void *arg)
{
    count++;
    return arg;
}

int main(void)
{
    thr_thread *one;
    thr_thread *two;
    if (thr_spawn(&one, add, NULL) != THR_OK || thr_spawn(&two, add, NULL) != THR_OK)
        return 1;
    thr_thread_join(one, NULL);
    thr_thread_join(two, NULL);
    return count == 2 ? 0 : 3;
}
END
"$CC" "${flags[@]}" race.c -o race "$THR_BUILD_DIR/libthreading.a" -pthread || fail 'does not compile'
expect 0 "$threading" explore -n 500 -- ./race # nothing between the load and the store is seen
"$CC" "${flags[@]}" -fsanitize=thread -c race.c -o race.o &&
    "$CC" race.o -o race_seen "$THR_BUILD_DIR/libthreading_lab_tsan.a" "$THR_BUILD_DIR/libthreading.a" -pthread ||
    fail 'does not compile'
expect 1 "$threading" explore -- ./race_seen
says 'the program ended with status 3'
says 'access count'

# -- A program that was built with AddressSanitizer ------------------------------------------------------------------------

cat >freed.c <<'END'
#include <stdlib.h>
#include <threading.h>

static thr_lock lock = THR_LOCK_INIT;
static int *number;

static void *use(void *arg)
{
    thr_lock_acquire(&lock);
    int *mine = number;
    thr_lock_release(&lock);
    if (mine) {
        thr_lock_acquire(&lock);
        *mine = 1;
        thr_lock_release(&lock);
    }
    return arg;
}

static void *drop(void *arg)
{
    thr_lock_acquire(&lock);
    free(number);
    number = NULL;
    thr_lock_release(&lock);
    return arg;
}

int main(int argc, char **argv)
{
    thr_thread *one;
    thr_thread *two;
    if (argc > 1 && argv[1])
        return 0;
    number = malloc(sizeof *number);
    if (thr_spawn(&one, use, NULL) != THR_OK || thr_spawn(&two, drop, NULL) != THR_OK)
        return 1;
    thr_thread_join(one, NULL);
    thr_thread_join(two, NULL);
    return 0;
}
END
unscattered=()
! setarch -R true 2>/dev/null || unscattered=(setarch -R)
if "$CC" "${flags[@]}" -fsanitize=address freed.c -o freed "$THR_BUILD_DIR/libthreading.a" -pthread &&
    "${unscattered[@]}" ./freed nothing >log 2>&1; then
    expect 1 "${unscattered[@]}" "$threading" explore -n 2000 -- ./freed
    says 'the program ended with status 1'
    says 'heap-use-after-free'
    expect 0 "${unscattered[@]}" "$threading" check -- ./freed nothing
else
    printf 'AddressSanitizer was not tried.\n'
fi

# -- Ctrl-C, and a program that does not do the same again ---------------------------------------------------------------

cat >uneven.c <<'END'
#include <fcntl.h>
#include <string.h>
#include <threading.h>
#include <unistd.h>

static thr_lock lock = THR_LOCK_INIT;

static void *hold(void *arg)
{
    for (int i = 0; i < 20; i++) {
        thr_lock_acquire(&lock);
        thr_lock_release(&lock);
    }
    return arg;
}

/* With `once`, the first run of all fails, and no other. */
int main(int argc, char **argv)
{
    thr_thread *one;
    thr_thread *two;
    if (thr_spawn(&one, hold, NULL) != THR_OK || thr_spawn(&two, hold, NULL) != THR_OK)
        return 1;
    thr_thread_join(one, NULL);
    thr_thread_join(two, NULL);
    int file = open("ran", O_CREAT | O_EXCL | O_WRONLY, 0600);
    return argc > 1 && strcmp(argv[1], "once") == 0 && file >= 0 ? 3 : 0;
}
END
"$CC" "${flags[@]}" uneven.c -o uneven "$THR_BUILD_DIR/libthreading.a" -pthread || fail 'does not compile'
rm -f ran
expect 1 "$threading" explore -n 100 -o uneven.schedule -- ./uneven once
says 'the program ended with status 3'
says 'The program does not do the same again under the same schedule: after the same decisions: it did not fail'

# As a terminal does it: the signal goes to all of the command's processes.
rm -f ran
# shellcheck disable=SC2016
setsid sh -c 'echo $$ >group; exec timeout --foreground "$@"' sh "$limit" \
    "$threading" explore -n 1000000000 -t 1000000 -- ./uneven >log 2>&1 </dev/null &
waiter=$!
for ((i = 0; i < 1000; i++)); do
    [ ! -e ran ] || break
    sleep 0.1
done
kill -INT -- "-$(cat group)"
wait "$waiter"
got=$?
[ "$got" = 0 ] || fail "interrupted: status $got"
says 'schedules, '

# -- What cannot be done ---------------------------------------------------------------------------------------------------

expect 2 "$threading" explore -- true
says 'does not use the library'
expect 2 "$threading" explore -- ./no_such_program
says 'No such file'
expect 2 "$threading" explore
expect 2 "$threading" explore -n many -- ./abba_static
says 'wants a number'
for option in schedules jobs preemptions; do
    expect 2 "$threading" explore "--$option=0" -- ./abba_static
    says "--$option wants a number above 0"
done
if "$CC" "${flags[@]}" -static abba.c -o abba_fixed "$THR_BUILD_DIR/libthreading.a" -pthread 2>/dev/null; then
    for command in explore check; do
        expect_from typed 2 "$threading" "$command" -- ./abba_fixed
        says 'cannot be loaded into a program that is linked statically'
    done
fi
expect 2 "$threading" explore -S luck -- ./abba_static
says 'no strategy'
expect 2 "$threading" dance
says 'no command'
expect 2 "$threading" replay
expect 2 "$threading" replay no_such_file
says 'No such file'
head -c 1000 /dev/zero >zeros
for file in zeros /dev/null . ./abba_static; do
    expect 2 "$threading" replay "$file"
    says "$file is no schedule file"
done
printf 'threading schedule 999\nprogram ./abba_static\n' >newer.schedule
timeout "$limit" "$threading" replay newer.schedule <<<go >log 2>&1
[ $? = 2 ] || fail 'a schedule of another version'
says 'version 999'
for line in 'at one two' 'at 1 2 lock_acquire run' "$(printf 'end\nat 1 2 lock_acquire run 2')"; do
    printf 'threading schedule 2\nprogram ./abba_static\n%s\nend\n' "$line" >broken.schedule
    timeout "$limit" "$threading" replay broken.schedule <<<go >log 2>&1
    [ $? = 2 ] || fail 'a schedule that is broken'
    says "broken.schedule:$(($(wc -l <broken.schedule) - 1)): not understood"
done
# Cut anywhere, at the end of a line or within one.
size=$(wc -c <abba_static.schedule)
for ((cut = size - 1; cut > 25; cut -= 9)); do
    head -c "$cut" abba_static.schedule >cut.schedule
    [ "$(tail -c 3 cut.schedule)" != end ] || continue
    timeout "$limit" "$threading" replay cut.schedule -- ./abba_static 'two rounds' <<<go >log 2>&1
    [ $? = 2 ] || fail "a schedule that was cut after $cut of $size bytes"
    grep -q 'cut.schedule was cut\|cut.schedule:[0-9]*: not understood' log || fail "cut after $cut: another message"
done
expect 0 "$threading" --help
says 'explore'
expect 0 "$threading" --version
expect 0 "$threading" explore --help
says '--schedules=N'

exit $status
