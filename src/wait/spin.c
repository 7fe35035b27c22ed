/* spin.c - the learnt spin; see spin.h.
 *
 * place.trust  0 .. TRUST_MAX; a success adds 1, a failure takes a quarter away (at least 1). The time a spin may take
 *              grows with it. At 0 one wait in PROBE spins all the same, to find out whether things have changed.
 * place.waker  processor + 1 of the last waker; 0: none yet. */

#include "wait/spin.h"

#include "wait/hook.h"

enum {
    PLACES = 256,
    TRUST_MAX = 32,
    TRUST_START = 8,
    PROBE = 16,
    TURNS_UNTIMED = 16, /* pauses before the clock is first read */
    TURNS_A_CLOCK = 16, /* pauses between two looks at the clock */
    TURN_PAUSES = 1,
    NANOSECONDS_A_TRUST = 800
};

struct place {
    uint8_t distrust; /* TRUST_START is stored as 0: the table starts zeroed */
    uint8_t waits;
    uint16_t waker;
} __attribute__((aligned(64)));

static struct place places[PLACES];

static struct place *place_of(const void *object)
{
    uint64_t hash = (uint64_t)(uintptr_t)object * 0x9e3779b97f4a7c15u;
    return &places[hash >> 56];
}

_Static_assert(PLACES == 256, "place_of takes the top 8 bits");

static unsigned trust_of(const struct place *place)
{
    return load_relaxed(&place->distrust) ^ (uint8_t)TRUST_START;
}

void spin_begin(struct spin *spin, const void *object)
{
    struct place *place = place_of(object);
    spin->object = object;
    spin->end = 0;
    spin->turns = 0;
    spin->allowed = true;
    if (thr__steered() /* in the laboratory nobody else runs meanwhile */ ||
        load_relaxed(&place->waker) == (uint16_t)(os_processor() + 1)) {
        spin->allowed = false;
    } else if (trust_of(place) == 0) {
        uint8_t waits = (uint8_t)(load_relaxed(&place->waits) + 1);
        store_relaxed(&place->waits, waits);
        spin->allowed = waits % PROBE == 0;
    }
}

bool spin_turn(struct spin *spin)
{
    if (!spin->allowed)
        return false;
    os_pause();
    spin->turns++;
    if (spin->turns < TURNS_UNTIMED || spin->turns % TURNS_A_CLOCK != 0)
        return true;
    thr_time now = os_now();
    if (spin->end == 0) {
        unsigned trust = trust_of(place_of(spin->object));
        spin->end = now + (thr_time)(trust == 0 ? 4 : trust) * NANOSECONDS_A_TRUST;
    }
    return now < spin->end;
}

void spin_end(struct spin *spin, bool success)
{
    if (!spin->allowed || (success && spin->turns == 0))
        return;
    struct place *place = place_of(spin->object);
    unsigned trust = trust_of(place);
    unsigned next = success ? trust + 1 : trust - (trust + 3) / 4;
    if (next > TRUST_MAX)
        next = TRUST_MAX;
    if (next != trust)
        store_relaxed(&place->distrust, (uint8_t)(next ^ TRUST_START));
}

void spin_waker(const void *object)
{
    struct place *place = place_of(object);
    uint16_t waker = (uint16_t)(os_processor() + 1);
    if (load_relaxed(&place->waker) != waker)
        store_relaxed(&place->waker, waker);
}

bool wait_spin(const uint32_t *word, uint32_t mask, uint32_t value, const void *object)
{
    struct spin spin;
    spin_begin(&spin, object);
    bool changed = false;
    while (!changed && spin_turn(&spin))
        changed = (load_relaxed(word) & mask) != value;
    spin_end(&spin, changed);
    return changed;
}
