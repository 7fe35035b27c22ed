/* check_order.c - in which order locks are taken.
 *
 * When a thread takes a lock without a limit of time, each lock that it holds is one that it may be waiting under: held
 * -> taken is an edge of the graph. A cycle of edges is a deadlock that has not happened yet: it does when each edge's
 * thread has the first lock and waits for the second. (A lock that was tried for, or waited for with a deadline, makes no
 * edge to it; it does make edges from it.)
 *
 * O1  Where every edge of a cycle, but for different ones, was seen with a third lock held, that lock keeps the threads
 *     apart, and it is no report. An edge keeps the locks that were held besides each time that it was seen.
 * O2  Each thread remembers what it has told the graph, so that the graph's lock is taken only for what is new. What it
 *     remembers of a lock's address is good until anything was forgotten; of an edge for ever, since ids never come back.
 *
 * Order: `forgotten` is read relaxed: who takes a lock in memory that was given out anew is ordered after the free that
 * forgot the old one, by whatever gave it the memory. */

#include "lab/check_graph.h"

#include <string.h>

enum { HELD_LOOKED_AT = 64, CYCLE_MAX = 32, REPORTED = 256 };

static uint64_t mix(uint64_t value)
{
    value = (value ^ value >> 32) * 0x9e3779b97f4a7c15u;
    return value ^ value >> 29;
}

/* -- Locks -------------------------------------------------------------------------------------------------------- */

static bool is_on_stack(const void *lock)
{
    uintptr_t at = (uintptr_t)lock;
    for (struct watched *thread = check_threads(); thread; thread = thread->next) {
        if (thread->number != 0 && at >= thread->stack_low && at < thread->stack_high) {
            if (at < load_relaxed(&thread->lowest_lock))
                store_relaxed(&thread->lowest_lock, at);
            return true;
        }
    }
    return false;
}

/* The lock's node, made anew if it is in another call's variables than before. Under the lock. */
static struct node *meet(const void *lock, const void *site, const void *frame)
{
    struct node *node = graph_node(lock);
    if (node && frame && node->frame && node->frame != frame) {
        graph_forget((uintptr_t)lock, (uintptr_t)lock + 1);
        node = NULL;
    }
    if (!node)
        node = graph_node_make(lock, is_on_stack(lock));
    if (node && !node->site)
        node->site = site;
    if (node && !node->frame)
        node->frame = frame;
    return node;
}

uint64_t order_id(struct watched *me, const void *lock, const void *site)
{
    struct known *known = &me->known[mix((uintptr_t)lock) % KNOWN];
    uint64_t forgotten = graph_forgotten();
    bool on_my_stack = (uintptr_t)lock >= me->stack_low && (uintptr_t)lock < me->stack_high;
    if (known->lock == lock && known->forgotten == forgotten && known->id != 0 && !on_my_stack)
        return known->id;
    const void *frame = on_my_stack ? forget_frame(lock) : NULL;
    check_enter();
    struct node *node = meet(lock, site, frame);
    *known = (struct known){lock, node ? node->id : 0, graph_forgotten()};
    check_leave();
    return known->id;
}

const void *order_first_site(const void *lock)
{
    const struct node *node = graph_node(lock);
    return node ? node->site : NULL;
}

/* -- Reports ------------------------------------------------------------------------------------------------------ */

static uint64_t step_key(const struct step *step)
{
    uint64_t key = mix((uintptr_t)step->from_site);
    for (uint32_t i = 0; i < step->stack.frames; i++)
        key = mix(key + (uintptr_t)step->stack.at[i]);
    return key;
}

static bool remember(uint64_t *keys, size_t *count, uint64_t key)
{
    for (size_t i = 0; i < *count; i++) {
        if (keys[i] == key)
            return false;
    }
    if (*count == REPORTED)
        return false;
    keys[(*count)++] = key;
    return true;
}

/* Whether neither these locks were reported, nor others that were taken in the same places. */
static bool is_new(struct edge *const *cycle, size_t n)
{
    static uint64_t locks[REPORTED], places[REPORTED];
    static size_t lock_count, place_count;
    uint64_t lock_key = 0;
    uint64_t place_key = 0;
    for (size_t i = 0; i < n; i++) { /* sums: whichever comes first */
        lock_key += mix(mix(cycle[i]->from->id) + cycle[i]->to->id);
        place_key += step_key(&cycle[i]->step);
    }
    bool new_locks = remember(locks, &lock_count, lock_key);
    bool new_places = remember(places, &place_count, place_key);
    return new_locks && new_places;
}

static void look_for_cycle(struct edge *edge)
{
    struct edge *cycle[CYCLE_MAX];
    static struct step steps[CYCLE_MAX];
    size_t n = graph_cycle(edge, cycle, CYCLE_MAX);
    if (n == 0 || !is_new(cycle, n))
        return;
    for (size_t i = 0; i < n; i++)
        steps[i] = cycle[i]->step;
    report_order(steps, n);
}

/* -- Edges -------------------------------------------------------------------------------------------------------- */

/* The locks that are held besides `from` and the one that is taken. */
struct guards {
    uint32_t n;
    uint64_t id[GUARDS];
};

static struct guards guards_of(const struct watched *me, const struct held *from, const void *lock)
{
    struct guards guards = {0};
    for (uint32_t i = 0; i < me->held_count && guards.n < GUARDS; i++) {
        if (&me->held[i] != from && me->held[i].lock != lock)
            guards.id[guards.n++] = me->held[i].id;
    }
    return guards;
}

static bool has_guard(const struct guards *guards, uint64_t id)
{
    for (uint32_t i = 0; i < guards->n; i++) {
        if (guards->id[i] == id)
            return true;
    }
    return false;
}

/* Keeps the guards that were there this time too. True: they have become fewer. */
static bool keep_guards(struct edge *edge, const struct guards *guards)
{
    uint32_t before = edge->guards;
    edge->guards = 0;
    for (uint32_t i = 0; i < before; i++) {
        if (has_guard(guards, edge->guard[i]))
            edge->guard[edge->guards++] = edge->guard[i];
    }
    return edge->guards < before;
}

static void describe(struct step *step, const struct watched *me, const struct held *from, const void *lock)
{
    struct sight sight;
    step->from = from->lock;
    step->to = lock;
    step->from_site = from->site;
    bool seen = lab_library->look(me->number, &sight);
    memcpy(step->thread, seen && sight.name[0] ? sight.name : "a thread", seen && sight.name[0] ? NAME_INLINE : 9);
    check_stack(&step->stack);
}

/* Tells the graph. */
static void tell(const struct watched *me, const struct held *from, const void *lock, uint64_t id)
{
    struct guards guards = guards_of(me, from, lock);
    struct node *first = graph_node(from->lock);
    struct node *second = graph_node(lock);
    if (!first || first->id != from->id || !second || second->id != id)
        return; /* forgotten meanwhile */
    struct edge *edge = graph_edge(first, second);
    bool changed = edge && keep_guards(edge, &guards);
    if (edge && !changed)
        return;
    if (!edge) {
        edge = graph_edge_make(first, second);
        if (!edge)
            return;
        edge->guards = guards.n;
        memcpy(edge->guard, guards.id, sizeof guards.id);
    }
    describe(&edge->step, me, from, lock);
    look_for_cycle(edge);
}

void order_check(struct watched *me, const void *lock, uint64_t id)
{
    uint64_t all = 0;
    uint32_t first = me->held_count > HELD_LOOKED_AT ? me->held_count - HELD_LOOKED_AT : 0;
    for (uint32_t i = 0; i < me->held_count; i++)
        all += mix(me->held[i].id);
    for (uint32_t i = first; i < me->held_count; i++) {
        const struct held *from = &me->held[i];
        uint64_t key = mix(mix(mix(from->id) + id) + all);
        uint64_t *seen = &me->seen[key % SEEN];
        if (from->lock == lock || *seen == key)
            continue;
        check_enter();
        tell(me, from, lock, id);
        check_leave();
        *seen = key; /* O2 */
    }
}
