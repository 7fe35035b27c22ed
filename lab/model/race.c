/* race.c - see race.h; the state is in world.h.
 *
 * For each address: in which epoch each thread last accessed it, in each of the four kinds. An access happens before what
 * thread t does now if its epoch is not above t's clock for the thread that made it. */

#include "model/race.h"

#include <string.h>

#include "model/hash.h"
#include "model/memory.h"
#include "model/trace.h"

static const bool conflicts[ACCESS_KINDS][ACCESS_KINDS] = {
    [READ] = {[WRITE] = true, [ATOMIC_WRITE] = true},
    [WRITE] = {[READ] = true, [WRITE] = true, [ATOMIC_READ] = true, [ATOMIC_WRITE] = true},
    [ATOMIC_READ] = {[WRITE] = true},
    [ATOMIC_WRITE] = {[READ] = true, [WRITE] = true},
};

static const char *const kind_names[ACCESS_KINDS] = {"reads", "writes", "reads", "writes"};

static struct accesses *find(uintptr_t at)
{
    for (int i = 0; i < world.accesses_used; i++) {
        if (world.accessed[i] == at)
            return &world.accesses[i];
    }
    return NULL;
}

static struct accesses *find_or_make(uintptr_t at)
{
    static const struct accesses none;
    struct accesses *accesses = find(at);
    if (accesses)
        return accesses;
    if (world.accesses_used == ACCESSES) {
        fail("the search has no room for more accesses");
        world.accesses_used--;
    }
    world.accessed[world.accesses_used] = at;
    world.accesses[world.accesses_used] = none;
    return &world.accesses[world.accesses_used++];
}

static void forget(int index)
{
    int last = --world.accesses_used;
    world.accessed[index] = world.accessed[last];
    world.accesses[index] = world.accesses[last];
}

static void check(const struct accesses *accesses, uintptr_t at, enum access kind)
{
    const struct known *known = &world.threads[running].known;
    for (int other = 0; other < world.count; other++) {
        for (int before = 0; before < ACCESS_KINDS; before++) {
            if (other != running && conflicts[kind][before] && accesses->epoch[other][before] > known->clock[other])
                fail("a data race: thread %d %s %s%s, and nothing orders that after thread %d, which %s it%s",
                     running + 1, kind_names[kind], trace_name(at), kind >= ATOMIC_READ ? " atomically" : "", other + 1,
                     kind_names[before], before >= ATOMIC_READ ? " atomically" : "");
        }
    }
}

bool race_freed(uintptr_t at)
{
    size_t offset = at - (uintptr_t)world.shared;
    return offset < sizeof world.shared && (world.freed[offset / 256] >> offset / 4 % 64 & 1);
}

/* An address in the stack of another thread, below its frames. */
static bool is_returned(uintptr_t at)
{
    size_t offset = at - (uintptr_t)stacks;
    if (offset >= sizeof stacks || offset / STACK_SIZE == (size_t)running)
        return false;
    return at < (uintptr_t)world.threads[offset / STACK_SIZE].fibre.stack_pointer;
}

void race_access(uintptr_t at, size_t size, enum access kind)
{
    size_t piece = size > 8 ? 4 : size; /* a whole struct: as the fields may be */
    if (race_freed(at))
        fail("thread %d %s %s, which has been freed", running + 1, kind_names[kind], trace_name(at));
    if (is_returned(at))
        fail("thread %d %s %s, in a function that has returned", running + 1, kind_names[kind], trace_name(at));
    for (; size > 0; at += piece, size -= piece < size ? piece : size) {
        struct accesses *accesses = find_or_make(at);
        check(accesses, at, kind);
        accesses->epoch[running][kind] = world.threads[running].known.clock[running];
    }
}

void race_free(uintptr_t at, size_t size)
{
    for (size_t offset = 0; offset < size; offset += 4) {
        size_t bit = at + offset - (uintptr_t)world.shared;
        struct accesses *accesses = find(at + offset);
        if (accesses)
            check(accesses, at + offset, WRITE);
        world.freed[bit / 256] |= UINT64_C(1) << bit / 4 % 64;
    }
    race_forget(at, size);
    memory_forget(at, size);
    memset((void *)at, 0, size);
}

void race_forget(uintptr_t at, size_t size)
{
    for (int i = world.accesses_used - 1; i >= 0; i--) {
        if (world.accessed[i] - at < size)
            forget(i);
    }
}

void race_release(int thread)
{
    world.threads[thread].known.clock[thread]++;
}

/* -- Tidying ------------------------------------------------------------------------------------------------------ */

/* Up to which epoch every other thread that goes on knows what `thread` did. */
static int known_to_all(int thread)
{
    int all = UINT8_MAX;
    for (int i = 0; i < world.count; i++) {
        if (i != thread && world.threads[i].state != ENDED && world.threads[i].known.clock[thread] < all)
            all = world.threads[i].known.clock[thread];
    }
    return all;
}

/* New numbers for the epochs of one thread: 0 for what all know, then one for each that is in use. */
static void renumber(int thread)
{
    uint8_t number[UINT8_MAX + 1] = {0};
    int all = known_to_all(thread);
    uint8_t own = world.threads[thread].known.clock[thread];
    int highest = own;
    for (int i = 0; i < world.accesses_used; i++) {
        for (int kind = 0; kind < ACCESS_KINDS; kind++) {
            uint8_t epoch = world.accesses[i].epoch[thread][kind];
            number[epoch] = epoch > all;
        }
    }
    bool own_used = number[own];
    for (int epoch = 1; epoch <= highest; epoch++)
        number[epoch] = (uint8_t)(number[epoch] + number[epoch - 1]);
    for (int i = 0; i < world.accesses_used; i++) {
        for (int kind = 0; kind < ACCESS_KINDS; kind++) {
            uint8_t *epoch = &world.accesses[i].epoch[thread][kind];
            *epoch = *epoch > all ? number[*epoch] : 0;
        }
    }
    for (int i = 0; i < world.count; i++)
        world.threads[i].known.clock[thread] = number[world.threads[i].known.clock[thread]];
    for (int i = 0; i < world.messages_used; i++)
        world.messages[i].known.clock[thread] = number[world.messages[i].known.clock[thread]];
    world.threads[thread].known.clock[thread] = (uint8_t)(number[own] + !own_used);
}

static bool is_empty(const struct accesses *accesses)
{
    static const struct accesses none;
    return memcmp(accesses, &none, sizeof none) == 0;
}

void race_tidy(void)
{
    for (int i = 0; i < world.count; i++)
        renumber(i);
    for (int i = world.accesses_used - 1; i >= 0; i--) {
        if (is_empty(&world.accesses[i]))
            forget(i);
    }
}

_Static_assert(sizeof(struct accesses) <= 16, "two words");

uint64_t race_hash(void)
{
    uint64_t sum = 0;
    for (int i = 0; i < world.accesses_used; i++) {
        uint64_t words[2] = {0};
        memcpy(words, &world.accesses[i], sizeof world.accesses[i]);
        sum += hash_mix(hash_mix(world.accessed[i], words[0]), words[1]);
    }
    return sum;
}
