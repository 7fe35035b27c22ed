/* step.c - see step.h. The search runs on the stack of the program; a thread of the world runs from one operation to the
 * next, and then switches back to it. */

#include "model/step.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "model/hash.h"
#include "model/memory.h"
#include "model/race.h"
#include "model/scenario.h"
#include "model/trace.h"
#include "sync/lock.h"

enum { CLEARED = 1024 /* bytes below a stack, so that no leftovers get into the frames to come */ };

struct world world;
_Alignas(64) char stacks[THREADS][STACK_SIZE];
int running = -1;
struct bounds bounds = {.messages = 4, .ticks = 1, .strays = STRAYS_UNBOUNDED};
char failure[256];

static struct fibre search;
static void (*thread_body)(int thread);

static bool inside; /* a thread of the world runs, and not the search */

void fail(const char *format, ...)
{
    if (!failure[0]) {
        va_list arguments;
        va_start(arguments, format);
        (void)vsnprintf(failure, sizeof failure, format, arguments);
        va_end(arguments);
    }
    while (inside) /* the thread goes no further */
        fibre_switch(&world.threads[running].fibre, &search);
}

/* -- On a thread of the world ------------------------------------------------------------------------------------- */

bool step_inside(void)
{
    return inside;
}

struct pending *step_pending(void)
{
    return &world.threads[running].pending;
}

uint64_t step_wait(void)
{
    fibre_switch(&world.threads[running].fibre, &search);
    return world.threads[running].result;
}

void step_barrier(enum operation which)
{
    struct pending *pending = step_pending();
    pending->operation = (uint8_t)which;
    pending->value = ((UINT64_C(1) << world.count) - 1) & ~(UINT64_C(1) << running);
    pending->site = __builtin_extract_return_addr(__builtin_return_address(0));
    if (which == OPERATION_LIGHT || pending->value != 0)
        (void)step_wait();
}

void step_aside(void (*function)(uintptr_t a, size_t b), uintptr_t a, size_t b)
{
    static _Alignas(64) char stack[1 << 16];
    fibre_call(stack + sizeof stack, function, a, b);
}

static void thread_main(void)
{
    thread_body(running);
    world.threads[running].state = ENDED;
    for (;;)
        fibre_switch(&world.threads[running].fibre, &search);
}

/* -- In the search ------------------------------------------------------------------------------------------------ */

static char *bottom_of(int thread)
{
    return stacks[thread];
}

static char *top_of(int thread)
{
    return stacks[thread] + STACK_SIZE;
}

static size_t depth_of(int thread)
{
    return (size_t)(top_of(thread) - (char *)world.threads[thread].fibre.stack_pointer);
}

static void clear_below(int thread)
{
    char *stack_pointer = world.threads[thread].fibre.stack_pointer;
    size_t room = (size_t)(stack_pointer - bottom_of(thread));
    size_t size = room < CLEARED ? room : CLEARED;
    memset(stack_pointer - size, 0, size);
}

/* What was in frames that have returned is gone. */
static void forget_below(int thread)
{
    uintptr_t bottom = (uintptr_t)bottom_of(thread);
    size_t size = (uintptr_t)world.threads[thread].fibre.stack_pointer - bottom;
    memory_forget(bottom, size);
    race_forget(bottom, size);
}

static void go_on(int thread)
{
    struct thread *me = &world.threads[thread];
    running = thread;
    inside = true;
    fibre_switch(&search, &me->fibre);
    inside = false;
    if (failure[0]) /* perhaps on another stack than its own */
        return;
    running = -1;
    clear_below(thread);
    if (depth_of(thread) + CLEARED > STACK_SIZE)
        fail("the stack of thread %d is too small for the search", thread + 1);
    me->stack_hash = me->state == ENDED ? 0 : hash_bytes(0, me->fibre.stack_pointer, depth_of(thread));
    forget_below(thread);
}

static void prepare_thread(void *arg)
{
    const int *number = arg;
    wait_self = &world.records[*number];
    wait_number((uint32_t)*number + 1);
}

void step_setup(void)
{
    fibre_adopt(&search);
    for (int i = 0; i < THREADS; i++)
        fibre_new(&world.threads[i].fibre, prepare_thread, &i);
}

void step_begin(int count, void (*body)(int thread))
{
    thread_body = body;
    failure[0] = 0;
    world.count = (uint8_t)count;
    for (int i = 0; i < count; i++) {
        struct thread *thread = &world.threads[i];
        *thread = (struct thread){.fibre = thread->fibre};
        thread->known.clock[i] = 1;
        world.records[i].number = (uint32_t)i + 1;
        memset(stacks[i], 0, STACK_SIZE);
        fibre_reset(&thread->fibre, top_of(i), thread_main);
    }
    for (int i = 0; i < count && !failure[0]; i++)
        go_on(i);
}

/* -- Sleeping ----------------------------------------------------------------------------------------------------- */

static void fall_asleep(int thread)
{
    world.threads[thread].state = ASLEEP;
    world.sleepers[world.sleeping++] = (uint8_t)thread;
}

static void wake_up(int thread, enum os_wait_end end)
{
    int at = 0;
    while (world.sleepers[at] != thread)
        at++;
    world.sleeping--;
    for (; at < world.sleeping; at++)
        world.sleepers[at] = world.sleepers[at + 1];
    world.sleepers[world.sleeping] = 0;
    world.threads[thread].state = READY;
    world.threads[thread].result = end;
    world.threads[thread].pending.operation = OPERATION_WOKEN;
}

static void wait_step(int thread, int way)
{
    struct thread *me = &world.threads[thread];
    uint32_t found = memory_look(thread, way);
    if (found != (uint32_t)me->pending.value) {
        me->result = OS_WOKEN;
        trace_note(thread, "wait %s: finds %x, not %x", trace_name(me->pending.at), found, (uint32_t)me->pending.value);
        go_on(thread);
        return;
    }
    trace_note(thread, "wait %s: sleeps on %x%s", trace_name(me->pending.at), found,
               me->pending.deadline == THR_FOREVER ? "" : " with a deadline");
    fall_asleep(thread);
}

static void wake_step(int thread)
{
    const struct pending *pending = &world.threads[thread].pending;
    int left = pending->value > THREADS ? THREADS : (int)pending->value;
    int woken = 0;
    memory_woken(thread);
    for (int i = 0; i < world.sleeping && left > 0;) {
        int sleeper = world.sleepers[i];
        const struct pending *wait = &world.threads[sleeper].pending;
        if (wait->at == pending->at && (wait->mask & pending->mask)) {
            wake_up(sleeper, OS_WOKEN);
            woken |= 1 << sleeper;
            left--;
        } else {
            i++;
        }
    }
    trace_note(thread, "wake %s:%s%s%s%s%s", trace_name(pending->at), woken & 1 ? " thread 1" : "",
               woken & 2 ? " thread 2" : "", woken & 4 ? " thread 3" : "", woken & 8 ? " thread 4" : "",
               woken ? "" : " nobody");
    go_on(thread);
}

/* -- Barriers ----------------------------------------------------------------------------------------------------- */

static void light_step(int thread)
{
    memory_light(thread);
    trace_note(thread, "light barrier");
    go_on(thread);
}

static void far_step(int thread, int way)
{
    struct pending *pending = &world.threads[thread].pending;
    uint64_t left = pending->value;
    for (; way > 0; way--)
        left &= left - 1;
    int other = __builtin_ctzll(left);
    memory_far(thread, other);
    trace_note(thread, "far barrier reaches thread %d", other + 1);
    pending->value &= ~(UINT64_C(1) << other);
    if (pending->value == 0)
        go_on(thread);
}

/* -- What can happen ---------------------------------------------------------------------------------------------- */

static int ways_of(int thread)
{
    const struct pending *pending = &world.threads[thread].pending;
    switch ((enum operation)pending->operation) {
    case OPERATION_WAIT:
        return memory_looks(thread);
    case OPERATION_CHOOSE:
        return (int)pending->value;
    case OPERATION_FAR:
        return __builtin_popcountll(pending->value);
    case OPERATION_LIGHT:
    case OPERATION_WAKE:
    case OPERATION_WOKEN:
    case OPERATION_POINT:
        return 1;
    default:
        return memory_ways(thread);
    }
}

bool step_is_private(int thread)
{
    const struct thread *it = &world.threads[thread];
    return it->state == READY && (it->pending.operation == OPERATION_CHOOSE ||
                                  (it->pending.operation == OPERATION_WOKEN && world.clock >= bounds.ticks));
}

static int add_steps(struct choice *choices, int thread)
{
    int ways = ways_of(thread);
    for (int way = 0; way < ways; way++)
        choices[way] = (struct choice){EVENT_STEP, (uint8_t)thread, (uint8_t)way};
    return ways;
}

bool step_ended(void)
{
    for (int i = 0; i < world.count; i++) {
        if (world.threads[i].state != ENDED)
            return false;
    }
    return true;
}

static bool has_expired(thr_time deadline)
{
    return deadline <= (thr_time)world.clock * TICK;
}

int step_choices(struct choice *choices, int capacity, int last)
{
    int count = 0;
    bool waiting = false;
    (void)capacity;
    for (int i = 0; i < world.count; i++) {
        if (step_is_private(i))
            return add_steps(choices, i);
    }
    for (int i = 0; i < world.count; i++) {
        int thread = (last + i) % world.count;
        if (world.threads[thread].state == READY)
            count += add_steps(choices + count, thread);
        waiting = waiting || world.threads[thread].state != ENDED;
    }
    for (int i = 0; i < world.sleeping; i++) {
        uint8_t thread = world.sleepers[i];
        if (has_expired(world.threads[thread].pending.deadline))
            choices[count++] = (struct choice){EVENT_TIMEOUT, thread, 0};
    }
    if (waiting && world.clock < bounds.ticks)
        choices[count++] = (struct choice){EVENT_TICK, 0, 0};
    for (int i = 0; i < world.sleeping && world.strays < bounds.strays; i++)
        choices[count++] = (struct choice){EVENT_STRAY, world.sleepers[i], 0};
    return count;
}

static void step_thread(int thread, int way)
{
    struct thread *me = &world.threads[thread];
    switch ((enum operation)me->pending.operation) {
    case OPERATION_WAIT:
        running = thread;
        wait_step(thread, way);
        break;
    case OPERATION_WAKE:
        running = thread;
        wake_step(thread);
        break;
    case OPERATION_LIGHT:
        light_step(thread);
        break;
    case OPERATION_FAR:
        far_step(thread, way);
        break;
    case OPERATION_CHOOSE:
        me->result = (uint64_t)way;
        go_on(thread);
        break;
    case OPERATION_WOKEN:
    case OPERATION_POINT:
        go_on(thread);
        break;
    default:
        running = thread;
        memory_step(thread, way);
        go_on(thread);
        break;
    }
    running = -1;
}

void step(struct choice choice)
{
    switch ((enum event)choice.event) {
    case EVENT_STEP:
        step_thread(choice.thread, choice.way);
        break;
    case EVENT_STRAY:
        trace_note(choice.thread, "wakes for no reason");
        world.strays = (uint8_t)(world.strays + (bounds.strays != STRAYS_UNBOUNDED));
        wake_up(choice.thread, OS_WOKEN);
        go_on(choice.thread);
        break;
    case EVENT_TIMEOUT:
        trace_note(choice.thread, "its deadline has passed");
        wake_up(choice.thread, OS_TIMEOUT);
        go_on(choice.thread);
        break;
    case EVENT_TICK:
        trace_note(-1, "-- time passes --");
        world.clock++;
        break;
    }
    memory_tidy();
}

/* -- States ------------------------------------------------------------------------------------------------------- */

uint64_t step_hash(void)
{
    uint64_t hash = hash_bytes((uint64_t)world.strays << 8 | world.clock, world.shared, world.shared_size);
    hash = hash_bytes(hash, world.ghost, sizeof world.ghost);
    hash = hash_bytes(hash, world.freed, sizeof world.freed);
    if (scenario.object->watches)
        hash = hash_mix(hash_bytes(hash, watch_counts, sizeof watch_counts), watch_generation);
    hash = hash_bytes(hash, handoff_crowds, sizeof handoff_crowds);
    for (int i = 0; i < world.count; i++) {
        const struct thread *thread = &world.threads[i];
        hash = hash_mix(hash, thread->stack_hash + thread->state);
        hash = hash_mix(hash, world.records[i].pending);
        hash = hash_mix(hash, (uintptr_t)world.records[i].notified);
        if (thread->state == ENDED)
            continue;
        hash = hash_mix(hash, thread->pending.at + ((uint64_t)thread->pending.operation << 56));
        hash = hash_mix(hash, thread->pending.value);
        hash = hash_mix(hash, (uint64_t)thread->pending.deadline + ((uint64_t)thread->pending.order << 56));
        if (thread->pending.operation == OPERATION_WOKEN)
            hash = hash_mix(hash, thread->result);
    }
    for (int i = 0; i < world.sleeping; i++)
        hash = hash_mix(hash, world.sleepers[i]);
    return hash_mix(hash_mix(hash, memory_hash()), race_hash());
}

static size_t fixed_size(void)
{
    return offsetof(struct world, accessed);
}

static char *put(char *to, const void *from, size_t size)
{
    memcpy(to, from, size);
    return to + size;
}

static const char *get(void *to, const char *from, size_t size)
{
    memcpy(to, from, size);
    return from + size;
}

size_t step_save_size(void)
{
    return sizeof world + sizeof stacks;
}

/* What the library keeps outside of `shared`. */
static void save_watch_words(void)
{
    memcpy(world.watch.counts, watch_counts, sizeof watch_counts);
    world.watch.generation = watch_generation;
    memcpy(world.crowds, handoff_crowds, sizeof handoff_crowds);
}

static void restore_watch_words(void)
{
    memcpy(watch_counts, world.watch.counts, sizeof watch_counts);
    watch_generation = world.watch.generation;
    memcpy(handoff_crowds, world.crowds, sizeof handoff_crowds);
}

size_t step_save(void *buffer)
{
    save_watch_words();
    char *to = put(buffer, &world, fixed_size());
    to = put(to, world.accessed, world.accesses_used * sizeof *world.accessed);
    to = put(to, world.accesses, world.accesses_used * sizeof *world.accesses);
    to = put(to, world.messages, world.messages_used * sizeof *world.messages);
    for (int i = 0; i < world.count; i++)
        to = put(to, world.threads[i].fibre.stack_pointer, depth_of(i));
    return (size_t)(to - (char *)buffer);
}

void step_restore(const void *buffer)
{
    const char *from = get(&world, buffer, fixed_size());
    restore_watch_words();
    from = get(world.accessed, from, world.accesses_used * sizeof *world.accessed);
    from = get(world.accesses, from, world.accesses_used * sizeof *world.accesses);
    from = get(world.messages, from, world.messages_used * sizeof *world.messages);
    for (int i = 0; i < world.count; i++) {
        from = get(world.threads[i].fibre.stack_pointer, from, depth_of(i));
        clear_below(i);
    }
}
