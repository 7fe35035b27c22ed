/* stretches.c - see stretches.h.
 *
 * A plan of stretches is followed as far as it goes: a stretch is over when its strand has come to that turn, or when another
 * goes on since it cannot; one whose strand cannot go on, or is past that turn, is passed over. After the last the default
 * decides. So every list is a plan. */

#include "lab/stretches.h"

#include <string.h>

#include "lab/control.h"
#include "lab/strategy.h"

static uint32_t next; /* in plan.stretch */

static bool goes_on(const struct strand *self, const struct stretch *stretch)
{
    return stretch->strand == self->id && self->turn < stretch->until;
}

static struct strand *choose(struct run *run, struct strand *self, strand_set candidates)
{
    const struct plan *plan = &run->plan;
    if (next > 0 && goes_on(self, &plan->stretch[next - 1]) && control_has(candidates, self))
        return self;
    while (next < plan->stretches) {
        const struct stretch *stretch = &plan->stretch[next++];
        struct strand *strand = &run->strand[stretch->strand];
        if (control_has(candidates, strand) && strand->turn < stretch->until)
            return strand;
    }
    return strategy_default(run, self, candidates);
}

const struct strategy strategy_stretches = {"stretches", strategy_ignore, choose, strategy_ignore_step,
                                            strategy_ignore};

uint32_t stretches_of(const struct run *run, struct stretch *stretch)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < run->decisions && !(run->decision[i].flags & DECIDED_FAIR); i++) {
        const struct decision *decision = &run->decision[i];
        if (decision->flags & DECIDED_EARLY || n + 2 > STRETCHES)
            return 0;
        if (n == 0 || stretch[n - 1].strand != decision->strand)
            stretch[n++] = (struct stretch){decision->strand, UINT32_MAX};
        if (decision->chosen == decision->strand)
            continue;
        stretch[n - 1].until = decision->turn;
        stretch[n++] = (struct stretch){decision->chosen, UINT32_MAX};
    }
    return n;
}

/* Appends one; if the strand has one already from `begin` on, they become one. */
static uint32_t append(struct stretch *to, uint32_t begin, uint32_t n, const struct stretch *stretch, bool last)
{
    for (uint32_t i = begin; i < n; i++) {
        if (to[i].strand != stretch->strand)
            continue;
        if (!last) {
            to[i].until = stretch->until;
            return n;
        }
        memmove(&to[i], &to[i + 1], (n - i - 1) * sizeof *to);
        n--;
        break;
    }
    to[n] = *stretch;
    return n + 1;
}

uint32_t stretches_join(const struct stretch *from, uint32_t n, uint32_t at, uint32_t size, bool last,
                        struct stretch *to)
{
    uint32_t count = at;
    memcpy(to, from, at * sizeof *to);
    for (uint32_t i = at; i < at + size && i < n; i++)
        count = append(to, at, count, &from[i], last);
    for (uint32_t i = at + size; i < n; i++)
        to[count++] = from[i];
    return count;
}

uint32_t stretches_join_next(const struct stretch *from, uint32_t n, uint32_t at, bool last, struct stretch *to)
{
    uint32_t other = at + 1;
    while (other < n && from[other].strand != from[at].strand)
        other++;
    memcpy(to, from, n * sizeof *to);
    if (other == n)
        return n;
    if (!last)
        to[at].until = from[other].until;
    uint32_t gone = last ? at : other;
    memmove(&to[gone], &to[gone + 1], (n - gone - 1) * sizeof *to);
    return n - 1;
}
