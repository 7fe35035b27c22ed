#!/usr/bin/env bash
# A program that closes all files, or becomes a daemon, is explored, replayed and checked as any other; and it finds its files
# under the numbers that they have without the laboratory.
#
# ctest: plain
# ctest: timeout=120
set -uo pipefail
export LC_ALL=C
unset DEBUGINFOD_URLS THREADING_LAB

threading=$THR_BUILD_DIR/threading
files=$THR_BUILD_DIR/tests/programs/files
limit=60 # seconds, of each command
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
status=0

if [ ! -x "$threading" ]; then
    printf 'The laboratory is not built here.\n'
    exit 0
fi
cd "$tmp" || exit 1

# expect STATUS COMMAND...: runs it, with its output in the log.
expect()
{
    local expected=$1 got=0
    shift
    timeout "$limit" "$@" >log 2>&1 </dev/null || got=$?
    [ "$got" = "$expected" ] && return
    printf 'status %s, not %s: %s\n' "$got" "$expected" "$*"
    sed 's/^/    /' log
    status=1
}

# says TEXT: the log has it, once.
says()
{
    [ "$(grep -cF -- "$1" log)" = 1 ] && return
    printf 'not said, or more than once: %s\n' "$1"
    sed 's/^/    /' log
    status=1
}

deadlock='deadlock: one waits for a lock held by two; two waits for a lock held by one'
for how in none others all daemon; do
    for when in first last; do
        [ $how-$when != daemon-last ] || continue # a child has one thread
        rm -f files.schedule
        expect 1 "$threading" explore -- "$files" $how $when
        says "$deadlock"
        says "threading replay $tmp/files.schedule"
        expect 1 "$threading" replay files.schedule
        says "$deadlock"
    done
done

# Numbers that are free here are free there.
for how in none others daemon; do
    expect 1 "$threading" explore -n 20 --output number.schedule -- "$files" $how number 3>&- 4>&- 5>&- 6>&- 7>&-
    says 'the program ended with status 3'
done
expect 0 "$threading" explore -n 20 -- "$files" all number

# Where it has closed standard error as well, the report of a check comes at the end.
for how in none all; do
    expect 1 "$threading" check -- "$files" $how first
    says 'threading check: '
done
exit $status
