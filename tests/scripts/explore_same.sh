#!/usr/bin/env bash
# The same program with the same seed: the same report and the same schedule file, byte for byte, however busy the machine is
# and however many schedules run at a time.
#
# ctest: plain
# ctest: timeout=200
. "$THR_SOURCE_DIR/tests/support/laboratory.sh"

busy=()

idle()
{
    ((${#busy[@]} == 0)) || kill "${busy[@]}"
    wait
    busy=()
}
trap 'idle; rm -rf "$tmp"' EXIT

# load N: so many processes beside that do nothing but run.
load()
{
    local i
    idle
    for ((i = 0; i < $1; i++)); do
        while :; do :; done &
        busy+=($!)
    done
}

# explore NAME OPTION... -- COMMAND...: NAME.report and NAME.schedule, as it was told.
explore()
{
    local name=$1 got=0
    shift
    printf 'a\nb\n' | timeout "$limit" "$threading" explore --quiet --output schedule "$@" >"$name.report" 2>&1 || got=$?
    if [ $got != 1 ]; then
        printf 'status %d, not 1: %s\n' $got "$*"
        sed 's/^/    /' "$name.report"
        status=1
    fi
    mv schedule "$name.schedule"
}

# the_same OPTION... -- COMMAND...
the_same()
{
    local processors
    processors=$(nproc)
    load 0
    explore first "$@"
    load "$processors"
    explore loaded "$@"
    load 0
    explore alone --jobs 1 "$@"
    explore many --jobs $((processors + 3)) "$@"
    local other kind
    for other in loaded alone many; do
        for kind in report schedule; do
            cmp -s first.$kind $other.$kind && continue
            printf 'The %s is another one, %s: %s\n' $kind $other "$*"
            diff first.$kind $other.$kind | sed 's/^/    /' | head -n 20
            status=1
        done
    done
}

the_same -- "$broken/abba"
the_same --seed 3 -- "$broken/missing_while"
the_same --strategy exhaustive -- "$broken/deque_slip"
the_same -- "$broken/timeout_ignored"
the_same -- "$broken/philosophers" 4
the_same --seed 2 -- "$programs/crowd"
exit $status
