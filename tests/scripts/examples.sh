#!/usr/bin/env bash
# The example programs print what they should, in the order and in the time that they should.
#
# All run at the same time. A time is counted from before a program's start to after its end, so the lower limits are
# exact; the upper ones are above what is expected, and say only that a program does not wait for what it should not wait
# for. The programs themselves sleep, and take it that others get on meanwhile. Where the machine stood still, that is not
# so: a case that is wrong is run again, alone, and has to be right twice in a row.
#
# ctest: timeout=240
set -uo pipefail
export LC_ALL=C

programs=${THR_EXAMPLES:-$THR_BUILD_DIR/examples} # or those in Python: python/tests/examples.py
slack=${THR_EXAMPLES_SLACK:-3} # seconds, above what a program is expected to take
limit=100 # seconds, after which a program is ended
attempts=4 # of one that was wrong

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
jobs=()

for program in task_no_join task_join function_thread horse_race key_events simple simple_args \
    daemon daemon_join daemon_join_timeout event; do
    [ -x "$programs/$program" ] && continue
    printf 'There is no %s: the examples are not built.\n' "$programs/$program"
    exit 1
done

# What the programs read.
nothing() { :; }
three_at_once() { printf 'a\nb\nc\n'; }
three_slowly() { for key in a b c; do sleep 0.25 && printf '%s\n' "$key" || return; done; }
four_at_once() { printf 'a\nb\nc\nd\n'; }
two() { printf 'a\nb\n'; }
two_and_a_half() { printf 'a\nb\nno end'; }
empty_lines() { printf '\n\n\n'; }

# timed NAME INPUT PROGRAM [ARGUMENT]...: runs it; what it prints, its status and how long it took go into files of the name.
timed()
{
    local name=$1 input=$2 program=$programs/$3 start status
    shift 3
    start=${EPOCHREALTIME/./}
    "$input" | timeout "$limit" "$program" "$@" >"$tmp/$name.out" 2>"$tmp/$name.err"
    status=${PIPESTATUS[1]}
    printf '%s %s\n' "$status" $((${EPOCHREALTIME/./} - start)) >"$tmp/$name.end"
}

declare -A commands # of the cases

# launch CASE INPUT PROGRAM [ARGUMENT]...: runs it in the background; INPUT is one of the functions above.
launch()
{
    commands[$1]=${*:2}
    timed "$@" &
    jobs+=($!)
}

# Of the case that is looked at: its name, and what is wrong with it.
case=
wrong=0

# fail TEXT...
fail()
{
    ((wrong++)) || awk '{ print "    " FILENAME ": " $0 }' "$tmp/$case.out" "$tmp/$case.err" | sed "s|$tmp/||"
    printf '    %s\n' "$*"
}

failures=0

# expect CASE CHECK [ARGUMENT]...: the check finds nothing wrong with it.
expect()
{
    local right=0 attempt
    case=$1
    shift
    for ((attempt = 0; attempt <= attempts; attempt++)); do
        wrong=0
        # shellcheck disable=SC2086 # the words of the command
        ((attempt == 0)) || timed "$case" ${commands[$case]}
        "$@" >"$tmp/wrong"
        if ((wrong == 0)); then
            ((attempt == 0 || ++right == 2)) && return
            continue
        fi
        right=0
        printf '%s, attempt %d: is wrong:\n' "$case" $((attempt + 1))
        cat "$tmp/wrong"
    done
    printf 'FAILED: %s\n' "$case"
    failures=$((failures + 1))
}

# same WHAT EXPECTED SEEN: two texts, compared.
same()
{
    [ "$2" = "$3" ] && return
    fail "$1 is not what it should be (- expected, + seen):"
    diff -u <(printf '%s\n' "$2") <(printf '%s\n' "$3") | sed -e '1,3d' -e '/^ <end>$/d' -e 's/^/    /'
}

# ended LEAST [MOST]: status 0, in at least so many milliseconds, and not much more than so many (without MOST: LEAST).
ended()
{
    local status us most=$((${2-$1} + slack * 1000))
    read -r status us <"$tmp/$case.end"
    [ "$status" = 0 ] || fail "status $status, expected 0 (124: ended after $limit seconds)"
    ((us >= $1 * 1000)) || fail "took $((us / 1000)) ms, expected at least $1"
    ((us <= most * 1000)) || fail "took $((us / 1000)) ms, expected at most $most"
}

# What marks the end of a text: without it, $(...) would drop the newlines there.
end() { printf '<end>'; }

# The two streams.
out() { cat "$tmp/$case.out" && end; }
err() { cat "$tmp/$case.err" && end; }

# lines LINE...: them, as out and err give them.
lines() { (($#)) && printf '%s\n' "$@"; end; }

# prints MILLISECONDS LINE...: exactly these lines on standard output, nothing on standard error.
prints()
{
    same 'standard output' "$(lines "${@:2}")" "$(out)"
    same 'standard error' "$(lines)" "$(err)"
    ended "$1"
}

# logs MILLISECONDS OUTPUT LINE...: exactly these lines on standard error, and this one, if any, on standard output.
logs()
{
    same 'standard error' "$(lines "${@:3}")" "$(err)"
    same 'standard output' "$(lines ${2:+"$2"})" "$(out)"
    ended "$1"
}

workers()
{
    same 'standard output, sorted,' "$(lines 'Worker: '{0..4})" "$(sort "$tmp/$case.out" && end)"
    same 'standard error' "$(lines)" "$(err)"
    ended 0
}

race()
{
    local horse
    same 'the number of lines' 10 "$(wc -l <"$tmp/$case.out")"
    same 'the beginning, sorted,' "$(lines {Alfie,Daisy,Unity}' ready...')" "$(head -n 3 "$tmp/$case.out" | sort && end)"
    same 'the fourth line' '--- RACE STARTED ---' "$(sed -n 4p "$tmp/$case.out")"
    for horse in Alfie Daisy Unity; do
        same "what $horse does" "$(lines "$horse "{ready...,started,finished})" "$(grep "^$horse " "$tmp/$case.out" && end)"
    done
    same 'standard error' "$(lines)" "$(err)"
    ended 0 3000 # each horse sleeps three times, for up to a second
}

# logged_by NAME: the lines of this thread, as `lines` gives them.
logged_by() { sed -n "s/^($1) //p" "$tmp/$case.err" && end; }

waits_for_event()
{
    same 'what (block     ) logs' "$(lines 'wait_for_event starting' 'event set: True')" "$(logged_by 'block     ')"
    same 'what (non-block ) logs' \
        "$(lines 'wait_for_event_timeout starting' 'event set: False' 'doing other work' \
            'wait_for_event_timeout starting' 'event set: True' 'processing event')" "$(logged_by 'non-block ')"
    same 'what (MainThread) logs' "$(lines 'Waiting before calling Event.set()' 'Event is set')" "$(logged_by MainThread)"
    same 'the number of lines' 10 "$(wc -l <"$tmp/$case.err")"
    same 'standard output' "$(lines)" "$(out)"
    ended 3000
}

races=5

launch task_no_join nothing task_no_join
launch task_join nothing task_join
launch task_join_daemon nothing task_join daemon
launch function_thread nothing function_thread
for ((i = 1; i <= races; i++)); do
    launch "horse_race_$i" nothing horse_race
done
for input in three_at_once three_slowly four_at_once empty_lines two two_and_a_half nothing; do
    launch "key_events_$input" "$input" key_events
done
launch simple nothing simple
launch simple_args nothing simple_args
launch daemon nothing daemon
launch daemon_join nothing daemon_join
launch daemon_join_timeout nothing daemon_join_timeout
launch event nothing event
wait "${jobs[@]}"

expect task_no_join prints 1000 'program finished' 'task done'
expect task_join prints 1000 'task done' 'program finished'
expect task_join_daemon prints 0 'program finished'
expect function_thread prints 1000 'foo done'
expect simple prints 0 Worker Worker Worker Worker Worker
expect simple_args workers
for ((i = 1; i <= races; i++)); do
    expect "horse_race_$i" race
done
for input in three_at_once four_at_once empty_lines two_and_a_half; do
    expect "key_events_$input" prints 0 'key pressed' 'key pressed' 'key pressed' 'done'
done
expect key_events_three_slowly prints 750 'key pressed' 'key pressed' 'key pressed' 'done'
expect key_events_two prints 0 'key pressed' 'key pressed' 'done'
expect key_events_nothing prints 0 'done'

daemon_lines=('(daemon    ) Starting' '(non-daemon) Starting' '(non-daemon) Exiting')
expect daemon logs 0 '' "${daemon_lines[@]}"
expect daemon_join logs 2000 '' "${daemon_lines[@]}" '(daemon    ) Exiting'
expect daemon_join_timeout logs 1000 'd.isAlive() True' "${daemon_lines[@]}"
expect event waits_for_event

if ((failures)); then
    printf '%d expectations were not met.\n' "$failures"
    exit 1
fi
printf '%d runs of the examples, as expected\n' "${#jobs[@]}"
