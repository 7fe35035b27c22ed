/* world.h - everything that a step can change: the threads, the memory as each of them may see it, and the clock.
 *
 * It is flat, so that a state is saved and brought back by copying it, together with the stacks in use.
 *
 * Memory. `shared` and the stacks always hold, in each location, the newest value in its modification order. A location
 * that has older values which somebody may still read, or a value that carries what its writer knew, is in `locations`
 * besides, as a list of messages, oldest first. That of the newest is not kept there: it is in memory.
 *
 *   known.seen[l]    the oldest message of location l that may still be read
 *   known.clock[u]   up to which of its epochs the accesses of thread u happen before this
 *
 * A thread's own epoch ends at each of its releases. Indices and epochs are renumbered after each step (memory_tidy), so
 * that states which differ in nothing that anybody can still find out are equal. */

#ifndef MODEL_WORLD_H
#define MODEL_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/fibre.h"
#include "wait/wait.h"
#include "wait/watch.h"

enum {
    THREADS = 4,
    LOCATIONS = 24,
    LOCATION_MESSAGES = 20,
    MESSAGES = 120,
    ACCESSES = 400,
    SHARED_SIZE = 1024,
    GHOST_SIZE = 384,
    STACK_SIZE = 8192,
    STRAYS_UNBOUNDED = 255,
    TICK = 2000000 /* nanoseconds: longer than a waiter's patience */
};

struct known {
    uint8_t seen[LOCATIONS];
    uint8_t clock[THREADS];
};

struct message {
    uint64_t value;
    struct known known; /* what an acquire of it learns */
    bool attached;      /* by a read-modify-write of the message before it: nothing may come between */
};

struct location {
    uintptr_t at; /* 0: not in use */
    uint8_t size;
    uint8_t count;
    uint8_t woken; /* the oldest message that the system may compare with: os_wake was called after it */
    uint8_t messages[LOCATION_MESSAGES];
};

/* The last accesses to an address, in epochs of the threads that made them; 0: none that anybody could not know. */
enum access { READ, WRITE, ATOMIC_READ, ATOMIC_WRITE, ACCESS_KINDS };

struct accesses {
    uint8_t epoch[THREADS][ACCESS_KINDS];
};

enum operation {
    OPERATION_LOAD,
    OPERATION_STORE,
    OPERATION_SWAP,
    OPERATION_ADD,
    OPERATION_SUB,
    OPERATION_AND,
    OPERATION_OR,
    OPERATION_XOR,
    OPERATION_CAS,
    OPERATION_LIGHT, /* os_barrier_light */
    OPERATION_FAR,   /* os_barrier_all: `value` has a bit for each thread that it has not reached */
    OPERATION_WAIT,
    OPERATION_WAKE,
    OPERATION_WOKEN,  /* the thread slept, and goes on */
    OPERATION_CHOOSE, /* one of `value` ways, on the thread's own */
    OPERATION_POINT   /* nothing, but others may come in between */
};

/* What a thread is about to do. */
struct pending {
    uintptr_t at;
    uint64_t value; /* to store, add ...; of a wait, what is expected; of a wake, how many */
    void *expected; /* of a compare-and-swap */
    thr_time deadline;
    const void *site; /* the return address of the operation */
    uint32_t mask;
    uint8_t operation;
    uint8_t size;
    uint8_t order;
    uint8_t failure_order;
    bool weak;
};

/* What is known of `seen` besides what threads know and messages carry. */
enum view {
    VIEW_CONSISTENT,                 /* of each location, the latest sequentially consistent store */
    VIEW_LIGHT,                      /* what each thread knew at its last light barrier */
    VIEW_FAR = VIEW_LIGHT + THREADS, /* what far barriers brought to each thread, for its next light one */
    VIEWS = VIEW_FAR + THREADS
};

enum thread_state { READY, ASLEEP, ENDED };

struct unwind_place;

struct thread {
    struct pending pending;
    struct fibre fibre;
    uint64_t result;
    uint64_t stack_hash;
    struct unwind_place *place; /* the newest: unwind.h */
    struct known known;
    uint8_t state;
};

/* Of sync/handoff.c, whose header has names that mean something else here. */
extern uint64_t handoff_crowds[HANDOFF_CROWDS];

/* What wait/watch.c has of its own. */
struct watch_words {
    uint32_t counts[WATCH_CLASSES];
    uint32_t generation;
};

struct world {
    struct thread threads[THREADS];
    uint8_t sleepers[THREADS]; /* longest asleep first */
    uint8_t sleeping;
    uint8_t clock;         /* in ticks */
    uint8_t strays;        /* how many stray wakes there were, if they are counted */
    uint8_t count;         /* of threads */
    uint16_t shared_size;  /* as much of `shared` is used */
    uint8_t done[THREADS]; /* how many operations of its object each has returned from */
    uint16_t messages_used;
    uint16_t accesses_used;
    bool barriers; /* there was one: all views are in use, and not only the first */
    struct known views[VIEWS];
    struct wait_record records[THREADS];
    uint64_t freed[SHARED_SIZE / 64 / 4 + 1]; /* a bit for each 4 bytes of `shared` */
    _Alignas(128) unsigned char shared[SHARED_SIZE];
    unsigned char ghost[GHOST_SIZE];
    struct watch_words watch;        /* a copy, in a state that is saved */
    uint64_t crowds[HANDOFF_CROWDS]; /* likewise */
    struct location locations[LOCATIONS];
    /* Saved as far as they are used. */
    uintptr_t accessed[ACCESSES];
    struct accesses accesses[ACCESSES];
    struct message messages[MESSAGES];
};

extern struct world world;
extern char stacks[THREADS][STACK_SIZE];

/* The thread that runs, or whose step is being made. */
extern int running;

/* The bounds of the search. */
struct bounds {
    int messages; /* how many values of a location may be read at most: 1 is sequential consistency */
    int ticks;    /* how often time moves on */
    int strays;   /* how many sleeps end for no reason; STRAYS_UNBOUNDED: any number */
};
extern struct bounds bounds;

/* The property that was violated, and "" before. */
extern char failure[256];
void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
