#!/usr/bin/env bash
# A program that is built with ThreadSanitizer, and the library without: the stress tests report no race.
#
# ctest: plain
set -euo pipefail

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$THR_SOURCE_DIR"

# With the kernel's usual randomisation of addresses, some versions of the sanitizer do not start.
unrandomised=()
! setarch -R true 2>/dev/null || unrandomised=(setarch -R)

for test in tests/stress/stress_*.c; do
    program=$tmp/$(basename "$test" .c)
    "$CC" -std=c11 -D_GNU_SOURCE -O1 -g -fexceptions -fsanitize=thread -Iinclude -Isrc -Itests \
        "$test" tests/support/*.c "$THR_BUILD_DIR/libthreading.a" -lcmocka -pthread -o "$program"
    printf '== %s\n' "$test"
    THR_STRESS_SECONDS=0.3 TSAN_OPTIONS="halt_on_error=1 atexit_sleep_ms=0" "${unrandomised[@]}" "$program"
done
