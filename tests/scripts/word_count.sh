#!/usr/bin/env bash
# The example that counts words: what it counts is what find and wc count, and it ends as it should, Ctrl-C included.
set -uo pipefail
export LC_ALL=C

tmp=$(mktemp -d)
trap 'chmod -R u+rwx "$tmp"; rm -rf "$tmp"' EXIT
chmod 755 "$tmp"
cp "$THR_BUILD_DIR/examples/word_count" "$tmp/" || exit 1 # where another user can reach it
count=$tmp/word_count
failures=0

fail()
{
    failures=$((failures + 1))
    printf 'FAILED: %s\n' "$*"
}

# same WHAT EXPECTED SEEN
same()
{
    [ "$2" = "$3" ] || fail "$1: expected \"$2\", seen \"$3\""
}

# sums FILE: lines, words and bytes of what it printed, added up; total FILE: as it has added them up itself.
sums() { awk '$4 != "total" { l += $1; w += $2; b += $3 } END { print l + 0, w + 0, b + 0 }' "$1"; }
total() { awk '$4 == "total" { print $1, $2, $3 }' "$1"; }

# by_wc DIRECTORY...
by_wc() { find "$@" -type f -print0 | wc --files0-from=- | awk '$4 == "total" { print $1, $2, $3 }'; }

# -- A real tree, and two ------------------------------------------------------------------------------------------

trees=("$THR_SOURCE_DIR/src" "$THR_SOURCE_DIR/include")
timeout 60 "$count" "${trees[@]}" >"$tmp/out" 2>"$tmp/err" </dev/null
same 'status' 0 $?
same 'total' "$(by_wc "${trees[@]}")" "$(total "$tmp/out")"
same 'sum of the lines' "$(by_wc "${trees[@]}")" "$(sums "$tmp/out")"
same 'standard error' '' "$(cat "$tmp/err")" # no progress: it is no terminal
diff <(find "${trees[@]}" -type f | sort) <(sed -e '$d' -e 's/^ *[0-9]* *[0-9]* *[0-9]* //' "$tmp/out" | sort) ||
    fail 'the names are not those that find gives'
(cd "$THR_SOURCE_DIR/src" && timeout 60 "$count" >"$tmp/out" </dev/null)
same 'total of the working directory' "$(by_wc "$THR_SOURCE_DIR/src")" "$(total "$tmp/out")"

# -- Odd files -----------------------------------------------------------------------------------------------------

mkdir -p "$tmp/odd/below" "$tmp/odd/empty"
printf 'no newline at the end' >"$tmp/odd/below/one"
printf ' \t\v\f\r\n two\twords \n\n' >"$tmp/odd/below/a name with spaces"
: >"$tmp/odd/none"
mkfifo "$tmp/odd/fifo" # nobody writes to it
ln -s . "$tmp/odd/circle"
ln -s below/one "$tmp/odd/link"
ln -s nowhere "$tmp/odd/broken"
timeout 60 "$count" "$tmp/odd" >"$tmp/out" 2>"$tmp/err" </dev/null
same 'status of odd files' 0 $?
same 'total of odd files' '3 7 40' "$(total "$tmp/out")"
same 'number of odd files' 4 "$(wc -l <"$tmp/out")"
same 'errors of odd files' '' "$(cat "$tmp/err")"

# -- What cannot be read -------------------------------------------------------------------------------------------

unprivileged=()
if [ "$(id -u)" = 0 ]; then
    unprivileged=(setpriv --reuid=65534 --regid=65534 --clear-groups) # root can read everything
    chown -R 65534:65534 "$tmp/odd"
fi
chmod 000 "$tmp/odd/below/one" "$tmp/odd/empty"
timeout 60 "${unprivileged[@]}" "$count" "$tmp/odd" "$tmp/absent" >"$tmp/out" 2>"$tmp/err" </dev/null
same 'status with unreadable files' 1 $?
same 'total with unreadable files' '3 2 19' "$(total "$tmp/out")"
same 'what is said of them' "word_count: $tmp/absent: No such file or directory
word_count: $tmp/odd/below/one: Permission denied
word_count: $tmp/odd/empty: Permission denied" "$(sort "$tmp/err")"

# -- Ctrl-C --------------------------------------------------------------------------------------------------------

# Nobody reads what it prints, so it cannot be through when the signal comes: more files than fit into the pipe, and on the
# way.
files=1000
name=a_name_that_is_long_so_that_few_lines_of_it_fit_into_the_pipe_that_nobody_reads_until_the_signal_has_been_sent_and_that_is_why_it_goes_on_and_on_in_the_way_that_it_does_here_
mkdir "$tmp/many"
seq "$files" | split -l 1 -a 4 - "$tmp/many/$name"
mkfifo "$tmp/pipe"

# read_ten: ten lines of what comes through the pipe, and not a byte more.
read_ten()
{
    local line
    for _ in {1..10}; do
        read -r line <&3 && printf '%s\n' "$line"
    done
}

timeout --foreground 60 "$count" "$tmp/many" >"$tmp/pipe" 2>"$tmp/err" </dev/null &
exec 3<"$tmp/pipe"
read_ten >"$tmp/out"
kill -INT $! # timeout hands it on
cat <&3 >>"$tmp/out"
wait $!
same 'status after Ctrl-C' 130 $?
counted=$(total "$tmp/out" | cut -d ' ' -f 1) # each has one line
[ "${counted:-0}" -ge 10 ] && [ "$counted" -lt "$files" ] || fail "Ctrl-C: $counted of $files files were counted"
same 'total after Ctrl-C' "$(sums "$tmp/out")" "$(total "$tmp/out")"
grep -Eqx 'word_count: interrupted; [1-9][0-9]* of the files that were found are not counted' "$tmp/err" ||
    fail "Ctrl-C: $(cat "$tmp/err")"

# The second one does not wait until somebody reads.
timeout --foreground 60 "$count" "$tmp/many" >"$tmp/pipe" 2>"$tmp/err" </dev/null &
exec 3<"$tmp/pipe"
read_ten >"$tmp/out"
while kill -INT $! 2>"$tmp/gone"; do :; done
wait $!
same 'status after two Ctrl-C' 130 $?
exec 3<&-

# -- A terminal ----------------------------------------------------------------------------------------------------

# The progress is due before the rest is read.
script -qec "$(printf '%q %q >%q' "$count" "$tmp/many" "$tmp/pipe")" /dev/null >"$tmp/terminal" </dev/null &
exec 3<"$tmp/pipe"
read_ten >"$tmp/out"
sleep 0.3
cat <&3 >>"$tmp/out"
exec 3<&-
wait $!
same 'status at a terminal' 0 $?
same 'total at a terminal' "$(by_wc "$tmp/many")" "$(total "$tmp/out")"
tr '\r' '\n' <"$tmp/terminal" | grep -Eqx '[0-9]+ files, [0-9]+ words ' || fail "no progress: $(cat -v "$tmp/terminal")"
same 'what is left on the terminal' $'\r\033[K' "$(tail -c 4 "$tmp/terminal")"

((failures == 0)) && printf 'All as expected\n'
exit $((failures > 0))
