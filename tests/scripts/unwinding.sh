#!/usr/bin/env bash
# What thr_fail unwinds is the program's own code, and the wait that runs a task is part of that: so it is tried with each way in
# which that may be compiled.
#
# ctest: plain
set -euo pipefail

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$THR_SOURCE_DIR"
failures=0
: >"$tmp/printed"

# fails WHAT: says so, with what was printed.
fails()
{
    printf 'FAILED: %s\n' "$*"
    cat "$tmp/errors" "$tmp/printed"
    failures=$((failures + 1))
}

# try COMPILER FLAG...
try()
{
    "$1" -Iinclude -fexceptions "${@:2}" -o "$tmp/program" "$THR_BUILD_DIR/libthreading.a" -pthread -latomic 2>"$tmp/errors" || {
        fails "$@"
        return
    }
    ASAN_OPTIONS=detect_stack_use_after_return=1 timeout 20 "$tmp/program" >"$tmp/printed" 2>&1 &&
        [ "$(cat "$tmp/printed")" = 'as expected' ] || fails "$@"
    # AddressSanitizer has other places for variables.
    [[ " $* " != *-fsanitize* ]] || return 0
    for more in 0 1; do
        ! timeout 20 "$tmp/program" "$more" >"$tmp/printed" 2>&1 &&
            grep -q '^FATAL: a task has returned, and left a group open' "$tmp/printed" || fails "left open, $more:" "$@"
    done
}

program=tests/programs/unwinding.c
for flags in '-O0' '-O1' '-O2' '-O3' '-Os' '-O2 -fno-omit-frame-pointer' '-O2 -fno-inline' '-O2 -fstack-protector-all' \
    '-O2 -fno-pie -no-pie' '-O1 -fsanitize=address'; do
    read -ra each <<<"$flags"
    try "$CC" -std=gnu11 "${each[@]}" "$program"
    try "$CXX" -std=gnu++17 "${each[@]}" -x c++ "$program" -x none
done

((failures == 0)) && printf 'All as expected\n'
exit $((failures > 0))
