#!/usr/bin/env bash
# The system's timers (alarm, setitimer, timer_create) under `threading explore`: in virtual time, whether they were set before
# the first thread or later; what they tell by a thread is steered, and what they tell by a signal is reported.
#
# ctest: plain
# ctest: timeout=200
. "$THR_SOURCE_DIR/tests/support/laboratory.sh"

alarms=$programs/alarms

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
