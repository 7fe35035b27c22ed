#!/usr/bin/env bash
# The search of the library's own algorithms (lab/model, docs/model.md): that it allows what C11 does and no more, that it
# finds mistakes, and what takes seconds of it. ./nightly goes further.
#
# ctest: plain
# ctest: timeout=300
set -euo pipefail

made=$THR_BUILD_DIR/lab/model
if [ ! -x "$made/model" ]; then
    echo "not built for this processor"
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# finds SOURCE SED OBJECT MATCH: the search finds what is wrong with the source once it is changed so.
finds()
{
    local source=$1 change=$2 object=$3 match=$4 others status=0
    sed -E "$change" "$THR_SOURCE_DIR/src/$source" >"$work/changed.c"
    if cmp -s "$THR_SOURCE_DIR/src/$source" "$work/changed.c"; then
        echo "nothing to change in $source: $change"
        return 1
    fi
    mapfile -t others < <(find "$made/CMakeFiles" -name '*.o' ! -path "*/src/$source.o")
    "$CC" -std=c11 -D_GNU_SOURCE -Os -fno-inline -g -fexceptions -fsanitize=thread \
        -DBITLOCK_SPINS=1 -Dcalloc=model_calloc -Dfree=model_free -DDEQUE_SIZE=2 -DDEQUE_LOOKS=1 -DQUEUE_SEGMENT=2 -DHANDOFF_FIRST=1 -DHANDOFF_CROWDS=1 \
        -I "$THR_SOURCE_DIR/include" -I "$THR_SOURCE_DIR/src" -I "$THR_SOURCE_DIR/lab" -include model/unwind.h -c "$work/changed.c" -o "$work/changed.o"
    "$CC" "$work/changed.o" "${others[@]}" -pthread -ldl -o "$work/model"
    "$work/model" --first --match "$match" "$object" "${@:5}" >"$work/out" || status=$?
    if ((status != 1)) || ! grep -q '^FAILED' "$work/out"; then
        cat "$work/out"
        echo "not found: $source: $change"
        return 1
    fi
    grep -A1 '^FAILED' "$work/out"
}

# Small programs of which C11 says what they may do.
"$made/model" --litmus

# A set that returns early because the flag is up.
finds sync/event.c '/^void thr_event_set\(/,/^\}/s/^    uint32_t word = load_relaxed\(&event->word_\);/&\n    if (word \& SET)\n        return;/' \
    event 'post | post | consume' --threads 3
# A lock whose release does not wake; whose release orders nothing; a permit whose sleepers do not say so in the word.
finds sync/lock.c 's/^( +)wait_wake\(.*/\1;/' lock 'acquire | acquire'
finds sync/lock.c 's/cas_acq_rel\(/cas_acquire(/' lock 'acquire | acquire'
finds sync/semaphore.c 's/else if \((cas_release.*SLEEPERS\))\)/else if (word == SLEEPERS || \1)/' permit \
    'acquire | acquire | acquire' --threads 3 --messages 2 --strays 0
# Who finds permits of which nobody was told, and tells one of those who sleep, not as many as there are.
finds sync/semaphore.c 's/left, OS_ANY/1, OS_ANY/' semaphore_crowd '' \
    --threads 4 --messages 1 --strays 0 --budget 2
# A notify that fills the place of a waiter whose lock another thread has released, and who was not taken out yet; or that
# tells nobody what it put there.
finds sync/handoff.c 's/waiter->next \|\| load_relaxed\(&record->notified\)/waiter->next/;s/waiter != &gone/waiter/' condition_again '' \
    --threads 4 --messages 2 --strays 1 --budget 2
finds sync/handoff.c 's/cas_release(.*LOCK_NOTIFIED\))/cas_relaxed\1/;s/waiter != &gone/waiter/' condition_other '' \
    --threads 3 --messages 2 --strays 1 --budget 2
# A notify whose lock another thread releases meanwhile, and that then lets nobody go. A writer that gives up, and passes
# on to the readers behind it nothing of what was written before.
finds sync/handoff.c '/^void handoff\(/,/^\}/{/if \(head\)/,$s/lead\(.*/;/}' condition_other '' \
    --threads 3 --messages 2 --strays 1 --budget 2
finds sync/rwlock.c '/^static bool withdraw\(/,/^\}/s/add_acquire\(/add_relaxed(/' rwlock_pass '' \
    --threads 3 --messages 2 --strays 1 --budget 2
# Who has got an item, and leaves one to another who sleeps.
finds work/side.c '/^static void pass_on\(/,/^\}/s/^( +)wait_wake\(.*/\1;/' queue_pass '' \
    --threads 3 --messages 2 --strays 1 --budget 2
# A claim that goes on with what a compare-and-swap found that failed: nothing orders that before the segment, which may be
# the one before.
finds work/side.c '/^enum queue_claim queue_claim\(/,/^\}/{s/^    unsigned turns = 0;/&\n    uint64_t word = 0;/
        s/^        uint64_t (word = load_acquire.*)/        if (!word)\n            \1/
        s/^( +)continue;/\1{\n\1word = 0;\n\1continue;\n\1}/}' \
    queue_segments 'put | put, get' --strays 1 --budget 2
# A thief that does not wait for the barrier.
finds work/deque.c 's/^( +)os_barrier_all\(\);/\1;/' deque 'push, pop | steal'

"$made/model" --summary
"$made/model" --summary --threads 3 --messages 2 --strays 1 event latch latch_end once condition_other
"$made/model" --summary --threads 3 --messages 1 --strays 0 lock
"$made/model" --summary --threads 3 --messages 2 --strays 1 --budget 2 \
    bitlock lock rlock semaphore permit barrier barrier_action rwlock rwlock_pass condition_wrong \
    condition_twice
"$made/model" --summary --threads 4 --messages 2 --strays 1 --budget 2 semaphore_crowd condition_again
"$made/model" --summary --threads 3 --messages 2 --strays 1 --budget 1 condition future future_end watch watch_future
"$made/model" --summary --threads 3 --messages 2 --budget 2 deque deque_two deque_shared hungry
"$made/model" --summary --strays 1 --budget 2 queue queue_two queue_room queue_segments queue_recycle watch_queue \
    watch_segments
"$made/model" --summary --threads 3 --messages 2 --strays 1 --budget 1 queue_room queue_segments
"$made/model" --summary --threads 3 --messages 2 --strays 1 --budget 2 queue_pass
