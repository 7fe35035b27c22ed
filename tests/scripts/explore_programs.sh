#!/usr/bin/env bash
# Programs under `threading explore` that do what programs do: start many threads, close files, set an alarm, are built with a
# sanitizer, are interrupted, or do not do the same again.
#
# ctest: plain
# ctest: timeout=400
. "$THR_SOURCE_DIR/tests/support/laboratory.sh"

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
build many
expect 0 "$threading" explore -n 50 -- ./many 64
expect 0 "$threading" explore -n 50 -- ./many 127
expect 2 "$threading" explore -n 50 -- ./many 128
says 'more than 127 threads at a time'

# Many threads, of which two suffice: what is shown has few preemptions.
for seed in 1 2; do
    expect 1 "$threading" explore -s "$seed" -- "$programs/crowd"
    says 'deadlock: Thread-'
    [ "$(sed -n 's/.* decisions, \([0-9]*\) of them preemptions.*/\1/p' log)" -le 8 ] || fail 'not short'
    expect 1 "$threading" replay crowd.schedule
    says 'deadlock: Thread-'
done
expect 1 "$threading" explore --shorten 0.05 -- "$programs/crowd"
says 'was broken off when its runs had used 0.05 s of processor time'
expect 1 "$threading" replay crowd.schedule
says 'deadlock: Thread-'

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
build habits
expect 1 "$threading" explore -- ./habits closes
says 'deadlock: Thread-'
sed 's/take, argc > 1 ? NULL : &left/take, \&left/' habits.c >habits_ok.c
build habits_ok
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
build race
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
build uneven
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
exit $status
