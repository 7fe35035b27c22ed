#!/usr/bin/env bash
# The example programs print what they should, in the order and in the time that they should.
#
# All run at the same time. A time is counted from before a program's start to after its end, so the lower limits are
# exact; the upper ones are above what is expected, and say only that a program does not wait for what it should not wait
# for. One that ends later is run again, alone: what waits for something does so each time, what had no processor does not.
#
# ctest: timeout=240
set -uo pipefail
export LC_ALL=C

programs=${THR_EXAMPLES:-$THR_BUILD_DIR/examples} # or those in Python: python/tests/examples.py
slack=${THR_EXAMPLES_SLACK:-3} # seconds, above what a program is expected to take
limit=100 # seconds, after which a program is ended
attempts=4 # of one that was late

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

failures=0
shown='' # the last case whose output was shown

# fail CASE TEXT...: the case is wrong; what it printed is shown, once.
fail()
{
    local case=$1
    shift
    failures=$((failures + 1))
    printf 'FAILED: %s: %s\n' "$case" "$*"
    [ "$shown" = "$case" ] && return
    shown=$case
    awk '{ print "    standard output: " $0 }' "$tmp/$case.out"
    awk '{ print "    standard error:  " $0 }' "$tmp/$case.err"
}

# same CASE WHAT EXPECTED SEEN: two texts, compared.
same()
{
    [ "$3" = "$4" ] && return
    fail "$1" "$2 is not what it should be (- expected, + seen):"
    diff -u <(printf '%s\n' "$3") <(printf '%s\n' "$4") | sed -e '1,3d' -e '/^ <end>$/d' -e 's/^/    /'
}

# took NAME LEAST: it ended with status 0, in at least so many milliseconds; sets `ms` to how many they were.
took()
{
    local status us
    read -r status us <"$tmp/$1.end"
    [ "$status" = 0 ] || fail "$case" "status $status, expected 0 (124: ended after $limit seconds)"
    ((us >= $2 * 1000)) || fail "$case" "took $((us / 1000)) ms, expected at least $2"
    ms=$((us / 1000))
}

# ended CASE LEAST [MOST]: status 0, in at least so many milliseconds, and not much more than so many (without MOST: LEAST).
ended()
{
    local case=$1 most=$((${3-$2} + slack * 1000)) ms attempt
    took "$case" "$2"
    for ((attempt = 0; ms > most && attempt < attempts; attempt++)); do
        # shellcheck disable=SC2086 # the words of the command
        timed again ${commands[$case]}
        took again "$2"
    done
    ((ms <= most)) || fail "$case" "took $ms ms, expected at most $most, and so each of $attempts times that it ran alone"
}

# What marks the end of a text: without it, $(...) would drop the newlines there.
end() { printf '<end>'; }

# The two streams of a case.
out() { cat "$tmp/$1.out" && end; }
err() { cat "$tmp/$1.err" && end; }

# lines LINE...: them, as out and err give them.
lines() { (($#)) && printf '%s\n' "$@"; end; }

# prints CASE MILLISECONDS LINE...: exactly these lines on standard output, nothing on standard error.
prints()
{
    local case=$1 least=$2
    shift 2
    same "$case" 'standard output' "$(lines "$@")" "$(out "$case")"
    same "$case" 'standard error' "$(lines)" "$(err "$case")"
    ended "$case" "$least"
}

# logs CASE MILLISECONDS LINE...: exactly these lines on standard error.
logs()
{
    local case=$1 least=$2
    shift 2
    same "$case" 'standard error' "$(lines "$@")" "$(err "$case")"
    ended "$case" "$least"
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

prints task_no_join 1000 'program finished' 'task done'
prints task_join 1000 'task done' 'program finished'
prints task_join_daemon 0 'program finished'
prints function_thread 1000 'foo done'
prints simple 0 Worker Worker Worker Worker Worker

same simple_args 'standard output, sorted,' "$(lines 'Worker: '{0..4})" "$(sort "$tmp/simple_args.out" && end)"
same simple_args 'standard error' "$(lines)" "$(err simple_args)"
ended simple_args 0

for ((i = 1; i <= races; i++)); do
    case=horse_race_$i
    same "$case" 'the number of lines' 10 "$(wc -l <"$tmp/$case.out")"
    same "$case" 'the beginning, sorted,' "$(lines {Alfie,Daisy,Unity}' ready...')" \
        "$(head -n 3 "$tmp/$case.out" | sort && end)"
    same "$case" 'the fourth line' '--- RACE STARTED ---' "$(sed -n 4p "$tmp/$case.out")"
    for horse in Alfie Daisy Unity; do
        same "$case" "what $horse does" "$(lines "$horse "{ready...,started,finished})" \
            "$(grep "^$horse " "$tmp/$case.out" && end)"
    done
    same "$case" 'standard error' "$(lines)" "$(err "$case")"
    ended "$case" 0 3000 # each horse sleeps three times, for up to a second
done

for input in three_at_once four_at_once empty_lines two_and_a_half; do
    prints "key_events_$input" 0 'key pressed' 'key pressed' 'key pressed' 'done'
done
prints key_events_three_slowly 750 'key pressed' 'key pressed' 'key pressed' 'done'
prints key_events_two 0 'key pressed' 'key pressed' 'done'
prints key_events_nothing 0 'done'

daemon_lines=('(daemon    ) Starting' '(non-daemon) Starting' '(non-daemon) Exiting')
logs daemon 0 "${daemon_lines[@]}"
same daemon 'standard output' "$(lines)" "$(out daemon)"
logs daemon_join 2000 "${daemon_lines[@]}" '(daemon    ) Exiting'
same daemon_join 'standard output' "$(lines)" "$(out daemon_join)"
logs daemon_join_timeout 1000 "${daemon_lines[@]}"
same daemon_join_timeout 'standard output' "$(lines 'd.isAlive() True')" "$(out daemon_join_timeout)"

# logged_by NAME: the lines of this thread, as `lines` gives them.
logged_by() { sed -n "s/^($1) //p" "$tmp/event.err" && end; }

same event 'what (block     ) logs' "$(lines 'wait_for_event starting' 'event set: True')" "$(logged_by 'block     ')"
same event 'what (non-block ) logs' \
    "$(lines 'wait_for_event_timeout starting' 'event set: False' 'doing other work' \
        'wait_for_event_timeout starting' 'event set: True' 'processing event')" "$(logged_by 'non-block ')"
same event 'what (MainThread) logs' "$(lines 'Waiting before calling Event.set()' 'Event is set')" \
    "$(logged_by MainThread)"
same event 'the number of lines' 10 "$(wc -l <"$tmp/event.err")"
same event 'standard output' "$(lines)" "$(out event)"
ended event 3000

if ((failures)); then
    printf '%d expectations were not met.\n' "$failures"
    exit 1
fi
printf '%d runs of the examples, as expected\n' "${#jobs[@]}"
