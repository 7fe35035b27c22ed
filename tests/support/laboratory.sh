# laboratory.sh - what the scripts share that try the command `threading`; each begins with it. It takes them into an empty
# folder, whose end is theirs; without a laboratory in this build, it ends them.
#
# shellcheck shell=bash disable=SC2034
set -uo pipefail
export LC_ALL=C
unset DEBUGINFOD_URLS THREADING_LAB

threading=$THR_BUILD_DIR/threading
programs=$THR_BUILD_DIR/tests/programs
broken=$THR_BUILD_DIR/lab/broken
limit=100 # seconds, of each command
status=0  # what the script ends with

if [ ! -x "$threading" ]; then
    printf 'The laboratory is not built here.\n'
    exit 0
fi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1

# fail TEXT...: it is said, with the log of the last command. A script that has cases names the one that it is at in `case`.
fail()
{
    printf '%s%s\n' "${case:+$case: }" "$*"
    [ ! -f "$tmp/log" ] || sed 's/^/    /' "$tmp/log"
    status=1
}

# expect STATUS COMMAND...: runs it, with its output in the log.
expect() { expect_from /dev/null "$@"; }

# expect_from FILE STATUS COMMAND...: the same, with this file as its standard input.
expect_from()
{
    local input=$1 expected=$2 got=0
    shift 2
    timeout "$limit" "$@" >"$tmp/log" 2>&1 <"$input" || got=$?
    [ "$got" = "$expected" ] || fail "status $got, not $expected: $*"
}

# says TEXT: the log has it.
says() { grep -qF -- "$1" "$tmp/log" || fail "not said: $1"; }

# steered: the log names no calls that are not under control.
steered() { ! grep -q 'Not under control' "$tmp/log" || fail 'not under control'; }

# line FILE TEXT: the number of the first line there that has it.
line() { grep -n -m 1 -F -- "$2" "$1" | cut -d: -f1; }

flags=(-g -O2 -I "$THR_SOURCE_DIR/include")

# build NAME: the program of NAME.c.
build()
{
    "$CC" "${flags[@]}" "$1.c" -o "$1" "$THR_BUILD_DIR/libthreading.a" -pthread || fail "$1 does not compile"
}
