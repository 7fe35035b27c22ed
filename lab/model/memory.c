/* memory.c - see memory.h; the state is in world.h.
 *
 * I1  The messages of a location are in its modification order. Every index is one of them, and nobody's `seen` is newer
 *     than the newest.
 * I2  A location that is not in the table has one value, which everybody may read, and which carries nothing.
 * I3  Nothing is inserted between a message and one attached to it.
 *
 * An acquire joins what the message carries; a release has the message carry what the thread knows; a read-modify-write
 * passes on what the message before it carried (the release sequence). */

#include "model/memory.h"

#include <string.h>

#include "model/hash.h"
#include "model/race.h"
#include "model/scenario.h"
#include "model/trace.h"

static bool is_watch_word(uintptr_t at)
{
    return at - (uintptr_t)watch_counts < sizeof watch_counts || at == (uintptr_t)&watch_generation;
}

bool memory_has(uintptr_t at)
{
    const uintptr_t shared = (uintptr_t)world.shared;
    const uintptr_t stack = (uintptr_t)stacks;
    if (at - shared < sizeof world.shared || at - stack < sizeof stacks)
        return true;
    if (is_watch_word(at))
        return scenario.object->watches;
    if (at - (uintptr_t)handoff_crowds < sizeof handoff_crowds)
        return true;
    for (int i = 0; i < THREADS; i++) {
        if (at == (uintptr_t)&world.records[i].notified || at == (uintptr_t)&world.records[i].pending)
            return true;
    }
    return false;
}

/* -- Values in memory --------------------------------------------------------------------------------------------- */

static uint64_t value_at(uintptr_t at, size_t size)
{
    uint64_t value = 0;
    memcpy(&value, (const void *)at, size); /* little end first */
    return value;
}

static void put_value(uintptr_t at, size_t size, uint64_t value)
{
    memcpy((void *)at, &value, size);
}

static uint64_t cut(uint64_t value, size_t size)
{
    return size == 8 ? value : value & ((UINT64_C(1) << size * 8) - 1);
}

/* -- What is known ------------------------------------------------------------------------------------------------ */

static uint8_t larger(uint8_t a, uint8_t b)
{
    return a > b ? a : b;
}

static void learn(struct known *known, const struct known *more)
{
    for (int i = 0; i < LOCATIONS; i++)
        known->seen[i] = larger(known->seen[i], more->seen[i]);
    for (int i = 0; i < THREADS; i++)
        known->clock[i] = larger(known->clock[i], more->clock[i]);
}

static bool is_acquire(int order)
{
    return order == __ATOMIC_ACQUIRE || order == __ATOMIC_CONSUME || order == __ATOMIC_ACQ_REL ||
           order == __ATOMIC_SEQ_CST;
}

static bool is_release(int order)
{
    return order == __ATOMIC_RELEASE || order == __ATOMIC_ACQ_REL || order == __ATOMIC_SEQ_CST;
}

/* Calls for each `known` there is. */
/* It declares its argument. NOLINTNEXTLINE(bugprone-macro-parentheses) */
#define FOR_EACH_KNOWN(known) for (struct known *known = first_known(); known; known = next_known(known))

static struct known *first_known(void)
{
    return &world.views[0];
}

static struct known *end_of_views(void)
{
    return &world.views[world.barriers ? VIEWS : 1];
}

static struct known *next_known(struct known *known)
{
    if (known + 1 == end_of_views())
        return &world.threads[0].known;
    if (known < world.views + VIEWS && known >= world.views)
        return known + 1;
    for (int i = 0; i + 1 < world.count; i++) {
        if (known == &world.threads[i].known)
            return &world.threads[i + 1].known;
    }
    struct message *message = known == &world.threads[world.count - 1].known
                                  ? world.messages
                                  : (struct message *)((char *)known - offsetof(struct message, known)) + 1;
    return message < world.messages + world.messages_used ? &message->known : NULL;
}

/* -- Locations ---------------------------------------------------------------------------------------------------- */

static struct message *message_of(const struct location *location, int index)
{
    return &world.messages[location->messages[index]];
}

static int index_of(const struct location *location)
{
    return (int)(location - world.locations);
}

static uint8_t new_message(void)
{
    static const struct message empty;
    if (world.messages_used == MESSAGES) {
        fail("the search has no room for more messages");
        world.messages_used--;
    }
    world.messages[world.messages_used] = empty;
    return (uint8_t)world.messages_used++;
}

/* Frees the place of a message: the last one moves there. */
static void drop_message(uint8_t place)
{
    uint8_t last = (uint8_t)--world.messages_used;
    if (place == last)
        return;
    world.messages[place] = world.messages[last];
    for (struct location *l = world.locations; l < world.locations + LOCATIONS; l++) {
        for (int i = 0; l->at && i < l->count; i++) {
            if (l->messages[i] == last) {
                l->messages[i] = place;
                return;
            }
        }
    }
}

/* The location that contains [at, at + size); NULL if it is not in the table. */
static struct location *find(uintptr_t at, size_t size)
{
    for (struct location *l = world.locations; l < world.locations + LOCATIONS; l++) {
        if (at - l->at < l->size && l->at) {
            if (at + size > l->at + l->size) {
                if (l->count > 1 || l->at != at)
                    fail("operations of different sizes on one location");
                l->size = (uint8_t)size;
            }
            return l;
        }
    }
    return NULL;
}

static struct location *find_or_make(uintptr_t at, size_t size)
{
    struct location *location = find(at, size);
    if (location)
        return location;
    for (location = world.locations; location->at; location++) {
        if (location == world.locations + LOCATIONS - 1) {
            fail("the search has no room for more locations");
            return location;
        }
    }
    *location = (struct location){.at = at, .size = (uint8_t)size, .count = 1};
    location->messages[0] = new_message();
    return location;
}

static void drop_location(struct location *location)
{
    int index = index_of(location);
    while (location->count > 0)
        drop_message(location->messages[--location->count]);
    location->at = 0;
    FOR_EACH_KNOWN(known)
    known->seen[index] = 0;
}

static uint64_t value_of(const struct location *location, int index)
{
    return index == location->count - 1 ? value_at(location->at, location->size) : message_of(location, index)->value;
}

/* Whether nothing is attached to the message, so that something may come after it. */
static bool is_open(const struct location *location, int index)
{
    return index == location->count - 1 || !message_of(location, index + 1)->attached;
}

/* Inserts a message at an index; returns it. */
static struct message *insert(struct location *location, int index, uint64_t value)
{
    int which = index_of(location);
    if (location->count == LOCATION_MESSAGES) {
        fail("the search has no room for more messages of one location");
        location->count--;
    }
    message_of(location, location->count - 1)->value = value_at(location->at, location->size);
    for (int i = location->count; i > index; i--)
        location->messages[i] = location->messages[i - 1];
    location->messages[index] = new_message();
    location->count++;
    FOR_EACH_KNOWN(known)
    {
        if (known->seen[which] >= index)
            known->seen[which]++;
    }
    if (location->woken >= index)
        location->woken++;
    message_of(location, index)->known.seen[which] = 0;
    message_of(location, index)->value = value;
    if (index == location->count - 1)
        put_value(location->at, location->size, value);
    return message_of(location, index);
}

/* -- Operations --------------------------------------------------------------------------------------------------- */

/* Reads the message at an index. */
static void read_message(int thread, const struct location *location, int index, int order)
{
    struct known *known = &world.threads[thread].known;
    int which = index_of(location);
    known->seen[which] = larger(known->seen[which], (uint8_t)index);
    if (is_acquire(order))
        learn(known, &message_of(location, index)->known);
}

/* Stores a message at an index; `before` is the one that a read-modify-write read. */
static void store_message(int thread, struct location *location, int index, uint64_t value, int order, bool attached)
{
    struct known *known = &world.threads[thread].known;
    struct known carried = {{0}, {0}};
    if (attached)
        carried = message_of(location, index - 1)->known;
    struct message *message = insert(location, index, value);
    known->seen[index_of(location)] = (uint8_t)index;
    message->attached = attached;
    message->known = carried;
    if (is_release(order)) {
        learn(&message->known, known);
        race_release(thread);
    }
    message->known.seen[index_of(location)] = 0;
}

static uint64_t combine(const struct pending *pending, uint64_t old)
{
    uint64_t value = pending->value;
    switch ((enum operation)pending->operation) {
    case OPERATION_ADD:
        return cut(old + value, pending->size);
    case OPERATION_SUB:
        return cut(old - value, pending->size);
    case OPERATION_AND:
        return old & value;
    case OPERATION_OR:
        return old | value;
    case OPERATION_XOR:
        return old ^ value;
    default:
        return cut(value, pending->size);
    }
}

/* One way in which an operation can go on: the message that it reads (of a store: comes after), and whether a
 * compare-and-swap succeeds. */
struct way {
    int index;
    bool stores;
};

/* Finds way number `number`, or says with a negative index that there are not so many; `*count` is how many there are. */
static struct way find_way(const struct location *location, const struct thread *thread, int number, int *count)
{
    const struct pending *pending = &thread->pending;
    struct way found = {-1, false};
    int ways = 0;
    uint64_t expected = pending->operation == OPERATION_CAS ? value_at((uintptr_t)pending->expected, pending->size) : 0;
    for (int index = location->count - 1; index >= thread->known.seen[index_of(location)]; index--) {
        bool open = is_open(location, index);
        bool loads = pending->operation == OPERATION_LOAD;
        bool stores = !loads && open;
        if (pending->operation == OPERATION_CAS) {
            bool equal = value_of(location, index) == expected;
            loads = !equal || (pending->weak && index == location->count - 1);
            stores = equal && open;
        }
        if (stores && ways++ == number)
            found = (struct way){index, true};
        if (loads && ways++ == number)
            found = (struct way){index, false};
    }
    *count = ways;
    return found;
}

/* The part of a location that a load of it sees, which may be a half. */
static uint64_t part_of(const struct location *location, const struct pending *pending, uint64_t value)
{
    return cut(value >> (pending->at - location->at) * 8, pending->size);
}

static struct location *location_for(const struct pending *pending)
{
    struct location *location = find_or_make(pending->at, pending->size);
    if (pending->operation != OPERATION_LOAD && (location->at != pending->at || location->size != pending->size))
        fail("operations of different sizes on one location");
    return location;
}

int memory_ways(int thread)
{
    int count;
    const struct pending *pending = &world.threads[thread].pending;
    (void)find_way(location_for(pending), &world.threads[thread], -1, &count);
    return count;
}

/* The sequentially consistent operations have one order, that of the steps: none is before the latest such store to its
 * location. What its thread knows of others is not its business. */
static void before_consistent(int thread, const struct location *location, int order)
{
    uint8_t *seen = &world.threads[thread].known.seen[index_of(location)];
    if (order == __ATOMIC_SEQ_CST)
        *seen = larger(*seen, world.views[VIEW_CONSISTENT].seen[index_of(location)]);
}

static void after_consistent(const struct location *location, int stored, int order)
{
    if (order == __ATOMIC_SEQ_CST)
        world.views[VIEW_CONSISTENT].seen[index_of(location)] = (uint8_t)stored;
}

void memory_step(int thread, int way_number)
{
    int count;
    struct thread *me = &world.threads[thread];
    const struct pending *pending = &me->pending;
    struct location *location = location_for(pending);
    before_consistent(thread, location, pending->order);
    struct way way = find_way(location, me, way_number, &count);
    if (way.index < 0)
        way = find_way(location, me, 0, &count); /* the operations before it left fewer ways */
    int order = pending->operation == OPERATION_CAS && !way.stores ? pending->failure_order : pending->order;
    uint64_t old = value_of(location, way.index);
    bool reads = pending->operation != OPERATION_STORE;

    race_access(pending->at, pending->size, way.stores ? ATOMIC_WRITE : ATOMIC_READ);
    if (reads)
        read_message(thread, location, way.index, order);
    me->result = part_of(location, pending, old);
    if (way.stores) {
        store_message(thread, location, way.index + 1, combine(pending, old), order, reads);
        after_consistent(location, way.index + 1, order);
    }
    if (pending->operation == OPERATION_CAS) {
        me->result = way.stores;
        if (!way.stores)
            put_value((uintptr_t)pending->expected, pending->size, old);
    }
    trace_operation(thread, old, combine(pending, old), way.stores, location->count - 1 - way.index - way.stores);
}

/* -- Sleeping ----------------------------------------------------------------------------------------------------- */

static int oldest_look(const struct location *location, int thread)
{
    return larger(location->woken, world.threads[thread].known.seen[index_of(location)]);
}

int memory_looks(int thread)
{
    const struct pending *pending = &world.threads[thread].pending;
    const struct location *location = find(pending->at, pending->size);
    return location ? location->count - oldest_look(location, thread) : 1;
}

uint32_t memory_look(int thread, int way)
{
    const struct pending *pending = &world.threads[thread].pending;
    struct location *location = find_or_make(pending->at, pending->size);
    int index = location->count - 1 - way;
    race_access(pending->at, pending->size, ATOMIC_READ);
    read_message(thread, location, index, __ATOMIC_RELAXED);
    return (uint32_t)part_of(location, pending, value_of(location, index));
}

void memory_woken(int thread)
{
    const struct pending *pending = &world.threads[thread].pending;
    struct location *location = find(pending->at, pending->size);
    if (location)
        location->woken = larger(location->woken, world.threads[thread].known.seen[index_of(location)]);
}

/* -- Barriers in halves -------------------------------------------------------------------------------------------- */

static void learn_seen(struct known *known, const struct known *more)
{
    for (int i = 0; i < LOCATIONS; i++)
        known->seen[i] = larger(known->seen[i], more->seen[i]);
}

void memory_light(int thread)
{
    struct known *known = &world.threads[thread].known;
    world.barriers = true;
    learn_seen(known, &world.views[VIEW_FAR + thread]);
    learn_seen(&world.views[VIEW_LIGHT + thread], known);
}

void memory_far(int thread, int other)
{
    struct known *known = &world.threads[thread].known;
    learn_seen(known, &world.views[VIEW_LIGHT + other]);
    learn_seen(&world.views[VIEW_FAR + other], known);
}

/* -- Plain stores, and memory that goes --------------------------------------------------------------------------- */

void memory_overwrite(uintptr_t at)
{
    struct location *location = find(at, 1);
    if (location)
        drop_location(location);
}

void memory_forget(uintptr_t at, size_t size)
{
    for (struct location *l = world.locations; l < world.locations + LOCATIONS; l++) {
        if (l->at && l->at - at < size)
            drop_location(l);
    }
}

/* -- Tidying ------------------------------------------------------------------------------------------------------ */

/* The oldest message of a location that a thread which goes on may read. */
static int oldest_readable(int which)
{
    int oldest = UINT8_MAX;
    for (int i = 0; i < world.count; i++) {
        if (world.threads[i].state != ENDED && world.threads[i].known.seen[which] < oldest)
            oldest = world.threads[i].known.seen[which];
    }
    return oldest;
}

static bool carries_nothing(const struct message *message)
{
    static const struct known nothing;
    return memcmp(&message->known, &nothing, sizeof nothing) == 0;
}

static void drop_oldest(struct location *location, int drop)
{
    int which = index_of(location);
    for (int i = 0; i < drop; i++) {
        uint8_t place = location->messages[0];
        location->count--;
        for (int j = 0; j < location->count; j++)
            location->messages[j] = location->messages[j + 1];
        drop_message(place);
    }
    FOR_EACH_KNOWN(known)
    known->seen[which] = (uint8_t)(known->seen[which] > drop ? known->seen[which] - drop : 0);
    location->woken = (uint8_t)(location->woken > drop ? location->woken - drop : 0);
}

static void tidy(struct location *location)
{
    int which = index_of(location);
    int drop = oldest_readable(which);
    if (drop < location->count - bounds.messages)
        drop = location->count - bounds.messages;
    if (drop > location->count - 1)
        drop = location->count - 1;
    if (drop > 0)
        drop_oldest(location, drop);
    message_of(location, 0)->attached = false;
}

void memory_tidy(void)
{
    for (struct location *l = world.locations; l < world.locations + LOCATIONS; l++) {
        if (l->at)
            tidy(l);
    }
    race_tidy();
    for (struct location *l = world.locations; l < world.locations + LOCATIONS; l++) {
        if (l->at && l->count == 1 && carries_nothing(message_of(l, 0)))
            drop_location(l);
    }
}

/* -- Hashing ------------------------------------------------------------------------------------------------------ */

/* The order of the table is no part of the state. */
static uint64_t hash_known(const struct known *known)
{
    uint64_t hash = 0;
    for (int i = 0; i < LOCATIONS; i++) {
        if (known->seen[i] != 0)
            hash += hash_mix(known->seen[i], world.locations[i].at);
    }
    for (int i = 0; i < THREADS; i++)
        hash = hash_mix(hash, known->clock[i]);
    return hash;
}

uint64_t memory_hash(void)
{
    uint64_t sum = 0;
    for (const struct location *l = world.locations; l < world.locations + LOCATIONS; l++) {
        if (!l->at)
            continue;
        uint64_t hash = hash_mix(l->at, l->woken);
        for (int i = 0; i < l->count; i++) {
            const struct message *message = message_of(l, i);
            hash = hash_mix(hash, i == l->count - 1 ? 0 : message->value);
            hash = hash_mix(hash, hash_known(&message->known) + message->attached);
        }
        sum += hash;
    }
    uint64_t hash = sum;
    for (const struct known *view = world.views; view < end_of_views(); view++)
        hash = hash_mix(hash, hash_known(view));
    for (int i = 0; i < world.count; i++)
        hash = hash_mix(hash, world.threads[i].state == ENDED ? 1 : hash_known(&world.threads[i].known));
    return hash;
}
