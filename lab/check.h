/* check.h - what the files of `threading check` share.
 *
 * The program runs as ever; at each acquire and release of a lock, and before each sleep, the library calls us.
 *
 *  check.c          what the library calls, and the threads that we know
 *  check_site.c     where in the program that was
 *  check_held.c     which locks each thread holds
 *  check_order.c    in which order locks were taken: a graph, and its cycles
 *  check_forget.c   memory that is given back: the locks in it are no more
 *  check_outside.c  the locks of pthreads
 *  check_wait.c     who waits for whom, and when nobody can go on
 *  check_report.c   what was found
 *
 * C1  One lock, check_enter to check_leave, guards all that is not a thread's own. Nothing of the program runs under it.
 * C2  What we do ourselves is not looked at: a thread between enter and leave, in a report, say, is `inside`, and the
 *     library's calls, and frees, are then passed through. So nothing here comes round to itself. */

#ifndef LAB_CHECK_H
#define LAB_CHECK_H

#include "lab/lab.h"
#include "wait/atomic.h"

enum { FRAMES = 24, MAILS = 8, KNOWN = 512, SEEN = 256, SITES = 64 };

/* One lock that a thread holds. */
struct held {
    const void *lock;
    uint64_t id; /* of the lock's node in the graph */
    const void *site;
    uint32_t depth; /* of an rlock */
    bool reads;     /* a rwlock, for reading */
    bool outside;   /* of pthreads: it does not say who has it */
};

/* A stack: return addresses, the innermost first. */
struct stack {
    uint32_t frames;
    void *at[FRAMES];
};

/* A thread that we know. Its own, unless said otherwise. */
struct watched {
    struct watched *next; /* in the list of all, under the lock */
    uint32_t number;      /* 0: it has ended; under the lock */
    bool is_main;
    bool waits_for_condition; /* and has given up a lock that stands in `held` all the same */

    /* See check_held.c. Others read them, under the lock. */
    struct held *held;
    uint32_t held_count;
    uint32_t held_room;

    /* Locks of ours that others have released; written by those, under the lock. */
    uint32_t mails; /* MAILS + 1: more than there was room for */
    const void *mail[MAILS];

    /* See check_forget.c. */
    uintptr_t stack_low;
    uintptr_t stack_high;
    uintptr_t lowest_lock; /* on this stack; UINTPTR_MAX: none */

    /* See check_order.c: what the graph knows already. */
    struct known {
        const void *lock;
        uint64_t id;
        uint64_t forgotten; /* as of then */
    } known[KNOWN];
    uint64_t seen[SEEN];

    /* See check_site.c. */
    struct site {
        const void *site;
        bool in_copy;
    } sites[SITES];

    /* The wait that has been judged; see check_wait.c. */
    const void *judged_object;
    thr_time judged_since;

    /* Its wait that stood in a circle which was reported: under the lock. */
    const void *told_object;
    thr_time told_since;

    /* While it sleeps. Others read them. */
    uint32_t sleeping; /* odd while it does */
    const uint32_t *word;
    uint32_t expected;
    thr_time deadline;

    /* Where it sleeps: filled in when somebody asks. */
    uint32_t wanted; /* advanced by who asks */
    uint32_t given;
    struct stack stack;
};

/* -- check.c ------------------------------------------------------------------------------------------------------ */

/* Guards what is shared; see C1. */
void check_enter(void);
void check_leave(void);

/* Whether the calling thread is in here already. */
bool check_inside(void);

/* Whether anybody checks in this process. */
bool check_runs(void);

/* All threads that we know, linked by `next`. Under the lock. */
struct watched *check_threads(void);

/* The thread of this number; NULL: not known. Under the lock. */
struct watched *check_find(uint32_t number);

/* Whether this lock is the library's own, and none of the program's. */
bool check_is_internal(const void *object);

/* The calling thread's; NULL before it has one. */
struct watched *check_self(void);

/* The same, made if there is none yet; NULL: no memory, or the thread has ended for us. Not under the lock. */
struct watched *check_here(void);

/* A lock of pthreads was taken, or is about to be released, by the caller; or it is about to wait for it. */
void check_outside_taken(enum hook_operation operation, const void *lock, thr_time deadline, const void *site);
void check_outside_released(const void *lock);
void check_before(const void *lock, bool locks_itself_out);

/* The stack of the caller. */
void check_stack(struct stack *stack);

/* -- check_site.c ------------------------------------------------------------------------------------------------- */

/* To be called first. */
void check_sites(void);

/* The place in the program that this place in the library, or in a copy of a function of its headers, was called from. */
const void *check_site(struct watched *me, const void *site);

/* -- check_held.c ------------------------------------------------------------------------------------------------- */

struct held *held_find(const struct watched *thread, const void *lock);
void held_add(struct watched *me, const struct held *held);

/* The caller has released it. False: it did not hold it. */
bool held_remove(struct watched *me, const void *lock);

/* Another thread than the one that took it has released it. */
void held_elsewhere(const struct watched *me, const void *lock);

/* Removes what others have released. Before each use of the caller's own list. */
void held_read_mail(struct watched *me);

/* -- check_order.c ------------------------------------------------------------------------------------------------ */

/* The number of this lock, from now until it is forgotten. `site` is remembered if it is the first acquire. */
uint64_t order_id(struct watched *me, const void *lock, const void *site);

/* The caller takes, or is about to wait for, this lock, with all others in its list held. Reports what is in the wrong
 * order. */
void order_check(struct watched *me, const void *lock, uint64_t id);

/* Where the lock was first taken; NULL: it never was. Under the lock. */
const void *order_first_site(const void *lock);

/* -- check_forget.c ----------------------------------------------------------------------------------------------- */

/* Finds the stack of the calling thread. */
void forget_find_stack(struct watched *me);

/* What tells the call that this variable, on the caller's stack, belongs to from one that had the same place on the stack
 * before: where it returns to. NULL: not known. */
const void *forget_frame(const void *variable);

/* Forgets the locks of functions that the caller has returned from. */
void forget_returned(struct watched *me);

/* Forgets all of the stack, at the end of a thread. */
void forget_stack(struct watched *me);

/* -- check_wait.c ------------------------------------------------------------------------------------------------- */

/* The wait of struct wait_system. */
enum os_wait_end check_wait(const uint32_t *word, uint32_t expected, uint32_t mask, thr_time deadline);

/* Gives the caller's stack to who asks for the stacks of those that sleep. */
void check_answer(void);

/* At the end of the process. */
void check_blocked_at_end(void);

/* -- check_report.c ----------------------------------------------------------------------------------------------- */

/* One way of taking one lock while holding another. */
struct step {
    const void *from;
    const void *to;
    const void *from_site;
    struct stack stack; /* of taking `to` */
    char thread[NAME_INLINE];
};

/* A thread that waits. */
struct waiter_seen {
    struct watched *thread;
    struct sight sight;
    const struct stack *stack;
};

/* All under the lock. */
void report_order(const struct step *steps, size_t n);
void report_again(struct watched *me, const void *lock, const struct held *held, bool reads);
void report_cycle(const struct waiter_seen *waiters, size_t n);
void report_stuck(const struct waiter_seen *waiters, size_t n, bool at_exit);

#endif
