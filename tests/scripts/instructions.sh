#!/usr/bin/env bash
# No operation executes more instructions than benchmarks/instructions.txt says.
#
# ctest: plain
set -euo pipefail
exec "$THR_SOURCE_DIR/benchmarks/instructions" --check
