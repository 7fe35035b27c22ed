/* history.c - what has happened before, as hashes.
 *
 * Two runs that differ only in the order of steps that have nothing to do with each other get the same hash. Each strand has
 * a hash of its steps, and each object one of the steps that changed it; a step mixes both. Questions (HOOK_LOOK) do not
 * depend on each other: their hashes are added up beside the object's, until the next change.
 *
 *  step of a strand    strand's hash                    object's
 *  a change            mix(strand, change + asked)      change = strand's new, asked = 0
 *  a question          mix(strand, change)              asked += strand's new
 *
 * What follows a yield point may touch any memory: so it counts as a change of one object, all memory, about which every
 * other step asks.
 *
 * A run is a process of its own, so the table starts empty. Addresses are not part of it: they may differ between two
 * such runs. */

#include "lab/control.h"
#include "lab/strategy.h"

enum { TABLE = 1 << 14, PROBES = 64 };

struct object {
    const void *address;
    uint64_t change;
    uint64_t asked;
};

static struct object objects[TABLE];
static struct object memory;
static uint64_t state;

uint64_t history_mix(uint64_t a, uint64_t b)
{
    uint64_t x = a * 0x9e3779b97f4a7c15u ^ (b + 0x7f4a7c15u + (a >> 23));
    x ^= x >> 31;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 29;
    x *= 0x94d049bb133111ebu;
    return x ^ x >> 32;
}

/* The place of an object; an old one's where the table is full. */
static struct object *find(const void *address)
{
    uint64_t hash = (uint64_t)(uintptr_t)address * 0x9e3779b97f4a7c15u >> 40;
    for (uint64_t i = 0; i < PROBES; i++) {
        struct object *object = &objects[(hash + i) % TABLE];
        if (object->address == address)
            return object;
        if (!object->address) {
            object->address = address;
            return object;
        }
    }
    return &objects[hash % TABLE];
}

/* The state is the sum over the strands: a new hash replaces the old one's share. */
static void strand_hash(struct strand *strand, uint64_t hash)
{
    state -= history_mix(strand->hash, strand->id);
    strand->hash = hash;
    state += history_mix(strand->hash, strand->id);
}

void history_born(struct strand *strand, const struct strand *parent)
{
    strand->hash = 0;
    state += history_mix(0, strand->id);
    strand_hash(strand, history_mix(parent ? parent->hash : 1, strand->id));
}

static uint64_t ask(struct object *object, uint64_t hash)
{
    hash = history_mix(hash, object->change);
    object->asked += hash;
    return hash;
}

static uint64_t change(struct object *object, uint64_t hash)
{
    hash = history_mix(hash, object->change + object->asked);
    object->change = hash;
    object->asked = 0;
    return hash;
}

void history_step(struct strand *strand, uint32_t operation, const void *address)
{
    uint64_t hash = history_mix(strand->hash, operation);
    if (address)
        hash = operation == HOOK_LOOK ? ask(find(address), hash) : change(find(address), hash);
    hash = operation == HOOK_YIELD_POINT ? change(&memory, hash) : ask(&memory, hash);
    strand_hash(strand, hash);
}

void history_learn(struct strand *strand, uint64_t from)
{
    strand_hash(strand, history_mix(strand->hash, from));
}

uint64_t history_state(void)
{
    return history_mix(state, (uint64_t)control_run->now);
}
