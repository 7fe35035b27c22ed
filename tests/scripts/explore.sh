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
here=$(line abba.c '/* here */')
there=$(line abba.c '/* there */')
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
