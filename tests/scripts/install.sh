#!/usr/bin/env bash
# Installs into a temporary place, moves that elsewhere, and builds and runs programs that use it from there: through
# find_package and through pkg-config, with the shared library and the static one, in C and C++; and the README's.
#
# ctest: plain
# ctest: timeout=120
set -euo pipefail

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
consumer=$THR_SOURCE_DIR/tests/consumer

# run COMMAND...: silent, unless it fails.
run()
{
    if ! "$@" >"$tmp/log" 2>&1; then
        printf 'failed: %s\n' "$*"
        cat "$tmp/log"
        exit 1
    fi
}

run cmake --install "$THR_BUILD_DIR" --prefix "$tmp/elsewhere"
mv "$tmp/elsewhere" "$tmp/prefix"
prefix=$tmp/prefix
pc=$(find "$prefix" -name threading.pc)
export PKG_CONFIG_PATH=${pc%/*}
libdir=$(pkg-config --variable=libdir threading)
export LD_LIBRARY_PATH=$libdir

if grep -rlF "$THR_SOURCE_DIR" "$prefix" --include='*.cmake' --include='*.pc' --include='*.h'; then
    printf 'The files above name the source folder.\n'
    exit 1
fi

printf 'find_package\n'
run cmake -S "$consumer" -B "$tmp/cmake" -G Ninja "-DCMAKE_PREFIX_PATH=$prefix"
run cmake --build "$tmp/cmake"
for program in c_shared c_static cpp_shared cpp_static; do
    run "$tmp/cmake/$program" "$(pkg-config --modversion threading)"
done

printf 'pkg-config\n'
read -ra cflags < <(pkg-config --cflags threading)
read -ra libs < <(pkg-config --libs threading)
read -ra static_libs < <(pkg-config --static --libs threading)
warnings=(-Wall -Wextra -Wpedantic -Werror)
run "$CC" "${warnings[@]}" "${cflags[@]}" "$consumer/consumer.c" -o "$tmp/c_shared" "${libs[@]}"
run "$CC" "${warnings[@]}" "${cflags[@]}" "$consumer/consumer.c" -o "$tmp/c_archive" "$libdir/libthreading.a" -pthread
run "$CC" "${warnings[@]}" "${cflags[@]}" "$consumer/consumer.c" -o "$tmp/c_static" -static "${static_libs[@]}"
run "$CXX" "${warnings[@]}" -std=c++17 "${cflags[@]}" "$consumer/consumer.cpp" -o "$tmp/cpp_shared" "${libs[@]}"
run "$CXX" "${warnings[@]}" -std=c++17 "${cflags[@]}" "$consumer/consumer.cpp" -o "$tmp/cpp_archive" \
    "$libdir/libthreading.a" -pthread
for program in c_shared c_archive c_static cpp_shared cpp_archive; do
    run "$tmp/$program" "$(pkg-config --modversion threading)"
done

printf 'the first C program of the README\n'
awk '/^```/ { if (inside) exit; if (/^```c$/) { inside = 1; next } } inside' "$THR_SOURCE_DIR/README.md" >"$tmp/readme.c"
[ -s "$tmp/readme.c" ] || { printf 'README.md has no block of C\n'; exit 1; }
run "$CC" "$tmp/readme.c" -o "$tmp/readme" "${cflags[@]}" "${libs[@]}"
run timeout 30 "$tmp/readme" </dev/null

# As it is installed, moved, and called from elsewhere.
if [ -x "$THR_BUILD_DIR/threading" ]; then
    printf 'the laboratory\n'
    unset THREADING_LAB
    PATH=$prefix/bin:$PATH
    cd "$tmp"
    [ -n "$(find "$prefix" -name 'threading.1*')" ] || { printf 'there is no man page\n'; exit 1; }
    run threading explore -n 50 -- "$tmp/readme"
    run threading explore -n 50 -- "$tmp/c_archive" "$(pkg-config --modversion threading)"
    run threading check -- "$tmp/readme"
    run "$CC" -g -fsanitize=thread "${cflags[@]}" -c "$THR_SOURCE_DIR/lab/broken/abba.c" -o "$tmp/abba.o"
    run "$CC" "$tmp/abba.o" -o "$tmp/abba" -L "$libdir" -lthreading_lab_tsan "${libs[@]}" -pthread
    ! threading explore -o "$tmp/abba.schedule" -- "$tmp/abba" >"$tmp/log" 2>&1 && grep -q '^deadlock' "$tmp/log" ||
        { printf 'abba is not found\n'; cat "$tmp/log"; exit 1; }
    ! threading replay "$tmp/abba.schedule" >"$tmp/log" 2>&1 && grep -q '^deadlock' "$tmp/log" ||
        { printf 'abba is not replayed\n'; cat "$tmp/log"; exit 1; }
fi
