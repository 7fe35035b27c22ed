#!/usr/bin/env bash
# `threading check` reports what it should, where it was, and nothing else.
#
# ctest: plain
# ctest: timeout=400
. "$THR_SOURCE_DIR/tests/support/laboratory.sh"

limit=30
source=$THR_SOURCE_DIR/tests/programs
printf 'a\nb\nc\n' >typed

# check STATUS PROGRAM [ARGUMENT]...: what the program itself prints is in `out`.
check()
{
    local expected=$1 got=0
    shift
    timeout "$limit" "$threading" check -- "$@" >out 2>log <typed || got=$?
    [ "$got" = "$expected" ] || fail "${*##*/}: status $got, not $expected"
}

# clean PROGRAM [ARGUMENT]...: nothing is reported.
clean()
{
    check 0 "$@"
    ! grep -q '^threading' log || fail "${*##*/}: there is a report"
}

# clean_cases CASE...: nothing is reported in these cases of `program`.
clean_cases()
{
    local name
    for name in "$@"; do
        clean "$program" "$name"
    done
}

# at FILE TEXT [LINES]: the place of this text in a program; or so many lines below.
at() { printf '%s:%d' "$1" $(($(line "$source/$1" "$2") + ${3-0})); }

# reports COUNT HEAD CASE [TEXT]...: so many reports in that case of `program`, the first with this head ('': whichever is
# first); each of the texts is in the output.
reports()
{
    local count=$1 head=$2 case=$3 text
    shift 3
    check 1 "$program" "$case"
    [ "$(grep -c '^threading check:' log)" = "$count" ] || fail "not $count reports"
    grep -m 1 '^threading check:' log | grep -qF "$head" || fail "the first report is not: $head"
    for text in "$@"; do
        says "$text"
    done
}

two='two locks are taken in two orders'
stuck='no thread can go on'

program=$programs/checked_orders
reports 1 "$two" two_orders 'b, then a, by MainThread' 'a, then b, by MainThread' \
    "$(at checked.h 'THR_HOLD(first);') in both" "$(at checked.h 'THR_HOLD(second);') in both" 'first taken'
reports 1 "$two" two_threads 'a, then b, by helper' 'b, then a, by MainThread'
reports 1 '3 locks are taken in a ring of orders' ring
for name in repeated many_pairs gated_once tried_first rlock_order rlock_depth rwlocks exits_at_once forked; do
    reports 1 "$two" "$name"
done
reports 1 "$two" wait_under_b 'a, then b' 'b, then a'
clean_cases same_order many_in_order by_address gated tried rlocks wait_alone handed_over read_handed_over
check 7 "$program" status_7

program=$programs/checked_pthread
reports 1 "$two" mutex_order 'mutex, then other_mutex' 'other_mutex, then mutex' 'in both_mutexes'
reports 1 "$two" mutex_and_lock 'mutex, then a' 'a, then mutex' 'in mutex_and_lock'
reports 1 "$two" posix_rwlock_and_lock 'posix_rwlock, then a' 'a, then posix_rwlock'
clean_cases gated_by_mutex mutex_tried mutex_recursive mutex_destroyed posix_wait

program=$programs/checked_memory
reports 1 "$two" not_freed
reports 1 "$two" on_stack
clean_cases freed reallocated mapped returned ended_threads

program=$programs/checked_waits
reports 2 'MainThread takes a again, and holds it already: it waits for itself' again \
    "$(at checked_waits.c 'static void again(void)' 2) in again" \
    "$(at checked_waits.c 'static void again(void)' 3) in again" "$stuck"
reports 1 'MainThread takes rw again, and holds it already' write_again
reports 2 'MainThread takes rw again, and holds it already' write_under_read "$stuck"
reports 2 'MainThread takes rw to read, and reads it already' read_twice "$stuck"
reports 2 'deadlock: 2 threads wait for each other' join_each_other 'joiner waits for the end of MainThread' "$stuck"
# Which thread sees the circle, and whether before the other has looked at its own order, is open.
reports 3 '' deadlock "$two" 'deadlock: 2 threads wait for each other' 'MainThread waits for lock b, held by other' \
    'other waits for lock a, held by MainThread' "in take_b_then_a" "$stuck"
reports 3 '' deadlock_with_reader "$two" 'deadlock: 2 threads wait for each other' 'waits for rwlock, to write, rw' "$stuck"
reports 1 "$stuck" left_waiting 'waiter waits for event go' \
    'MainThread waits for the others, to end the process'
[ "$(cat out)" = 'printed before' ] || fail 'left_waiting: what was printed is lost'
clean_cases again_until idle_daemon late outside

# Programs with a bug that is seen without an unlucky schedule, and all correct twins.
for program in abba deadlock_three philosophers transfer; do
    check 1 "$broken/$program"
done
twins=0
for program in "$broken"/*_ok; do
    clean "$program"
    twins=$((twins + 1))
done
((twins >= 25)) || fail "there are only $twins twins"

for example in simple event key_events horse_race daemon; do
    clean "$THR_BUILD_DIR/examples/$example"
done

# Bad usage.
check 2 /nowhere/program
says '/nowhere/program'
check 2 /bin/true
"$threading" check 2>log && fail 'no program at all, and no error'
says 'which program'

((status)) || printf 'as expected, %d twins included\n' "$twins"
exit $status
