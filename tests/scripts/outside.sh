#!/usr/bin/env bash
# Calls that are not the library's, under `threading explore`: those of pthreads and the clocks are steered, so that bugs in
# their use are found and correct uses are accused of nothing; those that are not steered are reported.
#
# ctest: plain
# ctest: timeout=300
. "$THR_SOURCE_DIR/tests/support/laboratory.sh"

# explore STATUS OPTION... CASE: of `program`; `case`, from then on.
explore()
{
    case=${!#}
    expect "$1" "$threading" explore -q -o schedule "${@:2:$#-2}" -- "$program" "$case"
}

# finds TEXT CASE...
finds()
{
    local text=$1 name
    for name in "${@:2}"; do
        explore 1 "$name"
        says "$text"
        steered
    done
}

# well CASE...: nothing is found in many schedules, and all is under control.
well()
{
    local name
    for name in "$@"; do
        explore 0 -n 500 "$name"
        steered
    done
}

# well_in_time CASE...: the same, where a wait with a deadline that ends early is no mistake of ours.
well_in_time()
{
    local name
    for name in "$@"; do
        explore 0 -n 500 --no-early-timeouts "$name"
        steered
    done
}

# reported CASE NAME...: these are not under control.
reported()
{
    local name
    explore 0 -n 50 "$1"
    says 'Not under control'
    for name in "${@:2}"; do
        says "$name"
    done
}

program=$programs/outside_pthread
finds 'the program ended with status 3' thread_not_joined
finds 'deadlock' mutexes_crossed signal_lost semaphores_crossed rwlock_upgraded spins_crossed barrier_one_short once_crossed
well thread_joined mutex_counts mutexes_timed mutex_polled mutex_kinds condition_waited conditions_timed \
    semaphores_handed spin_counts barrier_met
well_in_time rwlock_counts
explore 0 -n 20 thread_works
steered

# Who has a mutex is said, and the call and its place.
line=$(line "$THR_SOURCE_DIR/tests/programs/outside_pthread.c" 'first ? &right : &left) == 0')
explore 1 mutexes_crossed
says 'deadlock: pthread-1 waits for a pthread mutex held by pthread-2; pthread-2 waits for a pthread mutex held by pthread-1'
says "waits for pthread mutex right, held by pthread-2, at outside_pthread.c:$line in cross_mutexes"
says 'holds pthread mutex right, at outside_pthread.c:'
says "pthread_mutex_lock left outside_pthread.c:$line"

explore 1 rwlock_upgraded
says 'waits for a pthread rwlock (to write) held by '
says ', to read, at outside_pthread.c:'

program=$programs/outside_c11
finds 'deadlock' c11_crossed c11_signal_lost
well c11_counts

program=$programs/outside_futex
finds 'deadlock' futex_lost
well futex_handed futex_timed
reported requeues futex

program=$programs/outside_cpp
finds 'deadlock' wait_without_notify
well_in_time wait_of_atomic once_fails static_guarded

program=$programs/outside_blocking
well sleeps
reported polls poll select
reported forks fork waitpid
reported semaphore_named sem_open
reported reads read
reported handlers pthread_kill
explore 0 -n 300 handlers
explore 1 --hang 0.3 reads_nothing
says 'no end in time'
says 'Not under control, so that not all orders were tried: read'
exit $status
