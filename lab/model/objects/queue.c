/* queue.c - a queue that is a ring, or has segments (of two cells): items are neither lost nor doubled, each brings what was done
 * before its put, and nobody sleeps who could go on. */

#include "work/queue.h"

#include "model/scenario.h"
#include "threading/wait_any.h"

enum { CELLS = 2, SEGMENTS = THREADS + 3, ITEMS = THREADS + 3 };

struct shared {
    struct thr_queue queue;
    union {
        struct queue_cell cells[CELLS];
        struct queue_segment segments[SEGMENTS];
    };
    uint32_t data[ITEMS]; /* plain: written before the put */
    uint32_t room;        /* plain: written before the get, if only one thread gets */
    uint32_t end;         /* plain: written before the shutdown */
};

static const struct named_field fields[] = {FIELD(struct shared, queue.put.word),
                                            FIELD(struct shared, queue.put.seen),
                                            FIELD(struct shared, queue.put.slack),
                                            FIELD(struct shared, queue.put.waiting),
                                            FIELD(struct shared, queue.get.word),
                                            FIELD(struct shared, queue.get.seen),
                                            FIELD(struct shared, queue.get.slack),
                                            FIELD(struct shared, queue.get.waiting),
                                            FIELD(struct shared, queue.done),
                                            FIELD(struct shared, cells[0].turn),
                                            FIELD(struct shared, cells[0].item),
                                            FIELD(struct shared, cells[1].turn),
                                            FIELD(struct shared, cells[1].item),
                                            FIELD(struct shared, data),
                                            FIELD(struct shared, room),
                                            FIELD(struct shared, end),
                                            {0}};

struct ghost {
    uint32_t put, taken, discarded;
    uint32_t segments; /* that are in use, or were */
    bool ended;
    bool was_taken[ITEMS];
    bool watches[THREADS];
    bool puts[THREADS], gets[THREADS]; /* whether the thread is in a call that waits */
};

static struct shared *shared(void)
{
    return (struct shared *)world.shared;
}

static struct ghost *ghost(void)
{
    return (struct ghost *)world.ghost;
}

static thr_queue *queue(void)
{
    return &shared()->queue;
}

/* -- The operations ----------------------------------------------------------------------------------------------- */

static void see_end(thr_result result)
{
    if (result == THR_CLOSED)
        check(ghost()->ended && shared()->end == 1, "closed, and nobody has shut it down, or that is not seen");
}

extern const struct object model_queue_room;

/* Whether a put has room only by the one get. */
static bool takes_turns(void);

static thr_result put_by(int thread, thr_time deadline)
{
    shared()->data[thread] = 1;
    ghost()->puts[thread] = true;
    thr_result result = thr_queue_put_until(queue(), &shared()->data[thread], deadline);
    ghost()->puts[thread] = false;
    ghost()->put += result == THR_OK;
    if (result == THR_OK && takes_turns())
        check(shared()->room == 1, "what was done before the get is not seen");
    see_end(result);
    return result;
}

static void put(int thread)
{
    thr_result result = put_by(thread, THR_FOREVER);
    check(result == THR_OK || result == THR_CLOSED, "a put without a deadline ended otherwise");
}

static void put_until(int thread)
{
    (void)put_by(thread, AFTER_TICKS(1));
}

static void try_put(int thread)
{
    (void)put_by(thread, 0);
}

static void take(void *item)
{
    uint32_t from = (uint32_t)((uint32_t *)item - shared()->data);
    check(from < ITEMS && !ghost()->was_taken[from], "an item that nobody put, or that was taken before");
    check(shared()->data[from] == 1, "what was done before the put is not seen");
    ghost()->was_taken[from] = true;
    ghost()->taken++;
}

static thr_result get_by(int thread, thr_time deadline)
{
    void *item = NULL;
    if (takes_turns())
        shared()->room = 1;
    ghost()->gets[thread] = true;
    thr_result result = thr_queue_get_until(queue(), &item, deadline);
    ghost()->gets[thread] = false;
    if (result == THR_OK)
        take(item);
    see_end(result);
    return result;
}

static void get(int thread)
{
    thr_result result = get_by(thread, THR_FOREVER);
    check(result == THR_OK || result == THR_CLOSED, "a get without a deadline ended otherwise");
}

static void get_until(int thread)
{
    (void)get_by(thread, AFTER_TICKS(1));
}

static void try_get(int thread)
{
    (void)get_by(thread, 0);
}

/* The second item is that of a thread that is not there: so one thread at most does this. */
static void put_put(int thread)
{
    put(thread);
    put(THREADS - 1);
}

static void get_get(int thread)
{
    get(thread);
    get(thread);
}

static void put_and_get(int thread)
{
    put(thread);
    get(thread);
}

static void shutdown(int thread)
{
    (void)thread;
    shared()->end = 1;
    ghost()->ended = true;
    thr_queue_shutdown(queue(), false);
}

static void shutdown_now(int thread)
{
    void *item;
    (void)thread;
    shared()->end = 1;
    ghost()->ended = true;
    thr_queue_shutdown(queue(), true);
    while (thr_queue_discarded(queue(), &item) == THR_OK) {
        take(item);
        ghost()->discarded++;
    }
}

/* Somebody else may take what it says is there. */
static void watch(int thread)
{
    const thr_waitable any[] = {thr_waitable_queue(queue())};
    ghost()->watches[thread] = true;
    check(thr_wait_any(any, 1, THR_FOREVER, NULL) == THR_OK, "it ends for no reason");
    ghost()->watches[thread] = false;
}

/* -- What must hold ----------------------------------------------------------------------------------------------- */

static uint64_t size(void)
{
    return queue_position(queue()->put.word) - queue_position(queue()->get.word);
}

static void finish(void)
{
    check(size() == ghost()->put - ghost()->taken, "items were lost, or made");
    check(queue()->put.waiting == 0 && queue()->get.waiting == 0, "somebody is counted as waiting who does not wait");
}

static bool may_rest(void)
{
    for (int i = 0; i < THREADS; i++) {
        if (ghost()->ended && (ghost()->puts[i] || ghost()->gets[i] || ghost()->watches[i]))
            return false;
        if (ghost()->watches[i] && size() > 0)
            return false;
        if ((ghost()->puts[i] && size() < queue()->put.slack) || (ghost()->gets[i] && size() > 0))
            return false;
    }
    return true;
}

/* As thr_queue_new makes one. */
static void prepare_for(uint64_t bound, uint64_t cells)
{
    queue()->put.slack = bound;
    queue()->put.patience = queue()->get.patience = 1;
    queue()->ring = shared()->cells;
    queue()->ring_mask = cells - 1;
    queue()->room = bound;
    queue()->store = QUEUE_RING;
    for (uint64_t i = 0; i < cells; i++)
        shared()->cells[i] = (struct queue_cell){.turn = 2 * i};
}

static void prepare(void)
{
    prepare_for(1, 1);
}

static void prepare_two(void)
{
    prepare_for(2, 2);
}

static bool one_each(void)
{
    return scenario_runs(shutdown) + scenario_runs(shutdown_now) <= 1 && scenario_runs(put_put) <= 1;
}

static const struct model_operation operations[] = {{"put", put},
                                                    {"put_until", put_until},
                                                    {"try_put", try_put},
                                                    {"get", get},
                                                    {"get_until", get_until},
                                                    {"try_get", try_get},
                                                    {"put, get", put_and_get},
                                                    {"shutdown", shutdown},
                                                    {"shutdown_now", shutdown_now}};

const struct object model_queue = {
    .name = "queue",
    .operations = operations,
    .count = sizeof operations / sizeof *operations,
    .fields = fields,
    .size = sizeof(struct shared),
    .large = true,
    .prepare = prepare,
    .may_rest = may_rest,
    .finish = finish,
    .makes_sense = one_each,
};

const struct object model_queue_two = {
    .name = "queue_two",
    .operations = operations,
    .count = sizeof operations / sizeof *operations,
    .fields = fields,
    .size = sizeof(struct shared),
    .large = true,
    .prepare = prepare_two,
    .may_rest = may_rest,
    .finish = finish,
    .makes_sense = one_each,
};

/* Two sleep; one item wakes one of them, and the second item nobody: who was woken passes that on. */
static bool two_wait(void)
{
    return scenario_runs(get) == 2 && scenario_runs(put_put) == 1;
}

static const struct model_operation pass_operations[] = {{"get", get}, {"put, put", put_put}};

const struct object model_queue_pass = {
    .name = "queue_pass",
    .operations = pass_operations,
    .count = sizeof pass_operations / sizeof *pass_operations,
    .fields = fields,
    .size = sizeof(struct shared),
    .large = true,
    .prepare = prepare_two,
    .may_rest = may_rest,
    .finish = finish,
    .makes_sense = two_wait,
};

static bool is_watched(void)
{
    return scenario_runs(watch) > 0 && one_each();
}

static const struct model_operation watch_operations[] = {
    {"wait_any", watch}, {"put", put}, {"get", get}, {"shutdown", shutdown}};

const struct object model_watch_queue = {
    .name = "watch_queue",
    .operations = watch_operations,
    .count = sizeof watch_operations / sizeof *watch_operations,
    .fields = fields,
    .size = sizeof(struct shared),
    .large = true,
    .prepare = prepare,
    .may_rest = may_rest,
    .finish = finish,
    .makes_sense = is_watched,
    .watches = true,
};

/* -- With room in the ring that the bound does not give: a put needs the get before it, not its cell ------------------ */

static void prepare_room(void)
{
    prepare_for(1, 2);
    shared()->data[THREADS - 1] = 1;
    shared()->cells[0] = (struct queue_cell){.turn = 1, .item = &shared()->data[THREADS - 1]};
    queue()->put.word = QUEUE_ONE;
    ghost()->put = 1;
}

static bool takes_turns(void)
{
    return scenario.object == &model_queue_room && scenario_runs(get) == 1;
}

static const struct model_operation room_operations[] = {
    {"put", put}, {"try_put", try_put}, {"get", get}, {"shutdown", shutdown}};

const struct object model_queue_room = {
    .name = "queue_room",
    .operations = room_operations,
    .count = sizeof room_operations / sizeof *room_operations,
    .fields = fields,
    .size = sizeof(struct shared),
    .large = true,
    .prepare = prepare_room,
    .may_rest = may_rest,
    .finish = finish,
    .makes_sense = one_each,
};

/* -- With segments; the first put and get are of a segment's last cell ------------------------------------------------- */

static void *new_segment(size_t size)
{
    check(size == sizeof(struct queue_segment) && ghost()->segments < SEGMENTS, "something else is allocated");
    return &shared()->segments[ghost()->segments++];
}

static void free_segment(void *at)
{
    scenario_free(at, sizeof(struct queue_segment));
}

static void prepare_segments(void)
{
    queue()->store = QUEUE_SEGMENTS;
    queue()->put.slack = QUEUE_NO_BOUND;
    queue()->put.patience = queue()->get.patience = 1;
    queue()->put.segment = queue()->get.segment = new_segment(sizeof(struct queue_segment));
    queue()->put.segment->taken = 1;
    queue()->put.word = queue()->get.word = QUEUE_ONE;
}

static const struct model_operation segments_operations[] = {
    {"put", put},         {"put, put", put_put},     {"get", get},
    {"try_get", try_get}, {"put, get", put_and_get}, {"shutdown", shutdown}};

const struct object model_queue_segments = {
    .name = "queue_segments",
    .operations = segments_operations,
    .count = sizeof segments_operations / sizeof *segments_operations,
    .fields = fields,
    .size = sizeof(struct shared),
    .large = true,
    .prepare = prepare_segments,
    .may_rest = may_rest,
    .finish = finish,
    .makes_sense = one_each,
    .allocate = new_segment,
    .release = free_segment,
};

static const struct model_operation watch_segments_operations[] = {{"wait_any", watch}, {"put", put}};

const struct object model_watch_segments = {
    .name = "watch_segments",
    .operations = watch_segments_operations,
    .count = sizeof watch_segments_operations / sizeof *watch_segments_operations,
    .fields = fields,
    .size = sizeof(struct shared),
    .large = true,
    .prepare = prepare_segments,
    .may_rest = may_rest,
    .finish = finish,
    .makes_sense = is_watched,
    .allocate = new_segment,
    .release = free_segment,
    .watches = true,
};

/* -- A segment that one thread empties, and another fills again -------------------------------------------------------- */

static void prefill(uint64_t position, struct queue_segment *segment)
{
    uint32_t *data = &shared()->data[THREADS + position];
    *data = 1;
    segment->cells[position % QUEUE_SEGMENT] = (struct queue_cell){.turn = 2 * position + 1, .item = data};
    ghost()->put++;
}

static void prepare_recycled(void)
{
    prepare_segments();
    struct queue_segment *first = queue()->get.segment;
    struct queue_segment *second = new_segment(sizeof *second);
    first->taken = 0;
    first->next = second;
    queue()->put.segment = second;
    queue()->put.word = 3 * QUEUE_ONE;
    queue()->get.word = 0;
    prefill(0, first);
    prefill(1, first);
    prefill(2, second);
}

static const struct model_operation recycle_operations[] = {{"get, get", get_get}, {"put, put", put_put}};

const struct object model_queue_recycle = {
    .name = "queue_recycle",
    .operations = recycle_operations,
    .count = sizeof recycle_operations / sizeof *recycle_operations,
    .fields = fields,
    .size = sizeof(struct shared),
    .large = true,
    .prepare = prepare_recycled,
    .may_rest = may_rest,
    .finish = finish,
    .makes_sense = one_each,
    .allocate = new_segment,
    .release = free_segment,
};
