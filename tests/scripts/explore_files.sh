#!/usr/bin/env bash
# A program that closes all files, or becomes a daemon, is explored, replayed and checked as any other; and it finds its files
# under the numbers that they have without the laboratory.
#
# ctest: plain
# ctest: timeout=120
. "$THR_SOURCE_DIR/tests/support/laboratory.sh"

files=$programs/files

# says_once TEXT: the log has it, once.
says_once() { [ "$(grep -cF -- "$1" log)" = 1 ] || fail "not said, or more than once: $1"; }

deadlock='deadlock: one waits for a lock held by two; two waits for a lock held by one'
for how in none others all daemon; do
    for when in first last; do
        [ $how-$when != daemon-last ] || continue # a child has one thread
        rm -f files.schedule
        expect 1 "$threading" explore -- "$files" $how $when
        says_once "$deadlock"
        says_once "threading replay $tmp/files.schedule"
        expect 1 "$threading" replay files.schedule
        says_once "$deadlock"
    done
done

# Numbers that are free here are free there.
for how in none others daemon; do
    expect 1 "$threading" explore -n 20 --output number.schedule -- "$files" $how number 3>&- 4>&- 5>&- 6>&- 7>&-
    says_once 'the program ended with status 3'
done
expect 0 "$threading" explore -n 20 -- "$files" all number

# Where it has closed standard error as well, the report of a check comes at the end.
for how in none all; do
    expect 1 "$threading" check -- "$files" $how first
    says_once 'threading check: two locks are taken in two orders' # now and then they do meet: then more follows
done
exit $status
