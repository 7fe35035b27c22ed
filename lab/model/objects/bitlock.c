/* bitlock.c - the lock inside a word. */

#include "wait/bitlock.h"

#include "model/scenario.h"

struct shared {
    uint64_t word;
    uint32_t data;
};

static const struct named_field fields[] = {FIELD(struct shared, word), FIELD(struct shared, data), {0}};

static struct shared *shared(void)
{
    return (struct shared *)world.shared;
}

/* Adds 4 to the data in the word, and 1 to that beside it. */
static void use(int thread)
{
    (void)thread;
    uint64_t data = bitlock_acquire(&shared()->word);
    check(data == 4 * (uint64_t)shared()->data, "what was done under the bit is not seen");
    shared()->data++;
    bitlock_release(&shared()->word, data + 4);
}

static void use_twice(int thread)
{
    use(thread);
    use(thread);
}

static void finish(void)
{
    check(shared()->word == 4 * (uint64_t)shared()->data, "something done under the bit is lost");
}

static void prepare(void)
{
}

static const struct model_operation operations[] = {{"use", use}, {"use twice", use_twice}};

const struct object model_bitlock = {
    .name = "bitlock",
    .operations = operations,
    .count = sizeof operations / sizeof *operations,
    .fields = fields,
    .prepare = prepare,
    .finish = finish,
};
