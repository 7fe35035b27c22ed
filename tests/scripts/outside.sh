#!/usr/bin/env bash
# Calls that are not the library's, under `threading explore`: those of pthreads and the clocks are steered, so that bugs in
# their use are found and correct uses are accused of nothing; those that are not steered are reported.
#
# ctest: plain
# ctest: timeout=300
. "$THR_SOURCE_DIR/tests/support/laboratory.sh"

program=$programs/outside

# explore STATUS OPTION... CASE: `case`, from then on.
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

finds 'the program ended with status 3' thread_not_joined
finds 'deadlock' mutexes_crossed signal_lost semaphores_crossed rwlock_upgraded spins_crossed barrier_one_short \
    c11_crossed c11_signal_lost once_crossed futex_lost

for name in thread_joined mutex_counts mutexes_timed mutex_polled mutex_kinds condition_waited conditions_timed \
    semaphores_handed spin_counts barrier_met c11_counts futex_handed futex_timed sleeps; do
    explore 0 -n 500 "$name"
    steered
done

# A wait with a deadline that ends early is no mistake of ours here.
explore 0 -n 500 --no-early-timeouts rwlock_counts
steered

# Who has a mutex is said, and the call and its place.
line=$(line "$THR_SOURCE_DIR/tests/programs/outside.c" 'first ? &right : &left) == 0')
explore 1 mutexes_crossed
says 'deadlock: pthread-1 waits for a pthread mutex held by pthread-2; pthread-2 waits for a pthread mutex held by pthread-1'
says "waits for pthread mutex right, held by pthread-2, at outside.c:$line in cross_mutexes"
says 'holds pthread mutex right, at outside.c:'
says "pthread_mutex_lock left outside.c:$line"

explore 1 rwlock_upgraded
says 'waits for a pthread rwlock (to write) held by '
says ', to read, at outside.c:'

program=$programs/outside_cpp
finds 'deadlock' wait_without_notify
for name in wait_of_atomic once_fails static_guarded; do
    explore 0 -n 500 --no-early-timeouts "$name"
    steered
done
program=$programs/outside

# reported CASE NAME...
reported()
{
    local name
    explore 0 -n 50 "$1"
    says 'Not under control'
    for name in "${@:2}"; do
        says "$name"
    done
}

explore 0 -n 20 thread_works
steered

reported polls poll select
reported forks fork waitpid
reported requeues futex
reported semaphore_named sem_open

reported reads read
reported handlers pthread_kill
explore 0 -n 300 handlers

explore 1 --hang 0.3 reads_nothing
says 'no end in time'
says 'Not under control, so that not all orders were tried: read'
exit $status
