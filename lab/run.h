/* run.h - one run of the program under one schedule: what the process that runs it, and the one that searches, both see.
 *
 * It lies in memory that the two share. The searching process writes `plan` before it forks, the run writes the rest; when
 * it has ended, however that was, everything is there to be read: who waited for what, what was decided, what was done.
 *
 *  strand.state  meaning                                            left by
 *  UNUSED        no such thread                                     strand_new -> READY
 *  READY         it can take its next step, or takes it now         it waits -> WAITING; its end -> GONE
 *  WAITING       in wait(): asleep on `word` until `deadline`       a wake, the clock, or an early end -> READY
 *  JOINING       in join(): until strand `target` is GONE           that end -> READY
 *  GONE          its native thread takes no step any more           -
 *
 * A `turn` is one decision made by a strand: before an operation, when it begins to wait, after it woke others, when it
 * has started another, when it has ended. The pair (strand, turn) names a decision in a way that stays the same when
 * decisions of others change; a schedule is the list of the decisions that differ from what control.c does by itself. */

#ifndef LAB_RUN_H
#define LAB_RUN_H

#include <sys/types.h>

#include "lab/lab.h"

enum {
    STRANDS = 128, /* at a time: bits of a strand_set */
    DECISIONS = 1 << 17,
    EVENTS = 1 << 8, /* the last so many of each strand are kept */
    FRAMES = 16,
    MOVES = 1 << 16, /* of a schedule that is given */
    STRETCHES = 1 << 13,
    OBJECTS = 64,
    NOTE = 512,
    OUTSIDE = 16,
    READ_LOCKS = 16 /* rwlocks that a strand reads at a time */
};

/* Strands, by bits. */
__extension__ typedef unsigned __int128 strand_set;

static inline strand_set set_of(uint32_t strand)
{
    return (strand_set)1 << strand;
}

/* Of a set that is not empty. */
static inline uint32_t set_first(strand_set set)
{
    uint64_t low = (uint64_t)set;
    return (uint32_t)(low != 0 ? __builtin_ctzll(low) : 64 + __builtin_ctzll((uint64_t)(set >> 64)));
}

static inline uint32_t set_count(strand_set set)
{
    return (uint32_t)(__builtin_popcountll((uint64_t)set) + __builtin_popcountll((uint64_t)(set >> 64)));
}

enum strand_state { STRAND_UNUSED, STRAND_READY, STRAND_WAITING, STRAND_JOINING, STRAND_GONE };

/* After the operations of the library: what else can be seen in a run. */
enum step_kind {
    STEP_WAIT = HOOK_OPERATIONS, /* begins to sleep */
    STEP_WAKE,                   /* has woken somebody */
    STEP_STARTED,                /* has started a thread */
    STEP_JOIN,                   /* waits for a native thread */
    STEP_GONE,
    STEP_TIMEOUT, /* its deadline passed */
    STEP_EARLY,   /* its deadline passed before its time */
    STEP_OUTSIDE, /* a blocking call that is not the library's */
    STEP_KINDS
};

struct strand {
    uint32_t token; /* its futex: 1 lets it go on */
    uint32_t state;
    uint32_t id;
    uint32_t turn;

    uint32_t operation; /* what it is about to do, or is doing: hook_operation or step_kind */
    const void *object;
    const char *call; /* STEP_OUTSIDE: its name, of the laboratory's own text */

    const uint32_t *word; /* WAITING */
    uint32_t mask;
    uint32_t target; /* JOINING */
    thr_time deadline;
    uint64_t arrival; /* the order of those who sleep on one word */
    uint32_t end;     /* enum os_wait_end, of its last wait */

    uint32_t idle;  /* turns in a row that only asked or yielded */
    uint32_t reads; /* of the clock, in a row */

    uint64_t hash;    /* of its last step; see history.c */
    uint64_t rank;    /* for strategies */
    uint32_t parent;  /* who started it */
    uint32_t touched; /* operations done */
    uint64_t events;  /* written down, of this place */

    os_thread native;
    pid_t system_id;          /* the system's number of the thread; 0: not begun */
    const thr_thread *thread; /* NULL: not made by the library, or not begun */
    const struct wait_record *record;
    uint32_t number;
    bool main;
    bool daemon;
    bool begun;
    bool foreign; /* not started under control */
    bool failed;
    bool joined;
    char name[64];

    const void *read_locks[READ_LOCKS]; /* see holders.h */
    uint32_t read_count;

    /* What it waits for; written down when the run has got stuck. */
    uint32_t waits_kind; /* enum wait_kind */
    const void *waits_object;
    const int
        *owner; /* of a mutex or rwlock of pthreads that it waits for: the system's number of who has it; NULL: none */
    strand_set holders; /* who lets it wait: see holders.h */
    bool behind;        /* these wait themselves, to write, and come first */
    thr_time since;
    thr_time gives_up;
};

/* A decision between several. */
enum { DECIDED_PREEMPTION = 1, DECIDED_EARLY = 2, DECIDED_DEFAULT = 4, DECIDED_FAIR = 8 };

struct decision {
    strand_set candidates;
    uint32_t turn;
    uint8_t strand;
    uint8_t chosen;
    uint8_t operation;
    uint8_t flags;
};

/* One step, for the report; kept when plan.record is set. */
struct event {
    uint64_t number; /* counted from 1 */
    uint32_t strand;
    uint32_t operation;
    const void *object;
    const char *call; /* STEP_OUTSIDE */
    thr_time time;
    uint32_t depth;
    void *frames[FRAMES];
};

/* A decision that a schedule prescribes. */
struct move {
    uint32_t strand;
    uint32_t turn;
    uint32_t next;
    uint32_t early;
    uint32_t operation; /* of the strand then: to notice a program that does something else */
};

/* A strand goes on until it has come to this turn; see stretches.h. */
struct stretch {
    uint32_t strand;
    uint32_t until; /* UINT32_MAX: as long as it can */
};

enum strategy_kind {
    STRATEGY_GIVEN, /* what plan.moves says; else the default */
    STRATEGY_RANDOM,
    STRATEGY_PCT,
    STRATEGY_POS,
    STRATEGY_SURW,
    STRATEGY_EXHAUSTIVE,
    STRATEGY_STRETCHES, /* what plan.stretch says; else the default */
    STRATEGIES
};

struct plan {
    uint64_t number;
    uint64_t seed;
    uint32_t strategy;
    uint32_t early;  /* one decision in so many may end a wait early; 0: none */
    uint32_t depth;  /* pct: how many changes of priority */
    uint32_t length; /* learnt: decisions of a run */
    uint64_t limit;  /* steps after which all get their turns, one after the other */
    uint64_t end;    /* steps after which a run that is fair does not end by itself */
    uint32_t seen;   /* exhaustive: of so many runs before it, the states are known: see seen.h */
    bool record;
    bool allow_misuse;
    bool stop;     /* under a debugger, where something is found */
    thr_time hang; /* without a step: see watch.h */

    /* surw */
    const void *object; /* NULL: all */
    uint32_t counts[STRANDS];
    uint32_t parents[STRANDS];

    /* given: moves; exhaustive: the first decisions */
    uint32_t moves;
    uint32_t prefix;
    struct move move[MOVES];
    uint32_t stretches;
    struct stretch stretch[STRETCHES];
    uint8_t first[DECISIONS]; /* strands */
};

/* How often a strand has touched an object: what surw learns. */
struct tally {
    const void *object;
    uint32_t total;
    uint16_t by[STRANDS];
};

struct run {
    struct plan plan;

    uint32_t strands;
    uint32_t running;
    uint64_t steps;
    uint64_t switches; /* decisions after which another strand went on than before */
    uint64_t hash;     /* of the whole run, up to the order of independent steps */
    thr_time now;
    thr_time pushed; /* the time that was made up last, where nobody had a deadline: what lies before it says nothing */
    uint32_t decisions;
    uint32_t preemptions;
    uint32_t earlies;
    uint32_t moved; /* moves of a given schedule that were made */
    uint64_t events;
    bool fair;
    bool timed;   /* somebody waited with a deadline */
    bool ended;   /* the program came to its exit */
    bool skipped; /* everything that could follow has been seen */
    bool crowded; /* more threads at a time than can be steered: it was ended */

    uint32_t finding; /* thr_finding, where the run itself found it */
    uint32_t culprit; /* strand */
    const void *object;
    char message[NOTE];

    uint32_t crash_depth;
    void *crash_frames[FRAMES];

    uint32_t outsides;
    char outside[OUTSIDE][64]; /* names of calls that are not under control */

    struct strand strand[STRANDS];
    struct tally tally[OBJECTS];
    uint32_t tallies;
    struct decision decision[DECISIONS];
    uint64_t state[DECISIONS]; /* exhaustive: where each was made; see seen.h */
    struct event event[STRANDS][EVENTS];
};

#endif
