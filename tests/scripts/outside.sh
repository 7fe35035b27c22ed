#!/usr/bin/env bash
# Calls that are not the library's, under `threading explore`: those of pthreads and the clocks are steered, so that bugs in
# their use are found and correct uses are accused of nothing; those that are not steered are reported.
#
# ctest: plain
# ctest: timeout=300
set -uo pipefail
export LC_ALL=C

threading=$THR_BUILD_DIR/threading
program=$THR_BUILD_DIR/tests/programs/outside
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failures=0

if [ ! -x "$threading" ]; then
    printf 'The laboratory is not built here.\n'
    exit 0
fi

fail()
{
    failures=$((failures + 1))
    printf 'FAILED: %s\n' "$*"
    sed 's/^/    /' "$tmp/log"
}

# explore STATUS OPTION... CASE
explore()
{
    local expected=$1 got=0
    shift
    timeout 100 "$threading" explore -q -o "$tmp/schedule" "${@:1:$#-1}" -- "$program" "${!#}" >"$tmp/log" 2>&1 \
        </dev/null || got=$?
    [ "$got" = "$expected" ] || fail "${!#}: status $got, not $expected"
}

says() { grep -qF -- "$1" "$tmp/log" || fail "$case: not said: $1"; }

steered()
{
    ! grep -q 'Not under control' "$tmp/log" || fail "$case: not under control"
}

# finds TEXT CASE...
finds()
{
    local text=$1 case
    for case in "${@:2}"; do
        explore 1 "$case"
        says "$text"
        steered
    done
}

finds 'the program ended with status 3' thread_not_joined
finds 'deadlock' mutexes_crossed signal_lost semaphores_crossed rwlock_upgraded spins_crossed barrier_one_short \
    c11_crossed c11_signal_lost once_crossed futex_lost

for case in thread_joined mutex_counts mutexes_timed mutex_polled mutex_kinds condition_waited conditions_timed \
    semaphores_handed spin_counts barrier_met c11_counts futex_handed futex_timed sleeps; do
    explore 0 -n 500 "$case"
    steered
done

# A wait with a deadline that ends early is no mistake of ours here.
case=rwlock_counts
explore 0 -n 500 --no-early-timeouts rwlock_counts
steered

# Who has a mutex is said, and the call and its place.
case=mutexes_crossed
line=$(grep -n 'first ? &right : &left) == 0' "$THR_SOURCE_DIR/tests/programs/outside.c" | head -n 1 | cut -d: -f1)
explore 1 mutexes_crossed
says 'deadlock: pthread-1 waits for a pthread mutex held by pthread-2; pthread-2 waits for a pthread mutex held by pthread-1'
says "waits for pthread mutex right, held by pthread-2, at outside.c:$line in cross_mutexes"
says 'holds pthread mutex right, at outside.c:'
says "pthread_mutex_lock left outside.c:$line"

case=rwlock_upgraded
explore 1 rwlock_upgraded
says 'waits for a pthread rwlock (to write) held by '
says ', to read, at outside.c:'

program=$THR_BUILD_DIR/tests/programs/outside_cpp
finds 'deadlock' wait_without_notify
for case in wait_of_atomic once_fails static_guarded; do
    explore 0 -n 500 --no-early-timeouts "$case"
    steered
done
program=$THR_BUILD_DIR/tests/programs/outside

# reported CASE NAME...
reported()
{
    local case=$1 name
    explore 0 -n 50 "$case"
    says 'Not under control'
    for name in "${@:2}"; do
        says "$name"
    done
}

case=thread_works
explore 0 -n 20 thread_works
steered

reported polls poll select
reported forks fork waitpid
reported requeues futex
reported semaphore_named sem_open

reported reads read
reported handlers pthread_kill
explore 0 -n 300 handlers

case=reads_nothing
explore 1 --hang 0.3 reads_nothing
says 'no end in time'
says 'Not under control, so that not all orders were tried: read'

if ((failures)); then
    printf '%d expectations were not met.\n' "$failures"
    exit 1
fi
