#!/usr/bin/env bash
# `threading explore` finds the bug of each program in lab/broken, and accuses no correct twin: a short search, with one
# seed. ./nightly has the long one.
#
# ctest: plain
# ctest: timeout=300
set -euo pipefail

if [ ! -x "$THR_BUILD_DIR/threading" ]; then
    printf 'The laboratory is not built here.\n'
    exit 0
fi
search=$THR_SOURCE_DIR/lab/broken/search
"$search" --build "$THR_BUILD_DIR" --only broken
"$search" --build "$THR_BUILD_DIR" --only twins --schedules 200

# The exhaustive search must not take a yield point for a step that touches nothing, and claim to have seen it all.
status=0
"$THR_BUILD_DIR/threading" explore --quiet --strategy exhaustive --output /dev/null -- \
    "$THR_BUILD_DIR/lab/broken/deque_slip" >/dev/null 2>&1 || status=$?
if ((status != 1)); then
    printf 'deque_slip, exhaustive: status %d, expected 1\n' $status
    exit 1
fi
