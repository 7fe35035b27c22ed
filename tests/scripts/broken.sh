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
