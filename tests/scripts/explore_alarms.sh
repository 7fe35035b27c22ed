#!/usr/bin/env bash
# The system's timers (alarm, setitimer, timer_create) under `threading explore`: in virtual time, whether they were set before
# the first thread or later; what they tell by a thread is steered, and what they tell by a signal is reported.
#
# ctest: plain
# ctest: timeout=200
set -uo pipefail
export LC_ALL=C
unset DEBUGINFOD_URLS THREADING_LAB

threading=$THR_BUILD_DIR/threading
alarms=$THR_BUILD_DIR/tests/programs/alarms
limit=60 # seconds, of each command
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
status=0

if [ ! -x "$threading" ]; then
    printf 'The laboratory is not built here.\n'
    exit 0
fi
cd "$tmp" || exit 1

fail()
{
    printf '%s: %s\n' "$case" "$*"
    sed 's/^/    /' log
    status=1
}

# expect STATUS COMMAND...: runs it, with its output in the log.
expect()
{
    local expected=$1 got=0
    shift
    timeout "$limit" "$@" >log 2>&1 </dev/null || got=$?
    [ "$got" = "$expected" ] || fail "status $got, not $expected: $*"
}

says() { grep -qF -- "$1" log || fail "not said: $1"; }

steered() { ! grep -q 'Not under control' log || fail 'not under control'; }

explore() { expect "$1" "$threading" explore --quiet --hang 0.5 -n 300 -o schedule -- "$alarms" "$case"; }

# well CASE [CALL]...: it comes to a good end under all schedules; these calls are not under control.
well()
{
    local case=$1 call
    explore 0
    (($# > 1)) || steered
    for call in "${@:2}"; do
        says 'Not under control'
        says " $call"
    done
}

# fails CASE TEXT: it does not, says so, twice the same, and when it is replayed.
fails()
{
    local case=$1
    explore 1
    says "$2"
    mv log first
    explore 1
    cmp -s first log || fail "the report is another one: $(diff first log | head -n 5)"
    expect 1 "$threading" replay --hang 0.5 schedule
    says "$2"
}

well before_alarm alarm
well before_itimer setitimer
well before_signal timer_create
well before_semaphore setitimer
well before_sigwait setitimer sigwait
well before_read setitimer read
well before_thread
well in_run timer_create
well pauses alarm pause
well looks
fails before_deadlock 'deadlock: waiter waits for an event; MainThread waits for the end of waiter'
fails before_ticks 'deadlock: waiter waits for an event; MainThread waits for the end of waiter'
fails before_too_late 'ended by a signal: Alarm clock'
fails races 'the program ended with status 3'
steered

# Which thread such a signal comes to is up to the system, and now and then it is the one that waits for it: so the schedule
# that is shown may be another one.
case=pauses_elsewhere
explore 1
says 'no end in time: waiter runs or blocks without an operation of the library'
exit $status
