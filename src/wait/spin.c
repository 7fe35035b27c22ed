/* spin.c - the learnt spin; see spin.h.
 *
 * For each object on each processor, in `places`:
 *
 *  pausing, yielding   0 .. TRUST_MAX, how far each way is trusted: a success adds 1, a failure takes a quarter away (at
 *                      least 1). The time that it may take grows with it. At 0 one wait in PROBE tries all the same, to
 *                      find out whether things have changed.
 *  waits               how many began while one of the two was not trusted
 *  account             of the yields in spins for it
 *
 * For each object, in `wakers`: processor + 1 of who last woke a sleeper; 0: nobody yet. For each thread, in `partners`: the
 * same of who last woke it, by object.
 *
 * For each processor, in `processors`:
 *
 *  known               nanoseconds of its time of which one knows what became of them: they were somebody's turn at a
 *                      lock, or have been paid for
 *  account             of the yields at the end of a turn at a lock
 *
 * An account:
 *
 *  debt                nanoseconds that were lost by yields of LONG_YIELD and more, less what the others have saved
 *  no_yield_before     when that was too much: nobody yields for a while */

#include "wait/spin.h"

#include "wait/hook.h"

enum {
    PLACES = 256,
    PARTNERS = 16,
    PROCESSOR_STEP = 101, /* in `places`, from an object on one to the same on the next */
    PROCESSORS = 64,      /* those with a number that much higher share a place */

    TRUST_MAX = 32,
    PAUSING_START = 8,
    YIELDING_START = 2,
    PROBE = 64,

    PAUSES_A_CLOCK = 16,     /* between two looks at the clock */
    PAUSES_A_LOOK_MOST = 32, /* between two looks at a lock */

    VISITS_A_CLOCK = 16, /* to a lock, until the clock is read */
    LOOKS = 4            /* at a lock, before anything else */
};

/* All in nanoseconds. */
enum {
    PAUSING_A_TRUST = 800,
    YIELDING = 50000,        /* of yields: what a sleep and a wake may cost */
    YIELD = 1000,            /* what a yield costs; if it took longer, others had use for the time */
    YIELDING_MOST = 1000000, /* of others' time, too */
    LONG_YIELD = 1000000,
    SHORT_SLEEP = 500000,   /* a yield would have done */
    SHORTEST_SLEEP = 50000, /* a pause would have done; half of it is the wake itself */
    SAVED = 4000,           /* by a yield that took the place of a sleep */
    MOST_DEBT = 10000000,
    TURN = 250000,
    LONG_WAY = 90 /* of a line from another processor, twice: to be read, and written. With the clock's time */
};

/* Times as long as a long yield took: so long nobody yields then. */
enum { REST = 64 };

struct account {
    thr_time debt;
    thr_time no_yield_before;
};

struct place {
    uint8_t pausing; /* both are stored so that the start is 0: the table starts zeroed */
    uint8_t yielding;
    uint8_t waits;
    struct account account;
} __attribute__((aligned(64)));

struct processor {
    thr_time known;
    struct account account;
} __attribute__((aligned(64)));

static struct place places[PLACES];
static uint16_t wakers[PLACES];
static struct processor processors[PROCESSORS];
static __thread uint16_t partners[PARTNERS] __attribute__((tls_model("initial-exec")));

static uint64_t hash_of(const void *object)
{
    return (uint64_t)(uintptr_t)object * 0x9e3779b97f4a7c15u;
}

/* On this processor, a number + 1. */
static struct place *place_of(const void *object, uint16_t processor)
{
    uint64_t hash = hash_of(object) + ((uint64_t)processor * PROCESSOR_STEP << 56);
    return &places[hash >> 56];
}

static uint16_t *waker_of(const void *object)
{
    return &wakers[hash_of(object) >> 56];
}

static uint16_t *partner_of(const void *object)
{
    return &partners[hash_of(object) >> 60];
}

_Static_assert(PLACES == 256 && PARTNERS == 16, "the hash's top 8 and top 4 bits are taken");

static uint16_t this_processor(void)
{
    return (uint16_t)(os_processor() + 1);
}

/* -- Trust -------------------------------------------------------------------------------------------------------- */

static unsigned trust_in(struct place *place, enum spin_way way)
{
    return way == SPIN_PAUSE ? load_relaxed(&place->pausing) ^ (unsigned)PAUSING_START
                             : load_relaxed(&place->yielding) ^ (unsigned)YIELDING_START;
}

static void learn(struct place *place, enum spin_way way, bool success)
{
    unsigned trust = trust_in(place, way);
    unsigned next = success ? trust + 1 : trust - (trust + 3) / 4;
    if (next > TRUST_MAX || next == trust)
        return;
    if (way == SPIN_PAUSE)
        store_relaxed(&place->pausing, (uint8_t)(next ^ PAUSING_START));
    else
        store_relaxed(&place->yielding, (uint8_t)(next ^ YIELDING_START));
}

/* Whether this wait tries what is not trusted. (Where all is trusted, nothing is written.) */
static bool is_probe(struct place *place)
{
    if (trust_in(place, SPIN_PAUSE) > 0 && trust_in(place, SPIN_YIELD) > 0)
        return false;
    uint8_t waits = (uint8_t)(load_relaxed(&place->waits) + 1);
    store_relaxed(&place->waits, waits);
    return waits % PROBE == 0;
}

/* How long it may pause. */
static thr_time span(struct place *place)
{
    unsigned trust = trust_in(place, SPIN_PAUSE);
    return (thr_time)(trust == 0 ? 4 : trust) * PAUSING_A_TRUST;
}

/* -- Accounts ----------------------------------------------------------------------------------------------------- */

static bool may_yield(struct account *account, thr_time now)
{
    return now >= load_relaxed(&account->no_yield_before);
}

/* So much was lost by a yield. When those that lost much have cost more than the others have saved, nobody yields for a
 * while. (What is more than MOST_DEBT was no turn of somebody else: the process was stopped, or the machine.) */
static void pay(struct account *account, thr_time now, thr_time lost)
{
    thr_time debt = load_relaxed(&account->debt) + lost;
    if (debt > MOST_DEBT) {
        debt = MOST_DEBT;
        store_relaxed(&account->no_yield_before, now + REST * (lost < MOST_DEBT ? lost : MOST_DEBT));
    }
    store_relaxed(&account->debt, debt);
}

static void earn(struct account *account, thr_time saved)
{
    thr_time debt = load_relaxed(&account->debt);
    if (debt > 0)
        store_relaxed(&account->debt, debt - saved);
}

/* -- Visits to a lock --------------------------------------------------------------------------------------------- */

/* `began`: the turn on its processor, as far as it can be seen from here: after it slept or yielded, or had not come by for
 * a while. `seen`: when it last came. */
static __thread struct {
    thr_time began;
    thr_time seen;
    uint32_t visits;
    bool far; /* a line takes long from another processor */
} turn __attribute__((tls_model("initial-exec")));

static thr_time know(struct processor *processor, thr_time time)
{
    thr_time known = load_relaxed(&processor->known) + time;
    store_relaxed(&processor->known, known);
    return known;
}

/* Yields, and says when that was over. What is not known then of the time between was lost: somebody had the processor
 * who takes no turns. All that have waited for it see the same loss; the first to come back pays. */
static thr_time end_turn(struct processor *processor, thr_time now)
{
    thr_time known = know(processor, now - turn.began);
    os_yield();
    thr_time back = os_now();
    thr_time lost = back - now - (load_relaxed(&processor->known) - known);
    if (lost >= LONG_YIELD) {
        (void)know(processor, lost);
        pay(&processor->account, back, lost);
    } else {
        earn(&processor->account, TURN);
    }
    return back;
}

/* Yields, if the calling thread's turn has lasted for TURN. */
static void take_turns(void)
{
    thr_time now = os_now();
    if (now - turn.seen > TURN)
        turn.began = now;
    if (now - turn.began > TURN) {
        struct processor *processor = &processors[os_processor() % PROCESSORS];
        if (may_yield(&processor->account, now))
            now = turn.began = end_turn(processor, now);
    }
    turn.seen = now;
}

unsigned spin_visit(bool *timed)
{
    *timed = false;
    if (hook_steers()) /* in the laboratory nobody else runs meanwhile */
        return 0;
    *timed = ++turn.visits % VISITS_A_CLOCK == 0;
    if (*timed)
        take_turns();
    return *timed || !turn.far ? LOOKS : 0;
}

void spin_look_took(thr_time time)
{
    turn.far = time > LONG_WAY;
}

/* -- A spin ------------------------------------------------------------------------------------------------------- */

/* Goes over to yielding, or to nothing. */
static void yield_now(struct spin *spin)
{
    struct place *place = spin->place;
    spin->way = SPIN_NOT;
    if (!spin->may_yield)
        return;
    spin->now = os_now();
    if (!may_yield(&place->account, spin->now) || !(spin->probe || trust_in(place, SPIN_YIELD)))
        return;
    spin->way = SPIN_YIELD;
    spin->left = YIELDING;
    spin->end = spin->now + YIELDING_MOST;
}

static void begin(struct spin *spin, const void *object, uint32_t pauses, bool may_yield)
{
    uint16_t processor = this_processor();
    struct place *place = place_of(object, processor);
    *spin = (struct spin){.place = place, .pauses = pauses, .may_yield = may_yield};
    if (hook_steers())
        return;
    spin->probe = is_probe(place);
    if (load_relaxed(partner_of(object)) != processor && (spin->probe || trust_in(place, SPIN_PAUSE)))
        spin->way = SPIN_PAUSE;
    else
        yield_now(spin);
}

void spin_begin(struct spin *spin, const void *object)
{
    begin(spin, object, 1, true);
}

void spin_begin_rare(struct spin *spin, const void *object)
{
    begin(spin, object, turn.far ? PAUSES_A_LOOK_MOST : 1, false);
}

/* Until the caller's next look. */
static void pause_for_a_look(struct spin *spin)
{
    for (uint32_t i = 0; i < spin->pauses; i++)
        os_pause();
    spin->turns++;
    spin->untimed += spin->pauses;
    if (!spin->may_yield && spin->pauses < PAUSES_A_LOOK_MOST)
        spin->pauses *= 2;
}

static bool pause_turn(struct spin *spin)
{
    pause_for_a_look(spin);
    if (spin->untimed < PAUSES_A_CLOCK)
        return true;
    spin->untimed = 0;
    spin->now = os_now();
    if (spin->end == 0)
        spin->end = spin->now + span(spin->place);
    if (spin->now < spin->end)
        return true;
    learn(spin->place, SPIN_PAUSE, false);
    yield_now(spin);
    return spin->way != SPIN_NOT;
}

static bool yield_turn(struct spin *spin)
{
    if (spin->left <= 0 || spin->now >= spin->end)
        return false;
    thr_time before = spin->now;
    os_yield();
    spin->turns++;
    spin->now = os_now();
    thr_time took = spin->now - before;
    spin->left -= took < YIELD ? took : YIELD;
    if (took >= LONG_YIELD) {
        pay(&spin->place->account, spin->now, took);
        spin->left = 0;
    }
    return true;
}

bool spin_turn(struct spin *spin)
{
    switch (spin->way) {
    case SPIN_PAUSE:
        return pause_turn(spin);
    case SPIN_YIELD:
        return yield_turn(spin);
    case SPIN_NOT:
    default:
        return false;
    }
}

void spin_end(struct spin *spin, bool success)
{
    if (spin->way == SPIN_NOT || (success && spin->turns == 0))
        return;
    learn(spin->place, spin->way, success);
    if (success && spin->way == SPIN_YIELD)
        earn(&spin->place->account, SAVED);
}

void spin_waker(const void *object)
{
    uint16_t *waker = waker_of(object);
    uint16_t processor = this_processor();
    if (load_relaxed(waker) != processor)
        store_relaxed(waker, processor);
}

void spin_woken(const void *object, thr_time since)
{
    if (hook_steers())
        return;
    uint16_t processor = this_processor();
    uint16_t waker = load_relaxed(waker_of(object));
    struct place *place = place_of(object, processor);
    thr_time slept = os_now() - since;
    store_relaxed(partner_of(object), waker);
    if (slept < SHORTEST_SLEEP && waker != processor)
        learn(place, SPIN_PAUSE, true);
    else if (slept < SHORT_SLEEP)
        learn(place, SPIN_YIELD, true);
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
