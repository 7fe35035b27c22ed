#!/usr/bin/env bash
# Each public header compiles alone, twice in a row, without a warning: as C and as C++, with gcc and with clang.
#
# ctest: plain
# ctest: timeout=120
set -euo pipefail

flags=(-Wall -Wextra -Wpedantic -Wconversion -Werror -c -o /dev/null)

# try COMPILER LANGUAGE STANDARD HEADER
try()
{
    printf '#include "%s"\n#include "%s"\n' "$4" "$4" |
        "$1" -x "$2" "-std=$3" "${flags[@]}" -I "$THR_SOURCE_DIR/include" - ||
        { printf '%s does not compile alone: %s -std=%s\n' "$4" "$1" "$3"; return 1; }
}

# every_header COMPILER LANGUAGE STANDARD
every_header()
{
    local header
    while read -r header; do
        try "$1" "$2" "$3" "$header" || return 1
    done < <(cd "$THR_SOURCE_DIR/include" && find . -name '*.h' -printf '%P\n' | sort)
}

jobs=()
for compilers in "$CC $CXX" 'gcc g++' 'clang clang++'; do
    read -r c cxx <<<"$compilers"
    if ! command -v "$c" >/dev/null || ! command -v "$cxx" >/dev/null; then
        printf 'not here, not tried: %s, %s\n' "$c" "$cxx"
        continue
    fi
    version=$("$c" --version | head -n 1)
    case ${seen-} in *"|$version|"*) continue ;; esac
    seen="${seen-}|$version|"
    printf 'with %s\n' "$version"
    for standard in c11 c17 c2x; do
        every_header "$c" c "$standard" & jobs+=($!)
    done
    for standard in c++17 c++20; do
        every_header "$cxx" c++ "$standard" & jobs+=($!)
    done
done

status=0
for job in "${jobs[@]}"; do
    wait "$job" || status=1
done
exit $status
