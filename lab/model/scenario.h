/* scenario.h - an object under test: what its operations are, and what must hold.
 *
 * The search runs each pair and each triple of the operations, a thread for each. What the operations share lies in
 * `world.shared`, which is zeroed before; what they note for the checks in `world.ghost`, which is no part of the memory
 * that the search makes weak: it is as the steps were made. */

#ifndef MODEL_SCENARIO_H
#define MODEL_SCENARIO_H

#include "model/world.h"
#include "threading/group.h"

enum { SHARED_USUAL = 384 };

struct named_field {
    const char *name;
    uint16_t offset;
    uint16_t size;
};

struct model_operation {
    const char *name;
    void (*run)(int thread);
};

struct object {
    const char *name;
    const struct model_operation *operations;
    const struct named_field *fields; /* of `shared`, for the trace; the last has no name */
    void (*prepare)(void);            /* before the threads start */
    bool (*may_rest)(void);           /* nobody can go on: is that right? NULL: never */
    void (*finish)(void);             /* all threads have ended; NULL: nothing to look at */
    bool (*makes_sense)(void);        /* these operations together; NULL: always */
    void *(*allocate)(size_t size);   /* what the library allocates, zeroed; NULL: nothing */
    void (*release)(void *at);        /* what the library frees; NULL: nothing */
    int count;                        /* of operations */
    bool watches;                     /* the words of wait/watch.c are part of the world; else nobody watches */
    bool large;                       /* searched with a budget, or where it is named */
    size_t size;                      /* of what is shared, up to SHARED_SIZE; 0: no more than SHARED_USUAL */
};

#define FIELD(type, member)                                                                                            \
    {                                                                                                                  \
#member, (uint16_t)offsetof(type, member), (uint16_t)sizeof(((type *)0)->member)                               \
    }

/* The property does not hold: what was expected. */
#define check(condition, ...) ((condition) ? (void)0 : fail(__VA_ARGS__))

/* A deadline: when time has moved on this many times. */
#define AFTER_TICKS(n) ((thr_time)(n)*TICK)

/* Others may come in here. */
void scenario_point(void);

/* The thread's object, or a part of it, is freed: nobody may touch it any more, but for a wake of its address. */
void scenario_free(void *at, size_t size);

/* The calling thread stands in for a worker whose deque this is, in that frame; NULL: for none any more. */
void scenario_worker(struct thr__deque *deque, struct thr__frame *frame);

/* Whether it was freed. */
bool scenario_freed(const void *at);

/* Whether a thread sleeps, in os_wait. */
bool scenario_asleep(int thread);

/* How many of the threads run this operation. */
int scenario_runs(void (*run)(int thread));

/* -- For the search ----------------------------------------------------------------------------------------------- */

/* What is searched: an object, and an operation of its for each thread. */
extern struct scenario {
    const struct object *object;
    const struct model_operation *operations[THREADS];
    int threads;
} scenario;

/* What a thread does. */
void scenario_body(int thread);

extern const struct object *const objects[];
extern const int objects_count;

#endif
