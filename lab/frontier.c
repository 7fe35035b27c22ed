/* frontier.c - see frontier.h.
 *
 * Each finished run is kept as the list of its choices. An item is one of these lists up to a decision, with another
 * choice there. Items wait in a stack for each number of preemptions; those with fewer are tried first. So when the search
 * for n preemptions begins, that for n - 1 is complete, and a bug is found with as few as it needs. */

#include "lab/frontier.h"

#include <string.h>

#include "lab/job.h"
#include "lab/seen.h"

enum { BOUND_MAX = 31, ITEMS = 1 << 20, CHOICES = 1 << 27 };

struct item {
    uint64_t choices; /* where its list begins */
    uint32_t length;  /* of which so many */
    uint32_t below;   /* the next in the stack, + 1 */
    uint8_t choice;   /* and then this */
};

static struct {
    struct item *items;
    uint8_t *choices;
    uint32_t used;
    uint32_t free; /* items that can be used again, + 1 */
    uint64_t kept; /* bytes of choices */
    uint32_t stack[BOUND_MAX + 1];
    uint32_t bound;
    uint32_t open;  /* runs that were begun, and not yet added */
    uint32_t added; /* runs */
    bool begun;
    bool dropped;
} frontier;

bool frontier_begin(uint32_t bound)
{
    memset(&frontier, 0, sizeof frontier);
    frontier.bound = bound < BOUND_MAX ? bound : BOUND_MAX;
    frontier.items = job_shared(ITEMS * sizeof *frontier.items);
    frontier.choices = job_shared(CHOICES);
    return frontier.items && frontier.choices;
}

static void push(uint64_t choices, uint32_t length, uint8_t choice, uint32_t cost)
{
    if (cost > frontier.bound) {
        frontier.dropped = true;
        return;
    }
    uint32_t place = frontier.free;
    if (place != 0)
        frontier.free = frontier.items[place - 1].below;
    else if (frontier.used < ITEMS)
        place = ++frontier.used;
    if (place == 0) {
        frontier.dropped = true;
        return;
    }
    frontier.items[place - 1] = (struct item){choices, length, frontier.stack[cost], choice};
    frontier.stack[cost] = place;
}

bool frontier_next(struct plan *plan)
{
    plan->strategy = STRATEGY_EXHAUSTIVE;
    plan->early = 0;
    plan->seen = frontier.added;
    if (!frontier.begun) {
        frontier.begun = true;
        frontier.open++;
        plan->prefix = 0;
        return true;
    }
    for (uint32_t cost = 0; cost <= frontier.bound; cost++) {
        uint32_t place = frontier.stack[cost];
        if (place == 0)
            continue;
        struct item *item = &frontier.items[place - 1];
        frontier.stack[cost] = item->below;
        memcpy(plan->first, frontier.choices + item->choices, item->length);
        plan->first[item->length] = item->choice;
        plan->prefix = item->length + 1;
        item->below = frontier.free;
        frontier.free = place;
        frontier.open++;
        return true;
    }
    return false;
}

static void add_others(const struct decision *decision, uint64_t choices, uint32_t at, uint32_t cost)
{
    bool goes_on = decision->candidates >> decision->strand & 1;
    for (strand_set set = decision->candidates & ~set_of(decision->chosen); set != 0; set &= set - 1) {
        uint8_t other = (uint8_t)set_first(set);
        push(choices, at, other, cost + (goes_on && other != decision->strand));
    }
}

void frontier_add(const struct run *run)
{
    uint64_t choices = frontier.kept;
    uint32_t cost = 0;
    frontier.open--;
    frontier.added++;
    if (frontier.kept + run->decisions > CHOICES) {
        frontier.dropped = true;
        return;
    }
    for (uint32_t i = 0; i < run->decisions; i++) {
        const struct decision *decision = &run->decision[i];
        if (decision->flags & DECIDED_FAIR) {
            frontier.dropped = true;
            break;
        }
        frontier.choices[frontier.kept++] = decision->chosen;
        if (i >= run->plan.prefix) {
            seen_add(run->state[i], cost, frontier.added);
            add_others(decision, choices, i, cost);
        }
        cost += (decision->flags & DECIDED_PREEMPTION) != 0;
    }
}

bool frontier_complete(void)
{
    if (!frontier.begun || frontier.open != 0)
        return false;
    for (uint32_t cost = 0; cost <= frontier.bound; cost++) {
        if (frontier.stack[cost] != 0)
            return false;
    }
    return true;
}

bool frontier_bounded(void)
{
    return frontier.dropped;
}
