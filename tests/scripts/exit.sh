#!/usr/bin/env bash
# The end of the process, in C and in C++: what is waited for, in which order, and with which status.
#
# ctest: timeout=120
set -uo pipefail
export LC_ALL=C

programs=$THR_BUILD_DIR/tests/programs
limit=30 # seconds, after which a program that hangs is ended
failures=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# check PROGRAM CASE STATUS [LINE...]: what the case prints, line by line, and its status. A line that begins with "error: "
# is expected on standard error.
check()
{
    local program=$1 case=$2 expected=$3 status
    shift 3
    timeout "$limit" "$programs/$program" "$case" >"$tmp/out" 2>"$tmp/err" </dev/null
    status=$?
    sed 's/^/error: /' "$tmp/err" >>"$tmp/out"
    printf '%s' "${@/%/$'\n'}" >"$tmp/expected"
    if [ "$status" != "$expected" ] || ! cmp -s "$tmp/expected" "$tmp/out"; then
        failures=$((failures + 1))
        printf 'FAILED: %s %s: status %s, not %s\n' "$program" "$case" "$status" "$expected"
        diff --label expected --label printed -u "$tmp/expected" "$tmp/out"
    fi
}

around=('late handler' thread 'early handler')

for round in 1 2 3; do
    check exit return 0 "${around[@]}"
    check exit exit 5 "${around[@]}"
    check exit join_main 0 'end of main' 'joined main'
    check exit pthread_exit 0 'end of main' 'joined main'
    check exit fail 1 'cleanup of main' 'joined main, which failed' \
        'error: Failure in thread MainThread: main has had enough (code 3)'
    check exit pthread_exit_alone 0 'end of main'
    check exit shutdown 0 thread 'only main' 'end of main'
    check exit shutdown_joined 0 'end of main' 'joined main'
    check exit daemons 0 "${around[@]}"
    check exit chain 0 'late handler' last
    check exit handler 0 "${around[@]}" 'early handler' 'thread of a handler' 'early handler'
    check exit worker 7 "${around[@]}"
    check exit worker_joined 7 "${around[@]}"
    check exit foreign 4 "${around[@]}"
    check exit second 9 'joined main'
    check exit two_shutdowns 0 thread 'end of main'
    check exit shutdown_and_return 0 'late handler' thread 'after the shutdown' 'early handler'
    check exit fork_in_handler 0 thread handler 'child ended with 0'

    check exit_work return 0 'late handler' first second 'submitted by a task' 'early handler'
    check exit_work exit 5 'late handler' first second 'submitted by a task' 'early handler'
    check exit_work shutdown 0 'late handler' first 'it has been shut down' second 'early handler'
    check exit_work handler 0 'late handler' first second 'submitted by a task' 'submitted by a handler'
    check exit_work worker 7 exit 'early handler'

    check exit_task future 7 pending 'it ended the process'
    check exit_task task 7 'a task' done
    check exit_task stack 7 'it ended the process' 'it ended the process'
    check exit_task group 7 'it failed' 'it ended the process'
    check exit_task opener 7 'a task of its group' 'it failed'
    check exit_task allocated 7 'it ended the process'
    check exit_task cancelled 7 'it ended the process' 'it was cancelled'
    check exit_task first 7 'it ended the process'
    check exit_task map 7 'it failed'
    check exit_task callback 7 pending done
    check exit_task initializer 7 'it is broken'
    check exit_task shutdown 7

    refused='error: FATAL: pthread_exit() in a task with an open group, or in a task, callback or map on the stack of one'
    check exit_refused map 6 "$refused"
    check exit_refused callback 6 "$refused"
    check exit_refused initializer 6 'error: FATAL: pthread_exit() in an initializer with an open group'

    check exit_cpp throwing_task 3 terminated
    check exit_cpp throwing_on_a_stack 3 terminated
    check exit_cpp return 0 'end of the late static' thread \
        'end of the thread-local' 'end of the global'
    check exit_cpp exit 5 'end of the late static' thread \
        'end of the thread-local' 'end of the global'
    check exit_cpp worker 7 'end of the late static' thread \
        'end of the thread-local' 'end of the global'
    check exit_cpp pthread_exit 0 'end of the local of main' 'joined main' 'end of the global'
    check exit_cpp fail 1 'end of the local of main' 'joined main' 'end of the global' \
        'error: Failure in thread MainThread: main fails (code 1)'
    check exit_cpp failing_thread 0 'hook: a thread fails' caught \
        'end of the local' 'end of the thread-local' 'joined: it failed' 'end of the global'
done
# AddressSanitizer has other places for variables.
if [ -z "${THR_SANITIZE-}" ]; then
    check exit_refused open 6 'error: FATAL: a task has returned, and left a group open that was on its stack'
    check exit_refused open_initializer 6 'error: FATAL: a task has returned, and left a group open that was on its stack'
fi
# Sanitizers have no threads in the children of processes with several.
if [ -z "${THR_SANITIZE-}" ]; then
    for round in 1 2 3; do
        check exit fork 0 'end of the forking thread' 'joined main' 'child ended with 0' 'end of main'
        check exit fork_at_the_end 0 'joined main' 'thread of the child' 'child ended with 0'
    done
fi

((failures == 0)) && printf 'All as expected\n'
exit $((failures > 0))
