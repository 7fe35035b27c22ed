/* deque.c - a worker's deque: its owner puts and takes at one end, thieves take from the other. Each task is taken once, with
 * what was written to it before, and none is left where somebody has looked in vain. And who spawns and who is about to
 * sleep: one of them sees the other (work/executor.h, W1). */

#include "work/deque.h"

#include "model/scenario.h"

enum { TASKS = 4 };

/* A deque of which only the slots that are used are there, and what it is searched with. */
struct shared {
    char before[offsetof(struct thr__deque, slots)];
    struct thr__task slots[TASKS];
    void *tasks[TASKS]; /* plain: written before the push; each is its own address */
    uint32_t hungry;    /* an executor's */
};

_Static_assert(DEQUE_SIZE <= TASKS, "no room for its slots");

static const struct named_field fields[] = {FIELD(struct thr__deque, bottom), FIELD(struct thr__deque, limit),
                                            FIELD(struct thr__deque, top),    FIELD(struct thr__deque, lock),
                                            FIELD(struct shared, slots),      FIELD(struct shared, tasks),
                                            FIELD(struct shared, hungry),     {0}};

struct ghost {
    uint32_t put;    /* how many tasks were put there */
    uint32_t popped; /* how many the owner has taken */
    uint32_t stolen; /* how many thieves have */
    bool is_taken[TASKS];
    bool empty;         /* the owner has found nothing, and put nothing since */
    bool noticed, seen; /* by who spawned, that somebody is hungry; by one of those, that there is work */
};

static struct shared *shared(void)
{
    return (struct shared *)world.shared;
}

static struct thr__deque *deque(void)
{
    return (struct thr__deque *)world.shared;
}

static struct ghost *ghost(void)
{
    return (struct ghost *)world.ghost;
}

/* -- The operations ----------------------------------------------------------------------------------------------- */

static struct thr__task made(void)
{
    void **data = &shared()->tasks[ghost()->put];
    *data = data;
    return (struct thr__task){.arg = data};
}

static void push(void)
{
    struct thr__task task = made();
    bool may_be_full = ghost()->put - ghost()->popped >= DEQUE_SIZE;
    if (!deque_full(deque())) {
        deque_put(deque(), &task);
        ghost()->put++;
        ghost()->empty = false;
    } else {
        check(may_be_full, "it is not full, and takes nothing");
    }
}

static void take(const struct thr__task *task)
{
    void **data = task->arg;
    size_t number = (size_t)(data - shared()->tasks);
    check(number < ghost()->put && !ghost()->is_taken[number], "a task that nobody put, or that was taken before");
    check(*data == data, "what was written before the push is not seen");
    ghost()->is_taken[number] = true;
}

static void pop(void)
{
    struct thr__task task;
    bool found = deque_pop(deque(), &task);
    ghost()->empty = !found;
    ghost()->popped += found;
    if (found)
        take(&task);
}

static void push_pop(int thread)
{
    (void)thread;
    push();
    pop();
}

static void push_push_pop_pop(int thread)
{
    (void)thread;
    push();
    push_pop(thread);
    pop();
}

static void pop_pop(int thread)
{
    (void)thread;
    pop();
    pop();
}

static void pop_push(int thread)
{
    (void)thread;
    pop();
    push();
}

/* As the inline wait of a group does, when it finds that it cannot run what it finds (thr__group_back). */
static void push_unpop(int thread)
{
    (void)thread;
    push();
    store_release(&deque()->bottom, deque()->bottom - 1);
    os_barrier_light();
    deque_unpop(deque());
}

static void steal(int thread)
{
    (void)thread;
    struct thr__task task;
    bool found = deque_steal(deque(), &task, NULL, NULL);
    ghost()->stolen += found;
    if (found)
        take(&task);
}

static void steal_steal(int thread)
{
    steal(thread);
    steal(thread);
}

/* -- What must hold ----------------------------------------------------------------------------------------------- */

static int owners(void)
{
    return scenario_runs(push_pop) + scenario_runs(push_push_pop_pop) + scenario_runs(pop_pop) +
           scenario_runs(pop_push) + scenario_runs(push_unpop);
}

static bool one_owner(void)
{
    return owners() <= 1;
}

static void finish(void)
{
    uint32_t left = ghost()->put - ghost()->popped - ghost()->stolen;
    check(deque()->bottom - deque()->top == (int64_t)left, "its size is not what was put and not taken");
    check(deque()->top <= deque()->limit && deque()->limit <= deque()->bottom, "the limit is outside");
    check(deque()->lock == 0, "it is left locked");
    check(left == 0 || !ghost()->empty, "the owner has found nothing, and there was something");
    check(owners() > 0 || ghost()->put == 0 || ghost()->stolen > 0,
          "no thief has found anything, and there was something");
    for (int64_t i = deque()->top; i < deque()->bottom; i++)
        take(deque_slot(deque(), i));
}

static void prepare(void)
{
    deque_init(deque());
    deque()->end = DEQUE_SIZE;
}

static void prepare_two(void)
{
    prepare();
    for (; ghost()->put < 2; ghost()->put++)
        *deque_slot(deque(), ghost()->put) = made();
    deque()->bottom = 2;
}

/* What another thief has shared. */
static void prepare_shared(void)
{
    prepare_two();
    deque()->limit = 2;
}

static const struct model_operation operations[] = {{"push, pop", push_pop},
                                                    {"push, push, pop, pop", push_push_pop_pop},
                                                    {"push, unpop", push_unpop},
                                                    {"steal", steal},
                                                    {"steal, steal", steal_steal}};

static const struct model_operation operations_two[] = {{"pop, pop", pop_pop},
                                                        {"pop, push", pop_push},
                                                        {"push, pop", push_pop},
                                                        {"steal", steal},
                                                        {"steal, steal", steal_steal}};

const struct object model_deque = {
    .name = "deque",
    .operations = operations,
    .count = sizeof operations / sizeof *operations,
    .fields = fields,
    .size = sizeof(struct shared),
    .prepare = prepare,
    .finish = finish,
    .makes_sense = one_owner,
};

const struct object model_deque_two = {
    .name = "deque_two",
    .operations = operations_two,
    .count = sizeof operations_two / sizeof *operations_two,
    .fields = fields,
    .size = sizeof(struct shared),
    .prepare = prepare_two,
    .finish = finish,
    .makes_sense = one_owner,
};

const struct object model_deque_shared = {
    .name = "deque_shared",
    .operations = operations_two,
    .count = sizeof operations_two / sizeof *operations_two,
    .fields = fields,
    .size = sizeof(struct shared),
    .prepare = prepare_shared,
    .finish = finish,
    .makes_sense = one_owner,
};

/* -- Spawning, and going to sleep ---------------------------------------------------------------------------------- */

thr_result thr__group_spawn(thr_group *group, thr_task *task, void *(*function)(void *arg), void *arg)
{
    (void)group, (void)task, (void)function, (void)arg;
    fail("a spawn that could be inline is not");
    return THR_INVALID;
}

thr_result thr__group_notice(thr_executor *executor)
{
    (void)executor;
    ghost()->noticed = true;
    return THR_OK;
}

static void *nothing(void *arg)
{
    return arg;
}

static void spawn(int thread)
{
    struct thr__frame frame = {NULL, THR__STRUCT};
    thr_group group = THR_GROUP_INIT(deque()->executor);
    thr_task storage;
    (void)thread;
    scenario_worker(deque(), &frame);
    check(thr_group_spawn(&group, &storage, nothing, made().arg) == THR_OK, "it fails");
    scenario_worker(NULL, NULL);
}

static void steal_spawned(int thread)
{
    (void)thread;
    struct thr__task task;
    bool found = deque_steal(deque(), &task, NULL, NULL);
    check(!found || (task.function == nothing && *(void **)task.arg == task.arg), "what was written is not seen");
    ghost()->seen = ghost()->seen || found;
}

/* As crew_park does. */
static void grow_hungry(int thread)
{
    (void)thread;
    if (__atomic_exchange_n(&shared()->hungry, 1, __ATOMIC_RELAXED) == 0)
        os_barrier_all();
    ghost()->seen = deque_any(deque()) || ghost()->seen;
}

static void finish_hungry(void)
{
    check(ghost()->noticed || ghost()->seen || scenario_runs(grow_hungry) == 0,
          "who spawns does not see who is hungry, and is not seen either");
}

static bool one_spawn(void)
{
    return scenario_runs(spawn) == 1;
}

static void prepare_hungry(void)
{
    prepare();
    deque()->executor = (thr_executor *)(void *)&shared()->hungry;
}

static const struct model_operation hungry_operations[] = {
    {"spawn", spawn}, {"hungry", grow_hungry}, {"steal", steal_spawned}};

const struct object model_hungry = {
    .name = "hungry",
    .operations = hungry_operations,
    .count = sizeof hungry_operations / sizeof *hungry_operations,
    .fields = fields,
    .size = sizeof(struct shared),
    .prepare = prepare_hungry,
    .finish = finish_hungry,
    .makes_sense = one_spawn,
};
