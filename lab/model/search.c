/* search.c - depth first over the states, each visited once; see search.h.
 *
 * A state is known again by a hash of 64 bits: of 10^8 states, one is taken for another with a probability below
 * 0.0003. When a violation is found, the search is made again with a budget of unlikely steps, from 0 up, so that what is
 * shown needs as few of them as possible. With a budget, a state that is come to again with fewer of them is visited
 * again, and it matters who ran last, where that one could go on. */

#include "model/search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/hash.h"
#include "model/step.h"
#include "model/trace.h"

enum { CHOICES_MOST = 256, BUDGET_MOST = 12, ALONE_MOST = 300 };

struct frame {
    size_t saved;   /* where the state is */
    size_t choices; /* where the choices are */
    uint16_t count;
    uint16_t next;
    uint8_t last; /* the thread that ran last */
    uint8_t cost;
};

static struct search {
    struct frame *frames;
    size_t depth, frames_room;
    struct choice *choices;
    size_t choices_used, choices_room;
    char *saved;
    size_t saved_used, saved_room;
    uint64_t *seen; /* hashes; 0: none */
    uint8_t *seen_cost;
    size_t seen_count, seen_room;
    struct search_count count;
    uint64_t most_states;
    int budget;
} search;

static void *grown(void *at, size_t size)
{
    void *grown = realloc(at, size);
    if (!grown) {
        (void)fputs("model: no memory\n", stderr);
        exit(2);
    }
    return grown;
}

/* -- States that were seen ---------------------------------------------------------------------------------------- */

static void seen_reset(size_t room)
{
    free(search.seen);
    free(search.seen_cost);
    search.seen = calloc(room, sizeof *search.seen);
    search.seen_cost = calloc(room, 1);
    if (!search.seen || !search.seen_cost) {
        (void)fputs("model: no memory\n", stderr);
        exit(2);
    }
    search.seen_room = room;
    search.seen_count = 0;
}

static size_t seen_place(uint64_t hash)
{
    size_t at = hash & (search.seen_room - 1);
    while (search.seen[at] && search.seen[at] != hash)
        at = (at + 1) & (search.seen_room - 1);
    return at;
}

static void seen_grow(void)
{
    uint64_t *old = search.seen;
    uint8_t *old_cost = search.seen_cost;
    size_t room = search.seen_room;
    search.seen = NULL;
    search.seen_cost = NULL;
    seen_reset(room * 2);
    for (size_t i = 0; i < room; i++) {
        if (old[i]) {
            size_t at = seen_place(old[i]);
            search.seen[at] = old[i];
            search.seen_cost[at] = old_cost[i];
            search.seen_count++;
        }
    }
    free(old);
    free(old_cost);
}

/* Whether the state is new, or was come to at a higher cost before; notes it. */
static bool is_new(uint64_t hash, uint8_t cost)
{
    if (search.seen_count * 2 > search.seen_room)
        seen_grow();
    hash = hash ? hash : 1;
    size_t at = seen_place(hash);
    if (search.seen[at]) {
        if (search.seen_cost[at] <= cost)
            return false;
        search.seen_cost[at] = cost;
        return true;
    }
    search.seen[at] = hash;
    search.seen_cost[at] = cost;
    search.seen_count++;
    search.count.states++;
    return true;
}

/* -- Where nobody goes on ----------------------------------------------------------------------------------------- */

/* A sleeper is woken, and runs alone: it must fall asleep again, and let nobody else go. */
static void try_alone(uint8_t thread)
{
    static char *buffer;
    struct choice choices[CHOICES_MOST];
    if (!buffer)
        buffer = grown(NULL, step_save_size());
    (void)step_save(buffer);
    uint8_t done = world.done[thread];
    int sleeping = world.sleeping;
    struct choice choice = {EVENT_STRAY, thread, 0};
    for (int i = 0; i < ALONE_MOST && !failure[0]; i++) {
        step(choice);
        if (world.threads[thread].state != READY)
            break;
        (void)step_choices(choices, CHOICES_MOST, thread);
        choice = choices[0];
        if (choice.thread != thread)
            break;
    }
    bool stays = world.threads[thread].state == ASLEEP && world.done[thread] == done && world.sleeping == sleeping;
    step_restore(buffer);
    if (!stays)
        fail("a lost wake: everybody sleeps, but thread %d would go on if it were awake", thread + 1);
}

/* `choices` are what can happen: no step of a thread. */
static void look_at_end(const struct choice *choices, int count)
{
    search.count.ends++;
    if (step_ended()) {
        if (scenario.object->finish)
            scenario.object->finish();
        return;
    }
    bool time_helps = false;
    for (int i = 0; i < count; i++)
        time_helps = time_helps || choices[i].event == EVENT_TICK || choices[i].event == EVENT_TIMEOUT;
    if (!time_helps && !(scenario.object->may_rest && scenario.object->may_rest()))
        fail("a deadlock: nobody can go on any more");
    for (int i = 0; i < world.sleeping && !failure[0]; i++)
        try_alone(world.sleepers[i]);
}

/* -- The search --------------------------------------------------------------------------------------------------- */

static bool can_go_on(int thread)
{
    return world.threads[thread].state == READY;
}

static bool somebody_can_go_on(void)
{
    bool can = false;
    for (int i = 0; i < world.count; i++)
        can = can || can_go_on(i);
    return can;
}

/* How many unlikely steps it is. */
static int cost_of(struct choice choice, int last)
{
    if (choice.event == EVENT_STRAY)
        return 1;
    if (choice.event == EVENT_TICK)
        return somebody_can_go_on();
    if (choice.event == EVENT_TIMEOUT)
        return 0; /* the tick was one */
    if (step_is_private(choice.thread))
        return 0;
    return (choice.way != 0) + (choice.thread != last && can_go_on(last));
}

/* Looks at the state that was come to, and puts it on top, unless it was seen before. */
static void push(int last, int cost)
{
    uint64_t hash = step_hash();
    if (search.budget != NO_BUDGET && can_go_on(last))
        hash = hash_mix(hash, (uint64_t)last);
    if (failure[0] || !is_new(hash, (uint8_t)cost))
        return;
    struct choice choices[CHOICES_MOST];
    int count = step_choices(choices, CHOICES_MOST, last);
    if (count == 0 || choices[0].event != EVENT_STEP)
        look_at_end(choices, count);
    if (search.depth == search.frames_room) {
        search.frames_room = search.frames_room * 2 + 64;
        search.frames = grown(search.frames, search.frames_room * sizeof *search.frames);
    }
    while (search.choices_used + CHOICES_MOST > search.choices_room) {
        search.choices_room = search.choices_room * 2 + CHOICES_MOST;
        search.choices = grown(search.choices, search.choices_room * sizeof *search.choices);
    }
    while (search.saved_used + step_save_size() > search.saved_room) {
        search.saved_room = search.saved_room * 2 + step_save_size();
        search.saved = grown(search.saved, search.saved_room);
    }
    struct frame *frame = &search.frames[search.depth++];
    *frame = (struct frame){search.saved_used, search.choices_used, (uint16_t)count, 0, (uint8_t)last, (uint8_t)cost};
    memcpy(search.choices + search.choices_used, choices, (size_t)count * sizeof *choices);
    search.choices_used += (size_t)count;
    search.saved_used += step_save(search.saved + search.saved_used);
}

static void pop(void)
{
    const struct frame *frame = &search.frames[--search.depth];
    search.choices_used = frame->choices;
    search.saved_used = frame->saved;
}

/* Takes the next choice of the state on top, or takes that state off. */
static void advance(void)
{
    struct frame *frame = &search.frames[search.depth - 1];
    if (frame->next == frame->count) {
        pop();
        return;
    }
    struct choice choice = search.choices[frame->choices + frame->next];
    if (frame->next++ > 0 || search.budget != NO_BUDGET)
        step_restore(search.saved + frame->saved);
    int cost = frame->cost;
    int last = frame->last;
    if (search.budget != NO_BUDGET && (cost += cost_of(choice, last)) > search.budget)
        return;
    bool turns = choice.event != EVENT_TICK && !(choice.event == EVENT_STEP && step_is_private(choice.thread));
    search.count.steps++;
    step(choice);
    push(turns ? choice.thread : last, cost);
}

static void start(void)
{
    memset(world.shared, 0, sizeof world.shared);
    memset(world.ghost, 0, sizeof world.ghost);
    memset(world.records, 0, sizeof world.records);
    memset(world.freed, 0, sizeof world.freed);
    memset(world.locations, 0, sizeof world.locations);
    memset(world.done, 0, sizeof world.done);
    memset(world.sleepers, 0, sizeof world.sleepers);
    memset(watch_counts, 0, sizeof watch_counts);
    watch_generation = 0;
    memset(handoff_crowds, 0, sizeof handoff_crowds);
    memset(world.views, 0, sizeof world.views);
    world.barriers = false;
    world.shared_size = (uint16_t)(scenario.object->size ? (scenario.object->size + 7) & ~(size_t)7 : SHARED_USUAL);
    world.sleeping = 0;
    world.clock = 0;
    world.strays = 0;
    world.messages_used = 0;
    world.accesses_used = 0;
    scenario.object->prepare();
    step_begin(scenario.threads, scenario_body);
    if (world.shared_size > sizeof world.shared)
        fail("the search has no room for what the object shares");
}

/* One search, with a budget of unlikely steps. It stops at a violation: the path to it is then in the frames. */
static void search_with(int budget)
{
    search.budget = budget;
    search.depth = search.choices_used = search.saved_used = 0;
    search.count = (struct search_count){.complete = true};
    seen_reset(1 << 16);
    start();
    push(0, 0);
    while (search.depth > 0 && !failure[0]) {
        if (search.count.states >= search.most_states) {
            search.count.complete = false;
            return;
        }
        advance();
    }
}

/* Makes the steps that led to the violation once more, and prints them. */
static void play_back(void)
{
    char what[sizeof failure];
    memcpy(what, failure, sizeof what);
    trace_clear();
    start();
    tracing = true;
    for (size_t i = 0; i < search.depth && !failure[0]; i++) {
        const struct frame *frame = &search.frames[i];
        if (frame->next > 0)
            step(search.choices[frame->choices + frame->next - 1]);
    }
    tracing = false;
    trace_print();
    memcpy(failure, what, sizeof failure);
}

bool search_run(uint64_t most_states, int budget, struct search_count *counted)
{
    search.most_states = most_states;
    search_with(budget);
    *counted = search.count;
    if (!failure[0])
        return true;
    search.most_states = UINT64_MAX;
    failure[0] = 0;
    for (int fewer = 0; fewer < budget && fewer < BUDGET_MOST && !failure[0]; fewer++)
        search_with(fewer);
    if (!failure[0])
        search_with(budget);
    play_back();
    return false;
}
