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

# try COMPILER FLAG...
try() {
    if "$1" -Iinclude -fexceptions "${@:2}" -o "$tmp/program" "$THR_BUILD_DIR/libthreading.a" -pthread -latomic 2>"$tmp/errors" &&
        ASAN_OPTIONS=detect_stack_use_after_return=1 timeout 20 "$tmp/program" >"$tmp/printed" 2>&1 &&
        [ "$(cat "$tmp/printed")" = 'as expected' ]; then
        return
    fi
    printf 'FAILED: %s\n' "$*"
    cat "$tmp/errors" "$tmp/printed"
    failures=$((failures + 1))
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
