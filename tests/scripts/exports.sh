#!/usr/bin/env bash
# The shared library exports what src/exports.map lists, and that is what the code marks as public.
set -euo pipefail
exec "$THR_SOURCE_DIR/tools/check_exports" "$THR_BUILD_DIR"
